package output

import (
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
	what := f.Severity.String()
	if f.Malware {
		what = "malware"
	}
	title := fmt.Sprintf("%s: %s %s (%s)", what, Plain(f.Package.Name, 100), Plain(f.Package.Version, 40), Plain(f.Advisory, 40))
	return cutBytes(title, maxAnnotationTitle)
}

func annotationMessage(f checks.Finding) string {
	lines := []string{Plain(f.Summary, maxPiece)}
	if f.Summary == "" {
		lines[0] = Plain(f.Advisory, maxPiece)
	}
	switch {
	case f.Command:
		lines = append(lines, "Fix: "+plainLines(f.Remediation))
	case f.Remediation != "":
		lines = append(lines, Plain(f.Remediation, 4*maxPiece))
	}
	if f.Exception != "" {
		lines = append(lines, fmt.Sprintf("Accepted by exception %s until %s.", Plain(f.Exception, 40), Plain(f.Until, 10)))
	}
	return strings.Join(lines, "\n")
}

func plainLines(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		lines = append(lines, Plain(line, maxPiece))
	}
	return strings.Join(lines, "\n")
}

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
	if f.URL != "" {
		lines = append(lines, Plain(f.URL, 1000))
	}
	return strings.Join(lines, "\n")
}
