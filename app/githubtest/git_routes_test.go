package githubtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
)

func TestTrees(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	sha := w.repo.Commit("main", "all kinds", Files{
		"run.sh": Executable("#!/bin/sh\n"), "link": Symlink("go.mod"), "vendor/lib": Submodule(w.first), "docs/readme.md": Deleted,
	})
	tree, _, err := w.client.Git.GetTree(w.ctx(), "acme", "shop", sha, true)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range tree.Entries {
		got = append(got, fmt.Sprintf("%s %s %s %d", e.GetMode(), e.GetType(), e.GetPath(), e.GetSize()))
	}
	want := []string{
		"100644 blob go.mod 12", "120000 blob link 6", "100755 blob run.sh 10", "040000 tree vendor 0", "160000 commit vendor/lib 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if tree.GetTruncated() {
		t.Error("a small tree is truncated")
	}
	w.repo.SetTreeLimit(2)
	cut, _, err := w.client.Git.GetTree(w.ctx(), "acme", "shop", sha, true)
	if err != nil || !cut.GetTruncated() || len(cut.Entries) != 2 {
		t.Errorf("limited tree: %d entries, truncated %v, %v; want 2, true", len(cut.Entries), cut.GetTruncated(), err)
	}
	flat, _, err := w.client.Git.GetTree(w.ctx(), "acme", "shop", tree.GetSHA(), false)
	if err != nil || flat.GetTruncated() || len(flat.Entries) != 4 {
		t.Errorf("one level: %d entries, %v; want 4", len(flat.Entries), err)
	}
	raw, _, err := w.client.Git.GetBlobRaw(w.ctx(), "acme", "shop", tree.Entries[0].GetSHA())
	if err != nil || string(raw) != "module shop\n" {
		t.Errorf("blob %q, %v", raw, err)
	}
}

func TestContents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	long := strings.Repeat("0123456789\n", 20)
	w.repo.Commit("main", "more", Files{
		"long.txt": long, "link": Symlink("docs/readme.md"), "dead": Symlink("../outside"), "big.bin": strings.Repeat("x", 1<<20+1),
	})
	pull := w.repo.OpenPull(PullOptions{Head: "f", Files: Files{"go.mod": "module forked\n"}, Fork: "eve"})
	tests := map[string]struct{ path, ref, want string }{
		"default branch":         {"long.txt", "", long},
		"older commit":           {"docs/readme.md", w.first, "hello\n"},
		"pull request of a fork": {"go.mod", fmt.Sprintf("refs/pull/%d/head", pull.Number), "module forked\n"},
		"branch in full":         {"go.mod", "refs/heads/main", "module shop\n"},
		"link inside":            {"link", "", "hello\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, _, _, err := w.client.Repositories.GetContents(w.ctx(), "acme", "shop", tt.path, &github.RepositoryContentGetOptions{Ref: tt.ref})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := f.GetContent(); err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
	_, dir, _, err := w.client.Repositories.GetContents(w.ctx(), "acme", "shop", "docs", nil)
	if err != nil || len(dir) != 1 || dir[0].GetPath() != "docs/readme.md" {
		t.Errorf("directory %v, %v", dir, err)
	}
	if a := w.get("/repos/acme/shop/contents/dead"); a.field(t, "type") != "symlink" || a.field(t, "target") != "../outside" {
		t.Errorf("a link that leads out: %s", a.body)
	}
	if a := w.get("/repos/acme/shop/contents/big.bin"); a.field(t, "encoding") != "none" || a.field(t, "content") != "" {
		t.Errorf("a file above 1 MB comes with content")
	}
	raw := w.want(w.call("GET", "/repos/acme/shop/contents/big.bin", nil, "Accept", "application/vnd.github.raw+json"), 200)
	if len(raw.body) != 1<<20+1 {
		t.Errorf("raw content of %d bytes", len(raw.body))
	}
	w.want(w.call("GET", "/repos/acme/shop/contents/none.txt", nil), 404)
	w.want(w.call("GET", "/repos/acme/shop/contents/go.mod?ref=none", nil), 404)
}

func TestRefsAndTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.repo.Branch("feat/one", w.first)
	w.repo.Tag("v1", w.first)
	tag := w.repo.AnnotatedTag("v2", w.first, "two\n")
	ref, _, err := w.client.Git.GetRef(w.ctx(), "acme", "shop", "tags/v2")
	if err != nil || ref.Object.GetType() != "tag" || ref.Object.GetSHA() != tag {
		t.Errorf("annotated tag: %v, %v", ref, err)
	}
	object, _, err := w.client.Git.GetTag(w.ctx(), "acme", "shop", tag)
	if err != nil || object.Object.GetSHA() != w.first {
		t.Errorf("tag object: %v, %v", object, err)
	}
	outer := w.repo.AnnotatedTag("v3", tag, "three\n")
	nested, _, err := w.client.Git.GetTag(w.ctx(), "acme", "shop", outer)
	if err != nil || nested.Object.GetType() != "tag" || nested.Object.GetSHA() != tag || w.repo.Head("v3") != w.first {
		t.Errorf("tag of a tag: %v, %v", nested, err)
	}
	light, _, err := w.client.Git.GetRef(w.ctx(), "acme", "shop", "refs/tags/v1")
	if err != nil || light.Object.GetType() != "commit" || light.Object.GetSHA() != w.first {
		t.Errorf("lightweight tag: %v, %v", light, err)
	}
	refs, _, err := w.client.Git.ListMatchingRefs(w.ctx(), "acme", "shop", &github.ReferenceListOptions{Ref: "tags/v"})
	if err != nil || len(refs) != 3 {
		t.Errorf("matching refs: %v, %v", refs, err)
	}
	b, _, err := w.client.Repositories.GetBranch(w.ctx(), "acme", "shop", "feat/one", 0)
	if err != nil || b.GetCommit().GetSHA() != w.first {
		t.Errorf("branch with a slash: %v, %v", b, err)
	}
	sha, _, err := w.client.Repositories.GetCommitSHA1(w.ctx(), "acme", "shop", "v2", "")
	if err != nil || sha != w.first {
		t.Errorf("SHA of an annotated tag: %s, %v", sha, err)
	}
	c, _, err := w.client.Repositories.GetCommit(w.ctx(), "acme", "shop", "v2", nil)
	if err != nil || c.GetSHA() != w.first || len(c.Files) != 2 {
		t.Errorf("commit of an annotated tag: %v, %v", c.GetSHA(), err)
	}
	w.want(w.call("GET", "/repos/acme/shop/git/ref/heads/none", nil), 404)
	w.want(w.call("GET", "/repos/acme/shop/commits/0000000000000000000000000000000000000000", nil), 422)
}

func TestCommitUnderAGivenName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	const real = "f9b1d8c2a3e4f5061728394a5b6c7d8e9f001122"
	w.repo.CommitAs(real, "main", "released", Files{"VERSION": "2"})
	w.repo.Release(ReleaseOptions{Tag: "v2", Commit: real})
	ref, _, err := w.client.Git.GetRef(w.ctx(), "acme", "shop", "tags/v2")
	if err != nil || ref.Object.GetSHA() != real {
		t.Errorf("tag points at %v, %v; want %s", ref.GetObject().GetSHA(), err, real)
	}
	f, _, _, err := w.client.Repositories.GetContents(w.ctx(), "acme", "shop", "VERSION", &github.RepositoryContentGetOptions{Ref: real})
	if err != nil || f.GetSize() != 1 {
		t.Errorf("contents: %v, %v", f, err)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.repo.Branch("f", w.first)
	w.repo.Commit("main", "elsewhere", Files{"main.txt": "m"})
	head := w.repo.Commit("f", "change", Files{"go.mod": "module shop\n\ngo 1.26\n", "docs/readme.md": Deleted, "docs/hello.md": "hello\n"})
	c, _, err := w.client.Repositories.CompareCommits(w.ctx(), "acme", "shop", "main", head, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%s %d %d", c.GetStatus(), c.GetAheadBy(), c.GetBehindBy()); got != "diverged 1 1" || c.GetMergeBaseCommit().GetSHA() != w.first {
		t.Errorf("got %s from %s, want diverged 1 1 from %s", got, c.GetMergeBaseCommit().GetSHA(), w.first)
	}
	var files []string
	for _, f := range c.Files {
		files = append(files, fmt.Sprint(f.GetStatus(), " ", f.GetFilename(), " ", f.GetPreviousFilename(), " +", f.GetAdditions(), " -", f.GetDeletions()))
	}
	want := []string{"renamed docs/hello.md docs/readme.md +0 -0", "modified go.mod  +2 -0"}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("@@ -1,0 +2,2 @@\n+\n+go 1.26", c.Files[1].GetPatch()); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
	w.repo.OpenPull(PullOptions{Head: "g", Files: Files{"y": "y"}, Fork: "eve"})
	fork := w.get("/repos/acme/shop/compare/main...eve:g")
	if got := fork.field(t, "ahead_by"); got != float64(1) {
		t.Errorf("fork is ahead by %v", got)
	}
	w.want(w.call("GET", "/repos/acme/shop/compare/main...none", nil), 404)
}

func TestCompareIsCutAt300Files(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	many := Files{}
	for i := range 301 {
		many[fmt.Sprintf("many/%04d.txt", i)] = fmt.Sprint(i)
	}
	w.repo.Commit("f", "many", many)
	a := w.get("/repos/acme/shop/compare/main...f?per_page=1")
	if n := len(a.field(t, "files").([]any)); n != 300 {
		t.Errorf("%d files, want 300", n)
	}
	second := w.get("/repos/acme/shop/compare/main...f?per_page=1&page=2")
	if n := len(second.field(t, "files").([]any)); n != 0 {
		t.Errorf("%d files on the second page, want none", n)
	}
}

func TestRenamedRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.repo.Rename("store")
	read := w.want(w.call("GET", "/repos/acme/shop/contents/go.mod?ref=main", nil), http.StatusMovedPermanently)
	want := fmt.Sprintf("%s/repositories/%d/contents/go.mod?ref=main", w.APIURL(), w.repo.ID())
	if got := read.header.Get("Location"); got != want {
		t.Errorf("moved to %s, want %s", got, want)
	}
	write := w.call("POST", "/repos/acme/shop/check-runs", object{"name": "n", "head_sha": w.first})
	w.want(write, http.StatusTemporaryRedirect)
	f, _, _, err := w.client.Repositories.GetContents(w.ctx(), "acme", "shop", "go.mod", nil)
	if err != nil || f.GetName() != "go.mod" {
		t.Errorf("following the redirect: %v, %v", f, err)
	}
	r, _, err := w.client.Repositories.GetByID(w.ctx(), w.repo.ID())
	if err != nil || r.GetFullName() != "acme/store" {
		t.Errorf("by id: %v, %v", r.GetFullName(), err)
	}
}

// TestSubmoduleInComparison: a submodule that moves is a file of the comparison without addresses
// of its content, with the line that git shows for it.
func TestSubmoduleInComparison(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	old, next := strings.Repeat("a", 40), strings.Repeat("b", 40)
	base := w.repo.Commit("main", "submodule", Files{"vendor/lib": Submodule(old)})
	head := w.repo.Commit("main", "bump", Files{"vendor/lib": Submodule(next)})
	c, _, err := w.client.Repositories.CompareCommits(w.ctx(), "acme", "shop", base, head, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Files) != 1 {
		t.Fatalf("files %v, want the submodule", c.Files)
	}
	f := c.Files[0]
	if f.GetFilename() != "vendor/lib" || f.GetSHA() != next || f.BlobURL != nil || f.RawURL != nil || f.GetChanges() != 2 ||
		f.GetPatch() != "@@ -1,1 +1,1 @@\n-Subproject commit "+old+"\n+Subproject commit "+next {
		t.Errorf("got %v", f)
	}
}
