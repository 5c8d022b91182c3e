package githubtest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// route is one operation the stand-in has.
type route struct {
	method   string
	template string // as in GitHub's description
	// access is who may: "public", "app" (the App itself), "any" (the App or an
	// installation), or permissions of an installation, such as "checks:write"; several
	// that each suffice are joined by "|".
	access  string
	handle  func(*request) reply
	pattern *regexp.Regexp
	names   []string
}

func (r *route) name() string { return r.method + " " + r.template }

// on describes a route by method and template, who may call it, and what it does.
func on(name, access string, handle func(*request) reply) *route {
	method, template, _ := strings.Cut(name, " ")
	return &route{method: method, template: template, access: access, handle: handle}
}

// routes is every operation, the most specific first. To add one, put it into the list of
// its group; the contract says how it must answer.
var routes = sync.OnceValue(func() []*route {
	all := slices.Concat(
		appRoutes(), repoRoutes(), gitRoutes(), pullRoutes(), checkRoutes(), releaseRoutes(),
		issueRoutes(), labelRoutes(), peopleRoutes(), actionsRoutes(), hookRoutes(), metaRoutes(),
	)
	for _, r := range all {
		r.compile()
	}
	slices.SortStableFunc(all, func(a, b *route) int { return cmp.Compare(weight(b), weight(a)) })
	return all
})

// slashes are the parameters that may hold slashes: x-multi-segment in the description.
var slashes = [...]string{"path", "basehead", "ref", "branch", "tag", "subject_digest"}

var parameter = regexp.MustCompile(`\{(\w+)\}`)

func (r *route) compile() {
	var pattern strings.Builder
	at := 0
	for _, m := range parameter.FindAllStringSubmatchIndex(r.template, -1) {
		name := r.template[m[2]:m[3]]
		pattern.WriteString(regexp.QuoteMeta(r.template[at:m[0]]))
		if slices.Contains(slashes[:], name) {
			pattern.WriteString("(.+)")
		} else {
			pattern.WriteString("([^/]+)")
		}
		r.names = append(r.names, name)
		at = m[1]
	}
	pattern.WriteString(regexp.QuoteMeta(r.template[at:]))
	r.pattern = regexp.MustCompile("^" + pattern.String() + "$")
}

// weight is higher for templates with more fixed text, which must be tried first.
func weight(r *route) int {
	fixed := len(strings.Split(parameter.ReplaceAllString(r.template, ""), "/"))
	return fixed*1000 + len(parameter.ReplaceAllString(r.template, ""))
}

// match finds the route of a path and the values of its parameters, unescaped.
func (g *GitHub) match(method, path string) (*route, map[string]string) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, r := range routes() {
		if r.method != method {
			continue
		}
		m := r.pattern.FindStringSubmatch(path)
		if m == nil {
			continue
		}
		params := map[string]string{}
		for i, name := range r.names {
			value, err := url.PathUnescape(m[i+1])
			if err != nil {
				value = m[i+1]
			}
			params[name] = value
		}
		return r, params
	}
	return nil, nil
}

// byID turns /repositories/{id}/... into /repos/{owner}/{repo}/..., the form GitHub's own
// redirects use.
func (g *GitHub) byID(path string) string {
	rest, ok := strings.CutPrefix(path, "/repositories/")
	if !ok {
		return path
	}
	var id int64
	if _, err := fmt.Sscanf(rest, "%d", &id); err != nil {
		return path
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.repos[id]
	if r == nil {
		return path
	}
	return "/repos/" + r.fullName() + strings.TrimPrefix(rest, fmt.Sprint(id))
}
