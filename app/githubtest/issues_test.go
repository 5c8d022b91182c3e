package githubtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

func TestIssues(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.repo.Collaborator("ann", "push").Collaborator("reader", "pull")
	w.Org("acme").Member("bo", "member")
	w.User("stranger")
	made, _, err := w.client.Issues.Create(w.ctx(), "acme", "shop", &github.IssueRequest{
		Title: github.String("Upgrade x"), Body: github.String("because"), Labels: &[]string{"landwaiter", "landwaiter:high"},
		Assignees: &[]string{"ann", "bo"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := made.GetUser().GetLogin(); got != "landwaiter[bot]" {
		t.Errorf("author %s", got)
	}
	w.repo.OpenIssue("ann", "by hand", "", "landwaiter")
	w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "a"}})
	list := func(o *github.IssueListByRepoOptions) []string {
		t.Helper()
		issues, _, err := w.client.Issues.ListByRepo(w.ctx(), "acme", "shop", o)
		if err != nil {
			t.Fatal(err)
		}
		titles := []string{}
		for _, i := range issues {
			titles = append(titles, fmt.Sprint(i.GetTitle(), " ", i.IsPullRequest()))
		}
		return titles
	}
	tests := map[string]struct {
		options github.IssueListByRepoOptions
		want    []string
	}{
		"all open, newest first": {github.IssueListByRepoOptions{}, []string{"Change 3 true", "by hand false", "Upgrade x false"}},
		"oldest first":           {github.IssueListByRepoOptions{Direction: "asc"}, []string{"Upgrade x false", "by hand false", "Change 3 true"}},
		"by label and creator":   {github.IssueListByRepoOptions{Labels: []string{"landwaiter"}, Creator: "landwaiter[bot]"}, []string{"Upgrade x false"}},
		"by two labels":          {github.IssueListByRepoOptions{Labels: []string{"landwaiter", "landwaiter:high"}}, []string{"Upgrade x false"}},
		"by assignee":            {github.IssueListByRepoOptions{Assignee: "bo"}, []string{"Upgrade x false"}},
		"closed":                 {github.IssueListByRepoOptions{State: "closed"}, []string{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, list(&tt.options)); diff != "" {
				t.Errorf("titles (-want +got):\n%s", diff)
			}
		})
	}
	_, _, err = w.client.Issues.Edit(w.ctx(), "acme", "shop", made.GetNumber(), &github.IssueRequest{
		State: github.String("closed"), StateReason: github.String("not_planned"), Body: github.String("done"),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := w.repo.Issues()[0]
	if s := fmt.Sprint(got.State, got.StateReason, got.Body, got.Labels, got.Assignees); s != "closednot_planneddone[landwaiter landwaiter:high] [ann bo]" {
		t.Errorf("issue %s", s)
	}
}

func TestIssuesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.repo.Collaborator("ann", "push")
	w.User("stranger")
	path := "/repos/acme/shop/issues"
	w.want(w.call("POST", path, object{"title": "t", "assignees": []string{"ann"}}), 201)
	w.want(w.call("POST", path, object{"title": "t", "assignees": []string{"stranger"}}), 422)
	w.want(w.call("POST", path, object{"title": "t", "assignees": []string{"nobody"}}), 422)
	w.want(w.call("POST", path, object{"title": "t", "body": strings.Repeat("é", 65537)}), 422)
	w.want(w.call("PATCH", path+"/1", object{"assignees": []string{"stranger"}}), 422)
	w.want(w.call("POST", path+"/1/assignees", object{"assignees": []string{"stranger"}}), 201)
	if got := w.repo.Issues()[0].Assignees; len(got) != 1 {
		t.Errorf("assignees %v, want ann alone", got)
	}
	w.want(w.call("GET", "/repos/acme/shop/assignees/ann", nil), 204)
	w.want(w.call("GET", "/repos/acme/shop/assignees/stranger", nil), 404)
	w.repo.SetIssues(false)
	w.want(w.call("POST", path, object{"title": "t"}), 410)
	w.repo.SetIssues(true)
	w.repo.SetArchived(true)
	w.want(w.call("POST", path, object{"title": "t"}), 403)
	w.get(path)
}

func TestCommentsAndReactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	p := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"a": "a"}})
	n := w.repo.OpenIssue("ann", "t", "b")
	for _, number := range []int{n, p.Number} {
		c, _, err := w.client.Issues.CreateComment(w.ctx(), "acme", "shop", number, &github.IssueComment{Body: github.String("hello")})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.client.Issues.EditComment(w.ctx(), "acme", "shop", c.GetID(), &github.IssueComment{Body: github.String("bye")}); err != nil {
			t.Fatal(err)
		}
		if got := w.repo.Comments(number); len(got) != 1 || got[0].Body != "bye" || got[0].Author != "landwaiter[bot]" {
			t.Errorf("comments on %d: %+v", number, got)
		}
	}
	command := w.repo.Comment(n, "ann", "/landwaiter recheck")
	for range 2 {
		if _, _, err := w.client.Reactions.CreateIssueCommentReaction(w.ctx(), "acme", "shop", command, "eyes"); err != nil {
			t.Fatal(err)
		}
	}
	c, _, err := w.client.Issues.GetComment(w.ctx(), "acme", "shop", command)
	if err != nil || c.GetReactions().GetEyes() != 1 {
		t.Errorf("reactions %v, %v; want one", c.GetReactions(), err)
	}
	list, _, err := w.client.Issues.ListComments(w.ctx(), "acme", "shop", n, nil)
	if err != nil || len(list) != 2 {
		t.Errorf("%d comments, %v; want 2", len(list), err)
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	l, _, err := w.client.Issues.CreateLabel(w.ctx(), "acme", "shop", &github.Label{Name: github.String("landwaiter:high"), Color: github.String("d93f0b")})
	if err != nil || l.GetColor() != "d93f0b" {
		t.Fatalf("label %v, %v", l, err)
	}
	w.want(w.call("POST", "/repos/acme/shop/labels", object{"name": "LANDWAITER:HIGH"}), 422)
	w.want(w.call("POST", "/repos/acme/shop/labels", object{"name": "x", "color": "#d93f0b"}), 422)
	w.want(w.call("GET", "/repos/acme/shop/labels/none", nil), 404)
	n := w.repo.OpenIssue("ann", "t", "b", "bug")
	if _, _, err := w.client.Issues.AddLabelsToIssue(w.ctx(), "acme", "shop", n, []string{"landwaiter:high", "bug"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.Issues.RemoveLabelForIssue(w.ctx(), "acme", "shop", n, "bug"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.client.Issues.EditLabel(w.ctx(), "acme", "shop", "landwaiter:high", &github.Label{Description: github.String("soon")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"landwaiter:high"}, w.repo.Issues()[0].Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	w.want(w.call("DELETE", fmt.Sprintf("/repos/acme/shop/issues/%d/labels/none", n), nil), 404)
}

func TestPermissionsOfPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	org := w.Org("acme").Member("owner", "admin").Member("plain", "member")
	w.repo.Collaborator("pusher", "push").Collaborator("triager", "triage")
	w.repo.TeamAccess(org.Team("Leads", "lead"), "maintain")
	w.User("stranger")
	tests := map[string]struct{ permission, role string }{
		"owner": {"admin", "admin"}, "pusher": {"write", "write"}, "triager": {"read", "triage"},
		"lead": {"write", "maintain"}, "plain": {"none", "none"}, "stranger": {"none", "none"},
	}
	for login, tt := range tests {
		level, _, err := w.client.Repositories.GetPermissionLevel(w.ctx(), "acme", "shop", login)
		if err != nil || level.GetPermission() != tt.permission {
			t.Errorf("%s: %s, %v; want %s", login, level.GetPermission(), err, tt.permission)
		}
		if got := w.get("/repos/acme/shop/collaborators/"+login+"/permission").field(t, "role_name"); got != tt.role {
			t.Errorf("%s: role %v, want %s", login, got, tt.role)
		}
	}
	admins, _, err := w.client.Repositories.ListCollaborators(w.ctx(), "acme", "shop", &github.ListCollaboratorsOptions{Permission: "admin"})
	if err != nil || len(admins) != 1 || admins[0].GetLogin() != "owner" {
		t.Errorf("admins %v, %v", admins, err)
	}
	members, _, err := w.client.Teams.ListTeamMembersBySlug(w.ctx(), "acme", "leads", nil)
	if err != nil || len(members) != 1 || members[0].GetLogin() != "lead" {
		t.Errorf("team %v, %v", members, err)
	}
	w.want(w.call("GET", "/orgs/acme/teams/leads/memberships/plain", nil), 404)
	w.RemoveUser("pusher")
	w.want(w.call("GET", "/repos/acme/shop/collaborators/pusher/permission", nil), 404)
	w.inst.Grant("members", "")
	w.want(w.call("GET", "/orgs/acme/teams/leads/members", nil), 403)
}
