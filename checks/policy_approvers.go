package checks

import (
	"slices"

	"github.com/landwaiter/landwaiter/checks/strict"
)

// maxApprovers bounds the teams and the users of approvers.releases: each team costs calls.
const maxApprovers = 20

// approverKeys reads the key approvers.
func (d policyReader) approverKeys(p *Policy) strict.Keys {
	return strict.Keys{"releases": func(n strict.Node) {
		r := &p.Approvers
		*r = ApproverRules{Count: 1}
		d.Section(n, "approvers.releases.", strict.Keys{
			"teams": func(n strict.Node) {
				d.List(n, func(n strict.Node) { r.Teams = append(r.Teams, d.formed(n, teamForm, "org/team")) })
			},
			"users": func(n strict.Node) {
				d.List(n, func(n strict.Node) { r.Users = append(r.Users, d.formed(n, loginForm, "a login without @")) })
			},
			"count": func(n strict.Node) { r.Count = d.Number(n, 1, maxApprovals) },
		})
		switch {
		case !r.Named():
			d.Fail(n, "needs `teams`, `users` or both, such as {teams: [org/release], count: 2}")
		case len(r.Teams) > maxApprovers || len(r.Users) > maxApprovers:
			d.Fail(n, "has more than %d teams or users", maxApprovers)
		case len(r.Teams) == 0 && len(slices.Compact(slices.Sorted(slices.Values(r.Users)))) < r.Count:
			d.Fail(n, "asks for %d people and names fewer", r.Count)
		}
	}}
}

// approversWhole checks that somebody can answer where the policy asks.
func (d policyReader) approversWhole(p *Policy) {
	switch asks := p.Releases.Memory.Signers == RuleAsk; {
	case asks && !p.Approvers.Named():
		d.FailAt(0, "releases.memory.signers: ask needs approvers.releases, such as `approvers: {releases: {teams: [org/release], count: 2}}`")
	case p.Approvers.Named() && !p.AsksApprovers():
		d.FailAt(0, "approvers.releases are asked about nothing; write `releases: {memory: {signers: ask}}`, or `publish: manual` beside `gate: draft`")
	case p.AsksApprovers() && !p.Issues.Enabled:
		d.FailAt(0, "release approvers answer in the issue on the release, which needs `issues: {enabled: true}`")
	}
}
