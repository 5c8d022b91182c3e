package ledger_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/landwaiter/landwaiter/store/ledger"
)

func TestTilePaths(t *testing.T) {
	t.Parallel()
	// The examples of C2SP tlog-tiles, and the borders.
	tests := []struct {
		path string
		tile ledger.Tile
	}{
		{"tile/0/000", ledger.Tile{Level: 0, N: 0, Width: 256}},
		{"tile/0/x001/x234/067", ledger.Tile{Level: 0, N: 1234067, Width: 256}},
		{"tile/0/x001/x234/067.p/8", ledger.Tile{Level: 0, N: 1234067, Width: 8}},
		{"tile/63/999.p/255", ledger.Tile{Level: 63, N: 999, Width: 255}},
		{"tile/entries/000", ledger.Tile{Level: -1, N: 0, Width: 256}},
		{"tile/entries/x001/000.p/1", ledger.Tile{Level: -1, N: 1000, Width: 1}},
	}
	for _, tt := range tests {
		got, err := ledger.ParseTile(tt.path)
		if err != nil || got != tt.tile || got.Path() != tt.path {
			t.Errorf("%s: %+v with path %s, %v", tt.path, got, got.Path(), err)
		}
	}
}

func TestTilePathsRefuse(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/-1/000", "tile/+1/000",
		"tile/64/000", "tile/data/000", "tile/8/0/000", "tile/entries/../000", "tile/0/../../checkpoint", "/tile/0/000", "tile/0/000/",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/-1", "tile/0/000.p", "tile/0/000.p/1/2", "tile/0/001/000",
		"tile/0/x000/000", "tile/0/x1/000", "tile/0/x1000/000", "tile/entries/data/000", "TILE/0/000", "tile/0/000 ",
		"tile/0/" + strings.Repeat("x999/", 20) + "000",
	} {
		if got, err := ledger.ParseTile(path); err == nil {
			t.Errorf("%q is taken for %+v", path, got)
		}
	}
}

func FuzzParseTile(f *testing.F) {
	for _, seed := range []string{"tile/0/000", "tile/entries/x001/234.p/5", "tile/63/x999/x999/999", "tile/data/000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := ledger.ParseTile(path)
		if err != nil {
			return
		}
		if tile.Path() != path || tile.N < 0 || tile.Width < 1 || tile.Width > ledger.TileWidth || tile.Level < -1 || tile.Level > 63 {
			t.Fatalf("%q gives %+v with path %q", path, tile, tile.Path())
		}
		tile.In(1 << 62) // must not panic
	})
}

func TestBundles(t *testing.T) {
	t.Parallel()
	leaves := [][]byte{[]byte("a"), {}, []byte(strings.Repeat("b", ledger.MaxLeaf))}
	b, err := ledger.Bundle(leaves)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ledger.ReadBundle(b, 3)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(leaves, got); diff != "" {
		t.Errorf("leaves (-want +got):\n%.300s", diff)
	}
	for name, tt := range map[string]struct {
		b     []byte
		width int
	}{"cut in a leaf": {b[:len(b)-1], 3}, "cut in a length": {b[:4], 2}, "one entry more": {b, 4}, "one entry fewer": {b, 2}} {
		if _, err := ledger.ReadBundle(tt.b, tt.width); err == nil {
			t.Errorf("%s: taken for a bundle", name)
		}
	}
	if _, err := ledger.Bundle([][]byte{make([]byte, ledger.MaxLeaf+1)}); !errors.Is(err, ledger.ErrTooLarge) {
		t.Errorf("a leaf over the limit: %v", err)
	}
}

func FuzzReadBundle(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 0, 0}, 2)
	f.Add([]byte{255, 255}, 1)
	f.Add([]byte{}, -1)
	f.Fuzz(func(t *testing.T, b []byte, width int) {
		leaves, err := ledger.ReadBundle(b, width)
		if err != nil {
			return
		}
		// One bundle, one list: what is read gives the same bytes again.
		if again, err := ledger.Bundle(leaves); err != nil || string(again) != string(b) {
			t.Fatalf("%x is read as %d leaves that give %x, %v", b, len(leaves), again, err)
		}
	})
}

// publish returns the files of a tree, built from the leaves with package tlog's own tiles.
func publish(tb testing.TB, t *tree) map[string][]byte {
	tb.Helper()
	files := make(map[string][]byte)
	size := int64(len(t.leaves))
	err := ledger.Tiles(size, func(tile ledger.Tile) error {
		if !tile.In(size) {
			tb.Errorf("%s is said not to be in a ledger of %d", tile.Path(), size)
		}
		var b []byte
		var err error
		if tile.Entries() {
			b, err = ledger.Bundle(t.leaves[tile.N*256 : tile.N*256+int64(tile.Width)])
		} else {
			b, err = tlog.ReadTileData(tlog.Tile{H: 8, L: tile.Level, N: tile.N, W: tile.Width}, t)
			hashes, hashErr := t.ReadHashes(tile.Indexes())
			var same []byte
			for _, h := range hashes {
				same = append(same, h[:]...)
			}
			if string(same) != string(b) {
				tb.Errorf("%s: its indexes give other hashes than package tlog, %v", tile.Path(), hashErr)
			}
		}
		files[tile.Path()] = b
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

func sourceOf(files map[string][]byte) ledger.Source {
	return func(path string, limit int64) ([]byte, error) {
		b, ok := files[path]
		if !ok {
			return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
		}
		if int64(len(b)) > limit {
			return nil, fmt.Errorf("%s is over %d bytes", path, limit)
		}
		return b, nil
	}
}

func TestTilesOfAllSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 2, 255, 256, 257, 511, 512, 700} {
		tr := newTree(t, size)
		seen := 0
		err := ledger.VerifyTiles(sourceOf(publish(t, tr)), tr.at(int64(size)), func(int64, []byte) error { seen++; return nil })
		if err != nil || seen != size {
			t.Errorf("size %d: %d entries seen, %v", size, seen, err)
		}
	}
	for _, tt := range []struct {
		tile ledger.Tile
		size int64
		want bool
	}{
		{ledger.Tile{Level: 0, N: 0, Width: 5}, 4, false},
		{ledger.Tile{Level: 0, N: 0, Width: 5}, 1000, true}, // an older partial tile stays available
		{ledger.Tile{Level: 1, N: 0, Width: 3}, 767, false},
		{ledger.Tile{Level: 1, N: 0, Width: 3}, 768, true},
		{ledger.Tile{Level: 63, N: 0, Width: 1}, 1<<63 - 1, false},
		{ledger.Tile{Level: -1, N: 3, Width: 1}, 768, false},
		{ledger.Tile{Level: -1, N: 3, Width: 1}, 769, true},
		{ledger.Tile{Level: -1, N: 1 << 60, Width: 1}, 769, false},
	} {
		if got := tt.tile.In(tt.size); got != tt.want {
			t.Errorf("%s in a ledger of %d: %v", tt.tile.Path(), tt.size, got)
		}
	}
}

// TestVerifyTilesCatchesEveryChange flips one bit of each file, swaps, cuts and removes.
func TestVerifyTilesCatchesEveryChange(t *testing.T) {
	t.Parallel()
	const size = 300
	tr := newTree(t, size)
	c := tr.at(size)
	for path, content := range publish(t, tr) {
		for _, at := range []int{0, len(content) / 2, len(content) - 1} {
			files := publish(t, tr)
			files[path] = append([]byte(nil), content...)
			files[path][at] ^= 1
			var bad *ledger.BadTileError
			if err := ledger.VerifyTiles(sourceOf(files), c, nil); !errors.As(err, &bad) {
				t.Errorf("%s with byte %d changed: %v", path, at, err)
			}
		}
		files := publish(t, tr)
		files[path] = content[:len(content)-1]
		var bad *ledger.BadTileError
		if err := ledger.VerifyTiles(sourceOf(files), c, nil); !errors.As(err, &bad) || bad.Path != path {
			t.Errorf("%s cut: %v", path, err)
		}
		delete(files, path)
		if err := ledger.VerifyTiles(sourceOf(files), c, nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s removed: %v", path, err)
		}
	}
}

func TestVerifyTilesNamesTheEntry(t *testing.T) {
	t.Parallel()
	tr := newTree(t, 300)
	files := publish(t, tr)
	leaves := append([][]byte(nil), tr.leaves[256:300]...)
	leaves[3] = []byte("LEAF 259")
	var err error
	if files["tile/entries/001.p/44"], err = ledger.Bundle(leaves); err != nil {
		t.Fatal(err)
	}
	var bad *ledger.BadTileError
	if err := ledger.VerifyTiles(sourceOf(files), tr.at(300), nil); !errors.As(err, &bad) || bad.Index != 259 || bad.Path != "tile/0/001.p/44" {
		t.Errorf("entry 259 changed: %v", err)
	}
	// All files together of another ledger: only the checkpoint tells.
	other := newTree(t, 299)
	other.grow(t, "forged")
	if err := ledger.VerifyTiles(sourceOf(publish(t, other)), tr.at(300), nil); !errors.As(err, &bad) || bad.Path != "checkpoint" {
		t.Errorf("another ledger: %v", err)
	}
}

// TestSourceHashes: consistency is proven by tiles that nobody trusts.
func TestSourceHashes(t *testing.T) {
	t.Parallel()
	tr := newTree(t, 600)
	files := publish(t, tr)
	newer := tr.at(600)
	for _, size := range []int64{1, 255, 256, 300, 599, 600} {
		proof, err := ledger.ProveConsistency(size, 600, sourceOf(files).Hashes(newer))
		if err != nil {
			t.Fatalf("from %d: %v", size, err)
		}
		if err := ledger.VerifyConsistency(tr.at(size), newer, proof); err != nil {
			t.Errorf("from %d: %v", size, err)
		}
	}
	files["tile/0/001"] = append([]byte(nil), files["tile/0/001"]...)
	files["tile/0/001"][9] ^= 1
	if _, err := ledger.ProveConsistency(300, 600, sourceOf(files).Hashes(newer)); err == nil {
		t.Error("a changed tile is used for a proof")
	}
	files["tile/0/001"] = files["tile/0/001"][:64]
	if _, err := ledger.ProveConsistency(300, 600, sourceOf(files).Hashes(newer)); err == nil {
		t.Error("a cut tile is used for a proof")
	}
}
