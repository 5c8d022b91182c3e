package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// TileWidth is the number of hashes or entries in a full tile: C2SP tlog-tiles has no other.
	TileWidth  = 256
	tileHeight = 8 // TileWidth is 1<<tileHeight
	// maxTilePath bounds what ParseTile reads; the longest path of 63-bit indexes is shorter.
	maxTilePath = 64
	// MaxTile bounds the bytes of any tile: a full bundle of the largest entries.
	MaxTile = TileWidth * (2 + MaxLeaf)
)

// Tile names a part of the ledger as C2SP tlog-tiles does: at most 256 hashes of one level of
// the tree, or a bundle of at most 256 entries.
type Tile struct {
	Level int   // 0 to 63: hashes of subtrees of 256^Level entries; -1: entries
	N     int64 // which tile of the level, from 0
	Width int   // 1 to TileWidth; below it the tile is partial
}

// entriesLevel is the Level of a Tile of entries, as in package tlog.
const entriesLevel = -1

// ParseTile reads a path such as "tile/0/x001/234.p/5" or "tile/entries/000". One tile has one
// path: what is not written exactly as Path does is refused.
func ParseTile(path string) (Tile, error) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok || len(path) > maxTilePath {
		return Tile{}, errors.New("not the path of a tile")
	}
	// Package tlog writes the height as well, and "data" for entries.
	if after, ok := strings.CutPrefix(rest, "entries/"); ok {
		rest = "data/" + after
	} else if strings.HasPrefix(rest, "data/") {
		return Tile{}, errors.New("not the path of a tile")
	}
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	if err != nil || t.L > 63 {
		return Tile{}, errors.New("not the path of a tile")
	}
	return Tile{Level: t.L, N: t.N, Width: t.W}, nil
}

// Path returns the tile's path below the ledger's address.
func (t Tile) Path() string {
	path := tlog.Tile{H: tileHeight, L: t.Level, N: t.N, W: t.Width}.Path()
	path = strings.TrimPrefix(path, "tile/8/")
	if t.Level == entriesLevel {
		path = "entries/" + strings.TrimPrefix(path, "data/")
	}
	return "tile/" + path
}

// Entries says whether the tile is a bundle of entries.
func (t Tile) Entries() bool { return t.Level == entriesLevel }

// Full says whether the tile holds all that it ever will.
func (t Tile) Full() bool { return t.Width == TileWidth }

// In says whether a ledger of size entries has the tile.
func (t Tile) In(size int64) bool {
	if t.N < 0 || t.Width < 1 || t.Width > TileWidth || t.Level < entriesLevel {
		return false
	}
	n := levelSize(t.Level, size)
	return t.N < n/TileWidth || t.N == n/TileWidth && int64(t.Width) <= n%TileWidth
}

// Indexes returns the stored hashes that a tile of hashes consists of, in order.
func (t Tile) Indexes() []int64 {
	indexes := make([]int64, t.Width)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(tileHeight*t.Level, t.N*TileWidth+int64(i))
	}
	return indexes
}

// levelSize is how many hashes, or entries, a level has in a ledger of size entries.
func levelSize(level int, size int64) int64 {
	shift := tileHeight * max(level, 0)
	if shift > 62 {
		return 0
	}
	return size >> shift
}

// Tiles calls visit with every tile of a ledger of size entries, level after level from the
// entries on, each level in order, until visit fails. Only the last of a level is partial.
func Tiles(size int64, visit func(Tile) error) error {
	for level := entriesLevel; levelSize(level, size) > 0; level++ {
		count := levelSize(level, size)
		for n := int64(0); n*TileWidth < count; n++ {
			if err := visit(Tile{Level: level, N: n, Width: int(min(TileWidth, count-n*TileWidth))}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Bundle returns the bytes of a tile of entries: each with its length in 16 bits before it.
func Bundle(leaves [][]byte) ([]byte, error) {
	var b []byte
	for _, leaf := range leaves {
		if len(leaf) > MaxLeaf {
			return nil, ErrTooLarge
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(leaf)))
		b = append(b, leaf...)
	}
	return b, nil
}

// ReadBundle returns the leaves of a tile of width entries.
func ReadBundle(b []byte, width int) ([][]byte, error) {
	leaves := make([][]byte, 0, min(max(width, 0), TileWidth))
	for i := range width {
		if len(b) < 2 {
			return nil, fmt.Errorf("the bundle ends before its entry %d", i)
		}
		n := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; len(b) < n {
			return nil, fmt.Errorf("the bundle ends within its entry %d", i)
		}
		leaves, b = append(leaves, b[:n:n]), b[n:]
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("the bundle goes on after its %d entries", width)
	}
	return leaves, nil
}
