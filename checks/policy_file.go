package checks

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/package-url/packageurl-go"

	"github.com/landwaiter/landwaiter/checks/strict"
)

const day = 24 * time.Hour

// laterKeys are keys of the product's design that this version does not read. They are errors
// of their own, because a rule that is written down and not applied is worse than none.
var laterKeys = map[string]bool{
	"enforced": true, "allow_override": true, "rules": true,
}

// ParsePolicy reads a policy file: the presets it extends (landwaiter:recommended@1 when it
// names none) and its own keys over them. source is named in messages and kept in Source.
// Every error is a *PolicyError. docs/policy.md lists the keys.
func ParsePolicy(data []byte, source string) (*Policy, error) {
	d := policyReader{&strict.Document{Later: laterKeys}}
	root := d.Parse(data)
	var p *Policy
	if d.Err() == nil {
		p = d.presets(root)
	}
	if d.Err() == nil {
		d.Section(root, "", d.topKeys(p))
		d.whole(p)
	}
	if err := d.Err(); err != nil {
		return nil, &PolicyError{Source: source, Line: err.Line, Message: err.Message}
	}
	p.Source = source
	p.Digest = digest(p)
	return p, nil
}

// policyReader reads one policy file.
type policyReader struct{ *strict.Document }

// presets returns the policy that the file starts from.
func (d policyReader) presets(root strict.Node) *Policy {
	p := recommended()
	if key, value := d.Value(root, "extends"); key != nil {
		var names []string
		d.List(value, func(n strict.Node) {
			name := d.Text(n)
			switch known, ok := presets[name]; {
			case d.Err() != nil:
			case ok:
				p = known()
				names = append(names, name)
			case name == "org":
				d.Fail(n, "extending `org` is not supported by this version")
			case strings.HasPrefix(name, "landwaiter:") && !strings.Contains(name, "@"):
				d.Fail(n, "preset without a version; write `%s@1`", strict.Shown(name))
			default:
				d.Fail(n, "unknown preset `%s`; there are %s", strict.Shown(name), strings.Join(presetNames(), ", "))
			}
		})
		if d.Err() == nil && len(names) == 0 {
			d.Fail(key, "extends needs a list with a preset")
		}
		p.Extends = names
	}
	p.Version, p.Mode = 0, ModeEnforce
	return p
}

// whole checks what no single key can.
func (d policyReader) whole(p *Policy) {
	if p.Version != 1 {
		d.FailAt(1, "version is missing; write `version: 1`")
	}
	if p.Releases.SettleWindow > p.Releases.MaxWait {
		d.FailAt(0, "releases.settle.window is longer than releases.settle.max_wait")
	}
	d.environmentsWhole(p)
	d.approversWhole(p)
}

func (d policyReader) topKeys(p *Policy) strict.Keys {
	return strict.Keys{
		"version":      func(n strict.Node) { p.Version = d.Number(n, 1, 1) },
		"extends":      func(strict.Node) {}, // read by presets
		"mode":         func(n strict.Node) { p.Mode = Mode(d.Choice(n, []string{"enforce", "observe"})) },
		"pull_request": func(n strict.Node) { d.Section(n, "pull_request.", d.pullRequestKeys(&p.PullRequest)) },
		"dependencies": func(n strict.Node) { d.Section(n, "dependencies.", d.dependencyKeys(p)) },
		"workflows":    func(n strict.Node) { d.Section(n, "workflows.", d.workflowKeys(p)) },
		"owners":       func(n strict.Node) { p.Owners = nil; d.List(n, func(n strict.Node) { d.owner(n, p) }) },
		"sla":          func(n strict.Node) { d.sla(n, p) },
		"issues": func(n strict.Node) {
			d.Section(n, "issues.", strict.Keys{
				"enabled":  func(n strict.Node) { p.Issues.Enabled = d.Boolean(n) },
				"max_open": func(n strict.Node) { p.Issues.MaxOpen = d.Number(n, 1, 100) },
			})
		},
		"releases": func(n strict.Node) {
			d.Section(n, "releases.", d.releaseKeys(&p.Releases))
			d.gateWhole(n, &p.Releases)
		},
		"approvers":     func(n strict.Node) { d.Section(n, "approvers.", d.approverKeys(p)) },
		"environments":  func(n strict.Node) { p.Environments = d.environments(n) },
		"exceptions":    func(n strict.Node) { p.Exceptions = nil; d.List(n, func(n strict.Node) { d.exception(n, p) }) },
		"max_exception": func(n strict.Node) { p.MaxException = d.Duration(n, maxException) },
	}
}

func (d policyReader) pullRequestKeys(r *PullRequestRules) strict.Keys {
	return strict.Keys{
		"judge":         func(n strict.Node) { d.Choice(n, []string{"changed"}, "all") },
		"draft_prs":     func(n strict.Node) { r.Drafts = d.Choice(n, []string{"check", "skip"}) },
		"on_incomplete": func(n strict.Node) { r.OnIncomplete = d.Choice(n, []string{"failure", "neutral"}) },
		"code_scanning": func(n strict.Node) { r.CodeScanning = d.Choice(n, []string{"true", "false"}) == "true" },
		"comment":       func(n strict.Node) { d.Choice(n, []string{"never"}, "on_failure") },
	}
}

var (
	loginForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$`) })
	teamForm  = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9_.-]{1,100}$`)
	})
	idForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`) })
)

func (d policyReader) owner(n strict.Node, p *Policy) {
	o := OwnerRule{Line: strict.Line(n)}
	d.Section(n, "owners.", strict.Keys{
		"paths": func(n strict.Node) { d.List(n, func(n strict.Node) { o.Paths = append(o.Paths, d.pattern(n)) }) },
		"team":  func(n strict.Node) { o.Team = d.formed(n, teamForm, "org/team") },
		"user":  func(n strict.Node) { o.User = d.formed(n, loginForm, "a login without @") },
	})
	if len(o.Paths) == 0 || (o.Team == "") == (o.User == "") {
		d.Fail(n, "an owner needs `paths` and either `team` or `user`")
	}
	p.Owners = append(p.Owners, o)
}

func (d policyReader) sla(n strict.Node, p *Policy) {
	p.SLA = map[Severity]time.Duration{}
	k := strict.Keys{}
	for _, s := range []Severity{SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow} {
		k[s.String()] = func(n strict.Node) { p.SLA[s] = d.Duration(n, 3650*day) }
	}
	d.Section(n, "sla.", k)
}

// pattern reads a pattern for GlobMatch.
func (d policyReader) pattern(n strict.Node) string {
	s := d.Text(n)
	if len(s) > maxGlobPattern || hasControl(s) {
		d.Fail(n, "pattern is longer than %d bytes or has control characters", maxGlobPattern)
	}
	return s
}

// formed reads a text of the given form.
func (d policyReader) formed(n strict.Node, form func() *regexp.Regexp, want string) string {
	s := d.Text(n)
	if d.Err() == nil && !form().MatchString(s) {
		d.Fail(n, "`%s` is not %s", strict.Shown(s), want)
	}
	return s
}

// fileRules are the rules about files: their findings have no package, or one that says little.
var fileRules = []string{RuleImage, RuleUnpinned, RuleCheckout, RuleInjection, RuleWriteAll, RuleSignerDrift, RuleAssetNames}

// exceptionRules are the rules that an exception may name. Malware is not among them.
var exceptionRules = append([]string{
	RuleVulnerability, "no-known-low", "no-known-medium", "no-known-high", "no-known-critical", RuleExploited,
	RuleLicence, RuleMinAge, RuleDeprecated, RuleYanked, RuleAbandoned, RuleNoProvenance, RuleLostOrigin, RuleLookalike,
}, fileRules...)

func (d policyReader) exception(n strict.Node, p *Policy) {
	e := Exception{Line: strict.Line(n)}
	d.Section(n, "exceptions.", strict.Keys{
		"id": func(n strict.Node) { e.ID = d.formed(n, idForm, "an id of letters, digits, dots and dashes") },
		"rule": func(n strict.Node) {
			e.Rule = d.Choice(n, exceptionRules)
		},
		"advisory":    func(n strict.Node) { e.Advisory = d.formed(n, idForm, "an advisory id") },
		"package":     func(n strict.Node) { e.Package = d.purl(n) },
		"subject":     func(n strict.Node) { e.Subject = d.subject(n) },
		"path":        func(n strict.Node) { e.Path = d.path(n) },
		"until":       func(n strict.Node) { e.Until = d.date(n) },
		"reason":      func(n strict.Node) { e.Reason = d.Text(n) },
		"approved_by": func(n strict.Node) { e.ApprovedBy = d.Text(n) },
	})
	switch twin := func(x Exception) bool { return x.ID == e.ID }; {
	case e.ID == "":
		d.Fail(n, "an exception needs an `id`")
	case slices.ContainsFunc(p.Exceptions, twin):
		d.Fail(n, "exception `%s` is there twice", e.ID)
	case e.Until.IsZero():
		d.Fail(n, "exception `%s` needs `until`, a date at most %s ahead", e.ID, strict.DurationText(maxException))
	case e.Reason == "":
		d.Fail(n, "exception `%s` needs a `reason`", e.ID)
	case e.Advisory == "" && e.Package == "" && e.Subject == "" && e.Path == "":
		d.Fail(n, "exception `%s` needs an `advisory`, a `package` or a `subject`; it cannot accept everything", e.ID)
	case e.Advisory == "" && e.Package == "" && !slices.Contains(fileRules, e.Rule):
		d.Fail(n, "exception `%s` names a file or a subject and so needs a `rule` about files: %s", e.ID, strings.Join(fileRules, ", "))
	}
	p.Exceptions = append(p.Exceptions, e)
}

// purl reads a package URL, with or without a version.
func (d policyReader) purl(n strict.Node) string {
	s := d.Text(n)
	if _, err := packageurl.FromString(s); d.Err() == nil && (err != nil || strings.ContainsAny(s, "*?#")) {
		d.Fail(n, "`%s` is not a package URL such as pkg:npm/left-pad or pkg:npm/left-pad@1.3.0", strict.Shown(s))
	}
	return s
}
