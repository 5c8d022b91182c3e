package githubtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

func peopleRoutes() []*route {
	return []*route{
		on("GET /repos/{owner}/{repo}/collaborators", "metadata:read", listCollaborators),
		on("GET /repos/{owner}/{repo}/collaborators/{username}", "metadata:read", getCollaborator),
		on("GET /repos/{owner}/{repo}/collaborators/{username}/permission", "metadata:read", getPermission),
		on("GET /repos/{owner}/{repo}/assignees/{assignee}", "metadata:read", getAssignee),
		on("GET /repos/{owner}/{repo}/teams", "administration:read|metadata:read", listRepoTeams),
		on("GET /orgs/{org}/members", "members:read", listMembers),
		on("GET /orgs/{org}/members/{username}", "members:read", getMember),
		on("GET /orgs/{org}/teams", "members:read", listTeams),
		on("GET /orgs/{org}/teams/{team_slug}", "members:read", getTeam),
		on("GET /orgs/{org}/teams/{team_slug}/members", "members:read", listTeamMembers),
		on("GET /orgs/{org}/teams/{team_slug}/memberships/{username}", "members:read", getMembership),
	}
}

// words turns a role of ours into GitHub's permission and role name.
func words(role string) (permission, name string) {
	switch role {
	case "pull", "triage":
		permission = "read"
	case "push", "maintain":
		permission = "write"
	case "admin":
		permission = "admin"
	default:
		permission = "none"
	}
	name = map[string]string{"pull": "read", "push": "write", "": "none"}[role]
	if name == "" {
		name = role
	}
	return permission, name
}

func (r *Repo) collaborator(a *account) object {
	role := r.role(a.login)
	_, name := words(role)
	at := slices.Index(roles[:], role)
	return with(r.g.simpleUser(a), object{"role_name": name, "permissions": object{
		"pull": at >= 1, "triage": at >= 2, "push": at >= 3, "maintain": at >= 4, "admin": at >= 5,
	}})
}

func listCollaborators(q *request) reply {
	wanted := max(1, slices.Index(roles[:], q.URL.Query().Get("permission")))
	logins := maps.Clone(q.repo.collaborators)
	for login, role := range q.repo.owner.members {
		if role == "admin" {
			logins[login] = "admin"
		}
	}
	for t := range q.repo.teamAccess {
		for login := range t.members {
			logins[login] = "team"
		}
	}
	list := q.g.sorted(logins, func(string) bool { return true })
	list = slices.DeleteFunc(list, func(a *account) bool { return slices.Index(roles[:], q.repo.role(a.login)) < wanted })
	return listed(q, list, q.repo.collaborator)
}

func getCollaborator(q *request) reply {
	if role := q.repo.role(q.params["username"]); role == "" || role == "pull" && q.repo.collaborators[strings.ToLower(q.params["username"])] == "" {
		return notFound()
	}
	return noContent()
}

func getPermission(q *request) reply {
	a := q.g.accounts[strings.ToLower(q.params["username"])]
	if a == nil {
		return refuse(http.StatusNotFound, q.params["username"]+" is not a user")
	}
	permission, name := words(q.repo.role(a.login))
	return ok(object{"permission": permission, "role_name": name, "user": q.repo.collaborator(a)})
}

func getAssignee(q *request) reply {
	if !q.repo.assignable(q.params["assignee"]) {
		return notFound()
	}
	return noContent()
}

func listRepoTeams(q *request) reply {
	teams := slices.SortedFunc(maps.Keys(q.repo.teamAccess), func(a, b *Team) int { return strings.Compare(a.slug, b.slug) })
	return listed(q, teams, func(t *Team) object { return q.g.teamObject(t, q.repo.teamAccess[t]) })
}

// org finds the organisation of the path when the token's installation is on it.
func (q *request) org() *account {
	a := q.g.accounts[strings.ToLower(q.params["org"])]
	if a == nil || a.kind != "Organization" || q.token.inst.account != a {
		return nil
	}
	return a
}

func listMembers(q *request) reply {
	org := q.org()
	if org == nil {
		return notFound()
	}
	role := q.URL.Query().Get("role")
	list := q.g.sorted(org.members, func(r string) bool { return role == "" || role == "all" || role == r })
	return listed(q, list, q.g.simpleUser)
}

func getMember(q *request) reply {
	org := q.org()
	if org == nil || org.members[strings.ToLower(q.params["username"])] == "" {
		return notFound()
	}
	return noContent()
}

func (q *request) team() *Team {
	org := q.org()
	if org == nil {
		return nil
	}
	return org.teams[q.params["team_slug"]]
}

func listTeams(q *request) reply {
	org := q.org()
	if org == nil {
		return notFound()
	}
	var list []*Team
	for _, slug := range slices.Sorted(maps.Keys(org.teams)) {
		list = append(list, org.teams[slug])
	}
	return listed(q, list, func(t *Team) object { return q.g.teamObject(t, "pull") })
}

func getTeam(q *request) reply {
	t := q.team()
	if t == nil {
		return notFound()
	}
	o := q.g.teamObject(t, "pull")
	delete(o, "organization_id")
	return ok(with(o, object{
		"members_count": len(t.members), "repos_count": 0, "created_at": stamp(q.g.appCreated), "updated_at": stamp(q.g.appCreated),
		"organization": with(q.g.simpleOrg(t.org), object{
			"has_organization_projects": true, "has_repository_projects": true, "public_repos": 0, "public_gists": 0, "followers": 0,
			"following": 0, "html_url": q.g.root() + "/" + t.org.login, "type": "Organization", "archived_at": nil,
			"created_at": stamp(q.g.appCreated), "updated_at": stamp(q.g.appCreated),
		}),
	}))
}

func listTeamMembers(q *request) reply {
	t := q.team()
	if t == nil {
		return notFound()
	}
	return listed(q, q.g.sorted(t.members, func(string) bool { return true }), q.g.simpleUser)
}

func getMembership(q *request) reply {
	t := q.team()
	if t == nil || t.members[strings.ToLower(q.params["username"])] == "" {
		return notFound()
	}
	role := t.members[strings.ToLower(q.params["username"])]
	u := q.g.teamObject(t, "pull")["url"].(string) + "/memberships/" + q.params["username"]
	return ok(object{"url": u, "role": role, "state": "active"})
}
