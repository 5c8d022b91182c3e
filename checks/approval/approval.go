// Package approval judges whether enough people let a release through that would wait without
// them.
//
// It takes Facts, which somebody read from GitHub, and Rules, which the policy sets, and says
// who counts and who does not. It is pure. People are numbers of GitHub accounts (THREATS G09).
// Start reading at Judge; docs/signers.md says why it is as it is.
package approval

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// Rules are the key approvers.releases of the policy. The zero Rules name nobody.
type Rules struct {
	Teams []string `json:",omitempty"` // "org/team"
	Users []string `json:",omitempty"` // logins
	Count int      // how many different people; 0 counts as 1
}

// Named reports whether the rules name anybody.
func (r Rules) Named() bool { return len(r.Teams)+len(r.Users) > 0 }

// People returns the teams and users as people write them: "@org/team", "@ann".
func (r Rules) People() []string {
	var names []string
	for _, list := range [][]string{r.Teams, r.Users} {
		for _, name := range list {
			names = append(names, "@"+name)
		}
	}
	return names
}

// Vote is one approval of a release, as one comment gave it.
type Vote struct {
	ID      int64     `json:"id"`    // number of the account
	Login   string    `json:"login"` // its name when it voted
	Comment int64     `json:"comment"`
	Reason  string    `json:"reason"` // what the comment gives as the reason. Hostile.
	Time    time.Time `json:"time"`   // when the comment was written; UTC, whole seconds
	// Revision is what was approved; see Facts.Revision.
	Revision string `json:"revision"`
	// Void says why the vote does not count, "" when it does.
	Void string `json:"void,omitempty"`
}

// Facts are what is known of a release and of the people who approved it, as it is now.
type Facts struct {
	// Revision names what there is to approve: the tag, the commit and the assets. It is the
	// start of Summary.Revision.
	Revision string
	// Releaser made the release; zero when the account is gone.
	Releaser duties.Person
	// Problem says why no vote can count, "" when votes can: there are no approvers.
	Problem string
	// Votes are those on record for the release, the oldest first. Void is set on those that
	// GitHub does not bear out any more: the comment was edited, the person left the team.
	Votes []Vote
}

// Summary is what a Report keeps of the approvals that a release needs.
type Summary struct {
	Revision string   `json:"revision"`
	Needed   int      `json:"needed"`
	Asked    []string `json:"asked"` // "@org/team", "@ann"
	Counted  int      `json:"counted"`
	Votes    []Vote   `json:"votes"` // never null
	// Problem says why no vote can count, "" when some can.
	Problem string `json:"problem,omitempty"`
	// Excluded are the numbers of the accounts that made or built the release.
	Excluded []int64 `json:"excluded,omitempty"`
}

// Met reports whether enough people approved; nil says no.
func (s *Summary) Met() bool { return s != nil && s.Problem == "" && s.Counted >= s.Needed }

// Approvers returns the logins of those whose vote counts, in the order of their votes; of nil
// none.
func (s *Summary) Approvers() []string {
	var names []string
	if s == nil {
		return nil
	}
	for _, v := range s.Votes {
		if v.Void == "" {
			names = append(names, v.Login)
		}
	}
	return names
}

// revisionOf names exactly what is approved: what there is, and what is said about it, such as
// that somebody else signed it. Evidence can change while the assets stay.
func revisionOf(there string, about []string) string {
	if len(about) == 0 || there == "" {
		return there
	}
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(about)), "\n")))
	return there + "+" + hex.EncodeToString(sum[:])
}

// IsOf reports whether a vote for revision is about what there is, whatever was said about it then.
func IsOf(revision, there string) bool {
	start, _, _ := strings.Cut(revision, "+")
	return start == there
}

// Judge says which votes of f count for a release about which something is said: the IDs of the
// deviations that the approvers were shown, in any order. Nobody's counts who made the release or started a run
// that built it (THREATS A01), and one person counts once. nil Facts mean that nobody asked:
// then no vote counts.
func Judge(f *Facts, about []string, rules Rules, built duties.Builders) *Summary {
	s := &Summary{Needed: max(rules.Count, 1), Asked: rules.People(), Votes: []Vote{}}
	if f == nil {
		s.Problem = "nobody asked GitHub who approved"
		return s
	}
	s.Revision = revisionOf(f.Revision, about)
	for _, p := range append([]duties.Person{f.Releaser}, built.People...) {
		if p.ID != 0 && !p.Bot && !slices.Contains(s.Excluded, p.ID) {
			s.Excluded = append(s.Excluded, p.ID)
		}
	}
	if s.Problem = f.Problem; s.Problem == "" {
		s.Problem = unknown(f.Releaser, built)
	}
	counted := map[int64]bool{}
	for _, v := range f.Votes {
		v.Void = s.void(v, counted)
		if v.Void == "" {
			counted[v.ID] = true
		}
		s.Votes = append(s.Votes, v)
	}
	s.Counted = len(counted)
	return s
}

// unknown says why nobody can tell who made the release, "" when it is known: then nobody can
// tell either that an approver is somebody else. Of a bot that releases, those count who
// started the run that built.
func unknown(releaser duties.Person, built duties.Builders) string {
	switch {
	case built.Problem != "":
		return built.Problem
	case releaser.ID == 0:
		return "who made the release is not known, because the account is gone"
	case releaser.Bot && !slices.ContainsFunc(built.People, func(p duties.Person) bool { return p.ID != 0 && !p.Bot }):
		return fmt.Sprintf("who made the release is not known: it was %s, and no run of a person built it", releaser.Login)
	}
	return ""
}

// void says why v does not count.
func (s *Summary) void(v Vote, counted map[int64]bool) string {
	switch {
	case v.Revision != s.Revision || s.Revision == "":
		return "it was for other assets, another commit or another way of signing"
	case v.Void != "":
		return v.Void
	case v.ID == 0:
		return "nobody knows whose it is"
	case slices.Contains(s.Excluded, v.ID):
		return "who made or built a release cannot approve it"
	case counted[v.ID]:
		return "one person counts once"
	}
	return ""
}
