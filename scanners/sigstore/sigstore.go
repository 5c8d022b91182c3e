// Package sigstore verifies signatures: from the assets of a release and the evidence found
// for them it makes checks.Attestation values that say who signed what, when, and under
// which trust root.
//
// It owns sigstore-go and the embedded trust roots. It reads Material.Release and nothing
// else: no network, no disk, no clock but Config.Now. It never compares a signer with a
// Policy and never forms a Verdict; a proof that fails becomes an Attestation with a
// Problem.
//
// Start reading at Scanner.Scan, then follow one piece of evidence: split.go cuts files
// into pieces, examine.go reads a piece without believing it, match.go compares digests,
// verify.go asks the library under the roots of profile.go, plain.go does the same for tools
// that know no certificates, diagnose.go and reason.go say what went wrong. lists.go reads
// lists of checksums. docs/verification.md is the same walk for people.
package sigstore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/pubkey"
)

// Config says what to trust beside the embedded roots. The zero Config is usable.
type Config struct {
	// TrustedRoot is a trusted_root.json for checks.RootCustom; nil means there is none. What
	// is asked of signatures under it follows from what it contains, never from a bundle.
	TrustedRoot []byte
	// Keys are public keys of any kind for checks.RootKey, tried beside Release.Keys; see
	// package pubkey.
	Keys [][]byte
	// RequireProof refuses log entries that carry the log's promise but no proof of inclusion.
	RequireProof bool
	// Refreshed is when the embedded roots were last compared with their source. The zero
	// time means never: then they count from their newest validity start.
	Refreshed time.Time
	// Snapshots are refreshed roots by name, which replace the embedded ones unless they are older.
	Snapshots map[string]Snapshot
	// MaxRootAge is how long after Refreshed the embedded roots are believed; 0 means for ever.
	MaxRootAge time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Scanner verifies the evidence of releases. Nothing in it changes after New, so several
// goroutines may use it.
type Scanner struct {
	now          func() time.Time
	requireProof bool
	refreshed    time.Time
	maxRootAge   time.Duration

	roots    map[string]*trustRoot // by name
	profiles map[string]*profile   // by name of the root
	release  *profile              // GitHub's release attestations
	npm      []*trustedKey
	keys     []pubkey.Key
	examined int // maxExamined; a test lowers it

	// after is called after each step on a piece of evidence; tests inject faults with it.
	after func(step string) error
}

// New parses the trust roots and returns a Scanner. An error names the part of c that
// cannot be used.
func New(c Config) (*Scanner, error) {
	s := &Scanner{
		now: c.Now, requireProof: c.RequireProof, refreshed: c.Refreshed.UTC(), maxRootAge: c.MaxRootAge,
		roots: map[string]*trustRoot{}, profiles: map[string]*profile{}, examined: maxExamined,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.embedded(c); err != nil {
		return nil, err
	}
	if c.TrustedRoot != nil {
		t, err := parseRoot(checks.RootCustom, "configured", c.TrustedRoot)
		if err != nil {
			return nil, err
		}
		p, err := custom(t)
		if err != nil {
			return nil, err
		}
		s.roots[t.name], s.profiles[t.name] = t, p
	}
	if len(c.Keys) > maxKeys {
		return nil, tooManyKeys(len(c.Keys))
	}
	for i, text := range c.Keys {
		k, err := pubkey.Read(string(text))
		if err != nil {
			return nil, fmt.Errorf("public key %d: %w", i+1, err)
		}
		s.keys = append(s.keys, k)
	}
	if _, _, err := sortKeys(s.keys, nil, nil); err != nil {
		return nil, err
	}
	return s, nil
}

// embedded loads the roots that every scanner has, each with its own profile.
func (s *Scanner) embedded(c Config) error {
	for _, e := range []struct {
		name  string
		build func(*trustRoot) (*profile, error)
	}{{checks.RootPublicGood, publicGood}, {checks.RootGitHub, githubInstance}} {
		t, err := c.known(e.name)
		if err != nil {
			return err
		}
		if s.profiles[e.name], err = e.build(t); err != nil {
			return err
		}
		s.roots[e.name] = t
	}
	var err error
	if s.release, err = githubRelease(s.roots[checks.RootGitHub]); err != nil {
		return err
	}
	s.npm, err = npmKeys(s.roots[checks.RootPublicGood])
	return err
}

// Name returns "sigstore".
func (s *Scanner) Name() string { return "sigstore" }

// Scan verifies each piece of evidence of m.Release under the roots that Release.Roots
// allows. What fails is an Attestation with a Problem; the only error is that of ctx.
//
// Of an Attestation with a Problem only Bundle, Origin, For and the Problem are certain:
// Kind, PredicateType and Subjects are then what the evidence says of itself.
func (s *Scanner) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	e := checks.Evidence{Scanner: s.Name()}
	if m.Release == nil {
		e.Complete = true
		return e, nil
	}
	t, gaps := s.trust(m.Release)
	e.Gaps = gaps
	shelf := newShelf(m.Release.Assets)
	pieces, left := gather(m.Release.Bundles)
	candidates := make([]*candidate, len(pieces))
	err := parallel(ctx, len(pieces), func(i int) { candidates[i] = s.examine(pieces[i], shelf) })
	if err != nil {
		return e, fmt.Errorf("reading %d pieces of evidence: %w", len(pieces), err)
	}
	chosen, over := s.choose(candidates, m, shelf)
	err = parallel(ctx, len(chosen), func(i int) { s.prove(chosen[i], shelf, t) })
	if err != nil {
		return e, fmt.Errorf("verifying %d pieces of evidence: %w", len(chosen), err)
	}
	for _, c := range chosen {
		e.Attestations = append(e.Attestations, c.out)
	}
	e.Attestations = append(append(e.Attestations, over...), left...)
	e.Lists = lists(shelf)
	e.DataTime = s.dataTime(t)
	e.Complete = len(e.Gaps) == 0
	return e, nil
}

// trust returns what the release allows to rely on.
func (s *Scanner) trust(r *checks.Release) (trusted, []checks.Gap) {
	t := trusted{names: r.Roots}
	var gaps []checks.Gap
	for _, name := range r.Roots {
		switch p := s.profiles[name]; {
		case p != nil:
			t.roots = append(t.roots, p)
		case name != checks.RootKey:
			gaps = append(gaps, checks.Gap{Reason: fmt.Sprintf("the trust root %q is not configured here", name)})
		}
	}
	if !slices.Contains(r.Roots, checks.RootKey) {
		return t, gaps
	}
	var own *trustRoot
	if slices.Contains(r.Roots, checks.RootCustom) {
		own = s.roots[checks.RootCustom]
	}
	var err error
	if t.keys, t.plain, err = sortKeys(s.keys, r.Keys, own); err != nil {
		gaps = append(gaps, checks.Gap{Reason: err.Error()})
	}
	return t, gaps
}

// dataTime is when the newest of the roots relied on was last known to be current.
func (s *Scanner) dataTime(t trusted) time.Time {
	var newest time.Time
	for _, p := range t.roots {
		if since := s.since(p.trust); since.After(newest) {
			newest = since
		}
	}
	return newest
}

// gather cuts all evidence into pieces. The same bytes beside the same asset count once: an
// attestation of many assets is found once for each. Of files that hold pieces over the
// limit it returns one Attestation each, which says that they were not all read.
func gather(bundles []checks.Bundle) (pieces []piece, left []checks.Attestation) {
	seen := map[[sha256.Size]byte]bool{}
	for i := range bundles {
		b := &bundles[i]
		fresh := slices.DeleteFunc(split(b), func(p piece) bool {
			if len(p.data) == 0 {
				return false
			}
			key := sha256.Sum256(append([]byte(b.For+"\x00"), p.data...))
			twin := seen[key]
			seen[key] = true
			return twin
		})
		if n := maxPieces - len(pieces); len(fresh) > n {
			fresh = fresh[:n]
			left = append(left, checks.Attestation{
				Bundle: b.Name, Origin: b.Origin, For: b.For, Kind: checks.AttestationOther,
				Problem: tooLarge("There are more than 20,000 pieces of evidence."),
			})
		}
		pieces = append(pieces, fresh...)
	}
	return pieces, left
}

// choose picks what is verified and reported, at most s.examined. What names an asset of
// ours comes before what could not be read, and that before what is about other files;
// within the first, what says that the judged repository was built from comes first. For
// each asset whose attestations were not all examined there is one Attestation that says
// so: attestations by others neither help nor block (THREATS.md, section 2, rule 7).
func (s *Scanner) choose(all []*candidate, m *checks.Material, shelf *shelf) ([]*candidate, []checks.Attestation) {
	if len(all) <= s.examined {
		return all, nil
	}
	ranks := make(map[*candidate]int, len(all))
	for _, c := range all {
		switch {
		case c.out.Problem == nil && c.near(m):
			ranks[c] = 0
		case c.out.Problem == nil:
			ranks[c] = 1
		case c.out.Problem.Unknown():
			ranks[c] = 2
		default:
			ranks[c] = 3
		}
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b *candidate) int { return ranks[a] - ranks[b] })
	skips := map[int]int{}
	for _, c := range sorted[s.examined:] {
		for _, i := range c.assets {
			skips[i]++
		}
	}
	var over []checks.Attestation
	for i, a := range shelf.assets {
		if skips[i] == 0 {
			continue
		}
		over = append(over, checks.Attestation{
			Bundle: "further attestations", For: a.Name, Kind: checks.AttestationOther,
			Subjects: []checks.AttestedSubject{{Name: a.Name, Digest: map[string]string{"sha256": a.SHA256}}},
			Problem:  skipped(skips[i]),
		})
	}
	return sorted[:s.examined], over
}
