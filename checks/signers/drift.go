package signers

import (
	"slices"
	"time"
)

// Drift is a Profile that no release taught, beside the nearest that one did.
type Drift struct {
	// Subject is the ID of Now: what an exception names that accepts it.
	Subject string   `json:"subject"`
	Assets  []string `json:"assets"` // names of the assets it signed, the first ones
	Then    Known    `json:"then"`
	Now     Profile  `json:"now"`
	// Differs are the names of Fields, in their order; never empty. It is "withdrawn" alone when
	// only releases that have failed since were signed like that.
	Differs []string `json:"differs"`
	// Level says what the policy makes of it: "warn", "block" or "accepted", then by Exception
	// until Until (YYYY-MM-DD).
	Level     string `json:"level"`
	Exception string `json:"exception,omitempty"`
	Until     string `json:"until,omitempty"`
}

// Row is one Field of a Drift, then and now.
type Row struct {
	Label     string
	Then, Now string
	Differs   bool
}

// Rows returns the Fields of d side by side: those that differ first, then those that agree and
// say something.
func (d Drift) Rows() []Row {
	var differ, same []Row
	for _, f := range Fields() {
		row := Row{f.Label, f.Of(d.Then.Profile), f.Of(d.Now), slices.Contains(d.Differs, f.Name)}
		switch {
		case row.Differs:
			differ = append(differ, row)
		case row.Then != "":
			same = append(same, row)
		}
	}
	return append(differ, same...)
}

// Taught reports whether a release ever taught who signs. It stays true when all of them have
// failed since: a memory that could be emptied could be taught anew by whoever emptied it.
func (m Memory) Taught() bool { return len(m.Known) > 0 }

// Compare returns how now deviates from what m holds; ok is false when it does not, or when
// nothing was ever taught. A Profile counts as a whole: parts of two known ones make no third.
func (m Memory) Compare(now Profile) (d Drift, ok bool) {
	nearest, fewest, standing := -1, 0, false
	for i, k := range m.Known {
		differs := len(Differing(k.Profile, now))
		if differs == 0 && !k.Withdrawn {
			return Drift{}, false
		}
		if nearest < 0 || !k.Withdrawn && !standing || !k.Withdrawn == standing && differs < fewest {
			nearest, fewest, standing = i, differs, !k.Withdrawn
		}
	}
	if nearest < 0 {
		return Drift{}, false
	}
	then := m.Known[nearest]
	d = Drift{Subject: now.ID(), Then: then, Now: now, Differs: Differing(then.Profile, now)}
	if len(d.Differs) == 0 { // the same signer, of releases that were withdrawn
		d.Differs = []string{"withdrawn"}
	}
	return d, true
}

// Differing returns the names of the Fields in which a and b differ.
func Differing(a, b Profile) []string {
	var names []string
	for _, f := range Fields() {
		if f.Of(a) != f.Of(b) {
			names = append(names, f.Name)
		}
	}
	return names
}

// FirstSeen returns when a release that stands was first signed with key; zero when none was.
func (m Memory) FirstSeen(key string) time.Time {
	var first time.Time
	for _, k := range m.Known {
		if k.Key == key && !k.Withdrawn && (first.IsZero() || k.Since.Before(first)) {
			first = k.Since
		}
	}
	return first
}

// CompareNames returns which of names, as Pattern writes them, the release before did not
// have, and which of its names are missing. Both are empty when there is no release before, or
// when names is nil.
func (m Memory) CompareNames(names []string) (added, vanished []string) {
	if len(m.Names) == 0 || names == nil {
		return nil, nil
	}
	return without(names, m.Names), without(m.Names, names)
}

// without returns those of names that are not in others, which is sorted.
func without(names, others []string) []string {
	var list []string
	for _, n := range names {
		if _, found := slices.BinarySearch(others, n); !found {
			list = append(list, n)
		}
	}
	return list
}
