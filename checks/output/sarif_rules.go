package output

import (
	"fmt"

	"github.com/landwaiter/landwaiter/checks"
)

// ruleHelp is what SARIF says of a rule that goes by no advisory.
type ruleHelp struct {
	short, help string
	// score is the rule's severity on code scanning's scale; "" for rules that are not about security.
	score string
}

const reasonsPage = "https://github.com/landwaiter/landwaiter/blob/main/docs/reasons.md"

// ruleHelps are the rules of Findings without an advisory. To add one: a row.
var ruleHelps = map[string]ruleHelp{
	checks.RuleLicence:      {"Licence that the policy does not accept", "The package cannot be used under any licence that the policy allows, or its licence is not clear. Replace it, or have the owners of the policy allow or exempt it.", ""},
	checks.RuleMinAge:       {"Version published too recently", "Malicious versions are usually found within days. Wait until the version is old enough, or take an older one.", "4.0"},
	checks.RuleDeprecated:   {"Deprecated version", "The maintainer advises against this version. Replace it, or take a version that is maintained.", ""},
	checks.RuleYanked:       {"Version that the registry took back", "The version was taken back after it was published. Take another version.", "7.0"},
	checks.RuleAbandoned:    {"Package without new versions", "Nobody may answer when a problem is found in it. Replace it with a package that is maintained.", ""},
	checks.RuleNoProvenance: {"Package without provenance", "Nothing proves which source the package was built from. Take a version that was published with provenance.", "2.0"},
	checks.RuleLostOrigin:   {"Provenance lost", "The version before was published with provenance and this one without, as happens when somebody publishes with a stolen token. Keep the version before, and ask the maintainers.", "8.0"},
	checks.RuleLookalike:    {"Name like that of a popular package", "Check that this is the package that is meant.", "6.0"},
	checks.RuleImage:        {"Container image without a digest", "A tag can be moved to another image. Add the digest.", "3.0"},
	checks.RuleUnpinned:     {"Action without a full commit", "A tag or branch can be moved to other code, which then runs with the token and secrets of the workflow. Pin the action to a full commit.", "5.0"},
	checks.RuleCheckout:     {"Untrusted checkout", "A workflow that has secrets, or a token that writes, checks out what a stranger wrote. Use pull_request, or do not check out the head.", "9.0"},
	checks.RuleInjection:    {"Script injection", "A script contains text that strangers write, which the shell then runs. Hand the text over in an environment variable.", "9.0"},
	checks.RuleSignerDrift:  {"Signed in another way than before", "The releases before were signed by another workflow, key or machine. If nobody meant this, do not use the release. If it is meant, accept it with an exception.", "8.0"},
	checks.RuleAssetNames:   {"Names of assets differ from the release before", "An asset is new, or one is missing. Check that this is meant.", ""},
	checks.RuleWriteAll:     {"Token that may write everything", "List the permissions that the workflow needs.", "5.0"},
}

// ruleOf returns the SARIF rule of f.
func ruleOf(f checks.Finding) sarifRule {
	if f.Advisory == "" {
		h, ok := ruleHelps[f.Rule]
		if !ok {
			h = ruleHelp{short: orDash(Plain(f.Rule, 100)), help: "See the documentation of Landwaiter."}
		}
		rule := sarifRule{ID: orDash(Plain(f.Rule, 100)), ShortDescription: sarifText{h.short}, Help: &sarifText{h.help}, HelpURI: reasonsPage,
			Properties: map[string]any{"tags": []string{"supply-chain"}}}
		if h.score != "" {
			rule.Properties = map[string]any{"tags": []string{"security", "supply-chain"}, "security-severity": h.score}
		}
		return rule
	}
	tag, help := "vulnerability", "A known vulnerability of a package version. The fix stands with each result."
	score := scores[f.Severity]
	if f.Score > 0 {
		score = fmt.Sprintf("%.1f", f.Score)
	}
	if f.Malware {
		score, tag, help = "10.0", "malware", "The package version is malicious. Remove it, and take machines that installed it for compromised."
	}
	rule := sarifRule{ID: orDash(Plain(f.Advisory, 100)), ShortDescription: sarifText{orDash(Plain(f.Summary, maxPiece))}, Help: &sarifText{help},
		Properties: map[string]any{"tags": []string{"security", tag}}}
	if score != "" {
		rule.Properties["security-severity"] = score
	}
	if isHTTPS(f.URL) {
		rule.HelpURI = Plain(f.URL, 1000)
	}
	return rule
}
