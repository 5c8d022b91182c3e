package duties

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// people is a set of accounts by number. Bots and nobody are never in it.
type people map[int64]string // login

func (s people) add(p Person) {
	if p.ID != 0 && !p.Bot {
		s[p.ID] = p.Login
	}
}

// both returns the logins that are in both sets, sorted.
func (s people) both(other people) []string {
	var logins []string
	for id, login := range s {
		if _, ok := other[id]; ok {
			logins = append(logins, login)
		}
	}
	slices.Sort(logins)
	return logins
}

// isBot reports whether p is one of the bots with these logins.
func isBot(p Person, logins []string) bool {
	return p.Bot && slices.ContainsFunc(logins, func(l string) bool { return strings.EqualFold(l, p.Login) })
}

// authors are who opened a pull request and whose signed commits are in it.
func (j *judge) authors(p Pull) people {
	set := people{}
	set.add(p.Author)
	for _, c := range j.f.Commits {
		if c.Pull == p.Number {
			set.add(c.Signer)
		}
	}
	return set
}

// approvers are the people whose approval of p counts: of the head that was merged, not
// dismissed, by a person who may write and is no author (THREATS A01, A02). doubtful are those of
// whom the role is not known, and why says what is wrong with the others.
func (j *judge) approvers(p Pull) (sure, doubtful people, why []string) {
	sure, doubtful = people{}, people{}
	authors := j.authors(p)
	for _, r := range p.Reviews {
		_, own := authors[r.By.ID]
		switch {
		case !r.Approved:
		case r.By.ID == 0 || r.By.Bot:
			why = append(why, "an approval by a bot or a deleted account")
		case own:
			why = append(why, r.By.Login+" is an author")
		case !r.Merged:
			why = append(why, r.By.Login+" approved another commit than the one merged")
		case r.RoleProblem != "":
			doubtful.add(r.By)
			why = append(why, r.By.Login+": "+r.RoleProblem)
		case r.Role != "write" && r.Role != "admin":
			why = append(why, r.By.Login+" may not write to the repository")
		default:
			sure.add(r.By)
		}
	}
	return sure, doubtful, why
}

// approvals judges Rules.Approvals.
func (j *judge) approvals() {
	rule := j.r.Approvals
	if rule.Level == Off {
		return
	}
	need := max(rule.Count, 1)
	var lacking, unknown []string
	for _, p := range j.f.Pulls {
		if isBot(p.Author, rule.Except) {
			continue
		}
		sure, doubtful, why := j.approvers(p)
		text := fmt.Sprintf("%d (%s)", p.Number, because(len(sure), need, why))
		switch {
		case p.ReviewsProblem != "":
			unknown = append(unknown, fmt.Sprintf("%d (%s)", p.Number, p.ReviewsProblem))
			j.fault(p.Number, CodeUnread)
		case len(sure) >= need:
		case len(sure)+len(doubtful) >= need:
			unknown = append(unknown, text)
			j.fault(p.Number, CodeUnread)
		default:
			lacking = append(lacking, text)
			j.fault(p.Number, CodeUnapproved)
		}
	}
	j.tell(rule.Level, RuleApprovals, CodeUnapproved, lacking, "merged without the approval that counts",
		"let somebody else who may write approve the head that was merged, which GitHub allows after the merge too, and run the check again")
	j.tell(rule.Level, RuleApprovals, CodeUnread, unknown, "of which the approvals are not known", "run the check again")
	j.unheard(rule.Level, RuleApprovals, CodeUnapproved)
}

// because says what a pull request lacks.
func because(have, need int, why []string) string {
	text := fmt.Sprintf("%d of %d", have, need)
	if len(why) > 0 {
		text += ": " + named(why)
	}
	return text
}

// separate judges Rules.Separate.
func (j *judge) separate() {
	rule := j.r.Separate
	if rule.Level == Off {
		return
	}
	has := func(role string) bool { return slices.Contains(rule.roles(), role) }
	builders, releaser, unknown := j.machinery()
	for _, why := range unknown {
		j.add(rule.Level, RuleSeparate, CodeUnread, "%s; then nobody can tell whether duties are separate", why)
	}
	if has(RoleBuilder) && has(RoleReleaser) {
		if same := builders.both(releaser); len(same) > 0 {
			j.add(rule.Level, RuleSeparate, CodeSeparate, "%s built and released; let somebody else release", named(same))
		}
	}
	others := people{}
	maps.Copy(others, builders)
	maps.Copy(others, releaser)
	var clashes, doubts []string
	for _, p := range j.f.Pulls {
		clash, doubt := j.clash(p, others, has)
		switch {
		case clash != "":
			clashes = append(clashes, fmt.Sprintf("%d (%s)", p.Number, clash))
			j.fault(p.Number, CodeSeparate)
		case doubt != "":
			doubts = append(doubts, fmt.Sprintf("%d (%s)", p.Number, doubt))
			j.fault(p.Number, CodeUnread)
		}
	}
	j.tell(rule.Level, RuleSeparate, CodeSeparate, clashes, "in too few hands", "let another person approve, build or release")
	j.tell(rule.Level, RuleSeparate, CodeUnread, doubts, "of which the approvals are not known", "run the check again")
	if has(RoleApprover) {
		j.unheard(rule.Level, RuleSeparate, CodeSeparate)
	}
}

// machinery returns who built and who released, as far as these roles are asked about, and why
// one of them is not known. Behind a bot that releases stands who started the build.
func (j *judge) machinery() (builders, releaser people, unknown []string) {
	rule := j.r.Separate
	builders, releaser = people{}, people{}
	asksBuilder := slices.Contains(rule.roles(), RoleBuilder)
	behind := j.f.Releaser.Bot && !isBot(j.f.Releaser, rule.Bots)
	asksReleaser := slices.Contains(rule.roles(), RoleReleaser)
	if asksBuilder || asksReleaser && behind {
		started, why := j.started()
		if asksBuilder {
			builders = started
		}
		if asksReleaser && behind {
			releaser = started
		}
		if why != "" {
			unknown = append(unknown, why)
		}
	}
	switch {
	case !asksReleaser || j.f.Releaser.Bot:
	case j.f.Releaser.ID == 0:
		unknown = append(unknown, "GitHub does not say who made the release")
	default:
		releaser.add(j.f.Releaser)
	}
	return builders, releaser, unknown
}

// started returns who started the builds, and why that is not wholly known.
func (j *judge) started() (people, string) {
	set := people{}
	why := j.builders.Problem
	for _, p := range j.builders.People {
		switch {
		case isBot(p, j.r.Separate.Bots):
		case p.Bot:
			why = fmt.Sprintf("who stands behind %s, which started the build, is not known; list it under releases.duties.separate.bots if it may do so by itself", p.Login)
		case p.ID == 0:
			why = "GitHub does not say who started the build"
		default:
			set.add(p)
		}
	}
	if why == "" && len(j.builders.People) == 0 {
		why = "who started the build is not known, because no verified asset names its workflow run"
	}
	return set, why
}

// clash says what two roles of one pull request are in one hand, or why that cannot be told.
func (j *judge) clash(p Pull, others people, has func(role string) bool) (clash, doubt string) {
	if has(RoleAuthor) {
		authors := j.authors(p)
		if same := authors.both(others); len(same) > 0 {
			return named(same) + " wrote and built or released it", ""
		}
	}
	if !has(RoleApprover) || isBot(p.Author, j.r.Approvals.Except) {
		return "", ""
	}
	if p.ReviewsProblem != "" {
		return "", p.ReviewsProblem
	}
	sure, doubtful, why := j.approvers(p)
	left := func(set people) int { return len(set) - len(set.both(others)) }
	switch need := max(j.r.Approvals.Count, 1); {
	case left(sure) >= need:
		return "", ""
	case left(sure)+left(doubtful) >= need:
		return "", named(why)
	}
	if same := sure.both(others); len(same) > 0 {
		return named(same) + " approved and built or released it", ""
	}
	return "nobody else approved it", ""
}
