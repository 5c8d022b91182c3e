// Package risk scores how urgent one problem of one package is, from 0 to 100, and shows the
// points that the score consists of. docs/risk.md has the formula for people.
//
// It is arithmetic on plain values: no I/O, no clock, nothing of ours. More evidence of danger
// never lowers a score: each input has its own part, each part rises with its input alone.
package risk

import (
	"fmt"
	"math"
)

// Input is what a score goes by. The zero Input is a problem of which nothing is known.
type Input struct {
	Malware  bool    // the package itself is malicious; then nothing else counts
	Score    float64 // CVSS base score, 0 to 10; 0 when there is none
	Severity string  // "critical", "high", "medium", "low"; anything else is unknown. Counts when Score is 0
	// Licence is why a licence is a problem: LicenceDenied or LicenceUnclear; "" for all other
	// problems. Then Score and Severity do not count.
	Licence   string
	EPSS      float64 // probability of exploitation within 30 days, 0 to 1; 0 when not known
	Exploited bool    // known to be exploited (CISA KEV)
	Scope     string  // "runtime", "optional" or "development"; anything else counts as runtime
	// Depth is 1 for a package that the project names itself, 2 for one that such a package
	// needs, and so on; 0 when the problem has no package.
	Depth int
	// Reach is whether the project's own source imports what has the problem: Imported,
	// NotImported, or "" when not known.
	Reach string
}

// The values of Input.Reach and Input.Licence.
const (
	Imported       = "imported"
	NotImported    = "not imported"
	LicenceDenied  = "denied"
	LicenceUnclear = "unclear" // not known, or not readable
)

// Part is one summand of a score.
type Part struct {
	Name   string `json:"name"`   // "severity", "exploitation", "scope", ...
	Points int    `json:"points"` // may be negative
	Why    string `json:"why"`    // what the points are for, plain text of ours
}

// The points of the parts. The weights are choices of ours, not findings of a study: severity
// gives half of the scale, evidence of attacks most of the rest.
const (
	perScore     = 5  // for each point of CVSS: at most 50
	exploitation = 20 // at an EPSS of 1; grows with its square root, because most values are tiny
	exploited    = 25
	imported     = 5
	notImported  = -15 // of a direct package
	notImportedT = -5  // of a transitive one: what others import is not known
	optional     = -5
	development  = -20
)

// bySeverity stands in for a missing CVSS score: the middle of what CVSS 3.1 calls by that name,
// and the middle of the scale for unknown.
var bySeverity = map[string]float64{"critical": 9.5, "high": 8, "medium": 5.5, "low": 2}

const unknownSeverity = 5.5

// byDepth are the points of depth 1, 2 and 3. Deeper packages get none: they are harder to
// replace, but also harder to reach.
var byDepth = []int{5, 3, 1}

// Score returns the score of in and its parts. The parts add up to the score.
func Score(in Input) (int, []Part) {
	if in.Malware {
		return 100, []Part{{"malware", 100, "the package itself is malicious"}}
	}
	parts := []Part{problem(in)}
	add := func(name string, points int, why string) {
		if points != 0 {
			parts = append(parts, Part{name, points, why})
		}
	}
	epss := min(max(in.EPSS, 0), 1)
	add("exploitation", int(math.Round(exploitation*math.Sqrt(epss))), fmt.Sprintf("EPSS %.1f %%", 100*epss))
	if in.Exploited {
		add("known-exploited", exploited, "in CISA's catalogue of known exploited vulnerabilities")
	}
	switch in.Scope {
	case "development":
		add("scope", development, "needed for development only")
	case "optional":
		add("scope", optional, "optional dependency")
	}
	if in.Depth > 0 && in.Depth <= len(byDepth) {
		add("depth", byDepth[in.Depth-1], []string{"direct dependency", "needed by a direct dependency", "two steps below a direct dependency"}[in.Depth-1])
	}
	switch {
	case in.Reach == Imported:
		add("reach", imported, "the repository's own source imports the affected package")
	case in.Reach == NotImported && in.Depth == 1:
		add("reach", notImported, "the repository's own source does not import the affected package")
	case in.Reach == NotImported:
		add("reach", notImportedT, "the repository's own source does not import the affected package; other modules may")
	}
	return bounded(parts)
}

// problem is the part for the problem itself.
func problem(in Input) Part {
	switch {
	case in.Licence == LicenceDenied:
		return Part{"licence", 30, "the policy does not allow the licence"}
	case in.Licence != "":
		return Part{"licence", 10, "the licence is not clear"}
	case in.Score > 0:
		score := min(in.Score, 10)
		return Part{"severity", int(math.Round(perScore * score)), fmt.Sprintf("CVSS %.1f", score)}
	}
	if score, ok := bySeverity[in.Severity]; ok {
		return Part{"severity", int(math.Round(perScore * score)), in.Severity + ", without a CVSS score"}
	}
	return Part{"severity", int(math.Round(perScore * unknownSeverity)), "unknown severity, taken for medium"}
}

// bounded adds up parts and keeps the sum on the scale, with a part of its own for what is cut.
func bounded(parts []Part) (int, []Part) {
	sum := 0
	for _, p := range parts {
		sum += p.Points
	}
	score := min(max(sum, 0), 100)
	if score != sum {
		parts = append(parts, Part{"bounds", score - sum, "the scale goes from 0 to 100"})
	}
	return score, parts
}
