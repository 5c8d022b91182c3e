package app

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

// commits of the submodule in these tests; goodCommit and others have no advisory.
var (
	oldCommit  = strings.Repeat("a", 40)
	goodCommit = strings.Repeat("b", 40)
	badCommit  = strings.Repeat("c", 40)
)

const gitmodules = "[submodule \"zlib\"]\n\tpath = deps/zlib\n\turl = https://github.com/madler/zlib\n"

// withSubmodules makes the reader know .gitmodules, and the scanner an advisory of badCommit.
func withSubmodules(c *Config) {
	lockReader := c.ReadInventory
	c.Wanted = func(name string) bool { return name == submodulesFile || wantedLock(name) }
	c.ReadInventory = func(ctx context.Context, files []checks.File) checks.Inventory {
		inv := lockReader(ctx, files)
		for _, f := range files {
			if f.Path == submodulesFile && f.Link == "" {
				inv.Manifests = append([]checks.Manifest{readGitmodules(f, files)}, inv.Manifests...)
			}
		}
		return inv
	}
	c.Scanners = []checks.Scanner{commitScanner{c.Scanners[0].(*scanner)}}
}

// readGitmodules takes each url for the submodule whose path stands before it.
func readGitmodules(f checks.File, files []checks.File) checks.Manifest {
	m := checks.Manifest{Path: f.Path, Digest: f.Digest, Format: ".gitmodules", Gap: f.Problem}
	path, line := "", 0
	for s := bufio.NewScanner(bytes.NewReader(f.Data)); s.Scan(); {
		line++
		key, value, _ := strings.Cut(strings.TrimSpace(s.Text()), " = ")
		if key == "path" {
			path = value
		}
		for _, link := range files {
			if key == "url" && link.Path == path && link.Link != "" {
				m.Packages = append(m.Packages, checks.Package{PURL: "pkg:generic/x@" + link.Link, Ecosystem: "GIT", Name: value, Commit: link.Link, Line: line, Relation: checks.Direct, Manager: "git"})
			}
		}
	}
	return m
}

// commitScanner is the scanner, and knows an advisory of badCommit.
type commitScanner struct{ *scanner }

func (s commitScanner) Scan(ctx context.Context, m *checks.Material) (checks.Evidence, error) {
	e, err := s.scanner.Scan(ctx, m)
	for side, t := range map[checks.Side]checks.Tree{checks.Base: m.Base, checks.Head: m.Head} {
		for _, f := range t.Inventory.Manifests {
			for _, p := range f.Packages {
				if p.Commit == badCommit {
					e.Matches = append(e.Matches, checks.Match{Side: side, Path: f.Path, Package: p, Advisory: checks.Advisory{ID: "CVE-2018-25032", Severity: checks.SeverityHigh, Summary: "Memory corruption in zlib"}})
				}
			}
		}
	}
	return e, err
}

// TestSubmodules: a change to a submodule changes no file, and is judged all the same.
func TestSubmodules(t *testing.T) {
	t.Parallel()
	moved := gitmodules + "[submodule \"b\"]\n\tpath = deps/b\n\turl = https://git.example/b\n"
	for _, c := range []struct {
		name       string
		base       githubtest.Files
		head       githubtest.Files
		conclusion string
		title      string
		annotated  int
		quiet      bool
	}{
		{name: "bumped to a commit with an advisory", head: githubtest.Files{"deps/zlib": githubtest.Submodule(badCommit)}, conclusion: "failure", title: "1 violation", annotated: 1},
		{name: "bumped to a commit without", head: githubtest.Files{"deps/zlib": githubtest.Submodule(goodCommit)}, conclusion: "success", title: "1 change, no violations"},
		{name: "bumped from one affected commit", base: githubtest.Files{"deps/zlib": githubtest.Submodule(badCommit)}, head: githubtest.Files{"deps/zlib": githubtest.Submodule(goodCommit)}, conclusion: "success", title: "1 change, no violations"},
		{name: "an older finding does not decide", base: githubtest.Files{"deps/zlib": githubtest.Submodule(badCommit), ".gitmodules": moved},
			head: githubtest.Files{"deps/b": githubtest.Submodule(goodCommit)}, conclusion: "success", title: "1 change, no violations"},
		{name: "removed", head: githubtest.Files{"deps/zlib": githubtest.Deleted}, conclusion: "success", title: "1 change, no violations"},
		{name: "added with its file", base: githubtest.Files{"deps/zlib": githubtest.Deleted, ".gitmodules": githubtest.Deleted},
			head: githubtest.Files{"deps/zlib": githubtest.Submodule(badCommit), ".gitmodules": gitmodules}, conclusion: "failure", title: "1 violation", annotated: 1},
		{name: "added without a file that names it", base: githubtest.Files{"deps/zlib": githubtest.Deleted, ".gitmodules": githubtest.Deleted},
			head: githubtest.Files{"deps/zlib": githubtest.Submodule(goodCommit)}, conclusion: "failure", title: "Could not"},
		{name: "a lock file becomes a submodule", head: githubtest.Files{"package-lock.json": githubtest.Submodule(badCommit), ".gitmodules": strings.Replace(gitmodules, "deps/zlib", "package-lock.json", 1)},
			conclusion: "failure", title: "1 violation", annotated: 1},
		{name: "the policy becomes a submodule", head: githubtest.Files{policyPath: githubtest.Submodule(goodCommit)}, conclusion: "success", title: "No dependency changes"},
		{name: "nothing of it touched", head: githubtest.Files{"README.md": "changed\n", "docs/logo": "\x00\x01"}, conclusion: "success", title: "No dependency changes", quiet: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubtest.Options{}, withSubmodules)
			r := w.shop()
			r.Commit("main", "submodule", githubtest.Files{".gitmodules": gitmodules, "deps/zlib": githubtest.Submodule(oldCommit)})
			if c.base != nil {
				r.Commit("main", "base", c.base)
			}
			w.settle()
			w.github.ForgetCalls()
			p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: c.head})
			w.settle()
			run := w.concluded(r, p.HeadSHA(), c.conclusion, c.title)
			if c.annotated > 0 && (len(run.Annotations) != c.annotated || run.Annotations[0].Path != submodulesFile && c.annotated == 1) {
				t.Errorf("annotations %+v, want %d in %s", run.Annotations, c.annotated, submodulesFile)
			}
			trees := len(w.github.CallsTo("GET /repos/{owner}/{repo}/git/trees/{tree_sha}"))
			if c.quiet && (w.scanner.Calls() > 0 || trees > 0) || !c.quiet && trees != 2 {
				t.Errorf("%d trees were listed and the scanner was asked %d times; quiet %v", trees, w.scanner.Calls(), c.quiet)
			}
			if n := w.github.RoundTrips(); strings.HasPrefix(c.name, "bumped") && n > 10 {
				t.Errorf("%d calls for a bump, want at most 10 (goal 16)", n)
			}
			if got := w.buried(); len(got) > 0 {
				t.Errorf("buried jobs: %q", got)
			}
		})
	}
}

// TestSubmoduleIsReadAnew: two pull requests that differ by the commit of a submodule alone are
// told apart by the cache of inventories.
func TestSubmoduleIsReadAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, withSubmodules)
	r := w.shop()
	r.Commit("main", "submodule", githubtest.Files{".gitmodules": gitmodules, "deps/zlib": githubtest.Submodule(oldCommit)})
	good := w.pull(r, "good", githubtest.Files{"deps/zlib": githubtest.Submodule(goodCommit)})
	bad := w.pull(r, "bad", githubtest.Files{"deps/zlib": githubtest.Submodule(badCommit)})
	w.concluded(r, good.HeadSHA(), "success", "1 change")
	w.concluded(r, bad.HeadSHA(), "failure", "1 violation")
}

// TestSubmoduleInHugeTree: where GitHub cuts the listing, submodules are found as files are.
func TestSubmoduleInHugeTree(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, withSubmodules)
	r := w.shop()
	r.Commit("main", "submodule", githubtest.Files{".gitmodules": gitmodules, "deps/zlib": githubtest.Submodule(oldCommit)})
	r.SetTreeLimit(3)
	p := w.pull(r, "bad", githubtest.Files{"deps/zlib": githubtest.Submodule(badCommit)})
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
}

// TestMaybeSubmodule: what a comparison tells of a submodule, in each of its forms.
func TestMaybeSubmodule(t *testing.T) {
	t.Parallel()
	file := func(blob, patch string, added, deleted int) *github.CommitFile {
		changes := added + deleted
		f := &github.CommitFile{Additions: &added, Deletions: &deleted, Changes: &changes}
		if blob != "" {
			f.BlobURL = &blob
		}
		if patch != "" {
			f.Patch = &patch
		}
		return f
	}
	bump := fmt.Sprintf("@@ -1 +1 @@\n-Subproject commit %s\n+Subproject commit %s", oldCommit, goodCommit)
	got := map[string]bool{}
	for name, f := range map[string]*github.CommitFile{
		"no address": file("", bump, 1, 1), "no address and no patch": file("", "", 0, 0), "the patch of a submodule": file("u", bump, 1, 1),
		"a file becomes a submodule": file("u", "@@ -1,2 +1 @@\n-a\n-b\n+Subproject commit "+goodCommit, 1, 2), "a patch left out of one line": file("u", "", 1, 1),
		"a file": file("u", "@@ -1 +1 @@\n-a\n+b", 1, 1), "an image": file("u", "", 0, 0), "a large file": file("u", "", 2000, 0),
		"text about submodules": file("u", "@@ -1,2 +1,2 @@\n Subproject commit "+oldCommit+"\n-a\n+b", 1, 1),
	} {
		got[name] = maybeSubmodule(f)
	}
	want := map[string]bool{
		"no address": true, "no address and no patch": true, "the patch of a submodule": true, "a file becomes a submodule": true, "a patch left out of one line": true,
		"a file": false, "an image": false, "a large file": false, "text about submodules": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
