package osv

import (
	"math"
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv/record"
)

// grade is how bad something is.
type grade struct {
	severity checks.Severity
	tenths   uint8  // base score of vector, in tenths
	vector   string // "" when a word gives the severity
}

// worst returns the highest severity among the vectors and the vector that gives it.
// Without a readable vector it is the grade that the source gives in words; and an
// informational notice ("unmaintained") without either is low, not unknown.
func worst(g record.Grading) grade {
	var highest float64
	var vector string
	for _, v := range g.Vectors {
		if score, ok := baseScore(v); ok && (vector == "" || score > highest) {
			highest, vector = score, v
		}
	}
	if vector != "" {
		return grade{ofScore(highest), uint8(math.Round(10 * highest)), vector}
	}
	if s := ofGrade(g.Grade); s != checks.SeverityUnknown {
		return grade{severity: s}
	}
	if g.Informational == "unmaintained" || g.Informational == "notice" {
		return grade{severity: checks.SeverityLow}
	}
	return grade{}
}

// baseScore returns the base score of a CVSS vector of any version, 0 to 10, or false.
func baseScore(vector string) (float64, bool) {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		if v, err := gocvss40.ParseVector(vector); err == nil {
			return v.Score(), true
		}
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		if v, err := gocvss31.ParseVector(vector); err == nil {
			return v.BaseScore(), true
		}
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		if v, err := gocvss30.ParseVector(vector); err == nil {
			return v.BaseScore(), true
		}
	default:
		if v, err := gocvss20.ParseVector(vector); err == nil {
			return v.BaseScore(), true
		}
	}
	return 0, false
}

// ofScore grades a base score by the qualitative scale of CVSS 3 and 4. A score of zero
// counts as low: somebody found it worth an advisory.
func ofScore(score float64) checks.Severity {
	switch {
	case score >= 9:
		return checks.SeverityCritical
	case score >= 7:
		return checks.SeverityHigh
	case score >= 4:
		return checks.SeverityMedium
	}
	return checks.SeverityLow
}

// ofGrade reads the words of GitHub ("MODERATE") and of others ("Medium").
func ofGrade(word string) checks.Severity {
	word = strings.ToLower(word)
	if word == "moderate" {
		return checks.SeverityMedium
	}
	s, _ := checks.ParseSeverity(word)
	return s
}
