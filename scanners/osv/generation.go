package osv

import (
	"fmt"
	"sync/atomic"
)

// generation is one state of the index: a base and perhaps an overlay of later changes.
// It never changes. Whoever reads it holds it; when it has been replaced and the last
// reader lets go, its files are released.
type generation struct {
	base, overlay *file    // overlay may be nil
	hidden        []uint64 // bit i: the overlay replaces row i of base
	users         atomic.Int64
	exploits      openedExploits
}

// newGeneration takes over the caller's use of both files.
func newGeneration(base, overlay *file) (*generation, error) {
	g := &generation{base: base, overlay: overlay}
	g.users.Store(1)
	if overlay == nil {
		return g, nil
	}
	g.hidden = make([]uint64, (base.numRecords()+63)/64)
	for i := range len(overlay.sections[secSuperseded]) / 4 {
		row, err := overlay.word(secSuperseded, i)
		if err != nil {
			return nil, err
		}
		if int(row) >= base.numRecords() {
			return nil, fmt.Errorf("%w: %s replaces row %d", ErrCorrupt, overlay.path, row)
		}
		g.hidden[row/64] |= 1 << (row % 64)
	}
	return g, nil
}

func (g *generation) isHidden(row int) bool {
	return g.hidden != nil && row/64 < len(g.hidden) && g.hidden[row/64]&(1<<(row%64)) != 0
}

// hold adds a reader, unless the last one has gone already.
func (g *generation) hold() bool {
	for {
		n := g.users.Load()
		if n == 0 {
			return false
		}
		if g.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (g *generation) release() {
	if g.users.Add(-1) > 0 {
		return
	}
	g.base.release()
	if g.overlay != nil {
		g.overlay.release()
	}
}

// files are the files of g, the base first.
func (g *generation) files() []*file {
	if g.overlay == nil {
		return []*file{g.base}
	}
	return []*file{g.base, g.overlay}
}

// newestFile is the file whose meta section is in force.
func (g *generation) newestFile() *file {
	if g.overlay != nil {
		return g.overlay
	}
	return g.base
}

// ecosystem returns what is known of an ecosystem, or false.
func (g *generation) ecosystem(name string) (ecosystemMeta, bool) {
	f := g.newestFile()
	i, ok := f.ecosystems[name]
	if !ok {
		return ecosystemMeta{}, false
	}
	return f.meta.Ecosystems[i], true
}

// sourced is an entry and the file that its record is in.
type sourced struct {
	file *file
	entry
}

// entries appends to list what the generation says of a package.
func (g *generation) entries(list []sourced, ecosystem, name string) ([]sourced, error) {
	hash := hashKey(ecosystem, name)
	for _, f := range [...]*file{g.base, g.overlay} {
		if f == nil {
			continue
		}
		c, err := f.block(ecosystem, name, hash)
		if err != nil {
			return nil, err
		}
		for !c.done() {
			e, err := nextEntry(&c)
			if err != nil {
				return nil, err
			}
			if f == g.overlay || !g.isHidden(e.record) {
				list = append(list, sourced{f, e})
			}
		}
	}
	return list, nil
}

// find returns the record with that id about the ecosystem ("" for any), or false. A row
// that the overlay replaced is not found in the base.
func (g *generation) find(id, ecosystem string) (storedRecord, *file, bool) {
	if g.overlay != nil {
		if i, ok := g.overlay.find(id, ecosystem); ok {
			r, err := g.overlay.record(i)
			return r, g.overlay, err == nil
		}
	}
	i, ok := g.base.find(id, ecosystem)
	if !ok || g.isHidden(i) {
		return storedRecord{}, nil, false
	}
	r, err := g.base.record(i)
	return r, g.base, err == nil
}
