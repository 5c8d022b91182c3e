package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/landwaiter/landwaiter/store/ledger"
)

// tree is a ledger in memory, as a store would keep it.
type tree struct {
	leaves [][]byte
	hashes []ledger.Hash
}

func (t *tree) ReadHashes(indexes []int64) ([]ledger.Hash, error) {
	var list []ledger.Hash
	for _, i := range indexes {
		if i < 0 || i >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("no hash %d", i)
		}
		list = append(list, t.hashes[i])
	}
	return list, nil
}

// grow adds leaves, each through a frontier that is read anew, as after a restart.
func (t *tree) grow(tb testing.TB, leaves ...string) {
	tb.Helper()
	for _, leaf := range leaves {
		f, err := ledger.LoadFrontier(int64(len(t.leaves)), t)
		if err != nil {
			tb.Fatal(err)
		}
		stored, err := f.Append([]byte(leaf))
		if err != nil {
			tb.Fatal(err)
		}
		t.leaves = append(t.leaves, []byte(leaf))
		t.hashes = append(t.hashes, stored...)
	}
}

// at returns the checkpoint of a size, computed from the leaves alone (RFC 6962, section 2.1).
func (t *tree) at(size int64) ledger.Checkpoint {
	return ledger.Checkpoint{Origin: "example.org/ledger", Size: size, Root: rootOf(t.leaves[:size])}
}

func rootOf(leaves [][]byte) ledger.Hash {
	switch len(leaves) {
	case 0:
		root, err := tlog.TreeHash(0, nil)
		if err != nil {
			panic(err)
		}
		return root
	case 1:
		return tlog.RecordHash(leaves[0])
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(rootOf(leaves[:k]), rootOf(leaves[k:]))
}

func newTree(tb testing.TB, size int) *tree {
	tb.Helper()
	t := new(tree)
	for i := range size {
		t.grow(tb, fmt.Sprintf("leaf %d", i))
	}
	return t
}

func TestFrontierGivesTheRoot(t *testing.T) {
	t.Parallel()
	full := newTree(t, 70)
	running, err := ledger.LoadFrontier(0, full)
	if err != nil {
		t.Fatal(err)
	}
	for size := int64(0); size <= 70; size++ {
		loaded, err := ledger.LoadFrontier(size, full)
		if err != nil {
			t.Fatal(err)
		}
		want := full.at(size).Root
		for name, f := range map[string]*ledger.Frontier{"loaded": loaded, "running": running} {
			if root, err := f.Root(); err != nil || root != want {
				t.Errorf("size %d: %s frontier gives %v, %v, want %v", size, name, root, err, want)
			}
		}
		if size < 70 {
			if _, err := running.Append(full.leaves[size]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAppendRefusesALongLeaf(t *testing.T) {
	t.Parallel()
	f, err := ledger.LoadFrontier(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Append(make([]byte, ledger.MaxLeaf+1)); !errors.Is(err, ledger.ErrTooLarge) || f.Size() != 0 {
		t.Errorf("got %v and size %d, want ErrTooLarge and 0", err, f.Size())
	}
	if _, err := f.Append(make([]byte, ledger.MaxLeaf)); err != nil || f.Size() != 1 {
		t.Errorf("leaf at the limit: %v, size %d", err, f.Size())
	}
}

// verify reads a whole tree and compares it with the root of its checkpoint.
func verify(t *tree, c ledger.Checkpoint) error {
	v := ledger.NewVerifier(nil)
	for i, leaf := range t.leaves {
		first, end := ledger.LeafIndex(int64(i)), ledger.HashCount(int64(i+1))
		if end > int64(len(t.hashes)) {
			return fmt.Errorf("entry %d: hashes are missing", i)
		}
		if err := v.Next(leaf, t.hashes[first:end]); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	root, err := v.Root()
	if err != nil || v.Size() != c.Size || root != c.Root {
		return fmt.Errorf("size %d with another root than size %d", v.Size(), c.Size)
	}
	return nil
}

func TestEverySingleBitChangeIsCaught(t *testing.T) {
	t.Parallel()
	full := newTree(t, 7)
	c := full.at(7)
	if err := verify(full, c); err != nil {
		t.Fatalf("before any change: %v", err)
	}
	flip := func(where string, b []byte) {
		for bit := range len(b) * 8 {
			b[bit/8] ^= 1 << (bit % 8)
			if verify(full, c) == nil {
				t.Errorf("%s, bit %d: the change was not caught", where, bit)
			}
			b[bit/8] ^= 1 << (bit % 8)
		}
	}
	for i := range full.leaves {
		flip(fmt.Sprintf("leaf %d", i), full.leaves[i])
	}
	for i := range full.hashes {
		flip(fmt.Sprintf("hash %d", i), full.hashes[i][:])
	}
	flip("root", c.Root[:])
	for i := range full.leaves[1:] {
		full.leaves[i], full.leaves[i+1] = full.leaves[i+1], full.leaves[i]
		if verify(full, c) == nil {
			t.Errorf("swapped leaves %d and %d were not caught", i, i+1)
		}
		full.leaves[i], full.leaves[i+1] = full.leaves[i+1], full.leaves[i]
	}
	if err := verify(&tree{full.leaves[:6], full.hashes}, c); err == nil {
		t.Error("a removed last entry was not caught")
	}
	if err := verify(full, c); err != nil {
		t.Fatalf("after undoing the changes: %v", err)
	}
}

func TestProofsHoldAndOnlyTheRightOnes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		leaves := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 20), 1, 60).Draw(t, "leaves")
		full := new(tree)
		f, err := ledger.LoadFrontier(0, full)
		if err != nil {
			t.Fatal(err)
		}
		for _, leaf := range leaves {
			stored, err := f.Append(leaf)
			if err != nil {
				t.Fatal(err)
			}
			full.leaves, full.hashes = append(full.leaves, leaf), append(full.hashes, stored...)
		}
		size := rapid.Int64Range(1, int64(len(leaves))).Draw(t, "size")
		index := rapid.Int64Range(0, size-1).Draw(t, "index")
		older := rapid.Int64Range(0, size).Draw(t, "older")

		inclusion, err := ledger.ProveInclusion(index, size, full)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.VerifyInclusion(leaves[index], index, full.at(size), inclusion); err != nil {
			t.Fatal(err)
		}
		if ledger.VerifyInclusion(append([]byte("x"), leaves[index]...), index, full.at(size), inclusion) == nil {
			t.Fatal("another leaf is proven")
		}
		consistency, err := ledger.ProveConsistency(older, size, full)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.VerifyConsistency(full.at(older), full.at(size), consistency); err != nil {
			t.Fatal(err)
		}
		wrong := full.at(older)
		wrong.Root[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1
		if ledger.VerifyConsistency(wrong, full.at(size), consistency) == nil {
			t.Fatal("another root is proven to be older")
		}
	})
}

func TestProofsRefuseNonsense(t *testing.T) {
	t.Parallel()
	full := newTree(t, 5)
	other := full.at(5)
	other.Origin = "other.example/ledger"
	for name, err := range map[string]error{
		"index beyond the tree":           ledger.VerifyInclusion(full.leaves[4], 5, full.at(5), nil),
		"negative index":                  ledger.VerifyInclusion(full.leaves[0], -1, full.at(5), nil),
		"empty inclusion proof":           ledger.VerifyInclusion(full.leaves[0], 0, full.at(5), nil),
		"older than newer":                ledger.VerifyConsistency(full.at(5), full.at(4), nil),
		"empty consistency proof":         ledger.VerifyConsistency(full.at(4), full.at(5), nil),
		"another ledger":                  ledger.VerifyConsistency(other, full.at(5), nil),
		"hashes where none is needed":     ledger.VerifyConsistency(full.at(5), full.at(5), full.hashes[:1]),
		"negative size":                   ledger.VerifyConsistency(ledger.Checkpoint{Origin: other.Origin, Size: -1}, other, nil),
		"two roots for one size":          ledger.VerifyConsistency(ledger.Checkpoint{Origin: full.at(5).Origin, Size: 5}, full.at(5), nil),
		"an empty tree with another root": ledger.VerifyConsistency(ledger.Checkpoint{Origin: full.at(5).Origin}, full.at(5), nil),
	} {
		if !errors.Is(err, ledger.ErrProof) {
			t.Errorf("%s: got %v, want ErrProof", name, err)
		}
	}
	if _, err := ledger.ProveInclusion(5, 5, full); err == nil {
		t.Error("proved an entry that is not there")
	}
	if _, err := ledger.ProveConsistency(6, 5, full); err == nil {
		t.Error("proved that a larger tree is older")
	}
}

func TestCheckpointRoundTrip(t *testing.T) {
	t.Parallel()
	key, err := ledger.NewKey("example.org/ledger")
	if err != nil {
		t.Fatal(err)
	}
	again, err := ledger.ParseKey(key.Text() + "\n")
	if err != nil || again.Verifier() != key.Verifier() {
		t.Fatalf("key read back: %v, %v", again, err)
	}
	c := newTree(t, 5).at(5)
	signed, err := key.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(signed, "example.org/ledger\n5\n") || !strings.Contains(signed, "\n\n\u2014 example.org/ledger ") {
		t.Errorf("not a checkpoint in C2SP's form:\n%s", signed)
	}
	got, err := ledger.OpenCheckpoint(signed, c.Origin, key.Verifier())
	if err != nil || got != c {
		t.Errorf("got %v, %v, want %v", got, err, c)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v %s", key, key, key, key), "PRIVATE") {
		t.Error("a printed key shows its private half")
	}
}

func TestCheckpointRefuses(t *testing.T) {
	t.Parallel()
	newKey := func(origin string) *ledger.Key {
		key, err := ledger.NewKey(origin)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	key, stranger, elsewhere := newKey("example.org/ledger"), newKey("example.org/ledger"), newKey("other.example/ledger")
	c := newTree(t, 5).at(5)
	signed, err := key.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range signed { // every byte but those of the signature's last padding bits matters
		changed := []byte(signed)
		changed[i] ^= 1
		if got, err := ledger.OpenCheckpoint(string(changed), c.Origin, key.Verifier()); err == nil && got != c {
			t.Errorf("byte %d changed: opened as %v", i, got)
		}
	}
	if _, err := ledger.OpenCheckpoint(signed, c.Origin, stranger.Verifier()); err == nil {
		t.Error("opened with the key of a stranger")
	}
	if _, err := ledger.OpenCheckpoint(signed, elsewhere.Origin(), key.Verifier()); err == nil {
		t.Error("opened as a checkpoint of another ledger")
	}
	if _, err := elsewhere.Sign(c); err == nil {
		t.Error("signed for another ledger")
	}
	if _, err := ledger.OpenCheckpoint(signed, c.Origin, stranger.Verifier(), key.Verifier()); err != nil {
		t.Errorf("one of two keys is right: %v", err)
	}
}

func FuzzOpenCheckpoint(f *testing.F) {
	key, err := ledger.NewKey("example.org/ledger")
	if err != nil {
		f.Fatal(err)
	}
	signed, err := key.Sign(ledger.Checkpoint{Origin: key.Origin(), Size: 3})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add("")
	f.Add("example.org/ledger\n03\nAAAA\n\n\u2014 x y\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ledger.OpenCheckpoint(text, key.Origin(), key.Verifier())
		if err == nil && !strings.HasPrefix(text, c.Text()) {
			t.Errorf("opened %q as %q", text, c.Text())
		}
	})
}
