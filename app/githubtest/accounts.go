package githubtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// account is a user, an organisation or the App's own user.
type account struct {
	id      int64
	login   string
	kind    string // "User", "Organization" or "Bot"
	members map[string]string
	teams   map[string]*Team
}

// Org is an organisation.
type Org struct {
	g *GitHub
	a *account
}

// Team is a team of an organisation.
type Team struct {
	g       *GitHub
	org     *account
	id      int64
	slug    string
	name    string
	members map[string]string // login -> "member" or "maintainer"
}

// Org returns the organisation with this login, creating it when there is none.
func (g *GitHub) Org(login string) *Org {
	g.mu.Lock()
	defer g.mu.Unlock()
	return &Org{g: g, a: g.account(login, "Organization")}
}

// User makes sure that a user with this login exists and returns its id. Every method
// that takes a login creates the user by itself; User is for people without a role.
func (g *GitHub) User(login string) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.account(login, "User").id
}

// RemoveUser makes a login unknown: its roles end and GitHub answers 404 for it.
func (g *GitHub) RemoveUser(login string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := strings.ToLower(login)
	delete(g.accounts, key)
	for _, a := range g.accounts {
		delete(a.members, key)
		for _, t := range a.teams {
			delete(t.members, key)
		}
	}
	for _, r := range g.repos {
		delete(r.collaborators, key)
	}
}

// Member gives a user a role in the organisation: "member" or "admin".
func (o *Org) Member(login, role string) *Org {
	o.g.mu.Lock()
	defer o.g.mu.Unlock()
	o.g.account(login, "User")
	o.a.members[strings.ToLower(login)] = role
	return o
}

// Team creates a team whose slug is name in lower case with dashes, and makes its
// members members of the organisation. Calling it again adds members.
func (o *Org) Team(name string, members ...string) *Team {
	o.g.mu.Lock()
	defer o.g.mu.Unlock()
	slug := strings.ReplaceAll(strings.ToLower(name), " ", "-")
	t := o.a.teams[slug]
	if t == nil {
		t = &Team{g: o.g, org: o.a, id: o.g.id(), slug: slug, name: name, members: map[string]string{}}
		o.a.teams[slug] = t
	}
	for _, m := range members {
		o.g.account(m, "User")
		t.members[strings.ToLower(m)] = "member"
		if o.a.members[strings.ToLower(m)] == "" {
			o.a.members[strings.ToLower(m)] = "member"
		}
	}
	return t
}

// account finds or creates an account; one whose login ends in [bot] is a bot's. The caller holds the lock.
func (g *GitHub) account(login, kind string) *account {
	key := strings.ToLower(login)
	a := g.accounts[key]
	if strings.HasSuffix(key, "[bot]") {
		kind = "Bot"
	}
	if a == nil {
		a = &account{id: g.id(), login: login, kind: kind, members: map[string]string{}, teams: map[string]*Team{}}
		g.accounts[key] = a
	}
	return a
}

// bot is the user in whose name the App acts.
func (g *GitHub) bot() *account { return g.account(g.opts.AppSlug+"[bot]", "Bot") }

// simpleUser renders the schema simple-user.
func (g *GitHub) simpleUser(a *account) object {
	if a == nil {
		return nil
	}
	url := g.apiRoot() + "/users/" + a.login
	html := g.root() + "/" + a.login
	if a.kind == "Bot" {
		html = g.root() + "/apps/" + strings.TrimSuffix(a.login, "[bot]")
	}
	return object{
		"login": a.login, "id": a.id, "node_id": nodeID(a.kind, a.id),
		"avatar_url": fmt.Sprintf("%s/avatars/u/%d", g.root(), a.id), "gravatar_id": "",
		"url": url, "html_url": html,
		"followers_url": url + "/followers", "following_url": url + "/following{/other_user}",
		"gists_url": url + "/gists{/gist_id}", "starred_url": url + "/starred{/owner}{/repo}",
		"subscriptions_url": url + "/subscriptions", "organizations_url": url + "/orgs",
		"repos_url": url + "/repos", "events_url": url + "/events{/privacy}",
		"received_events_url": url + "/received_events", "type": a.kind, "site_admin": false,
	}
}

// simpleOrg renders the schema organization-simple.
func (g *GitHub) simpleOrg(a *account) object {
	url := g.apiRoot() + "/orgs/" + a.login
	return object{
		"login": a.login, "id": a.id, "node_id": nodeID(a.kind, a.id), "url": url,
		"repos_url": url + "/repos", "events_url": url + "/events", "hooks_url": url + "/hooks",
		"issues_url": url + "/issues", "members_url": url + "/members{/member}",
		"public_members_url": url + "/public_members{/member}",
		"avatar_url":         fmt.Sprintf("%s/avatars/u/%d", g.root(), a.id), "description": "",
	}
}

// teamObject renders the schema team; permission is what the team may do in the
// repository it is listed for.
func (g *GitHub) teamObject(t *Team, permission string) object {
	url := fmt.Sprintf("%s/organizations/%d/team/%d", g.apiRoot(), t.org.id, t.id)
	return object{
		"id": t.id, "node_id": nodeID("Team", t.id), "name": t.name, "slug": t.slug, "description": nil,
		"privacy": "closed", "notification_setting": "notifications_enabled", "permission": permission,
		"url": url, "html_url": g.root() + "/orgs/" + t.org.login + "/teams/" + t.slug,
		"members_url": url + "/members{/member}", "repositories_url": url + "/repos",
		"type": "organization", "organization_id": t.org.id, "parent": nil,
	}
}

// sorted returns the accounts behind a set of lower-case logins, by login.
func (g *GitHub) sorted(logins map[string]string, want func(role string) bool) []*account {
	var list []*account
	for _, login := range slices.Sorted(maps.Keys(logins)) {
		if want(logins[login]) && g.accounts[login] != nil {
			list = append(list, g.accounts[login])
		}
	}
	return list
}
