package manifests

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// commitA and commitB are commits of submodules.
var commitA, commitB = strings.Repeat("a", 40), strings.Repeat("b", 40)

// withLinks reads .gitmodules in a tree that has submodules, given as path and commit.
func withLinks(t *testing.T, text string, links ...string) inventory.Manifest {
	t.Helper()
	files := []inventory.File{{Path: ".gitmodules", Data: []byte(text)}}
	for i := 0; i < len(links); i += 2 {
		files = append(files, inventory.File{Path: links[i], Link: links[i+1]})
	}
	inv := Read(t.Context(), files)
	if len(inv.Manifests) != 1 || inv.Manifests[0].Path != ".gitmodules" {
		t.Fatalf("manifests %+v, want the one of .gitmodules", inv.Manifests)
	}
	return inv.Manifests[0]
}

const zlib = "[submodule \"zlib\"]\n\tpath = third_party/zlib\n\turl = https://github.com/madler/zlib.git\n"

func TestSubmodules(t *testing.T) {
	t.Parallel()
	at := func(name, purl, commit string, line int) inventory.Package {
		return inventory.Package{
			PURL: purl, Ecosystem: "GIT", Name: name, Commit: commit, Line: line,
			Relation: inventory.Direct, Via: []string{name}, Manager: "git",
		}
	}
	zlibA := at("https://github.com/madler/zlib", "pkg:github/madler/zlib@"+commitA, commitA, 3)
	for _, c := range []struct {
		name, text string
		links      []string
		want       []inventory.Package
		gap        string
	}{
		{"one", zlib, []string{"third_party/zlib", commitA}, []inventory.Package{zlibA}, ""},
		{"not in the tree", zlib, nil, nil, ""},
		{"another one not in the tree", zlib + "[submodule \"b\"]\npath = b\nurl = https://git.example/b\n", []string{"third_party/zlib", commitA}, []inventory.Package{zlibA}, ""},
		{"at another host", "[submodule \"b\"]\npath=b\nurl=ssh://git@Git.Example:22/Team/B.git # ours\n", []string{"b", commitB},
			[]inventory.Package{at("https://git.example/team/b", "pkg:generic/b@"+commitB+"?vcs_url=git%2Bhttps:%2F%2Fgit.example%2Fteam%2Fb%40"+commitB, commitB, 3)}, ""},
		{"a relative address stays", "[submodule \"b\"]\npath=b\nurl=../b.git\n", []string{"b", commitB},
			[]inventory.Package{at("../b.git", "pkg:generic/..%2Fb.git@"+commitB, commitB, 3)}, ""},
		{"two commits of one repository", zlib + "[submodule \"old\"]\npath=old\nurl=git@github.com:madler/zlib\n", []string{"old", commitB, "third_party/zlib", commitA},
			[]inventory.Package{zlibA, at("https://github.com/madler/zlib", "pkg:github/madler/zlib@"+commitB, commitB, 6)}, ""},
		{"settings apart", "[submodule \"zlib\"]\n\tpath = third_party/zlib\n\tbranch = \"main\"\n[SUBMODULE \"zlib\"] URL = https://github.com/madler/zlib/ ; the home\n", []string{"third_party/zlib", commitA},
			[]inventory.Package{at("https://github.com/madler/zlib", "pkg:github/madler/zlib@"+commitA, commitA, 4)}, ""},
		{"not named", zlib, []string{"third_party/zlib", commitA, "stray", commitB}, []inventory.Package{zlibA}, `does not tell the address of the submodule at "stray", commit bbbbbbbbbbbb; name it`},
		{"several not named", "", []string{"x", commitA, "a", commitB, "y", commitA}, nil, `"a", commit bbbbbbbbbbbb, and of 2 more`},
		{"without an address", "[submodule \"b\"]\npath=b\n", []string{"b", commitB}, nil, `the submodule at "b"`},
		{"two addresses", zlib + "[submodule \"zlib\"]\nurl=https://git.example/other\n", []string{"third_party/zlib", commitA}, nil, `line 5: url of the submodule "zlib" is there twice`},
		{"two submodules at one path", zlib + "[submodule \"b\"]\npath=third_party/zlib\nurl=https://git.example/other\n", []string{"third_party/zlib", commitA}, nil, "line 6: the submodule at \"third_party/zlib\" is named twice"},
		{"no section", "path = b\n", nil, nil, "line 1: stands before the first section"},
		{"a section that does not end", zlib + "[submodule \"b\n", []string{"third_party/zlib", commitA}, nil, "line 4: is no section"},
		{"a quote that does not end", "[submodule \"b\"]\npath=\"b\nurl=c\n", nil, nil, "line 2: is no line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := withLinks(t, c.text, c.links...)
			if diff := cmp.Diff(c.want, m.Packages); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if !strings.Contains(m.Gap, c.gap) || (m.Gap == "") != (c.gap == "") {
				t.Errorf("gap %q, want %q", m.Gap, c.gap)
			}
		})
	}
}

// TestSubmoduleIsNoFile: a submodule at the path of a manifest is not read as one, and a
// .gitmodules below the root means nothing to git.
func TestSubmoduleIsNoFile(t *testing.T) {
	t.Parallel()
	inv := Read(t.Context(), []inventory.File{
		{Path: ".gitmodules", Data: []byte("[submodule \"m\"]\npath=go.mod\nurl=https://git.example/m\n")},
		{Path: "go.mod", Link: commitA},
		{Path: "sub/.gitmodules", Data: []byte(zlib)},
	})
	if len(inv.Manifests) != 1 || len(inv.Manifests[0].Packages) != 1 || inv.Manifests[0].Gap != "" {
		t.Errorf("read %+v, want the submodule at go.mod alone", inv.Manifests)
	}
}

// TestSubmoduleBeyondBounds: one that the reader was not given whole is told.
func TestSubmoduleBeyondBounds(t *testing.T) {
	t.Parallel()
	inv := Read(t.Context(), []inventory.File{
		{Path: ".gitmodules", Data: []byte(zlib)},
		{Path: "third_party/zlib", Link: commitA, Problem: "is beyond the 2000 files"},
	})
	if m := inv.Manifests[0]; !strings.Contains(m.Gap, "beyond the 2000 files") || len(m.Packages) > 0 {
		t.Errorf("gap %q with %d packages", m.Gap, len(m.Packages))
	}
}

func TestRepositoryAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://github.com/O/R.git":          "https://github.com/o/r",
		"https://user:secret@github.com/o/r/": "https://github.com/o/r",
		"git://github.com:9418/o/r":           "https://github.com/o/r",
		"git@github.com:o/r.git":              "https://github.com/o/r",
		"github.com:/o/r":                     "https://github.com/o/r",
		"http://git.example:8080/r":           "https://git.example:8080/r",
		"../r.git":                            "../r.git",
		"./r":                                 "./r",
		"/srv/git/r":                          "/srv/git/r",
		"file:///srv/git/r":                   "/srv/git/r",
		"https://github.com":                  "./",
		"r":                                   "./r",
	} {
		if got := repositoryAddress(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// TestGitConfig reads values as `git config --file` does.
func TestGitConfig(t *testing.T) {
	t.Parallel()
	const text = "\ufeff# all\n[core]\n\ta\n\tb = \" x \" y  ; no\n\tc = one\\\n two\r\n[submodule \"a \\\"b\\\\\"]Path = q\\\"r\\t\n\turl = a#b\n"
	got, err := gitConfig(strings.TrimPrefix(text, "\ufeff"))
	if err != nil {
		t.Fatal(err)
	}
	want := []setting{
		{"core", "", "a", "true", 3}, {"core", "", "b", " x  y", 4}, {"core", "", "c", "one two", 5},
		{"submodule", "a \"b\\", "path", "q\"r\t", 7}, {"submodule", "a \"b\\", "url", "a", 8},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(setting{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, bad := range []string{"[", "[a", "[a \"b\"", "[a b]", "[]", "[a]\n=x", "[a]\nk v", "[a]\nk=\"v\nl=\"", "[a]\nk=\\x", "[a]\nk=\\", "x"} {
		if found, err := gitConfig(bad); err == nil {
			t.Errorf("%q: read as %+v", bad, found)
		}
	}
}

// FuzzSubmodules reads hostile .gitmodules in a tree with two submodules.
func FuzzSubmodules(f *testing.F) {
	for _, text := range []string{zlib, "[submodule \"a\"]path=a\nurl=../x\n", "[submodule \"\\\"\"]\npath=\\\n a\nurl=\"git@h:p\"#c\n", "[a]\nb=\"\n", "[a]\nk=\\"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		files := []inventory.File{{Path: ".gitmodules", Data: []byte(text)}, {Path: "a", Link: commitA}, {Path: "third_party/zlib", Link: commitB}}
		m := Read(t.Context(), files).Manifests[0]
		if strings.Contains(m.Gap, "stops its parser") {
			t.Fatal(m.Gap)
		}
		if m.Gap == "" && len(m.Packages) != 2 {
			t.Errorf("%d packages of two submodules, and no gap", len(m.Packages))
		}
		lines := strings.Count(text, "\n") + 1
		for _, p := range m.Packages {
			if p.Name == "" || p.PURL == "" || p.Line < 1 || p.Line > lines {
				t.Errorf("%+v of %d lines", p, lines)
			}
		}
	})
}
