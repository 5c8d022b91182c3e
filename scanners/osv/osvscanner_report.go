package osv

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/osv-scanner/v2/pkg/models"
	"github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv/record"
)

// Only pkg/models of OSV-Scanner is linked: its engine (pkg/osvscanner) costs 20 MiB and
// 40 ms of every start. The tests run the engine beside ours.

// maxReport is the largest OSV-Scanner report that is read, bytes.
const maxReport = 256 << 20

// WriteOSVScanner writes the findings of r in the JSON format of OSV-Scanner 2, for tools
// that read it. Findings of other rules than known vulnerabilities and malware, which have
// no advisory, are left out. A Report knows severities but not scores, so max_severity is
// empty and the severity stands in database_specific, as GitHub writes it.
func WriteOSVScanner(w io.Writer, r checks.Report) error {
	out := models.VulnerabilityResults{Results: []models.PackageSource{}}
	for _, f := range r.Findings {
		if f.Advisory == "" {
			continue
		}
		source := sourceOf(&out, f.Location.Path)
		p := packageOf(source, f.Package)
		if slices.ContainsFunc(p.Vulnerabilities, func(v *osvschema.Vulnerability) bool { return v.GetId() == f.Advisory }) {
			continue // the same package twice in one manifest
		}
		p.Vulnerabilities = append(p.Vulnerabilities, vulnerabilityOf(f))
		p.Groups = append(p.Groups, models.GroupInfo{
			IDs: []string{f.Advisory}, Aliases: sortedWith(f.Aliases, f.Advisory),
		})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(&out); err != nil {
		return fmt.Errorf("writing findings as OSV-Scanner JSON: %w", err)
	}
	return nil
}

// sourceOf returns the manifest at path, which it adds if it is new. The pointer holds
// until the next call.
func sourceOf(out *models.VulnerabilityResults, path string) *models.PackageSource {
	for i := range out.Results {
		if out.Results[i].Source.Path == path {
			return &out.Results[i]
		}
	}
	out.Results = append(out.Results, models.PackageSource{Source: models.SourceInfo{Path: path, Type: models.SourceTypeProjectPackage}})
	return &out.Results[len(out.Results)-1]
}

// packageOf returns the package of a source, which it adds if it is new.
func packageOf(source *models.PackageSource, p checks.FindingPackage) *models.PackageVulns {
	for i := range source.Packages {
		if q := &source.Packages[i].Package; q.Ecosystem == p.Ecosystem && q.Name == p.Name && q.Version == p.Version {
			return &source.Packages[i]
		}
	}
	source.Packages = append(source.Packages, models.PackageVulns{
		Package: models.PackageInfo{Name: p.Name, Version: p.Version, Ecosystem: p.Ecosystem},
	})
	return &source.Packages[len(source.Packages)-1]
}

// vulnerabilityOf writes what a Finding knows of its advisory as an OSV record.
func vulnerabilityOf(f checks.Finding) *osvschema.Vulnerability {
	v := &osvschema.Vulnerability{
		SchemaVersion: "1.7.3", Id: f.Advisory, Aliases: f.Aliases, Summary: strings.ToValidUTF8(f.Summary, "\uFFFD"),
		DatabaseSpecific: &structpb.Struct{Fields: map[string]*structpb.Value{
			"severity": structpb.NewStringValue(strings.ToUpper(f.Severity.String())),
		}},
	}
	if f.URL != "" {
		v.References = []*osvschema.Reference{{Type: osvschema.Reference_ADVISORY, Url: f.URL}}
	}
	affected := &osvschema.Affected{
		Package:  &osvschema.Package{Ecosystem: f.Package.Ecosystem, Name: f.Package.Name, Purl: f.Package.PURL},
		Versions: []string{f.Package.Version},
	}
	if f.FixedVersion != "" {
		affected.Ranges = []*osvschema.Range{{Type: osvschema.Range_ECOSYSTEM, Events: []*osvschema.Event{
			{Introduced: f.Package.Version}, {Fixed: f.FixedVersion},
		}}}
	}
	v.Affected = []*osvschema.Affected{affected}
	return v
}

func sortedWith(list []string, more string) []string {
	out := append(slices.Clone(list), more)
	slices.Sort(out)
	return slices.Compact(out)
}

// ReadOSVScanner reads a report of OSV-Scanner 2 as matches on the head side. Its groups
// become Advisories, named and graded as ours are.
func ReadOSVScanner(r io.Reader) ([]checks.Match, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxReport+1))
	if err != nil {
		return nil, fmt.Errorf("reading OSV-Scanner JSON: %w", err)
	}
	if len(data) > maxReport {
		return nil, fmt.Errorf("reading OSV-Scanner JSON: it has more than %d bytes", maxReport)
	}
	var in models.VulnerabilityResults
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("reading OSV-Scanner JSON: %w", err)
	}
	return matchesOf(&in), nil
}

// matchesOf turns results of OSV-Scanner into matches.
func matchesOf(in *models.VulnerabilityResults) []checks.Match {
	var out []checks.Match
	for _, source := range in.Results {
		for _, p := range source.Packages {
			pkg := checks.Package{Ecosystem: p.Package.Ecosystem, Name: p.Package.Name, Version: p.Package.Version, Commit: p.Package.Commit}
			for _, g := range p.Groups {
				out = append(out, checks.Match{Side: checks.Head, Path: source.Source.Path, Package: pkg, Advisory: advisoryOf(g, p.Vulnerabilities)})
			}
		}
	}
	return out
}

// advisoryOf merges the records of one group.
func advisoryOf(g models.GroupInfo, all []*osvschema.Vulnerability) checks.Advisory {
	a := checks.Advisory{Malware: isMalware(g.IDs) || isMalware(g.Aliases)}
	a.ID = preferredID(g.IDs, g.Aliases, a.Malware)
	a.Aliases = others(slices.Concat(g.IDs, g.Aliases), a.ID)
	before, id, after := idPage(a.ID)
	a.URL = before + id + after
	for _, v := range all {
		if !slices.Contains(g.IDs, v.GetId()) {
			continue
		}
		if a.Summary == "" || v.GetId() == a.ID {
			a.Summary = v.GetSummary()
		}
		grading := record.Grading{Grade: v.GetDatabaseSpecific().GetFields()["severity"].GetStringValue()}
		for _, s := range v.GetSeverity() {
			grading.Vectors = append(grading.Vectors, s.GetScore())
		}
		if g := worst(grading); g.severity > a.Severity {
			a.Severity, a.Vector, a.Score = g.severity, g.vector, float64(g.tenths)/10
		}
		a.Fixed = append(a.Fixed, fixedOf(v)...)
	}
	slices.Sort(a.Fixed)
	a.Fixed = slices.Compact(a.Fixed)
	return a
}

func fixedOf(v *osvschema.Vulnerability) []string {
	var fixed []string
	for _, affected := range v.GetAffected() {
		for _, r := range affected.GetRanges() {
			for _, e := range r.GetEvents() {
				if r.GetType() != osvschema.Range_GIT && e.GetFixed() != "" {
					fixed = append(fixed, e.GetFixed())
				}
			}
		}
	}
	return fixed
}
