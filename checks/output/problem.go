package output

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks"
)

// minShownEPSS is the probability from which EPSS is shown; most advisories are far below.
const minShownEPSS = 0.01

// name is what a finding is called: its advisory, else its rule. Hostile.
func name(f checks.Finding) string { return cmp.Or(f.Advisory, f.Rule) }

// ofFile reports whether f is about a file and not about a package.
func ofFile(f checks.Finding) bool { return f.Package == checks.FindingPackage{} }

// what is what a finding is about: a package, or its subject in a file. Hostile.
func what(f checks.Finding) string {
	if ofFile(f) {
		return cmp.Or(f.Subject, f.Location.Path)
	}
	return f.Package.Name
}

// severity is the severity of f, or "malware". Rules without an advisory have one too.
func severity(f checks.Finding) string {
	if f.Malware {
		return "malware"
	}
	return f.Severity.String()
}

// remarks are what is known of an advisory besides its severity, in words of ours.
func remarks(f checks.Finding) []string {
	var list []string
	if f.Exploited {
		list = append(list, "known exploited")
	}
	if f.EPSS >= minShownEPSS {
		list = append(list, percent(f.EPSS))
	}
	if f.Reach == checks.ReachNotImported {
		list = append(list, "not imported")
	}
	return list
}

// percent writes an EPSS probability in whole percent, never rounded up to certainty.
func percent(p float64) string { return fmt.Sprintf("EPSS %d %%", min(int(p*100+0.5), 99)) }

// riskText writes a risk score with its parts: "45: severity 40 (CVSS 8.0), depth 5 (direct dependency)".
func riskText(f checks.Finding) string {
	parts := make([]string, 0, len(f.RiskParts))
	for _, p := range f.RiskParts {
		parts = append(parts, fmt.Sprintf("%s %+d (%s)", p.Name, p.Points, p.Why))
	}
	return fmt.Sprintf("%d: %s", f.Risk, strings.Join(parts, ", "))
}

// maxShortFix is the most characters of a cure in a table.
const maxShortFix = 60

// shortFix is the first part of a cure in words, "" when it is a command, long or of several lines.
func shortFix(f checks.Finding) string {
	text := f.Remediation
	if i := strings.IndexAny(text, ";.\n"); i >= 0 {
		text = text[:i]
	}
	if f.Command || ofFile(f) || text == "" || strings.Contains(f.Remediation, "\n") || utf8.RuneCountInString(text) > maxShortFix {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToLower(first)) + text[size:]
}
