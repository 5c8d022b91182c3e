// Package signers compares who signed a release with who signed the releases of the same
// repository before, and the names of its assets with theirs.
//
// It owns the form of the memory: what is remembered of a release, when two signers are the
// same, and how a deviation is told. It holds plain values, decides no verdict and stores
// nothing: checks asks it, the store keeps what it forms. Start reading at Memory and Compare;
// docs/signers.md says why it is as it is.
package signers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Profile says who signed, on what and from where, in terms that stay the same from one
// release to the next and when the repository is renamed or transferred. An empty field means
// that the evidence does not tell. All of it is text of others: escape it before showing.
type Profile struct {
	// Issuer vouches for Signer; "" for a key.
	Issuer string `json:"issuer,omitempty"`
	// Signer is the workflow that signed, without its ref: ".github/workflows/release.yml" of the
	// repository itself, "owner/name/.github/workflows/build.yml" of another; or the whole
	// identity of a person. "" for a key.
	Signer string `json:"signer,omitempty"`
	// Ref is the class of ref that the signing workflow was used at, and Source that of the
	// ref built from; see RefClass.
	Ref    string `json:"ref,omitempty"`
	Source string `json:"source,omitempty"`
	Runner string `json:"runner,omitempty"` // "github-hosted" or "self-hosted"
	// Builder is what built, and Caller the repository's own workflow that called it, in the
	// form of Signer.
	Builder string `json:"builder,omitempty"`
	Caller  string `json:"caller,omitempty"`
	// Key is the identity of a key that signed: "pgp:...", "minisign:...", "ssh:...", "key:...".
	Key string `json:"key,omitempty"`
}

// Field is one part of a Profile.
type Field struct {
	Name  string // as in JSON
	Label string // for people
	Of    func(Profile) string
}

// Fields returns the fields of a Profile in the order they are shown. To add one: a row here
// and a property in Profile; Profiles without it keep their ID.
func Fields() []Field {
	return []Field{
		{"issuer", "Issuer", func(p Profile) string { return p.Issuer }},
		{"signer", "Signer", func(p Profile) string { return p.Signer }},
		{"ref", "Ref of the signer", func(p Profile) string { return p.Ref }},
		{"source", "Ref built from", func(p Profile) string { return p.Source }},
		{"runner", "Runner", func(p Profile) string { return p.Runner }},
		{"builder", "Builder", func(p Profile) string { return p.Builder }},
		{"caller", "Calling workflow", func(p Profile) string { return p.Caller }},
		{"key", "Key", func(p Profile) string { return p.Key }},
	}
}

// ID names p: "sha256:" and a hexadecimal digest of its fields. Two Profiles have one ID only
// when they are equal.
func (p Profile) ID() string {
	h := sha256.New()
	for _, f := range Fields() {
		if v := f.Of(p); v != "" {
			fmt.Fprintf(h, "%s %d:%s", f.Name, len(v), v)
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// String returns what most tells p apart: the key, or the signer.
func (p Profile) String() string {
	if p.Key != "" {
		return p.Key
	}
	return p.Signer
}

// RefClass says what kind of ref a workflow was used at, so that two releases can be compared:
// "tag" for every tag, "commit" for a full commit, "branch" and its name with versions taken
// out ("branch main", "branch release-*"). Anything else is returned as it is.
func RefClass(ref string) string {
	if _, tag := strings.CutPrefix(ref, "refs/tags/"); tag {
		return "tag"
	}
	if name, branch := strings.CutPrefix(ref, "refs/heads/"); branch {
		return "branch " + Pattern(name, "", "")
	}
	if (len(ref) == 40 || len(ref) == 64) && strings.Trim(ref, "0123456789abcdef") == "" {
		return "commit"
	}
	return ref
}

// Known is a Profile that the releases of a repository taught.
type Known struct {
	Profile
	Release   string    `json:"release"` // tag of the first release that taught it
	ReleaseID int64     `json:"release_id"`
	Since     time.Time `json:"since"` // when that release was first verified; UTC, whole seconds
	// Withdrawn says that every release that taught it has failed since. It is shown, and
	// vouches for nothing.
	Withdrawn bool `json:"withdrawn,omitempty"`
}

// Memory is what the verified releases of one repository taught, as one judgment found it. The
// zero Memory is that of a repository without verified releases: there the first one teaches.
type Memory struct {
	// Version rises with each change to the memory. What a judgment teaches is kept only when
	// the memory is still of the Version it was judged by.
	Version  int64   `json:"version"`
	Releases int     `json:"releases"` // verified releases that stand
	Known    []Known `json:"known"`    // oldest first; never null
	// Previous is the tag of the verified release before the judged one, and Names the names
	// of its assets as Pattern writes them, sorted. Names is empty when there is none.
	Previous string   `json:"previous,omitempty"`
	Names    []string `json:"names,omitempty"`
	// Seen is when the judged release, with exactly these assets, was first verified; zero
	// when it never was. UTC, whole seconds.
	Seen time.Time `json:"seen,omitzero"`
	// Shared counts, by key, the other repositories of the installation whose releases it
	// signed. Their names are left out on purpose: who reads this report may not see them.
	Shared map[string]int `json:"shared,omitempty"`
}

// Lesson is what a release teaches when its Verdict is Pass and stands.
type Lesson struct {
	Signers []Profile `json:"signers"` // sorted by ID; never null
	Names   []string  `json:"names"`   // as in Memory
}

// Recall is what a Report keeps of the memory: all that the judgment went by, what deviates
// from it, and what the release teaches. With it the verdict can be formed again.
type Recall struct {
	Memory
	Drift []Drift `json:"drift,omitempty"`
	// Teaches is nil for a release that teaches nothing, such as one that fails or is a draft.
	Teaches *Lesson `json:"teaches,omitempty"`
}

// After returns the memory that a release finds which comes after the one that r is of: with
// what that one taught. Its tag, number and time of judgment are not in r.
func (r Recall) After(tag string, id int64, at time.Time) Memory {
	m := r.Memory
	m.Seen = time.Time{}
	if r.Teaches == nil {
		return m
	}
	m.Known = slices.Clone(m.Known)
	m.Releases++
	m.Previous, m.Names = tag, r.Teaches.Names
	for _, p := range r.Teaches.Signers {
		stands := func(k Known) bool { return k.Profile == p && !k.Withdrawn }
		if !slices.ContainsFunc(m.Known, stands) {
			m.Known = append(m.Known, Known{Profile: p, Release: tag, ReleaseID: id, Since: at.UTC()})
		}
	}
	return m
}
