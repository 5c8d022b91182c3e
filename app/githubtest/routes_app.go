package githubtest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

func appRoutes() []*route {
	return []*route{
		on("GET /app", "app", func(q *request) reply { return ok(q.g.appObject()) }),
		on("GET /app/installations", "app", listInstallations),
		on("GET /app/installations/{installation_id}", "app", getInstallation),
		on("DELETE /app/installations/{installation_id}", "app", deleteInstallation),
		on("POST /app/installations/{installation_id}/access_tokens", "app", makeToken),
		on("GET /repos/{owner}/{repo}/installation", "app", getRepoInstallation),
		on("GET /orgs/{org}/installation", "app", getAccountInstallation),
		on("GET /users/{username}/installation", "app", getAccountInstallation),
		on("GET /installation/repositories", "installation", listInstallationRepos),
		on("DELETE /installation/token", "installation", revokeToken),
	}
}

func (g *GitHub) appObject() object {
	return with(g.app(false), object{"installations_count": len(g.installations)})
}

func (g *GitHub) orderedInstallations() []*Installation {
	return slices.SortedFunc(maps.Values(g.installations), func(a, b *Installation) int { return int(a.ID - b.ID) })
}

func listInstallations(q *request) reply {
	return listed(q, q.g.orderedInstallations(), (*Installation).object)
}

func getInstallation(q *request) reply {
	i := q.g.installations[q.number("installation_id")]
	if i == nil {
		return notFound()
	}
	return ok(i.object())
}

func deleteInstallation(q *request) reply {
	i := q.g.installations[q.number("installation_id")]
	if i == nil {
		return notFound()
	}
	i.deleted = true
	delete(q.g.installations, i.ID)
	return noContent()
}

func getRepoInstallation(q *request) reply {
	i := q.g.installationOf(q.repo)
	if i == nil {
		return notFound()
	}
	return ok(i.object())
}

func getAccountInstallation(q *request) reply {
	login := q.params["org"] + q.params["username"]
	for _, i := range q.g.orderedInstallations() {
		if strings.EqualFold(i.account.login, login) {
			return ok(i.object())
		}
	}
	return notFound()
}

// tokenRequest is the body of a request for a token.
type tokenRequest struct {
	Repositories  []string          `json:"repositories"`
	RepositoryIDs []int64           `json:"repository_ids"`
	Permissions   map[string]string `json:"permissions"`
}

// maxTokenRepos is how many repositories one token can be narrowed to,
// docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app.
const maxTokenRepos = 500

func makeToken(q *request) reply {
	i := q.g.installations[q.number("installation_id")]
	if i == nil {
		return notFound()
	}
	if !i.suspended.IsZero() {
		return refuse(http.StatusForbidden, "This installation has been suspended")
	}
	var wanted tokenRequest
	if a, fine := q.decode(&wanted); !fine {
		return a
	}
	t := &token{inst: i, permissions: maps.Clone(i.permissions), expires: time.Now().Add(time.Hour).Truncate(time.Second)}
	if a, fine := t.narrow(wanted); !fine {
		return a
	}
	t.value = "ghs_" + random(max(q.g.opts.TokenLength, 40)-len("ghs_"))
	q.g.tokens[t.value] = t
	answer := object{"token": t.value, "expires_at": stamp(t.expires), "permissions": t.permissions, "repository_selection": "all"}
	if t.repos != nil || !i.all {
		answer["repository_selection"] = "selected"
	}
	if t.repos != nil {
		visible := slices.DeleteFunc(i.repositories(), func(r *Repo) bool { return !t.repos[r.id] })
		answer["repositories"] = each(visible, (*Repo).object)
	}
	return created(answer)
}

// narrow limits a token to what was asked for, which must be within the installation.
func (t *token) narrow(wanted tokenRequest) (reply, bool) {
	if len(wanted.Repositories)+len(wanted.RepositoryIDs) > maxTokenRepos {
		return refuse(http.StatusUnprocessableEntity, "Too many repositories for one token."), false
	}
	for name, level := range wanted.Permissions {
		if name != "metadata" && !enough(t.inst.permissions[name], level) {
			return refuse(http.StatusUnprocessableEntity, "The permissions requested are not granted to this installation."), false
		}
	}
	if len(wanted.Permissions) > 0 {
		t.permissions = maps.Clone(wanted.Permissions)
		t.permissions["metadata"] = "read"
	}
	ids := slices.Clone(wanted.RepositoryIDs)
	for _, name := range wanted.Repositories {
		id := int64(-1)
		if r := t.inst.g.find(t.inst.account.login, name); r != nil {
			id = r.id
		}
		ids = append(ids, id)
	}
	for _, id := range ids {
		r := t.inst.g.repos[id]
		if r == nil || !t.inst.has(r) {
			return refuse(http.StatusUnprocessableEntity,
				"There is at least one repository that does not exist or is not accessible to the parent installation."), false
		}
		if t.repos == nil {
			t.repos = map[int64]bool{}
		}
		t.repos[id] = true
	}
	return reply{}, true
}

// random returns n random hexadecimal characters.
func random(n int) string {
	b := make([]byte, (n+1)/2)
	rand.Read(b) //nolint:errcheck // crypto/rand.Read never returns an error.
	return hex.EncodeToString(b)[:n]
}

func listInstallationRepos(q *request) reply {
	visible := slices.DeleteFunc(q.token.inst.repositories(), func(r *Repo) bool { return !q.token.covers(r) })
	return counted(q, "repositories", visible, (*Repo).object)
}

func revokeToken(q *request) reply {
	delete(q.g.tokens, q.token.value)
	return noContent()
}

func metaRoutes() []*route {
	return []*route{
		on("GET /rate_limit", "any", getRate),
		on("GET /meta", "public", func(*request) reply {
			return ok(object{"verifiable_password_authentication": false, "installed_version": "3.20.0"})
		}),
		on("GET /users/{username}", "any", getUser),
		on("GET /apps/{app_slug}", "any", getApp),
	}
}

func getApp(q *request) reply {
	if q.params["app_slug"] != q.g.opts.AppSlug {
		return notFound()
	}
	return ok(q.g.app(false))
}

func getRate(q *request) reply {
	r := q.rate()
	core := object{"limit": r.Limit, "remaining": r.Remaining, "used": r.Limit - r.Remaining, "reset": r.Reset.Unix()}
	search := object{"limit": 30, "remaining": 30, "used": 0, "reset": r.Reset.Unix()}
	return ok(object{"resources": object{"core": core, "search": search}, "rate": core})
}

func getUser(q *request) reply {
	a := q.g.accounts[strings.ToLower(q.params["username"])]
	if a == nil {
		return notFound()
	}
	return ok(with(q.g.simpleUser(a), object{
		"user_view_type": "public",
		"name":           a.login, "company": nil, "blog": "", "location": nil, "email": nil, "hireable": nil, "bio": nil,
		"public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
		"created_at": stamp(q.g.appCreated), "updated_at": stamp(q.g.appCreated),
	}))
}

// String names a token's scope for the messages of tests.
func (s TokenScope) String() string { return fmt.Sprintf("%v on %v", s.Permissions, s.Repositories) }
