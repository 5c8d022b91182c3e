package githubtest

import (
	"fmt"
	"slices"
	"time"
)

// review is one review of a pull request.
type review struct {
	id        int64
	by        *account // nil when the account was deleted
	state     string
	sha       string
	submitted time.Time
}

// Review adds a review of the head as it is: state is "APPROVED", "CHANGES_REQUESTED" or
// "COMMENTED". A login that ends in [bot] is a bot's. No webhook goes out, because the product
// asks for none.
func (p *Pull) Review(login, state string) {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	if !slices.Contains([]string{"APPROVED", "CHANGES_REQUESTED", "COMMENTED"}, state) {
		panic("githubtest: there is no review in the state " + state)
	}
	p.reviews = append(p.reviews, &review{id: p.g.id(), by: p.g.account(login, "User"), state: state, sha: p.headSHA, submitted: p.g.now()})
}

// Dismiss dismisses all that a person approved or asked to change.
func (p *Pull) Dismiss(login string) {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	for _, v := range p.reviews {
		if v.by == p.g.account(login, "User") && v.state != "COMMENTED" {
			v.state = "DISMISSED"
		}
	}
}

// ForgetReviewers makes the reviewers accounts that were deleted since.
func (p *Pull) ForgetReviewers() {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	for _, v := range p.reviews {
		v.by = nil
	}
}

func listReviews(q *request) reply {
	p := q.pull()
	if p == nil {
		return notFound()
	}
	return listed(q, p.reviews, p.reviewObject)
}

// reviewObject renders the schema pull-request-review.
func (p *Pull) reviewObject(v *review) object {
	url := fmt.Sprintf("%s/pulls/%d", p.r.url(), p.Number)
	html := fmt.Sprintf("%s/pull/%d#pullrequestreview-%d", p.r.html(), p.Number, v.id)
	var user any
	association := "NONE"
	if v.by != nil {
		user, association = p.g.simpleUser(v.by), p.r.association(v.by.login)
	}
	return object{
		"id": v.id, "node_id": nodeID("PullRequestReview", v.id), "user": user, "body": "", "state": v.state,
		"html_url": html, "pull_request_url": url, "submitted_at": stamp(v.submitted), "commit_id": v.sha,
		"author_association": association,
		"_links":             object{"html": object{"href": html}, "pull_request": object{"href": url}},
	}
}
