package app

import (
	"context"
	"fmt"
	"go/parser"
	gotoken "go/token"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

// source is a GoSource without limits.
type source struct {
	paths []string
	gap   string
}

func (s *source) Wanted(path string) bool { return strings.HasSuffix(path, ".go") }

func (s *source) Add(path string, text []byte) bool {
	file, err := parser.ParseFile(gotoken.NewFileSet(), path, text, parser.ImportsOnly)
	if err != nil {
		s.Gap("%s: %v", path, err)
		return true
	}
	for _, spec := range file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			s.paths = append(s.paths, p)
		}
	}
	return true
}

func (s *source) Gap(format string, args ...any) { s.gap = fmt.Sprintf(format, args...) }

func (s *source) Imports() *checks.Imports {
	slices.Sort(s.paths)
	return &checks.Imports{Packages: slices.Compact(s.paths), Gap: s.gap}
}

// goScanner finds one advisory in lodash 4.17.20, which it takes for a Go module, and keeps the
// Material it was asked about.
type goScanner struct {
	imports []string
	mu      sync.Mutex
	last    *checks.Material // guarded by mu
}

func (s *goScanner) Name() string { return "osv" }

func (s *goScanner) Scan(_ context.Context, m *checks.Material) (checks.Evidence, error) {
	s.mu.Lock()
	s.last = m
	s.mu.Unlock()
	e := checks.Evidence{Complete: true}
	e.Matches = append(matches(checks.Base, m.Base.Inventory), matches(checks.Head, m.Head.Inventory)...)
	for i := range e.Matches {
		e.Matches[i].Package.Ecosystem, e.Matches[i].Advisory.Imports = "Go", s.imports
	}
	return e, nil
}

// imported is what the last judgment knew of the head's imports.
func (s *goScanner) imported() *checks.Imports {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last.Head.Imports
}

const (
	toArchive   = "GET /repos/{owner}/{repo}/tarball/{ref}"
	anyTree     = "GET /repos/{owner}/{repo}/git/trees/{tree_sha}"
	affectedGo  = "lodash@4.17.20"
	innocentGo  = "left-pad@1.3.1"
	affectedPkg = "example.com/lodash/template"
)

// goFiles are n Go files, each importing a package of its own.
func goFiles(n int) githubtest.Files {
	files := githubtest.Files{}
	for i := range n {
		files[fmt.Sprintf("p%d/p.go", i)] = fmt.Sprintf("package p\n\nimport \"example.com/p%d\"\n", i)
	}
	return files
}

// TestG13Imports: the source of the head is read when, and only when, an introduced advisory names
// Go packages: in one listing, one archive and what that lacks, without credentials after the redirect.
func TestG13Imports(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name     string
		advisory []string // packages that the advisory names
		lock     string
		files    githubtest.Files
		more     githubtest.Files // beside files
		fail     *githubtest.Fault
		packages int    // how many packages are imported; -1: nobody looked
		gap      string // "" for none
		archives int
	}{
		{name: "many files", advisory: []string{affectedPkg}, lock: affectedGo, files: goFiles(30), packages: 30, archives: 1},
		{name: "few files", advisory: []string{affectedPkg}, lock: affectedGo, files: goFiles(3), packages: 3},
		{name: "no files", advisory: []string{affectedPkg}, lock: affectedGo},
		{name: "the advisory names no packages", lock: affectedGo, files: goFiles(30), packages: -1},
		{name: "nothing is introduced", advisory: []string{affectedPkg}, lock: innocentGo, files: goFiles(30), packages: -1},
		{name: "some are kept out of the archive", advisory: []string{affectedPkg}, lock: affectedGo, files: goFiles(30),
			more: githubtest.Files{".gitattributes": "p7/p.go export-ignore\n.gitattributes export-ignore\n"}, packages: 30, archives: 1},
		{name: "all are kept out of the archive", advisory: []string{affectedPkg}, lock: affectedGo, files: goFiles(30),
			more: githubtest.Files{".gitattributes": "*.go export-ignore\n"}, gap: "30 Go files are not in the source archive", archives: 1},
		{name: "a link", advisory: []string{affectedPkg}, lock: affectedGo, files: goFiles(3),
			more: githubtest.Files{"x.go": githubtest.Symlink("/etc/passwd")}, packages: 3, gap: `"x.go" is a symbolic link`},
		{name: "not valid", advisory: []string{affectedPkg}, lock: affectedGo, files: goFiles(3),
			more: githubtest.Files{"x.go": "import"}, packages: 3, gap: "x.go"},
		{name: "the archive is cut", advisory: []string{affectedPkg}, lock: affectedGo, files: goFiles(30),
			fail: &githubtest.Fault{Route: "BLOB archives", Kind: githubtest.CutBody}, packages: -2, gap: "the source archive could not be read", archives: 1},
		{name: "there is no archive", advisory: []string{affectedPkg}, lock: affectedGo, files: goFiles(30),
			fail: &githubtest.Fault{Route: "BLOB archives", Status: 404}, gap: "the source archive could not be read", archives: 1},
		{name: "GitHub's API fails once", advisory: []string{affectedPkg}, lock: affectedGo, files: goFiles(30),
			fail: &githubtest.Fault{Route: toArchive, Status: 502}, packages: 30, archives: 2},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := &goScanner{imports: x.advisory}
			w := newWorld(t, githubtest.Options{}, func(c *Config) {
				c.Scanners, c.GoSource = []checks.Scanner{s}, func(context.Context) GoSource { return &source{} }
			})
			r := w.shop()
			files := githubtest.Files{"package-lock.json": lock("left-pad@1.3.0", x.lock)}
			for _, more := range []githubtest.Files{x.files, x.more} {
				for name, text := range more {
					files[name] = text
				}
			}
			if x.fail != nil {
				w.github.Fail(*x.fail)
			}
			p := w.pull(r, "topic", files)
			w.rest()
			if run := w.run(r, p.HeadSHA()); run.Status != "completed" {
				t.Errorf("the check is %s; buried: %s", run.Status, w.buried())
			}
			checkImports(t, s.imported(), x.packages, x.gap)
			if n := len(w.github.CallsTo(toArchive)); n != x.archives {
				t.Errorf("%d calls for an archive, want %d", n, x.archives)
			}
			trees := len(w.github.CallsTo(anyTree))
			if want := 2; x.packages == -1 && trees != want {
				t.Errorf("%d trees were listed, want %d: nobody needs the source", trees, want)
			}
			for _, c := range w.github.BlobCalls() {
				if c.Authorization != "" {
					t.Errorf("%s got a credential", c.Path)
				}
			}
		})
	}
}

func checkImports(t *testing.T, got *checks.Imports, packages int, gap string) {
	t.Helper()
	switch {
	case packages == -1:
		if got != nil {
			t.Errorf("imports %+v, though nobody needs them", got)
		}
	case got == nil:
		t.Error("nobody looked at the source")
	case packages != -2 && len(got.Packages) != packages:
		t.Errorf("%d packages: %v, want %d", len(got.Packages), got.Packages, packages)
	case gap == "" && got.Gap != "", !strings.Contains(got.Gap, gap):
		t.Errorf("gap %q, want %q", got.Gap, gap)
	}
}

// TestImportsInTheReport: the recorded report says whether the source imports the package that an
// advisory names.
func TestImportsInTheReport(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ name, text, want string }{
		{"imported", "package p\n\nimport _ \"" + affectedPkg + "\"\n", checks.ReachImported},
		{"not imported", "package p\n\nimport \"fmt\"\n", checks.ReachNotImported},
		{"not all read", "import", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubtest.Options{}, func(c *Config) {
				c.Scanners, c.GoSource = []checks.Scanner{&goScanner{imports: []string{affectedPkg}}}, func(context.Context) GoSource { return &source{} }
			})
			p := w.pull(w.shop(), "topic", githubtest.Files{"package-lock.json": lock(affectedGo), "p.go": x.text})
			reports := w.reports()
			if len(reports) != 1 {
				t.Fatalf("%d reports on %s", len(reports), p.HeadSHA())
			}
			r, err := w.db.ReportByKey(t.Context(), reports[0].Key)
			if err != nil {
				t.Fatal(err)
			}
			if f := r.Report.Findings; len(f) != 1 || f[0].Reach != x.want {
				t.Errorf("findings %+v, want one with reach %q", f, x.want)
			}
		})
	}
}

// TestImportsAreKept: a second judgment of the same commit asks for no source again.
func TestImportsAreKept(t *testing.T) {
	t.Parallel()
	s := &goScanner{imports: []string{affectedPkg}}
	w := newWorld(t, githubtest.Options{}, func(c *Config) {
		c.Scanners, c.GoSource = []checks.Scanner{s}, func(context.Context) GoSource { return &source{} }
	})
	r := w.shop()
	files := goFiles(30)
	files["package-lock.json"] = lock(affectedGo)
	p := w.pull(r, "topic", files)
	first := s.imported()
	w.github.ForgetCalls()
	r.RerequestRun(w.run(r, p.HeadSHA()).ID, "mona")
	w.settle()
	if diff := cmp.Diff(first, s.imported()); diff != "" || first == nil || len(first.Packages) != 30 {
		t.Errorf("-first +second:\n%s", diff)
	}
	if n := len(w.github.CallsTo(toArchive)) + len(w.github.CallsTo(anyTree)); n != 0 {
		t.Errorf("%d calls for source, want none", n)
	}
}
