package duties

import (
	"cmp"
	"slices"
)

// maxPulls bounds the pull requests of a Summary.
const maxPulls = 100

// Summary is what a report keeps: docs/report.md, duties.
type Summary struct {
	// Since is the tag or the commit after which the commits begin, "" for the first commit.
	Since       string        `json:"since"`
	SinceCommit string        `json:"since_commit"`
	Branch      string        `json:"branch"` // the protected branch that holds the release's commit
	Commits     int           `json:"commits"`
	Unverified  int           `json:"unverified"` // commits whose signature GitHub did not verify
	Direct      int           `json:"direct"`     // commits not known to have come by a pull request
	Releaser    string        `json:"releaser"`
	Builders    []string      `json:"builders"`
	Pulls       []PullSummary `json:"pulls"`
	MorePulls   int           `json:"more_pulls,omitempty"` // left out of Pulls
}

// PullSummary is one pull request in a Summary.
type PullSummary struct {
	Number    int      `json:"number"`
	Author    string   `json:"author"`
	Approvers []string `json:"approvers"` // whose approval counts
	Check     string   `json:"check"`     // conclusion of landwaiter/pr, "" for none or when not asked about
	Codes     []string `json:"codes"`     // reason codes of what is wrong with it
}

func (j *judge) summary() *Summary {
	s := &Summary{
		Since: j.f.Since.Ref, SinceCommit: j.f.Since.Commit, Branch: j.f.Branch.Name, Commits: len(j.f.Commits),
		Releaser: j.f.Releaser.Login, Builders: []string{}, Pulls: []PullSummary{},
	}
	for _, c := range j.f.Commits {
		if !c.Verified {
			s.Unverified++
		}
		if c.Pull == 0 && j.r.AsksPulls() {
			s.Direct++
		}
	}
	for _, p := range j.builders.People {
		if !slices.Contains(s.Builders, p.Login) {
			s.Builders = append(s.Builders, p.Login)
		}
	}
	pulls := slices.Clone(j.f.Pulls)
	slices.SortStableFunc(pulls, func(a, b Pull) int { // those with faults first
		return cmp.Or(cmp.Compare(len(j.faults[b.Number]), len(j.faults[a.Number])), a.Number-b.Number)
	})
	for _, p := range pulls[:min(len(pulls), maxPulls)] {
		sure, _, _ := j.approvers(p)
		s.Pulls = append(s.Pulls, PullSummary{
			Number: p.Number, Author: p.Author.Login, Approvers: sure.logins(), Check: p.Check.Conclusion,
			Codes: append([]string{}, j.faults[p.Number]...),
		})
	}
	s.MorePulls = len(pulls) - len(s.Pulls)
	return s
}

// logins returns the logins, sorted, never nil.
func (s people) logins() []string {
	list := []string{}
	for _, login := range s {
		list = append(list, login)
	}
	slices.Sort(list)
	return list
}
