package checks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks/strict"
)

// ruleReasons say what is wrong when a rule without advisories blocks, after the number of what
// it found. The rule is the reason's code as well.
var ruleReasons = []struct{ rule, noun, text string }{
	{RuleLicence, "package", "under a licence that the policy does not accept"},
	{RuleMinAge, "version", "younger than the policy allows"},
	{RuleDeprecated, "version", "deprecated by the maintainer"},
	{RuleYanked, "version", "taken back by the registry"},
	{RuleAbandoned, "package", "without a new version for too long"},
	{RuleNoProvenance, "package", "without provenance"},
	{RuleLostOrigin, "package", "without provenance where the version before had it"},
	{RuleLookalike, "name", "like that of a popular package"},
	{RuleImage, "image", "without a digest"},
	{RuleUnpinned, "action", "without a full commit"},
	{RuleCheckout, "checkout", "of strangers' code where secrets are"},
	{RuleInjection, "script", "with text that strangers write"},
	{RuleWriteAll, "token", "that may write everything"},
}

// blocking gives one reason for each rule that introduced findings break.
func (j *judgment) blocking() {
	count := map[string]int{}
	scopes, severities := map[string]bool{}, map[string]bool{}
	for _, f := range j.r.Findings {
		if f.Level != LevelBlock {
			continue
		}
		cause := f.Rule
		if f.Advisory != "" || f.Malware {
			cause = j.p.cause(f)
		}
		if count[cause]++; cause == causeSeverity {
			scopes[cmp.Or(string(f.Scope), string(ScopeRuntime))] = true
			severities[f.Severity.String()] = true
		}
	}
	if n := count[RuleMalware]; n > 0 {
		j.reason(RuleMalware, CodeMalware, "known malware (%d found); it always blocks", n)
	}
	d := j.p.Dependencies
	if n := count[RuleExploited]; n > 0 {
		j.reason(RuleExploited, CodeExploited, "%s known to be exploited; that always blocks%s", plural(n, "vulnerability"), atLine(j.p.Lines[RuleExploited]))
	}
	if len(severities) > 0 {
		j.reason("no-known-"+d.BlockSeverity.String(), CodeVulnerability, "%s dependency with a known %s advisory%s",
			words(scopes, "runtime", "optional", "development"), words(severities, "critical", "high", "medium", "low", "unknown"), atLine(d.BlockLine))
	}
	if n := count[causeEPSS]; n > 0 {
		j.reason(causeEPSS, CodeVulnerability, "%s likely to be exploited (EPSS from %s blocks)", plural(n, "advisory"), percent(d.MinEPSS))
	}
	if n := count[causeRisk]; n > 0 {
		j.reason(causeRisk, CodeVulnerability, "%s with a risk score of %d or more%s", plural(n, "advisory"), d.MinRisk, atLine(d.BlockLine))
	}
	for _, r := range ruleReasons {
		if n := count[r.rule]; n > 0 {
			text := r.text
			if r.rule == RuleMinAge {
				text = "younger than " + strict.DurationText(d.MinAge.Time)
			}
			j.reason(r.rule, r.rule, "%s %s%s", plural(n, r.noun), text, atLine(j.p.Lines[r.rule]))
		}
	}
}

func atLine(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf(" (policy line %d)", line)
}

// plural writes a number with its noun.
func plural(n int, noun string) string {
	switch stem, y := strings.CutSuffix(noun, "y"); {
	case n == 1:
		return "1 " + noun
	case y:
		return fmt.Sprintf("%d %sies", n, stem)
	default:
		return fmt.Sprintf("%d %ss", n, noun)
	}
}

// words joins those of order that are in set: "a", "a or b".
func words(set map[string]bool, order ...string) string {
	return strings.Join(slices.DeleteFunc(order, func(s string) bool { return !set[s] }), " or ")
}
