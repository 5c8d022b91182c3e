package registry

import (
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

// The messages of the API, as far as they are used; field names as in its JSON
// (https://docs.deps.dev/api/v3alpha/, GetVersionBatch, GetVersion, GetPackage).
type (
	versionKey struct {
		System  string `json:"system"`
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	batchRequest struct {
		VersionKey versionKey `json:"versionKey"`
	}
	batchQuestion struct {
		Requests  []batchRequest `json:"requests"`
		PageToken string         `json:"pageToken,omitempty"`
	}
	batchAnswer struct {
		Responses []struct {
			Request batchRequest  `json:"request"`
			Version versionAnswer `json:"version"` // empty when there is no such version
		} `json:"responses"`
		NextPageToken string `json:"nextPageToken"`
	}
	versionAnswer struct {
		VersionKey       versionKey    `json:"versionKey"`
		PublishedAt      moment        `json:"publishedAt"`
		IsDeprecated     bool          `json:"isDeprecated"`
		DeprecatedReason string        `json:"deprecatedReason"`
		Licenses         []string      `json:"licenses"`
		SLSAProvenances  []attestation `json:"slsaProvenances"` // npm only
		Attestations     []attestation `json:"attestations"`
		ProjectStatus    struct {
			Status string `json:"status"`
			Reason string `json:"reason"`
		} `json:"projectStatus"` // PyPI only
	}
	attestation struct {
		Verified bool `json:"verified"` // deps.dev checked the Sigstore bundle
	}
	packageAnswer struct {
		Versions []struct {
			PublishedAt moment `json:"publishedAt"`
		} `json:"versions"`
	}
)

// answer is what is kept of an answer, about one version, or about a package and then only
// Newest. The short names are those of the cache.
type answer struct {
	Time       time.Time     `json:"t"` // when it was given, UTC
	Source     string        `json:"s"`
	Known      bool          `json:"k,omitempty"` // false: the source knows no such version
	Licence    string        `json:"l,omitempty"`
	Published  time.Time     `json:"p,omitzero"`
	Deprecated string        `json:"d,omitempty"`
	Yanked     bool          `json:"y,omitempty"`
	Provenance checks.Answer `json:"a,omitempty"`
	Newest     time.Time     `json:"n,omitzero"`
}

const (
	maxLicence = 4 << 10 // bytes, as much as checks/licence reads
	maxReason  = 500     // bytes of a maintainer's words
)

// keyOf names v as deps.dev does: the versions of Go modules have a "v".
func keyOf(v version) versionKey {
	k := versionKey{System: systems[v.ecosystem], Name: v.name, Version: v.version}
	if v.ecosystem == "Go" {
		k.Version = "v" + strings.TrimPrefix(k.Version, "v")
	}
	return k
}

// answer reads what deps.dev says of a version; an empty message knows nothing.
func (v versionAnswer) answer(ecosystem string) answer {
	if v.VersionKey.Name == "" {
		return answer{}
	}
	a := answer{
		Known: true, Licence: licence(v.Licenses), Published: v.PublishedAt.Time, Provenance: v.provenance(ecosystem),
	}
	if v.IsDeprecated {
		a.Deprecated = words(v.DeprecatedReason)
	}
	// The status of a PyPI project (packaging.python.org, "Project Status Markers"): archived and
	// deprecated ones get no more releases, quarantined ones are not served until they are examined.
	switch status := v.ProjectStatus; status.Status {
	case "archived", "deprecated":
		a.Deprecated = words(status.Reason)
	case "quarantined":
		a.Yanked = true
	}
	return a
}

func words(reason string) string {
	reason = strings.TrimSpace(strings.ToValidUTF8(reason, ""))
	if reason == "" {
		return "deprecated"
	}
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") + "..."
	}
	return reason
}

// licence joins what deps.dev found into one expression. How several relate is not said, so all
// of them must be allowed. "non-standard" stands for a licence that is in no list; beside others
// it becomes a LicenseRef, so that the expression stays one.
func licence(found []string) string {
	found = slices.DeleteFunc(slices.Clone(found), func(s string) bool { return strings.TrimSpace(s) == "" })
	if len(found) == 1 {
		return bounded(found[0])
	}
	for i, s := range found {
		if found[i] = "(" + s + ")"; s == "non-standard" {
			found[i] = "LicenseRef-non-standard"
		}
	}
	return bounded(strings.Join(found, " AND "))
}

// bounded leaves out a licence that is too long to be one.
func bounded(s string) string {
	if len(s) > maxLicence {
		return "non-standard"
	}
	return strings.ToValidUTF8(s, "")
}

// provenance reads whether there are attestations that deps.dev found to be genuine. Where there
// are only others, nothing is said. npm and PyPI are the registries that publish them.
func (v versionAnswer) provenance(ecosystem string) checks.Answer {
	all := slices.Concat(v.Attestations, v.SLSAProvenances)
	switch {
	case slices.ContainsFunc(all, func(a attestation) bool { return a.Verified }):
		return checks.Yes
	case len(all) == 0 && (ecosystem == "npm" || ecosystem == "PyPI"):
		return checks.No
	}
	return ""
}

// moment is a time as the API writes it. One that cannot be read is not told, like one that is
// left out; so are those that mean something else, as NuGet publishes in the year 1900 what it
// does not list.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(data []byte) error {
	var t time.Time
	if t.UnmarshalJSON(data) == nil && t.Year() >= 1990 {
		m.Time = t.UTC()
	}
	return nil
}

// answer finds the newest version.
func (p packageAnswer) answer() answer {
	a := answer{Known: len(p.Versions) > 0}
	for _, v := range p.Versions {
		if v.PublishedAt.After(a.Newest) {
			a.Newest = v.PublishedAt.Time
		}
	}
	return a
}
