package output

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// The parts of SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format") that code
// scanning reads.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool       `json:"tool"`
		Automation sarifAutomation `json:"automationDetails"`
		Results    []sarifResult   `json:"results"`
	}
	// The ID up to its last slash is what code scanning calls the category: a later upload of
	// the same category takes the place of the one before.
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string         `json:"id"`
		ShortDescription sarifText      `json:"shortDescription"`
		Help             *sarifText     `json:"help,omitempty"`
		HelpURI          string         `json:"helpUri,omitempty"`
		Properties       map[string]any `json:"properties,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints,omitempty"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

// maxResults is how many results code scanning takes of one run.
const maxResults = 25_000

// SARIF writes the introduced findings, or the assets that fail, as SARIF 2.1.0.
func SARIF(w io.Writer, r checks.Report) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "Landwaiter", InformationURI: "https://github.com/landwaiter/landwaiter", Rules: []sarifRule{}}}, Automation: sarifAutomation{"landwaiter/"}, Results: []sarifResult{}}
	index := map[string]int{}
	for _, f := range r.Findings {
		if f.Introduced && len(run.Results) < maxResults {
			run.finding(f, index)
		}
	}
	for _, a := range (page{r: r}).failing() {
		if len(run.Results) < maxResults {
			run.asset(a, index)
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	doc := sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("writing the report as SARIF: %w", err)
	}
	return nil
}

func (s *sarifRun) rule(r sarifRule, index map[string]int) int {
	i, ok := index[r.ID]
	if !ok {
		i = len(s.Tool.Driver.Rules)
		index[r.ID] = i
		s.Tool.Driver.Rules = append(s.Tool.Driver.Rules, r)
	}
	return i
}

// scores place our severities in code scanning's ranges ("About SARIF support", property
// security-severity: over 9.0 critical, 7.0 high, 4.0 medium, below low).
var scores = map[checks.Severity]string{
	checks.SeverityCritical: "9.5", checks.SeverityHigh: "8.0", checks.SeverityMedium: "5.5", checks.SeverityLow: "2.0",
}

// isHTTPS reports whether s is an https address that SARIF takes for a URI.
func isHTTPS(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && s == Plain(s, 1000) && !strings.ContainsAny(s, " <>\"{}|\\^`")
}

func (s *sarifRun) finding(f checks.Finding, index map[string]int) {
	rule := ruleOf(f)
	id := rule.ID
	result := sarifResult{
		RuleID: id, RuleIndex: s.rule(rule, index), Level: "warning",
		Message:   sarifText{annotationTitle(f) + "\n" + annotationMessage(f)},
		Locations: sarifAt(f.Location.Path, f.Location.Line),
		// Code scanning reads primaryLocationLineHash alone; without it a moved line is another alert.
		Fingerprints: map[string]string{"landwaiter/v1": f.Fingerprint, "primaryLocationLineHash": f.Fingerprint + ":1"},
	}
	if f.Level == checks.LevelBlock {
		result.Level = "error"
	}
	if f.Level == checks.LevelAccepted {
		result.Level = "note"
		why := "release approvers"
		if f.Exception != "" {
			why = "exception " + Plain(f.Exception, 40) + " until " + Plain(f.Until, 10)
		}
		result.Suppressions = []sarifSuppression{{"external", why}}
	}
	s.Results = append(s.Results, result)
}

func (s *sarifRun) asset(a checks.AssetReport, index map[string]int) {
	i := s.rule(sarifRule{ID: a.Code, ShortDescription: sarifText{"Release asset: " + strings.ReplaceAll(a.Code, "-", " ")}}, index)
	level := "error"
	if a.State == checks.AssetUnknown {
		level = "warning"
	}
	s.Results = append(s.Results, sarifResult{
		RuleID: a.Code, RuleIndex: i, Level: level,
		Message: sarifText{Plain(a.Name, maxPiece) + ": " + Plain(a.Reason, 4*maxPiece)}, Locations: sarifAt(a.Name, 1),
	})
}

func sarifAt(path string, line int) []sarifLocation {
	uri := (&url.URL{Path: path}).String()
	return []sarifLocation{{sarifPhysical{sarifArtifact{uri}, sarifRegion{max(1, line)}}}}
}
