package githubtest

import (
	"slices"
)

// thread finds the issue of the path; a pull request gets one to hang comments on.
func (q *request) thread() *Issue {
	number := int(q.number("issue_number"))
	if i := q.repo.issues[number]; i != nil {
		return i
	}
	if q.repo.pulls[number] == nil {
		return nil
	}
	return q.repo.thread(number)
}

func listComments(q *request) reply {
	i := q.thread()
	if i == nil {
		return notFound()
	}
	return listed(q, i.Comments, func(c Comment) object { return q.repo.commentObject(i.Number, &c) })
}

// textRequest is the body of a new or changed comment.
type textRequest struct {
	Body string `json:"body"`
}

func (q *request) text() (string, reply, bool) {
	var w textRequest
	if a, fine := q.decode(&w); !fine {
		return "", a, false
	}
	if w.Body == "" || len([]rune(w.Body)) > maxText {
		return "", invalid(problem{resource: "IssueComment", field: "body", code: "invalid"}), false
	}
	return w.Body, reply{}, true
}

func createComment(q *request) reply {
	i := q.thread()
	if i == nil {
		return notFound()
	}
	body, a, fine := q.text()
	if !fine {
		return a
	}
	return created(q.repo.commentObject(i.Number, q.repo.comment(i, q.actor(), body)))
}

func getComment(q *request) reply {
	i, c := q.repo.issueOf(q.number("comment_id"))
	if c == nil {
		return notFound()
	}
	return ok(q.repo.commentObject(i.Number, c))
}

func updateComment(q *request) reply {
	i, c := q.repo.issueOf(q.number("comment_id"))
	if c == nil {
		return notFound()
	}
	body, a, fine := q.text()
	if !fine {
		return a
	}
	before := c.Body
	c.Body, c.Updated = body, q.g.now()
	e := q.repo.commentEvent("edited", i, c, q.actor())
	e.body["changes"] = object{"body": object{"from": before}}
	q.g.emit(e)
	return ok(q.repo.commentObject(i.Number, c))
}

func listReactions(q *request) reply {
	_, c := q.repo.issueOf(q.number("comment_id"))
	if c == nil {
		return notFound()
	}
	return listed(q, c.Reactions, q.repo.reactionObject)
}

// createReaction leaves one reaction of a kind per user: a second time answers 200.
func createReaction(q *request) reply {
	_, c := q.repo.issueOf(q.number("comment_id"))
	if c == nil {
		return notFound()
	}
	var w struct {
		Content string `json:"content"`
	}
	if a, fine := q.decode(&w); !fine {
		return a
	}
	if !slices.Contains(emoji[:], w.Content) {
		return invalid(problem{resource: "Reaction", field: "content", code: "invalid"})
	}
	by := q.actor().login
	for _, x := range c.Reactions {
		if x.Author == by && x.Content == w.Content {
			return ok(q.repo.reactionObject(x))
		}
	}
	x := Reaction{ID: q.g.id(), Author: by, Content: w.Content, Created: q.g.now()}
	c.Reactions = append(c.Reactions, x)
	return created(q.repo.reactionObject(x))
}
