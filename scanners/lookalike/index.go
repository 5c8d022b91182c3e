package lookalike

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// index finds the popular names that a name is one edit away from, without comparing it with
// each: both are looked up by what is left when one character is removed, as a name and its
// neighbour share one of those. All keys are hashes, so that looking up makes no garbage; what is
// found by one is compared before it counts. It never changes.
type index struct {
	popular []string         // normal forms, the most popular first
	place   map[string]int32 // of popular
	good    map[string]bool  // names that look like a popular one and are none of its look-alikes
	squash  map[uint64]int32 // by the name without separators
	alike   map[uint64]int32 // by the name with one of each characters that look alike
	turned  map[uint64]int32 // by the words in any order
	core    map[string]int32 // by the name without its affix, of those that have one
	famous  int32            // how many of popular are famous
	near    table
}

// newIndex makes an index of popular names of e. good may hold names of either kind.
func newIndex(popular, good []string, e ecosystem) *index {
	x := &index{
		popular: popular, place: make(map[string]int32, len(popular)), good: make(map[string]bool, len(good)),
		squash: make(map[uint64]int32, len(popular)), alike: make(map[uint64]int32, len(popular)),
		turned: map[uint64]int32{}, core: map[string]int32{},
	}
	if e.ranked {
		x.famous = topFamous
	}
	size := 0
	for _, name := range popular {
		size += len(name) + 1
	}
	x.near = newTable(size)
	for i, name := range popular {
		at := int32(i)
		x.place[name] = at
		first(x.squash, squashKey(name), at)
		first(x.alike, alikeKey(name), at)
		if key := turnKey(name); key != 0 {
			first(x.turned, key, at)
		}
		e.affixes.cores(name, func(core, _ string) { first(x.core, core, at) })
		if len(name) >= shortName && len(name) <= maxName {
			x.near.add(hashOf(name, -1), at)
			for i := range len(name) {
				if i == 0 || name[i] != name[i-1] {
					x.near.add(hashOf(name, i), at)
				}
			}
		}
	}
	for _, name := range good {
		x.good[name] = true
	}
	return x
}

// first keeps the most popular name of a key.
func first[K comparable](m map[K]int32, key K, at int32) {
	if _, ok := m[key]; !ok {
		m[key] = at
	}
}

// table holds popular names by hash, several under one.
type table struct {
	heads   []int32 // by the low bits of the hash: one-based place in entries, 0 for none
	entries []entry
}

type entry struct {
	hash     uint64
	at, next int32 // at is a place in popular, next one in entries, one-based
}

func newTable(size int) table {
	heads := 1 << 8
	for heads < size {
		heads *= 2
	}
	return table{heads: make([]int32, heads), entries: make([]entry, 0, size)}
}

func (t *table) add(hash uint64, at int32) {
	head := &t.heads[hash&uint64(len(t.heads)-1)]
	t.entries = append(t.entries, entry{hash, at, *head})
	*head = int32(len(t.entries))
}

// hashOf is the FNV-1a hash of s without the byte at skip.
func hashOf(s string, skip int) uint64 {
	h := uint64(fnvOffset)
	for i := range len(s) {
		if i != skip {
			h = (h ^ uint64(s[i])) * fnvPrime
		}
	}
	return h ^ h>>29
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// squashKey is a hash of the name without separators.
func squashKey(name string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(name) {
		if !separator(name[i]) {
			h = (h ^ uint64(name[i])) * fnvPrime
		}
	}
	return h
}

// alikeKey is a hash of the name in which characters that look alike are one.
func alikeKey(name string) uint64 {
	h := uint64(fnvOffset)
	for i := 0; i < len(name); i++ {
		c := name[i]
		if i+1 < len(name) {
			if one := pair(c, name[i+1]); one != 0 {
				c = one
				i++
			}
		}
		h = (h ^ uint64(shape(c))) * fnvPrime
	}
	return h
}

// turnKey is a hash of the words of name in any order, 0 when it has one only.
func turnKey(name string) uint64 {
	sum, count := uint64(0), 0
	for start := 0; start <= len(name); {
		end := start
		for end < len(name) && !separator(name[end]) {
			end++
		}
		if end > start {
			sum += hashOf(name[start:end], -1)
			count++
		}
		start = end + 1
	}
	if count < 2 || len(name) < minSquash {
		return 0
	}
	return sum
}

// likeness is why a name looks like a popular one.
type likeness struct {
	popular string
	why     string // "\"e\" is missing"
}

// typo finds the most popular name that differs from name by one telling edit.
func (x *index) typo(name string) (likeness, bool) {
	place := int32(len(x.popular))
	place = x.closest(name, hashOf(name, -1), place)
	for i := range len(name) {
		if i == 0 || name[i] != name[i-1] {
			place = x.closest(name, hashOf(name, i), place)
		}
	}
	if int(place) == len(x.popular) {
		return likeness{}, false
	}
	popular := x.popular[place]
	kind, at := difference(name, popular)
	return likeness{popular, words(name, popular, kind, at)}, true
}

// closest returns the place of the most popular name under hash that name looks like, or place
// when that is more popular.
func (x *index) closest(name string, hash uint64, place int32) int32 {
	for i := x.near.heads[hash&uint64(len(x.near.heads)-1)]; i != 0; {
		e := &x.near.entries[i-1]
		if e.hash == hash && e.at < place {
			if kind, at := difference(name, x.popular[e.at]); telling(name, x.popular[e.at], kind, at, e.at < x.famous) {
				place = e.at
			}
		}
		i = e.next
	}
	return place
}

// isPopular reports whether name is popular, or known to be no look-alike.
func (x *index) isPopular(name string) bool {
	_, ok := x.place[name]
	return ok || x.good[name]
}

// flat compares the name of a package in one flat list of names with the popular ones.
func (x *index) flat(name string, a affixes) (likeness, bool) {
	if x.isPopular(name) || len(name) < shortName-1 || len(name) > maxName {
		return likeness{}, false
	}
	if at, ok := x.squash[squashKey(name)]; ok && len(squash(name)) >= minSquash && squash(name) == squash(x.popular[at]) {
		return likeness{x.popular[at], "only the separators differ"}, true
	}
	if at, ok := x.alike[alikeKey(name)]; ok && len(name) >= shortName && alike(name) == alike(x.popular[at]) {
		return likeness{x.popular[at], "characters that look alike stand for others"}, true
	}
	if found, ok := x.typo(name); ok {
		return found, true
	}
	if at, ok := x.turned[turnKey(name)]; ok && turn(name) == turn(x.popular[at]) {
		return likeness{x.popular[at], "its words are in another order"}, true
	}
	return x.affixed(name, a)
}

const (
	maxName   = 60 // bytes of a name that is compared; longer ones are no look-alikes of popular ones
	minSquash = 5
	// topFamous is how many of the popular names are famous: a misspelling of those is one
	// whatever it is.
	topFamous = 500
	minCore   = 4 // characters of a name beside an affix
)

// turn sorts the words of a name.
func turn(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r < 128 && separator(byte(r)) })
	slices.Sort(words)
	return strings.Join(words, "-")
}

// affixes are beginnings and ends that many names of an ecosystem have and that say nothing:
// "python-", "-js". Those without a separator are glued to longer names only.
type affixes struct{ before, after []string }

// cores calls f with name without each of the affixes that it has.
func (a affixes) cores(name string, f func(core, affix string)) {
	for _, affix := range a.before {
		if core, ok := strings.CutPrefix(name, affix); ok && long(core, affix) {
			f(core, affix)
		}
	}
	for _, affix := range a.after {
		if core, ok := strings.CutSuffix(name, affix); ok && long(core, affix) {
			f(core, affix)
		}
	}
}

func long(core, affix string) bool {
	glued := !strings.ContainsAny(affix, separators)
	return len(core) > minCore || len(core) == minCore && !glued || affix == ".js" && len(core) > 1
}

// affixed finds the popular name that name is when its affix is dropped, or has another affix.
func (x *index) affixed(name string, a affixes) (found likeness, ok bool) {
	a.cores(name, func(core, affix string) {
		if ok {
			return
		}
		if at, is := x.place[core]; is {
			found, ok = likeness{x.popular[at], strconv.Quote(affix) + " is added"}, true
		} else if at, is := x.core[core]; is {
			found, ok = likeness{x.popular[at], fmt.Sprintf("it has %q beside %q", affix, core)}, true
		}
	})
	return found, ok
}
