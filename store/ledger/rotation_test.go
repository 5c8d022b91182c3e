package ledger_test

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/store/ledger"
)

const origin = "example.org/ledger"

func newKey(tb testing.TB) *ledger.Key {
	tb.Helper()
	k, err := ledger.NewKey(origin)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestRotationLeadsToTheNewKey(t *testing.T) {
	t.Parallel()
	a, b, c := newKey(t), newKey(t), newKey(t)
	at := newTree(t, 3).at(3)
	first, err := ledger.Rotate(at, a, b)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ledger.Rotate(at, b, c)
	if err != nil {
		t.Fatal(err)
	}
	// The cross-signed checkpoint is one for whoever knows either key.
	for _, k := range []*ledger.Key{a, b} {
		if got, err := ledger.OpenCheckpoint(first.Note, origin, k.Verifier()); err != nil || got != at {
			t.Errorf("opened with %s: %+v, %v", k, got, err)
		}
	}
	if got := ledger.NextKey(first.Note); got != b.Verifier() {
		t.Errorf("the next key is %q, want %s", got, b)
	}
	got, err := ledger.Successor(a.Verifier(), []ledger.Rotation{second, first})
	if err != nil || got != c.Verifier() {
		t.Errorf("from the first key: %q, %v, want %s", got, err, c)
	}
	if got, err := ledger.Successor(c.Verifier(), []ledger.Rotation{second, first}); err != nil || got != c.Verifier() {
		t.Errorf("from the last key: %q, %v", got, err)
	}
}

func TestRotationRefuses(t *testing.T) {
	t.Parallel()
	a, b, stranger := newKey(t), newKey(t), newKey(t)
	at := newTree(t, 3).at(3)
	good, err := ledger.Rotate(at, a, b)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := good.Check(); err != nil || c != at {
		t.Fatalf("baseline: %+v, %v", c, err)
	}
	byStranger, err := ledger.Rotate(at, stranger, b)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := a.Sign(at)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(good.Note, "\n") // 3 lines, next-key, empty, 2 signatures
	tests := []struct {
		name string
		edit func(*ledger.Rotation)
	}{
		{"signed by a stranger instead of the old key", func(r *ledger.Rotation) { r.Note = byStranger.Note }},
		{"without the signature of the old key", func(r *ledger.Rotation) { r.Note = strings.Join(append(lines[:5:5], lines[6]), "") }},
		{"without the signature of the new key", func(r *ledger.Rotation) { r.Note = strings.Join(lines[:6], "") }},
		{"to a key that the checkpoint does not name", func(r *ledger.Rotation) { r.New = stranger.Verifier() }},
		{"an ordinary checkpoint", func(r *ledger.Rotation) { r.Note = plain }},
		{"another size", func(r *ledger.Rotation) { r.Note = strings.Replace(r.Note, "\n3\n", "\n4\n", 1) }},
	}
	for _, tt := range tests {
		r := good
		tt.edit(&r)
		if _, err := r.Check(); err == nil {
			t.Errorf("%s: accepted", tt.name)
		}
		if got, err := ledger.Successor(a.Verifier(), []ledger.Rotation{r}); err == nil {
			t.Errorf("%s: leads to %s", tt.name, got)
		}
	}
	back, err := ledger.Rotate(at, b, a)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ledger.Successor(a.Verifier(), []ledger.Rotation{good, back}); err == nil {
		t.Errorf("a circle leads to %s", got)
	}
	if _, err := ledger.Rotate(at, a, a); err == nil {
		t.Error("a key follows itself")
	}
}

func TestOriginOf(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	if got, err := ledger.OriginOf(k.Verifier()); err != nil || got != origin {
		t.Errorf("public key: %q, %v", got, err)
	}
	_, err := ledger.OriginOf(k.Text())
	if err == nil || !strings.Contains(err.Error(), "private key") || strings.Contains(err.Error(), k.Text()) {
		t.Errorf("private key: %v, want an error without it", err)
	}
	if _, err := ledger.OriginOf("example.org/ledger+00000000+AAAA"); err == nil {
		t.Error("a damaged key is taken")
	}
}

func FuzzRotation(f *testing.F) {
	a, b := newKey(f), newKey(f)
	good, err := ledger.Rotate(newTree(f, 3).at(3), a, b)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.Note)
	f.Add("example.org/ledger\n3\nAA==\nnext-key x\n\n\u2014 example.org/ledger AAAA\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := ledger.Rotation{Old: a.Verifier(), New: b.Verifier(), Note: text}
		if c, err := r.Check(); err == nil && c.Size != 3 {
			t.Fatalf("a rotation is accepted that these keys never signed: %q", text)
		}
	})
}
