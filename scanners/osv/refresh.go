package osv

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// overlayPercent is how large the overlay may grow, in rows of the base, before both are
// written as one new base. Lookups pay for the overlay with one more probe each.
const overlayPercent = 5

// write writes the new state, opens it and returns what changed.
func (r *refresh) write() ([]PackageKey, error) {
	var err error
	if r.wantsOverlay() {
		err = r.writeOverlay()
	} else {
		err = r.writeBase()
	}
	if err != nil {
		return nil, fmt.Errorf("refreshing the advisory index: %w", err)
	}
	if err := r.x.load(); err != nil {
		return nil, fmt.Errorf("opening the refreshed advisory index: %w", err)
	}
	now, err := r.x.hold()
	if err != nil || r.old == nil {
		return nil, err
	}
	defer now.release()
	return changedKeys(r.old, now)
}

func (r *refresh) wantsOverlay() bool {
	if r.old == nil || len(r.full) > 0 || !sameFile(r.x.basePath(), r.old.base) {
		return false // the last: what lies on disk was found damaged
	}
	rows := 0
	if r.old.overlay != nil {
		rows = r.old.overlay.numRecords()
	}
	for _, b := range r.partial {
		rows += len(b.rows)
	}
	return rows*100 <= r.old.base.numRecords()*overlayPercent
}

// sortedMeta is the meta section of the new state.
func (r *refresh) sortedMeta() fileMeta {
	var m fileMeta
	for _, e := range r.meta {
		m.Ecosystems = append(m.Ecosystems, e)
	}
	slices.SortFunc(m.Ecosystems, func(a, b ecosystemMeta) int { return strings.Compare(a.Name, b.Name) })
	return m
}

// recordKey names a record: ecosystems are refreshed one by one.
type recordKey struct{ id, ecosystem string }

// replaced is the set of records that partial replaces.
func (r *refresh) replaced() map[recordKey]bool {
	set := make(map[recordKey]bool)
	for _, b := range r.partial {
		for i := range b.rows {
			set[recordKey{b.rows[i].id, b.rows[i].ecosystem}] = true
		}
	}
	return set
}

// writeBase writes everything into a new base. The overlay then belongs to no base: it is
// ignored from the rename on, whether or not it can be removed.
func (r *refresh) writeBase() error {
	r.tell("", "write", 0, 0)
	b := &build{meta: r.sortedMeta()}
	replaced := r.replaced()
	if r.old != nil {
		for _, f := range r.old.files() {
			err := b.copyFile(f, func(i int, rec *storedRecord) bool {
				return r.full[rec.ecosystem] == nil && !replaced[recordKey{rec.id, rec.ecosystem}] && (f == r.old.overlay || !r.old.isHidden(i))
			})
			if err != nil {
				return err
			}
		}
	}
	for _, a := range r.full {
		for _, x := range a.batches {
			b.take(x)
		}
	}
	for _, x := range r.partial {
		b.take(x)
	}
	if err := b.write(r.x.basePath()); err != nil {
		return err
	}
	if err := os.Remove(r.x.overlayPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// writeOverlay writes the changes of now and of before into a new overlay.
func (r *refresh) writeOverlay() error {
	r.tell("", "write", 0, 0)
	base := r.old.base
	b := &build{meta: r.sortedMeta(), overlay: true, base: base.id}
	replaced := r.replaced()
	if r.old.overlay != nil {
		err := b.copyFile(r.old.overlay, func(_ int, rec *storedRecord) bool { return !replaced[recordKey{rec.id, rec.ecosystem}] })
		if err != nil {
			return err
		}
	}
	for _, x := range r.partial {
		b.take(x)
	}
	for i := range b.rows { // their order does not matter here
		if at, ok := base.find(b.rows[i].id, b.rows[i].ecosystem); ok {
			b.superseded = append(b.superseded, uint32(at))
		}
	}
	slices.Sort(b.superseded)
	return b.write(r.x.overlayPath())
}

// visible walks the rows of a generation that are in force, by id and ecosystem. Where it
// has the same base as the other one, rows of it that both see, or both hide, are left out.
type visible struct {
	g    *generation
	like *generation  // the other one, if it has the same base
	next [2]int       // in base, in overlay
	file int          // where row is from
	row  int          // its place there
	rec  storedRecord // the row at hand
	ok   bool         // false after the last one
	err  error
	mark [2][]bool // rows that changed
}

func walk(g, other *generation) *visible {
	v := &visible{g: g}
	if g.base.id == other.base.id {
		v.like = other
	}
	for i, f := range g.files() {
		v.mark[i] = make([]bool, f.numRecords())
	}
	v.advance()
	return v
}

// advance goes to the next row.
func (v *visible) advance() {
	for v.next[0] < v.g.base.numRecords() && v.passes(v.next[0]) {
		v.next[0]++
	}
	v.ok = false
	for i, f := range v.g.files() {
		if v.next[i] >= f.numRecords() {
			continue
		}
		rec, err := f.record(v.next[i])
		if err != nil {
			v.ok, v.err = false, err
			return
		}
		if !v.ok || rec.compare(&v.rec) < 0 {
			v.ok, v.rec, v.file, v.row = true, rec, i, v.next[i]
		}
	}
	if v.ok {
		v.next[v.file]++
	}
}

// passes says whether a row of the base is left out.
func (v *visible) passes(row int) bool {
	return v.g.isHidden(row) || v.like != nil && !v.like.isHidden(row)
}

func (r *storedRecord) compare(other *storedRecord) int {
	return cmp.Or(cmp.Compare(r.id, other.id), cmp.Compare(r.ecosystem, other.ecosystem))
}

// changedKeys returns the packages of which a record is not the same in both generations,
// in ecosystems that both know.
func changedKeys(old, now *generation) ([]PackageKey, error) {
	a, b := walk(old, now), walk(now, old)
	for a.ok || b.ok {
		order := 0
		switch {
		case !a.ok:
			order = +1
		case !b.ok:
			order = -1
		default:
			order = a.rec.compare(&b.rec)
		}
		if order != 0 || !a.rec.modified.Equal(b.rec.modified) {
			if order <= 0 {
				a.mark[a.file][a.row] = true
			}
			if order >= 0 {
				b.mark[b.file][b.row] = true
			}
		}
		if order <= 0 {
			a.advance()
		}
		if order >= 0 {
			b.advance()
		}
	}
	if err := errors.Join(a.err, b.err); err != nil {
		return nil, err
	}
	keys := make(map[PackageKey]bool)
	for _, v := range [...]*visible{a, b} {
		if err := v.collect(keys, old, now); err != nil {
			return nil, err
		}
	}
	return sortedKeys(keys), nil
}

func sortedKeys(keys map[PackageKey]bool) []PackageKey {
	var list []PackageKey
	for k := range keys {
		list = append(list, k)
	}
	slices.SortFunc(list, PackageKey.compare)
	return list
}

func (k PackageKey) compare(other PackageKey) int {
	return cmp.Or(strings.Compare(k.Ecosystem, other.Ecosystem), strings.Compare(k.Name, other.Name))
}

// collect adds the packages of the marked rows.
func (v *visible) collect(keys map[PackageKey]bool, old, now *generation) error {
	for i, f := range v.g.files() {
		if !slices.Contains(v.mark[i], true) {
			continue
		}
		for k := range f.numKeys() {
			p, err := f.key(k)
			if err != nil {
				return err
			}
			for c := p.entries; !c.done(); {
				row := c.number()
				c.text()
				if c.bad || row >= len(v.mark[i]) {
					return fmt.Errorf("%w: an entry of %s", ErrCorrupt, p.name)
				}
				if !v.mark[i][row] {
					continue
				}
				ecosystem := f.meta.Ecosystems[p.ecosystem].Name
				_, before := old.ecosystem(ecosystem)
				_, after := now.ecosystem(ecosystem)
				if before && after {
					keys[PackageKey{strings.Clone(ecosystem), strings.Clone(p.name)}] = true
				}
				break
			}
		}
	}
	return nil
}
