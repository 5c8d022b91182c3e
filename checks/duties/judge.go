package duties

import (
	"fmt"
	"slices"
	"strings"
)

// maxNamed bounds the commits and pull requests that one message names.
const maxNamed = 5

// Problem is one thing that is wrong or not known.
type Problem struct {
	Rule    string // one of the Rule constants
	Code    string // one of the Code constants
	Message string // what, and what to do. Its quoted parts may be hostile
	Level   Level  // Warn or Block
}

// Unknown reports whether p says that something could not be told, as opposed to wrong.
func (p Problem) Unknown() bool { return p.Code == CodeUnread }

// judge is one judgment under way.
type judge struct {
	f        *Facts
	r        Rules
	builders Builders
	found    []Problem
	// faults are the codes found for each pull request.
	faults map[int][]string
}

// Judge compares what is known of a release with the rules. f is nil when nobody asked GitHub,
// which leaves every rule unknown. The Summary is nil when no rule is on.
func Judge(f *Facts, r Rules, builders Builders) ([]Problem, *Summary) {
	if !r.Asked() {
		return nil, nil
	}
	j := &judge{f: f, r: r, builders: builders, faults: map[int][]string{}}
	if f == nil {
		j.f = &Facts{Problem: "GitHub was not asked", Branch: Branch{Problem: "GitHub was not asked"}}
	}
	j.branch()
	switch {
	case !r.AsksCommits():
	case j.f.Problem != "":
		rule, level := r.strictest()
		j.add(level, rule, CodeUnread, "the commits since %s are not known: %s", j.f.Since, j.f.Problem)
	default:
		j.pulls()
		j.checked()
		j.commits()
		j.approvals()
		j.separate()
	}
	return j.found, j.summary()
}

// strictest returns the first of the strictest rules about commits.
func (r Rules) strictest() (rule string, level Level) {
	for _, x := range []struct {
		rule  string
		level Level
	}{{RulePulls, r.Pulls}, {RuleChecked, r.Checked}, {RuleCommits, r.Commits}, {RuleApprovals, r.Approvals.Level}, {RuleSeparate, r.Separate.Level}} {
		if x.level.strictness() > level.strictness() {
			rule, level = x.rule, x.level
		}
	}
	return rule, level
}

func (j *judge) add(level Level, rule, code, format string, args ...any) {
	j.found = append(j.found, Problem{Rule: rule, Code: code, Message: fmt.Sprintf(format, args...), Level: level})
}

// fault notes that a pull request breaks a rule.
func (j *judge) fault(number int, code string) {
	if !slices.Contains(j.faults[number], code) {
		j.faults[number] = append(j.faults[number], code)
	}
}

// branch judges Rules.Branch.
func (j *judge) branch() {
	b := j.f.Branch
	switch {
	case j.r.Branch == Off || b.Name != "" && b.Problem == "":
	case b.Problem != "":
		j.add(j.r.Branch, RuleBranch, CodeUnread, "whether the release's commit is on a protected branch is not known: %s", b.Problem)
	case len(b.Looked) == 0:
		j.add(j.r.Branch, RuleBranch, CodeBranch, "the repository has no protected branch; protect the branch that releases are made from")
	default:
		j.add(j.r.Branch, RuleBranch, CodeBranch, "the release's commit %s is on no protected branch (looked at %s); tag a commit of one, or protect the branch it is on",
			short(j.f.Head), named(b.Looked))
	}
}

// pulls judges Rules.Pulls.
func (j *judge) pulls() {
	if j.r.Pulls == Off {
		return
	}
	j.direct(j.r.Pulls, RulePulls, CodeDirect, "merge changes by pull requests into a protected branch; when these were looked at, set releases.duties.since to the last of them")
}

// direct tells of commits that came without a pull request, for the rule that minds.
func (j *judge) direct(level Level, rule, code, cure string) {
	var direct, unknown []string
	why := ""
	for _, c := range j.f.Commits {
		switch {
		case c.Pull != 0 || c.Root && j.f.Since.Commit == "" && c.Problem == "":
		case c.Problem != "":
			unknown = append(unknown, c.name())
			why = c.Problem
		default:
			direct = append(direct, c.name())
		}
	}
	if len(direct) > 0 {
		j.add(level, rule, code, "%s came without a pull request: %s; %s", plural(len(direct), "commit"), named(direct), cure)
	}
	if len(unknown) > 0 {
		j.add(level, rule, CodeUnread, "by which pull request %s came is not known: %s: %s", plural(len(unknown), "commit"), named(unknown), why)
	}
}

// unheard tells of the same for another rule, unless Rules.Pulls says so at least as strictly:
// what had no pull request was neither checked nor approved.
func (j *judge) unheard(level Level, rule, code string) {
	if j.r.Pulls.strictness() < level.strictness() {
		j.direct(level, rule, code, "merge changes by pull requests")
	}
}

// checked judges Rules.Checked.
func (j *judge) checked() {
	if j.r.Checked == Off {
		return
	}
	var failed, unknown []string
	for _, p := range j.f.Pulls {
		switch c := p.Check; {
		case c.Problem != "":
			unknown = append(unknown, fmt.Sprintf("%d (%s)", p.Number, c.Problem))
			j.fault(p.Number, CodeUnread)
		case c.Conclusion == "success", c.Conclusion == "neutral" && c.Passed:
		case c.Conclusion == "":
			failed = append(failed, fmt.Sprintf("%d (no check)", p.Number))
			j.fault(p.Number, CodeCheck)
		default:
			failed = append(failed, fmt.Sprintf("%d (%s)", p.Number, c.Conclusion))
			j.fault(p.Number, CodeCheck)
		}
	}
	j.tell(j.r.Checked, RuleChecked, CodeCheck, failed, "merged without a passing landwaiter/pr on the merged head",
		"require that check for the branch; when these were looked at, set releases.duties.since")
	j.tell(j.r.Checked, RuleChecked, CodeUnread, unknown, "of which the check landwaiter/pr is not known", "run the check again")
	j.unheard(j.r.Checked, RuleChecked, CodeCheck)
}

// tell adds one problem about several pull requests.
func (j *judge) tell(level Level, rule, code string, pulls []string, what, cure string) {
	if len(pulls) > 0 {
		j.add(level, rule, code, "%s %s: %s; %s", plural(len(pulls), "pull request"), what, named(pulls), cure)
	}
}

// commits judges Rules.Commits.
func (j *judge) commits() {
	if j.r.Commits == Off {
		return
	}
	var bad []string
	for _, c := range j.f.Commits {
		if !c.Verified {
			bad = append(bad, fmt.Sprintf("%s (%s)", short(c.SHA), c.Why))
		}
	}
	if len(bad) > 0 {
		j.add(j.r.Commits, RuleCommits, CodeUnverified, "GitHub did not verify the signature of %s: %s; sign commits, and merge or squash on GitHub, which signs, rather than rebase",
			plural(len(bad), "commit"), named(bad))
	}
}

// name is how messages name a commit.
func (c Commit) name() string {
	if c.Title == "" {
		return short(c.SHA)
	}
	return fmt.Sprintf("%s (\"%s\")", short(c.SHA), strings.ReplaceAll(c.Title, `"`, "'"))
}

// String names the start in words.
func (s Start) String() string {
	switch {
	case s.Ref != "":
		return s.Ref
	case s.Commit != "":
		return short(s.Commit)
	}
	return "the first commit"
}

func short(sha string) string { return sha[:min(len(sha), 7)] }

// named joins the first of a list.
func named(list []string) string {
	text := strings.Join(list[:min(len(list), maxNamed)], ", ")
	if more := len(list) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
