package githubtest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

// maxPullFiles is how many files a pull request lists,
// docs.github.com/rest/pulls/pulls#list-pull-requests-files.
const maxPullFiles = 3000

func pullRoutes() []*route {
	return []*route{
		on("GET /repos/{owner}/{repo}/pulls", "pull_requests:read", listPulls),
		on("GET /repos/{owner}/{repo}/pulls/{pull_number}", "pull_requests:read", getPull),
		on("GET /repos/{owner}/{repo}/pulls/{pull_number}/files", "pull_requests:read", listPullFiles),
		on("GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews", "pull_requests:read", listReviews),
		on("GET /repos/{owner}/{repo}/pulls/{pull_number}/commits", "pull_requests:read", listPullCommits),
		on("GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls", "pull_requests:read|contents:read", listCommitPulls),
	}
}

func (q *request) pull() *Pull { return q.repo.pulls[int(q.number("pull_number"))] }

func listPulls(q *request) reply {
	query := q.URL.Query()
	state := cmp.Or(query.Get("state"), "open")
	head, base := query.Get("head"), query.Get("base")
	pulls := slices.DeleteFunc(q.repo.orderedPulls(), func(p *Pull) bool {
		return state != "all" && p.state != state ||
			head != "" && !strings.EqualFold(head, p.headOwner.login+":"+p.headRef) ||
			base != "" && base != p.baseRef
	})
	switch query.Get("sort") {
	case "updated":
		slices.SortStableFunc(pulls, func(a, b *Pull) int { return a.updated.Compare(b.updated) })
	default:
		slices.SortStableFunc(pulls, func(a, b *Pull) int { return a.Number - b.Number })
	}
	// Newest first unless a sort other than "created" is asked for without a direction.
	descending := query.Get("sort") == "" || query.Get("sort") == "created"
	if d := query.Get("direction"); d != "" {
		descending = d == "desc"
	}
	if descending {
		slices.Reverse(pulls)
	}
	return listed(q, pulls, (*Pull).object)
}

func getPull(q *request) reply {
	p := q.pull()
	if p == nil {
		return notFound()
	}
	return ok(p.full())
}

func listPullFiles(q *request) reply {
	p := q.pull()
	if p == nil {
		return notFound()
	}
	_, changes := p.difference()
	changes = changes[:min(len(changes), maxPullFiles)]
	return listed(q, changes, func(c git.Change) object { return q.repo.diffEntry(c, p.headSHA) })
}

func listPullCommits(q *request) reply {
	p := q.pull()
	if p == nil {
		return notFound()
	}
	log, _ := p.difference()
	slices.Reverse(log)
	return listed(q, log[:min(len(log), 250)], q.repo.commit)
}

// listCommitPulls lists open pull requests that hold a commit, and merged ones. Those from
// forks are found too.
func listCommitPulls(q *request) reply {
	c, err := q.repo.resolve(q.params["commit_sha"])
	if err != nil {
		return notFound()
	}
	pulls := slices.DeleteFunc(q.repo.orderedPulls(), func(p *Pull) bool {
		log, _ := p.difference()
		holds := slices.ContainsFunc(log, func(l git.Commit) bool { return l.SHA == c.SHA })
		return !holds && p.headSHA != c.SHA && !slices.Contains(p.landed, c.SHA) || p.state == "closed" && !p.merged
	})
	return listed(q, pulls, (*Pull).object)
}
