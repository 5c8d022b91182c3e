package githubtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/app/githubtest/contract"
)

func TestRoutesAreInTheContract(t *testing.T) {
	t.Parallel()
	api, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range routes() {
		if _, err := api.Operation(r.method, r.template); err != nil {
			t.Error(err)
		}
		if seen[r.name()] {
			t.Errorf("%s is there twice", r.name())
		}
		seen[r.name()] = true
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ method, path, template, params string }{
		"repository":               {"GET", "/repos/a/b", "/repos/{owner}/{repo}", "owner=a repo=b"},
		"path with slashes":        {"GET", "/repos/a/b/contents/x/y.txt", "/repos/{owner}/{repo}/contents/{path}", "owner=a path=x/y.txt repo=b"},
		"ref with slashes":         {"GET", "/repos/a/b/commits/feat/x/check-runs", "/repos/{owner}/{repo}/commits/{ref}/check-runs", "owner=a ref=feat/x repo=b"},
		"escaped ref":              {"GET", "/repos/a/b/commits/refs%2Fheads%2Fx", "/repos/{owner}/{repo}/commits/{ref}", "owner=a ref=refs/heads/x repo=b"},
		"latest is no id":          {"GET", "/repos/a/b/releases/latest", "/repos/{owner}/{repo}/releases/latest", "owner=a repo=b"},
		"tag with a slash":         {"GET", "/repos/a/b/releases/tags/sdk/v1", "/repos/{owner}/{repo}/releases/tags/{tag}", "owner=a repo=b tag=sdk/v1"},
		"asset is no release":      {"GET", "/repos/a/b/releases/assets/7", "/repos/{owner}/{repo}/releases/assets/{asset_id}", "asset_id=7 owner=a repo=b"},
		"comment is no issue":      {"GET", "/repos/a/b/issues/comments/7", "/repos/{owner}/{repo}/issues/comments/{comment_id}", "comment_id=7 owner=a repo=b"},
		"head is read like get":    {"HEAD", "/repos/a/b", "/repos/{owner}/{repo}", "owner=a repo=b"},
		"comparison with a branch": {"GET", "/repos/a/b/compare/main...feat/x", "/repos/{owner}/{repo}/compare/{basehead}", "basehead=main...feat/x owner=a repo=b"},
		"digest":                   {"GET", "/repos/a/b/attestations/sha256:00", "/repos/{owner}/{repo}/attestations/{subject_digest}", "owner=a repo=b subject_digest=sha256:00"},
		"unknown":                  {"GET", "/repos/a/b/stargazers", "", ""},
		"unknown method":           {"PUT", "/repos/a/b", "", ""},
	}
	g := New(Options{})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, params := g.match(tt.method, tt.path)
			template := ""
			if r != nil {
				template = r.template
			}
			var pairs []string
			for _, key := range []string{"asset_id", "basehead", "comment_id", "owner", "path", "ref", "repo", "subject_digest", "tag"} {
				if v, ok := params[key]; ok {
					pairs = append(pairs, key+"="+v)
				}
			}
			if got := strings.Join(pairs, " "); template != tt.template || got != tt.params {
				t.Errorf("got %q with %q, want %q with %q", template, got, tt.template, tt.params)
			}
		})
	}
}

// TestEveryReadRoute asks every GET route once, so that each answer meets its schema.
func TestEveryReadRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	team := w.Org("acme").Member("ann", "admin").Team("Release Managers", "bo")
	w.repo.Collaborator("cy", "push").TeamAccess(team, "maintain")
	sha := w.repo.Commit("main", "second", Files{"go.mod": "module shop2\n"})
	tag := w.repo.AnnotatedTag("v1", sha, "one")
	pull := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"x.txt": "x"}, Author: "cy"})
	forked := w.repo.OpenPull(PullOptions{Head: "g", Files: Files{"y.txt": "y"}, Fork: "eve", Author: "eve"})
	issue := w.repo.OpenIssue("ann", "broken", "text", "bug")
	comment := w.repo.Comment(issue, "cy", "why?")
	w.repo.Comment(pull.Number, "cy", "hm")
	rel := w.repo.Release(ReleaseOptions{Tag: "v2", Assets: map[string][]byte{"a.bin": []byte("a")}, Attestations: map[string][]byte{"a.bin": []byte(`{}`)}})
	run := w.repo.WorkflowRun(RunOptions{})
	deployment := run.Deploy("production")
	w.repo.ForeignCheckRun(sha, "build", "success")
	made := w.call("POST", "/repos/acme/shop/check-runs", object{
		"name": "landwaiter/pr", "head_sha": pull.HeadSHA(), "status": "completed", "conclusion": "neutral",
		"output": object{"title": "t", "summary": "s", "annotations": []object{{
			"path": "x.txt", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m",
		}}},
	})
	checkRun := int64(made.field(t, "id").(float64))
	suite := int64(made.field(t, "check_suite", "id").(float64))
	c, err := w.repo.objects.Commit(sha)
	if err != nil {
		t.Fatal(err)
	}
	asset := rel.View().Assets[0]
	values := map[string]string{
		"owner": "acme", "repo": "shop", "org": "acme", "path": "go.mod", "branch": "main", "basehead": "main...f",
		"file_sha": c.Tree, "tree_sha": c.Tree, "commit_sha": sha, "tag_sha": tag, "pull_number": fmt.Sprint(forked.Number),
		"check_run_id": fmt.Sprint(checkRun), "check_suite_id": fmt.Sprint(suite), "release_id": fmt.Sprint(rel.ID),
		"asset_id": fmt.Sprint(asset.ID), "tag": "v2", "subject_digest": asset.Digest, "issue_number": fmt.Sprint(issue),
		"comment_id": fmt.Sprint(comment), "name": "bug", "username": "bo", "assignee": "cy", "team_slug": "release-managers",
		"run_id": fmt.Sprint(run.ID), "app_slug": "landwaiter", "deployment_id": fmt.Sprint(deployment.ID), "installation_id": fmt.Sprint(w.inst.ID),
	}
	for _, r := range routes() {
		if r.method != "GET" || r.access == "app" {
			continue
		}
		path := r.template
		for _, name := range r.names {
			value := values[name]
			if name == "file_sha" {
				value = w.repo.filesOf(sha)["go.mod"].SHA
			}
			if name == "ref" {
				value = map[bool]string{true: "heads/main", false: pull.HeadSHA()}[strings.Contains(path, "/git/")]
			}
			path = strings.Replace(path, "{"+name+"}", value, 1)
		}
		moves := strings.Contains(path, "/tarball/") // to the blob store
		if a := w.call("GET", path, nil); moves && a.status != 302 || !moves && a.status != 200 && a.status != 204 {
			t.Errorf("GET %s: %d %.200s", path, a.status, a.body)
		}
	}
}
