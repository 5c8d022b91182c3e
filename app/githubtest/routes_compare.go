package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

// maxCompareFiles is how many files a comparison shows, on its first page only,
// docs.github.com/rest/commits/commits#compare-two-commits.
const maxCompareFiles = 300

// compare answers base...head, where each side is a branch, tag or commit, in a fork
// when written owner:branch.
func compare(q *request) reply {
	left, right, found := strings.Cut(q.params["basehead"], "...")
	if !found {
		return notFound()
	}
	base, err := q.side(left)
	if err != nil {
		return notFound()
	}
	head, err := q.side(right)
	if err != nil {
		return notFound()
	}
	r := q.repo
	merge, err := r.objects.MergeBase(base.SHA, head.SHA)
	if err != nil {
		return refuse(http.StatusNotFound, fmt.Sprintf("No common ancestor between %s and %s.", left, right))
	}
	changes, err := r.objects.Diff(r.mustCommit(merge).Tree, head.Tree)
	if err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	ahead, behind := r.objects.Log(base.SHA, head.SHA), r.objects.Log(head.SHA, base.SHA)
	slices.Reverse(ahead)
	if q.URL.Query().Get("page") > "1" {
		changes = nil
	}
	changes = changes[:min(len(changes), maxCompareFiles)]
	html := r.html() + "/compare/" + left + "..." + right
	return ok(object{
		"url": r.url() + "/compare/" + left + "..." + right, "html_url": html,
		"permalink_url": r.html() + "/compare/" + base.SHA + "..." + head.SHA, "diff_url": html + ".diff", "patch_url": html + ".patch",
		"base_commit": r.commit(base), "merge_base_commit": r.commit(r.mustCommit(merge)), "status": relation(len(ahead), len(behind)),
		"ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead),
		"commits": each(comparePage(q, ahead), r.commit),
		"files":   each(changes, func(c git.Change) object { return r.diffEntry(c, head.SHA) }),
	})
}

// comparePage cuts a page of commits; without paging a comparison shows the newest 250.
func comparePage(q *request, log []git.Commit) []git.Commit {
	query := q.URL.Query()
	if query.Has("page") || query.Has("per_page") {
		return paged(q, log)
	}
	return log[max(len(log)-250, 0):]
}

// side resolves one side of a comparison.
func (q *request) side(text string) (git.Commit, error) {
	owner, ref, found := strings.Cut(text, ":")
	if !found {
		return q.repo.resolve(text)
	}
	for _, r := range q.g.repos {
		if strings.EqualFold(r.owner.login, owner) && r.objects == q.repo.objects {
			return r.resolve(ref)
		}
	}
	return git.Commit{}, git.ErrNotFound
}

func relation(ahead, behind int) string {
	switch {
	case ahead > 0 && behind > 0:
		return "diverged"
	case ahead > 0:
		return "ahead"
	case behind > 0:
		return "behind"
	default:
		return "identical"
	}
}
