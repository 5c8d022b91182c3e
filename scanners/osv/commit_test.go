package osv

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

// sha is a full commit of one repeated digit.
func sha(digit string) string { return strings.Repeat(digit, 40) }

// commitIndex knows the action o/r, affected below 4.1.3 and with commits told of; o/all,
// affected whole; the repository of o/sub; and an npm package.
func commitIndex(t *testing.T) *Index {
	t.Helper()
	from := t.TempDir()
	git := func(repo, events string) string {
		return fmt.Sprintf(`"ranges":[{"type":"GIT","repo":%q,"events":[%s]}]`, repo, events)
	}
	record := func(id, ecosystem, name, ranges string) map[string]string {
		return map[string]string{id: replaced(advisory(id, name, ranges), `"ecosystem":"npm"`, `"ecosystem":"`+ecosystem+`"`)}
	}
	between := `{"introduced":"` + sha("1") + `"},{"fixed":"` + sha("2") + `"}`
	actions := record("GHSA-1", actionsEcosystem, "o/r", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"4.1.3"}]},{"type":"GIT","repo":"https://github.com/o/r","events":[`+between+`]}],"versions":["`+sha("3")+`"]`)
	for id, text := range record("GHSA-2", actionsEcosystem, "o/all", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]`) {
		actions[id] = text
	}
	for id, text := range record("GHSA-3", actionsEcosystem, "o/commits", git("https://github.com/o/commits", between)) {
		actions[id] = text
	}
	put(t, from, actionsEcosystem, zipped(t, actions))
	put(t, from, gitEcosystem, zipped(t, map[string]string{
		"CVE-1": `{"id":"CVE-1","modified":"2025-03-01T00:00:00Z","affected":[{` + git("https://github.com/O/Sub.git", between+`,{"introduced":"`+sha("4")+`"},{"last_affected":"`+sha("5")+`"}`) + `,"versions":["v1.0.0","` + sha("6") + `"]},{` + git("https://git.example/all", `{"introduced":"0"}`) + `}]}`,
	}))
	put(t, from, "npm", zipped(t, map[string]string{"GHSA-4": advisory("GHSA-4", "p", below("2.0.0"))}))
	x := open(t, t.TempDir())
	if _, err := x.Import(t.Context(), from, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	return x
}

// TestCommits: what can be said of a commit without its repository, and what cannot.
func TestCommits(t *testing.T) {
	t.Parallel()
	x := commitIndex(t)
	action := func(name, commit, claim string) checks.Package {
		return checks.Package{Ecosystem: actionsEcosystem, Name: name, Commit: commit, Constraint: claim}
	}
	sub := func(address, commit string) checks.Package {
		return checks.Package{Ecosystem: gitEcosystem, Name: address, Commit: commit}
	}
	tests := []struct {
		name    string
		pkg     checks.Package
		want    []string
		unknown bool
		claimed bool
	}{
		{"an action without advisories", action("o/none", sha("a"), ""), nil, false, false},
		{"an action with advisories", action("o/r", sha("a"), ""), nil, true, false},
		{"one in a folder of it", action("o/r/init", sha("a"), ""), nil, true, false},
		{"a claim above the fix", action("o/r", sha("a"), "v4.1.3"), nil, false, true},
		{"a claim below the fix", action("o/r", sha("a"), "v4.1.2"), []string{"GHSA-1"}, false, true},
		{"a claim that the fix lies within", action("o/r", sha("a"), "v4"), nil, true, false},
		{"a claim of another branch", action("o/r", sha("a"), "v5"), nil, false, true},
		{"a claim of an older branch", action("o/r", sha("a"), "v3"), []string{"GHSA-1"}, false, true},
		{"a claim that is no version", action("o/r", sha("a"), "main"), nil, true, false},
		{"the commit that brought it in, whatever is claimed", action("o/r", sha("1"), "v9.0.0"), []string{"GHSA-1"}, false, false},
		{"the commit that fixes it, whatever is claimed", action("o/r", sha("2"), "v1.0.0"), nil, false, false},
		{"a commit that is listed", action("o/r", strings.ToUpper(sha("3")), "v9.0.0"), []string{"GHSA-1"}, false, false},
		{"every version is affected", action("o/all", sha("a"), "v9.0.0"), []string{"GHSA-2"}, false, false},
		{"a claim says nothing where only commits are told", action("o/commits", sha("a"), "v9.0.0"), nil, true, false},
		{"a submodule without advisories", sub("https://github.com/o/none", sha("a")), nil, false, false},
		{"a submodule with advisories", sub("https://github.com/o/sub", sha("a")), nil, true, false},
		{"a submodule by another address", sub("git@github.com:o/sub.git", sha("1")), []string{"CVE-1"}, false, false},
		{"a submodule at the fix", sub("ssh://git@github.com:22/o/sub/", sha("2")), nil, false, false},
		{"a submodule at the last affected", sub("git://github.com/o/sub", sha("5")), []string{"CVE-1"}, false, false},
		{"a submodule at a listed commit", sub("https://github.com/o/sub", sha("6")), []string{"CVE-1"}, false, false},
		{"a repository that is affected whole", sub("https://git.example/all", sha("a")), []string{"CVE-1"}, false, false},
		{"a package from a commit", checks.Package{Ecosystem: "npm", Name: "p", Commit: sha("a")}, nil, true, false},
		{"what its manifest accepts is no claim", checks.Package{Ecosystem: "npm", Name: "p", Commit: sha("a"), Constraint: "2.0.0"}, nil, true, false},
		{"a version beside a commit decides", checks.Package{Ecosystem: "npm", Name: "p", Version: "2.0.0", Commit: sha("a")}, nil, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &checks.Material{Head: manifest("f", tt.pkg)}
			e, err := New(x, Options{}).Scan(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, match := range e.Matches {
				got = append(got, match.Advisory.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if unknown := len(e.Gaps) == 1 && strings.Contains(e.Gaps[0].Reason, "cannot be compared"); unknown != tt.unknown || e.Complete == tt.unknown {
				t.Errorf("complete %v, gaps %v", e.Complete, e.Gaps)
			}
			if claimed := len(e.Claims) == 1 && e.Claims[0].Version == tt.pkg.Constraint; claimed != tt.claimed || len(e.Claims) > 1 {
				t.Errorf("claims %+v", e.Claims)
			}
			if _, err := x.Lookup(tt.pkg); errors.Is(err, ErrVersion) != tt.unknown {
				t.Errorf("lookup: %v", err)
			}
		})
	}
}

// TestCommitCure: the cure of a pinned action is a version above the claimed one.
func TestCommitCure(t *testing.T) {
	t.Parallel()
	list, err := commitIndex(t).Lookup(checks.Package{Ecosystem: actionsEcosystem, Name: "o/r", Commit: sha("a"), Constraint: "v4.1.0"})
	if err != nil || len(list) != 1 || list[0].Cure != "4.1.3" {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestCommitOfTheBase: a commit that could not be compared in the base either does not leave
// a change incomplete, and one in another manifest does.
func TestCommitOfTheBase(t *testing.T) {
	t.Parallel()
	x := commitIndex(t)
	old := checks.Package{Ecosystem: actionsEcosystem, Name: "o/r", Commit: sha("a")}
	other := old
	other.Commit = sha("b")
	tests := []struct {
		name       string
		base, head checks.Tree
		compared   bool
		gaps       int
	}{
		{"the same in the base", manifest("w.yml", old), manifest("w.yml", old), true, 0},
		{"another commit", manifest("w.yml", old), manifest("w.yml", other), true, 1},
		{"another manifest", manifest("w.yml", old), manifest("v.yml", old), true, 1},
		{"twice in the head", checks.Tree{}, manifest("w.yml", old, old), true, 1},
		{"no comparison", checks.Tree{}, manifest("w.yml", old), false, 1},
		{"an ecosystem without data", manifest("w.yml", checks.Package{Ecosystem: "Go", Name: "a", Version: "1.0.0"}),
			manifest("w.yml", checks.Package{Ecosystem: "Go", Name: "b", Version: "1.0.0"}), true, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := New(x, Options{}).Scan(t.Context(), &checks.Material{Base: tt.base, Head: tt.head, Compared: tt.compared})
			if err != nil || len(e.Gaps) != tt.gaps || e.Complete != (tt.gaps == 0) {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}

// TestSubmoduleOfNowhere: a relative address names no repository, so nobody can say that it has
// no advisories.
func TestSubmoduleOfNowhere(t *testing.T) {
	t.Parallel()
	x := commitIndex(t)
	for _, address := range []string{"../sub.git", "./sub", "/srv/git/sub"} {
		p := checks.Package{Ecosystem: gitEcosystem, Name: address, Commit: sha("a")}
		other := p
		other.Commit = sha("b")
		e, err := New(x, Options{}).Scan(t.Context(), &checks.Material{Base: manifest("m", other), Head: manifest("m", p), Compared: true})
		if err != nil || e.Complete || len(e.Gaps) != 1 || !strings.Contains(e.Gaps[0].Reason, "write the full address") {
			t.Errorf("%s: %+v, %v", address, e, err)
		}
		e, err = New(x, Options{}).Scan(t.Context(), &checks.Material{Base: manifest("m", p), Head: manifest("m", p), Compared: true})
		if err != nil || !e.Complete {
			t.Errorf("%s, the same in the base: %+v, %v", address, e, err)
		}
	}
}

// TestWithoutGIT: an index without advisories of GIT says so once and is complete, and one
// without those of another ecosystem is not.
func TestWithoutGIT(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	put(t, from, "npm", zipped(t, map[string]string{"GHSA-4": advisory("GHSA-4", "p", below("2.0.0"))}))
	x := open(t, t.TempDir())
	if _, err := x.Import(t.Context(), from, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	scan := func(packages ...checks.Package) checks.Evidence {
		e, err := New(x, Options{}).Scan(t.Context(), &checks.Material{Base: manifest("m", packages...), Head: manifest("m", packages...), Compared: true})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	submodule := checks.Package{Ecosystem: gitEcosystem, Name: "https://github.com/o/sub", Commit: sha("a")}
	affected := checks.Package{Ecosystem: "npm", Name: "p", Version: "1.0.0"}
	if e := scan(submodule, submodule, affected); !e.Complete || len(e.Gaps) != 0 || len(e.Matches) != 2 || cmp.Diff([]string{"GIT"}, e.Unheld) != "" {
		t.Errorf("%+v", e)
	}
	if e := scan(affected); len(e.Unheld) != 0 {
		t.Errorf("without submodules: %+v", e.Unheld)
	}
	if e := scan(checks.Package{Ecosystem: "Go", Name: "a", Version: "1.0.0"}); e.Complete || len(e.Unheld) != 0 {
		t.Errorf("an ecosystem that is promised: %+v", e)
	}
}
