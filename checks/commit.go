package checks

import (
	"fmt"

	"github.com/landwaiter/landwaiter/checks/strict"
)

// Commit is what a judgment of a commit of the default branch looks at, before anything is
// released from it.
type Commit struct {
	// Reached says that the default branch still leads to the commit.
	Reached bool
	// PolicyError is set when the policy file of the commit is not valid.
	PolicyError *PolicyError
	// Changes are what brought the commit in: merged pull requests, or one merge group. Empty:
	// somebody pushed it.
	Changes []ChangeStanding
	// Releases are the releases at the commit that were judged, should there be any.
	Releases []ReleaseStanding
}

// ChangeStanding is what is known of one merged change.
type ChangeStanding struct {
	Number  int // of the pull request; 0 for a merge group
	Judged  bool
	Verdict Verdict
}

// judgeCommit judges whether a tag may be put on a commit of the default branch. It says
// nothing about assets, which do not exist yet:
//
//   - Fail when the branch does not lead to the commit, its policy file is not valid, no pull
//     request brought it in, the verdict on that was Fail, or a release at it failed;
//   - else Unknown when the pull request or a release has no verdict, or an Unknown one;
//   - else Pass.
func judgeCommit(j *judgment) {
	j.r.Evidence = []EvidenceSummary{} // nothing is scanned
	c := j.m.Commit
	switch {
	case c == nil:
		j.reason(RuleTag, CodeNothingToVerify, "nothing is known of the commit")
	case !c.Reached:
		j.reason(RuleTag, CodeNotOnBranch, "the default branch does not lead to the commit")
	default:
		j.commitChanges(c)
		for _, r := range c.Releases {
			switch {
			case r.Verdict == Fail:
				j.reason(RuleReleasePassed, CodeReleaseFailed, "the release %s at this commit failed", strict.Shown(r.Tag))
			case r.Verdict != Pass || r.Pending:
				j.reason(RuleReleasePassed, CodeReleaseMissing, "the release %s at this commit has no verdict that stands", strict.Shown(r.Tag))
			}
		}
	}
	j.conclude()
}

func (j *judgment) commitChanges(c *Commit) {
	switch e := c.PolicyError; {
	case e == nil:
	case e.Line > 0:
		j.reason(RulePolicyFile, CodePolicyInvalid, "Policy file line %d: %s", e.Line, e.Message)
	default:
		j.reason(RulePolicyFile, CodePolicyInvalid, "Policy file: %s", e.Message)
	}
	if len(c.Changes) == 0 {
		j.reason(RuleTag, CodeDirect, "no merged pull request brought the commit in, so nobody judged what it changes")
	}
	for _, change := range c.Changes {
		name := "the merge group"
		if change.Number > 0 {
			name = fmt.Sprintf("pull request %d", change.Number)
		}
		switch {
		case change.Judged && change.Verdict == Fail:
			j.reason(RuleTag, CodeCheck, "landwaiter/pr failed on %s", name)
		case !change.Judged || change.Verdict != Pass:
			j.reason(RuleTag, CodeIncomplete, "landwaiter/pr has no verdict on %s", name)
		}
	}
}
