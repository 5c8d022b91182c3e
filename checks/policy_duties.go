package checks

import (
	"regexp"
	"slices"
	"sync"

	"github.com/landwaiter/landwaiter/checks/duties"
	"github.com/landwaiter/landwaiter/checks/strict"
)

var botForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,99}\[bot\]$`) })

// maxApprovals bounds approvals.count. GitHub's own rules ask for at most as many.
const maxApprovals = 6

// dutyKeys reads the key releases.duties.
func (d policyReader) dutyKeys(r *duties.Rules) strict.Keys {
	level := func(l *duties.Level) func(strict.Node) {
		return func(n strict.Node) { *l = duties.Level(d.level(n)) }
	}
	return strict.Keys{
		"protected_branch": level(&r.Branch),
		"pull_requests":    level(&r.Pulls),
		"checked":          level(&r.Checked),
		"verified_commits": level(&r.Commits),
		"approvals": func(n strict.Node) {
			a := &r.Approvals
			d.dutyLevel(n, &a.Level, strict.Keys{
				"count":  func(n strict.Node) { a.Count = d.Number(n, 1, maxApprovals) },
				"except": func(n strict.Node) { a.Except = d.bots(n) },
			})
		},
		"separate": func(n strict.Node) { d.separate(n, &r.Separate) },
		"since":    func(n strict.Node) { r.Since = d.since(n) },
	}
}

// dutyLevel reads a level alone, or as a key beside others; then it blocks unless it says otherwise.
func (d policyReader) dutyLevel(n strict.Node, l *duties.Level, more strict.Keys) {
	if !strict.Mapping(n) {
		*l = duties.Level(d.level(n))
		return
	}
	*l = duties.Block
	more["level"] = func(n strict.Node) { *l = duties.Level(d.level(n)) }
	d.Section(n, "releases.duties.", more)
}

// separate reads the key releases.duties.separate.
func (d policyReader) separate(n strict.Node, s *duties.Separate) {
	d.dutyLevel(n, &s.Level, strict.Keys{
		"roles": func(n strict.Node) {
			s.Roles = nil
			d.List(n, func(n strict.Node) {
				role := d.Choice(n, []string{duties.RoleAuthor, duties.RoleApprover, duties.RoleBuilder, duties.RoleReleaser})
				if slices.Contains(s.Roles, role) {
					d.Fail(n, "`%s` is there twice", role)
				}
				s.Roles = append(s.Roles, role)
			})
			if len(s.Roles) < 2 {
				d.Fail(n, "needs at least two roles, which different people have to hold")
			}
		},
		"bots": func(n strict.Node) { s.Bots = d.bots(n) },
	})
}

// maxSince bounds releases.duties.since, as each costs a call.
const maxSince = 5

// since reads the commits up to which nothing is asked.
func (d policyReader) since(n strict.Node) []string {
	var list []string
	d.List(n, func(n strict.Node) {
		list = append(list, d.formed(n, fullCommit, "the full name of a commit, 40 hexadecimal digits in lower case"))
	})
	if len(list) > maxSince {
		d.Fail(n, "has %d commits, at most %d are looked at; keep the newest of each line of releases", len(list), maxSince)
	}
	return list
}

// bots reads logins of bots.
func (d policyReader) bots(n strict.Node) []string {
	var list []string
	d.List(n, func(n strict.Node) {
		list = append(list, d.formed(n, botForm, "the login of a bot, such as dependabot[bot]"))
	})
	return list
}
