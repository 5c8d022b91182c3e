package githubtest

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// rateWindow is how long the primary limit lasts.
const rateWindow = time.Hour

// token is an installation's token. Tokens and the App's own token live on the real clock,
// because clients compare their end with it.
type token struct {
	value       string
	inst        *Installation
	permissions map[string]string
	repos       map[int64]bool // nil for all of the installation
	expires     time.Time
}

// authenticate finds out who asks.
func (q *request) authenticate() (reply, bool) {
	scheme, value, _ := strings.Cut(q.Header.Get("Authorization"), " ")
	switch {
	case value == "" && q.route.access == "public":
		return reply{}, true
	case value == "":
		return refuse(http.StatusUnauthorized, "Requires authentication"), false
	case !strings.EqualFold(scheme, "bearer") && !strings.EqualFold(scheme, "token"):
		return refuse(http.StatusUnauthorized, "Bad credentials"), false
	case strings.Count(value, ".") == 2:
		if message := q.g.checkJWT(value); message != "" {
			return refuse(http.StatusUnauthorized, message), false
		}
		q.isApp = true
		return reply{}, true
	}
	t := q.g.tokens[value]
	if t == nil || !time.Now().Before(t.expires) || t.inst.deleted {
		return refuse(http.StatusUnauthorized, "Bad credentials"), false
	}
	if !t.inst.suspended.IsZero() {
		return refuse(http.StatusForbidden, "This installation has been suspended"), false
	}
	q.token = t
	return reply{}, true
}

// checkJWT returns what is wrong with the App's own token, in GitHub's words, or "".
// Rules: docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
func (g *GitHub) checkJWT(value string) string {
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation(), jwt.WithJSONNumber())
	_, err := parser.ParseWithClaims(value, claims, func(*jwt.Token) (any, error) { return &g.opts.Key.PublicKey, nil })
	if err != nil {
		return "A JSON web token could not be decoded"
	}
	if fmt.Sprint(claims["iss"]) != strconv.FormatInt(g.opts.AppID, 10) {
		return "'Issuer' claim ('iss') must be an Integer"
	}
	now := time.Now()
	issued, okIssued := seconds(claims["iat"])
	expires, okExpires := seconds(claims["exp"])
	switch {
	case !okExpires:
		return "Missing 'expiration time' claim ('exp')"
	case !expires.After(now):
		return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
	case expires.After(now.Add(10*time.Minute + 5*time.Second)):
		return "'Expiration time' claim ('exp') is too far in the future"
	case !okIssued || issued.After(now.Add(5*time.Second)):
		return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
	}
	return ""
}

func seconds(claim any) (time.Time, bool) {
	f, err := strconv.ParseFloat(fmt.Sprint(claim), 64)
	if err != nil {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0), true
}

// locate finds the repository of the path. One that was renamed is redirected to by its
// id; one the token must not see does not exist.
func (q *request) locate() (reply, bool) {
	owner, name := q.params["owner"], q.params["repo"]
	if owner == "" || name == "" {
		return reply{}, true
	}
	r := q.g.find(owner, name)
	if r == nil || r.private && !q.sees(r) {
		return notFound(), false
	}
	if r.key() != strings.ToLower(owner+"/"+name) {
		return q.moved(r), false
	}
	q.repo = r
	write := q.Method != http.MethodGet && q.Method != http.MethodHead
	if r.archived && write && q.route.access != "app" {
		return refuse(http.StatusForbidden, "Repository was archived so is read-only."), false
	}
	return reply{}, true
}

// moved redirects to the lasting name: 301 for reads, 307 for writes, which keeps the method,
// docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api.
func (q *request) moved(r *Repo) reply {
	status, message := http.StatusMovedPermanently, "Moved Permanently"
	if q.Method != http.MethodGet {
		status, message = http.StatusTemporaryRedirect, "Temporary Redirect"
	}
	path, _ := apiPath(q.URL.EscapedPath())
	rest := strings.SplitN(path, "/", 5)
	to := fmt.Sprintf("%s/repositories/%d", q.g.apiRoot(), r.id)
	if len(rest) == 5 {
		to += "/" + rest[4]
	}
	if q.URL.RawQuery != "" {
		to += "?" + q.URL.RawQuery
	}
	a := reply{status: status, header: jsonHeader(), body: object{"message": message, "url": to, "documentation_url": docs}}
	a.header.Set("Location", to)
	return a
}

// sees says whether the asking party may know of a repository.
func (q *request) sees(r *Repo) bool {
	switch {
	case !r.private:
		return true
	case q.token == nil:
		return q.isApp && q.g.installationOf(r) != nil
	default:
		return q.token.covers(r)
	}
}

func (t *token) covers(r *Repo) bool {
	return t.inst.has(r) && (t.repos == nil || t.repos[r.id])
}

// permitted checks the permission of the route. Public repositories that the token was
// not made for can be read, as by anybody; for its own repositories the stand-in insists
// on the permission even where GitHub would let a public read pass, to show what a client
// forgot to ask for.
func (q *request) permitted() (reply, bool) {
	const denied = "Resource not accessible by integration"
	switch {
	case q.route.access == "public":
		return reply{}, true
	case q.route.access == "app" && !q.isApp:
		return refuse(http.StatusUnauthorized, "A JSON web token could not be decoded"), false
	case q.route.access == "app", q.route.access == "any":
		return reply{}, true
	case q.isApp:
		return refuse(http.StatusForbidden, denied), false
	case q.route.access == "installation":
		return reply{}, true
	case q.repo != nil && !q.token.covers(q.repo):
		if q.Method == http.MethodGet {
			return reply{}, true
		}
		return refuse(http.StatusForbidden, denied), false
	}
	for wanted := range strings.SplitSeq(q.route.access, "|") {
		if q.token.may(wanted) {
			return reply{}, true
		}
	}
	a := refuse(http.StatusForbidden, denied)
	a.header.Set("X-Accepted-GitHub-Permissions", strings.NewReplacer(":", "=", "|", "; ").Replace(q.route.access))
	return a, false
}

// may says whether both the token and its installation have a permission such as "checks:write".
func (t *token) may(wanted string) bool {
	name, level, _ := strings.Cut(wanted, ":")
	if name == "metadata" {
		return true
	}
	return enough(t.permissions[name], level) && enough(t.inst.permissions[name], level)
}

func enough(have, want string) bool {
	order := map[string]int{"": 0, "read": 1, "write": 2, "admin": 3}
	return order[have] >= order[want]
}

// ExpireTokens ends every token now, as if an hour had passed.
func (g *GitHub) ExpireTokens() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.tokens)
}

// Tokens returns the permissions and repositories of every token that was made and lives,
// for tests of least privilege. Repositories is nil when the token covers all.
func (g *GitHub) Tokens() []TokenScope {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []TokenScope
	for _, t := range g.tokens {
		s := TokenScope{InstallationID: t.inst.ID, Permissions: maps.Clone(t.permissions)}
		for id := range t.repos {
			s.Repositories = append(s.Repositories, g.repos[id].fullName())
		}
		list = append(list, s)
	}
	return list
}

// TokenScope is what a token may do.
type TokenScope struct {
	InstallationID int64
	Permissions    map[string]string
	Repositories   []string
}
