package store

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/landwaiter/landwaiter/checks"
)

// recentBytes bounds what recent holds. A lock file of 1,500 packages takes about 0.5 MiB.
const recentBytes = 12 << 20

// recent holds the inventories that were asked for last: most changes of a repository have the
// same base, so its manifests need not be unpacked each time. What it gives out is shared.
type recent struct {
	mu    sync.Mutex
	bytes int // guarded by mu, like all
	list  *simplelru.LRU[string, checks.Manifest]
}

func newRecent() *recent {
	r := new(recent)
	// The bound is in bytes; this number is only above what they can hold.
	r.list, _ = simplelru.NewLRU(recentBytes/1024, func(_ string, m checks.Manifest) { r.bytes -= weight(&m) })
	return r
}

func (r *recent) get(key string) (checks.Manifest, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list.Get(key)
}

// keep holds m, unless it would take more than a quarter of the bound.
func (r *recent) keep(key string, m checks.Manifest) {
	w := weight(&m)
	if w > recentBytes/4 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list.Remove(key)
	r.list.Add(key, m)
	for r.bytes += w; r.bytes > recentBytes; {
		r.list.RemoveOldest()
	}
}

func (r *recent) forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list.Remove(key)
}

// weight is about how many bytes of memory m takes.
func weight(m *checks.Manifest) int {
	total := 1024 + len(m.Gap)
	for i := range m.Packages {
		p := &m.Packages[i]
		total += 256 + 2*len(p.PURL) + 16*len(p.Via) + 48*len(p.Requirers) + len(p.Deprecated)
	}
	for i := range m.Observations {
		o := &m.Observations[i]
		total += 256 + len(o.Subject) + len(o.Message) + len(o.Remedy)
	}
	return total
}
