package output

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// maxAnnotationTitle is GitHub's limit for the title of an annotation, in bytes.
const maxAnnotationTitle = 255

// annotations puts each introduced finding on its line of the manifest, failures first. In
// observe mode nothing is a failure.
func (p page) annotations() []Annotation {
	var list []Annotation
	for _, f := range p.r.Findings {
		if !f.Introduced || f.Location.Path == "" {
			continue
		}
		level := map[string]string{checks.LevelBlock: "failure", checks.LevelWarn: "warning", checks.LevelAccepted: "notice"}[f.Level]
		if p.observe && level == "failure" {
			level = "warning"
		}
		line := max(1, f.Location.Line)
		list = append(list, Annotation{
			Path: f.Location.Path, StartLine: line, EndLine: line, Level: level,
			Title:      annotationTitle(f),
			Message:    annotationMessage(f),
			RawDetails: annotationDetails(f),
		})
	}
	order := []string{"failure", "warning", "notice"}
	slices.SortStableFunc(list, func(a, b Annotation) int { return slices.Index(order, a.Level) - slices.Index(order, b.Level) })
	return list
}

func annotationTitle(f checks.Finding) string {
	title := fmt.Sprintf("%s: %s", severity(f), Plain(what(f), 100))
	if f.Advisory == "" {
		title = fmt.Sprintf("%s: %s", Plain(f.Rule, 40), Plain(what(f), 100))
	}
	if f.Package.Version != "" {
		title += " " + Plain(f.Package.Version, 40)
	}
	if f.Advisory != "" {
		title += " (" + Plain(f.Advisory, 40) + ")"
	}
	return cutBytes(title, maxAnnotationTitle)
}

func annotationMessage(f checks.Finding) string {
	lines := []string{Plain(cmp.Or(f.Summary, name(f)), 2*maxPiece)}
	if notes := remarks(f); len(notes) > 0 {
		lines = append(lines, strings.Join(notes, ", "))
	}
	switch {
	case f.Command:
		lines = append(lines, "Fix: "+plainLines(f.Remediation))
	case strings.Contains(f.Remediation, "\n"):
		lines = append(lines, plainLines(f.Remediation))
	case f.Remediation != "":
		lines = append(lines, Plain(f.Remediation, 4*maxPiece))
	}
	if f.Exception != "" {
		lines = append(lines, fmt.Sprintf("Accepted by exception %s until %s.", Plain(f.Exception, 40), Plain(f.Until, 10)))
	}
	return strings.Join(lines, "\n")
}

// plainLines is Plain for each line, which keeps the spaces that it starts with.
func plainLines(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		lines = append(lines, strings.Repeat(" ", min(indent, maxIndent))+Plain(line, maxPiece))
	}
	return strings.Join(lines, "\n")
}

// maxIndent is the most spaces that a line may start with.
const maxIndent = 24

func annotationDetails(f checks.Finding) string {
	var lines []string
	if len(f.DependencyPath) > 1 {
		names := make([]string, 0, len(f.DependencyPath))
		for _, n := range f.DependencyPath {
			names = append(names, Plain(n, 100))
		}
		lines = append(lines, "path: "+cut(strings.Join(names, " > "), 2000))
	}
	if len(f.Aliases) > 0 {
		lines = append(lines, "also known as: "+Plain(strings.Join(f.Aliases, ", "), 1000))
	}
	if len(f.RiskParts) > 0 {
		lines = append(lines, "risk "+riskText(f))
	}
	if f.URL != "" {
		lines = append(lines, Plain(f.URL, 1000))
	}
	return strings.Join(lines, "\n")
}
