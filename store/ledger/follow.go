package ledger

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Source reads a file of a published ledger, such as "checkpoint" or the path of a Tile, of at
// most limit bytes.
type Source func(path string, limit int64) ([]byte, error)

// Hashes reads the hashes of the tree that c names from the tiles of a source. Every hash is
// proven against c's root before it is returned: the source need not be trusted.
func (read Source) Hashes(c Checkpoint) HashReader {
	return tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, tileReader{read})
}

// tileReader gives the tiles of a source to package tlog, which checks them.
type tileReader struct{ read Source }

func (tileReader) Height() int { return tileHeight }

func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, t := range tiles {
		path := Tile{Level: t.L, N: t.N, Width: t.W}.Path()
		want := t.W * tlog.HashSize
		b, err := r.read(path, int64(want))
		if err != nil {
			return nil, err
		}
		if len(b) != want {
			return nil, fmt.Errorf("%s has %d bytes, not %d", path, len(b), want)
		}
		all[i] = b
	}
	return all, nil
}

// BadTileError says which part of a published ledger is not what its checkpoint was signed for.
type BadTileError struct {
	Path   string
	Index  int64 // of the first entry that it concerns
	Detail string
}

// Error returns the sentence for a person.
func (e *BadTileError) Error() string {
	return fmt.Sprintf("%s (entry %d): %s", e.Path, e.Index, e.Detail)
}

// VerifyTiles reads every tile of a published ledger and checks that the entries give each hash
// and the root that c names. It returns a BadTileError that names the first tile that does not
// fit, and the source's error when one cannot be read. entry, which may be nil, is called with
// each leaf in order; its error ends the work. Memory does not grow with the ledger.
func VerifyTiles(read Source, c Checkpoint, entry func(index int64, leaf []byte) error) error {
	v := &tileVerifier{read: read, frontier: (&Frontier{}).copy(), entry: entry}
	for n := int64(0); n*TileWidth < c.Size; n++ {
		if err := v.bundle(Tile{Level: entriesLevel, N: n, Width: int(min(TileWidth, c.Size-n*TileWidth))}); err != nil {
			return err
		}
	}
	for level, pending := range v.pending {
		if len(pending) > 0 {
			if err := v.compare(level, int64(len(pending)/tlog.HashSize)); err != nil {
				return err
			}
		}
	}
	root, err := v.frontier.Root()
	if err != nil {
		return err
	}
	if root != c.Root {
		return &BadTileError{Path: "checkpoint", Index: max(0, c.Size-1), Detail: "the entries do not give the root that was signed"}
	}
	return nil
}

// tileVerifier builds the tree again from entries and compares its tiles as they fill.
type tileVerifier struct {
	read     Source
	frontier *Frontier
	entry    func(index int64, leaf []byte) error
	pending  [][]byte // by level of tiles: the hashes of the tile that is filling
	filled   []int64  // by level of tiles: how many tiles are full and compared
}

func (v *tileVerifier) bundle(t Tile) error {
	b, err := v.read(t.Path(), MaxTile)
	if err != nil {
		return err
	}
	leaves, err := ReadBundle(b, t.Width)
	if err != nil {
		return &BadTileError{Path: t.Path(), Index: t.N * TileWidth, Detail: err.Error()}
	}
	for _, leaf := range leaves {
		index := v.frontier.Size()
		if v.entry != nil {
			if err := v.entry(index, leaf); err != nil {
				return err
			}
		}
		hashes, err := v.frontier.Append(leaf)
		if err != nil {
			return err
		}
		if err := v.add(hashes); err != nil {
			return err
		}
	}
	return nil
}

// add takes the hashes that an entry completed, one for each level of the tree; each eighth is
// in a tile.
func (v *tileVerifier) add(hashes []Hash) error {
	for height := 0; height < len(hashes); height += tileHeight {
		level := height / tileHeight
		if level == len(v.pending) {
			v.pending, v.filled = append(v.pending, nil), append(v.filled, 0)
		}
		v.pending[level] = append(v.pending[level], hashes[height][:]...)
		if len(v.pending[level]) == TileWidth*tlog.HashSize {
			if err := v.compare(level, TileWidth); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare reads the tile of a level that is filling and compares it with what the entries give.
func (v *tileVerifier) compare(level int, width int64) error {
	t := Tile{Level: level, N: v.filled[level], Width: int(width)}
	b, err := v.read(t.Path(), width*tlog.HashSize)
	if err != nil {
		return err
	}
	want := v.pending[level]
	if len(b) != len(want) {
		return &BadTileError{Path: t.Path(), Index: t.first(), Detail: fmt.Sprintf("it has %d bytes, not %d", len(b), len(want))}
	}
	for i := 0; i < len(b); i += tlog.HashSize {
		if string(b[i:i+tlog.HashSize]) != string(want[i:i+tlog.HashSize]) {
			return &BadTileError{Path: t.Path(), Index: t.first() + int64(i/tlog.HashSize)<<(tileHeight*level),
				Detail: fmt.Sprintf("the entries do not give its hash %d", i/tlog.HashSize)}
		}
	}
	v.pending[level], v.filled[level] = v.pending[level][:0], v.filled[level]+1
	return nil
}

// first is the index of the first entry below the tile.
func (t Tile) first() int64 { return t.N * TileWidth << (tileHeight * max(t.Level, 0)) }
