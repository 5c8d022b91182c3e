package githubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// request is an API request on its way through the stand-in.
type request struct {
	*http.Request
	g      *GitHub
	route  *route
	params map[string]string
	body   []byte
	isApp  bool   // asked with the App's own token
	token  *token // asked with an installation's token
	repo   *Repo  // of a template with {owner} and {repo}
	next   string // Link header, set by paging
	free   bool   // not counted against the rate

	began   time.Time
	limited bool      // refused for a limit
	until   time.Time // when that ends; zero when the answer does not tell
}

// docs is the documentation link in errors.
const docs = "https://docs.github.com/rest"

// reply is the answer to a request. A nil body is no body.
type reply struct {
	status int
	body   any
	raw    []byte
	header http.Header
}

func (a reply) bytes() []byte {
	switch {
	case a.raw != nil:
		return a.raw
	case a.body == nil:
		return nil
	default:
		return mustJSON(a.body)
	}
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body, header: jsonHeader()} }
func created(body any) reply {
	return reply{status: http.StatusCreated, body: body, header: jsonHeader()}
}
func noContent() reply { return reply{status: http.StatusNoContent, header: http.Header{}} }

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}}
}

// refuse is an error in GitHub's form.
func refuse(status int, message string) reply {
	return reply{status: status, header: jsonHeader(), body: object{
		"message": message, "documentation_url": docs, "status": strconv.Itoa(status),
	}}
}

func notFound() reply { return refuse(http.StatusNotFound, "Not Found") }

// problem is one entry of a validation error.
type problem struct {
	resource, field, code, message string
	value                          any
}

// invalid is 422 with what is wrong, docs.github.com/rest/using-the-rest-api/troubleshooting.
func invalid(problems ...problem) reply {
	list := each(problems, func(p problem) object {
		o := object{"resource": p.resource, "field": p.field, "code": p.code}
		if p.message != "" {
			o["message"] = p.message
		}
		if p.value != nil {
			o["value"] = p.value
		}
		return o
	})
	a := refuse(http.StatusUnprocessableEntity, "Validation Failed")
	a.body.(object)["errors"] = list
	return a
}

// custom is a validation error in words of its own.
func custom(resource, field, message string) reply {
	return invalid(problem{resource: resource, field: field, code: "custom", message: message})
}

// decode reads the body; a body that is no JSON is 400.
func (q *request) decode(into any) (reply, bool) {
	if len(q.body) == 0 {
		return reply{}, true
	}
	if err := json.Unmarshal(q.body, into); err != nil {
		return refuse(http.StatusBadRequest, "Problems parsing JSON"), false
	}
	return reply{}, true
}

// number reads a numeric parameter of the path, 0 when it is none.
func (q *request) number(name string) int64 {
	n, err := strconv.ParseInt(q.params[name], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// actor is the user in whose name the request acts.
func (q *request) actor() *account { return q.g.bot() }

// paged cuts one page out of a list and notes the Link header.
func paged[T any](q *request, list []T) []T {
	size, page := 30, 1
	if n, err := strconv.Atoi(q.URL.Query().Get("per_page")); err == nil && n > 0 {
		size = min(n, 100)
	}
	if n, err := strconv.Atoi(q.URL.Query().Get("page")); err == nil && n > 0 {
		page = n
	}
	last := max(1, (len(list)+size-1)/size)
	q.link(page, last)
	from := min((page-1)*size, len(list))
	return list[from:min(from+size, len(list))]
}

// link writes the Link header for page of last pages.
func (q *request) link(page, last int) {
	rel := func(n int, name string) string {
		query := q.URL.Query()
		query.Set("page", strconv.Itoa(n))
		return fmt.Sprintf(`<%s%s?%s>; rel="%s"`, q.g.root(), q.URL.Path, query.Encode(), name)
	}
	add := func(n int, name string) {
		if q.next != "" {
			q.next += ", "
		}
		q.next += rel(n, name)
	}
	if page > 1 {
		add(page-1, "prev")
	}
	if page < last {
		add(page+1, "next")
		add(last, "last")
	}
	if page > 1 {
		add(1, "first")
	}
}

// listed answers one page of a list, rendered.
func listed[T any](q *request, list []T, render func(T) object) reply {
	return ok(each(paged(q, list), render))
}

// counted answers one page of a list under a key, with the total.
func counted[T any](q *request, key string, list []T, render func(T) object) reply {
	return ok(object{"total_count": len(list), key: each(paged(q, list), render)})
}
