package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/landwaiter/landwaiter/"

// importRules say who may import whom. Order matters: the first row whose folder holds
// the file decides. ours lists what of this module it may import; a trailing "/" means
// the folder and all below.
var importRules = []struct {
	folder string
	ours   []string
}{
	{"store/crash", nil},
	{"cmd/landwaiter/signer", []string{"checks", "checks/pubkey", "checks/summary", "store"}},
	{"cmd/landwaiter", []string{"cmd/landwaiter/", "app", "app/tracing", "store/crash", "app/githubtest", "app/githubtest/contract", "checks", "checks/signers", "checks/pubkey", "checks/sums", "checks/output", "checks/summary", "scanners/", "store", "store/ledger", "web"}},
	{"app/githubtest", []string{"app/githubtest/"}},
	{"app/tracing", nil},
	{"app/history", []string{"checks/duties"}},
	{"app/commands", nil},
	{"app", []string{"app/", "store/crash", "checks", "checks/signers", "checks/summary", "checks/approval", "checks/duties", "checks/sums", "checks/output", "store", "store/ledger"}},
	{"web", []string{"web/", "checks", "checks/approval", "checks/signers", "checks/duties", "checks/output", "store", "store/ledger"}},
	// The readers of manifests start in a process of their own for each scan: they know
	// inventories, not judgments.
	{"scanners/manifests", []string{"scanners/manifests/", "store/crash", "scanners/workflows", "checks/inventory", "checks/packed"}},
	{"scanners/workflows", []string{"scanners/workflows/", "scanners/manifests/syntax", "checks/inventory"}},
	{"scanners", []string{"scanners/", "store/crash", "checks", "checks/summary", "checks/pubkey", "checks/licence", "checks/sums", "checks/packed"}},
	{"store/ledger", nil},
	{"store", []string{"store/", "checks", "checks/approval", "checks/signers", "checks/packed"}},
	{"checks/output", []string{"checks", "checks/approval", "checks/signers", "checks/duties", "checks/licence"}},
	{"checks/packed", []string{"checks/inventory"}},
	{"checks/summary", []string{"checks"}},
	// Leaves below checks: plain values in, plain values out, no words of ours.
	{"checks/inventory", nil},
	{"checks/licence", nil},
	{"checks/strict", nil},
	{"checks/risk", nil},
	{"checks/cure", nil},
	{"checks/duties", nil},
	{"checks/approval", []string{"checks/duties"}},
	{"checks/pubkey", nil},
	{"checks/sums", nil},
	{"checks/signers", nil},
	{"checks", []string{"checks/inventory", "checks/licence", "checks/strict", "checks/risk", "checks/cure", "checks/approval", "checks/duties", "checks/pubkey", "checks/signers", "checks/sums"}},
}

// cages say where alone a library may be imported: in which folders, with spaces between them.
var cages = []struct{ library, folders string }{
	{"github.com/google/go-github/", "app"},
	{"github.com/bradleyfalzon/ghinstallation/", "app"},
	{"github.com/labstack/echo/", "web"},
	{"github.com/google/osv-scanner/", "scanners"},
	{"github.com/google/osv-scalibr/", "scanners"},
	{"github.com/sigstore/", "scanners cmd/landwaiter/signer"},
	{"github.com/google/go-containerregistry/", "scanners"},
	{"github.com/theupdateframework/", "scanners"},
	{"modernc.org/sqlite", "store"},
	{"github.com/jackc/pgx/", "store"},
	{"database/sql", "store"},
	{"go.opentelemetry.io/otel/sdk", "cmd/landwaiter"},
	{"go.opentelemetry.io/otel/exporters", "cmd/landwaiter"},
	{"go.opentelemetry.io/otel", "app cmd/landwaiter"},
}

// impure are what a judgment must not reach.
var impure = []string{"net", "net/http", "os", "os/exec", "database/sql", "math/rand", "math/rand/v2"}

// emptyNames are package names that say nothing.
var emptyNames = map[string]bool{"util": true, "utils": true, "common": true, "helpers": true, "types": true, "models": true, "base": true}

// TestImports reads the imports of every file and fails on each that breaks the rules of
// docs/architecture.md.
func TestImports(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	files := 0
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		if emptyNames[file.Name.Name] {
			t.Errorf("%s: package %s says nothing; name what it provides", name, file.Name.Name)
		}
		for _, spec := range file.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			checkImport(t, name, target)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Fatalf("read %d files; the walk missed the tree", files)
	}
}

func checkImport(t *testing.T, name, target string) {
	t.Helper()
	test := strings.HasSuffix(name, "_test.go")
	folder := path.Dir(name)
	if ours, ok := strings.CutPrefix(target, module); ok {
		checkOurs(t, name, folder, ours, test)
		return
	}
	for _, c := range cages {
		if strings.HasPrefix(target+"/", strings.TrimSuffix(c.library, "/")+"/") && !test && !slices.ContainsFunc(strings.Fields(c.folders), func(f string) bool { return within(folder, f) }) {
			t.Errorf("%s imports %s, which only %s may", name, target, c.folders)
		}
	}
	if within(folder, "checks") && !test {
		for _, i := range impure {
			if target == i {
				t.Errorf("%s imports %s; a judgment reads nothing outside its arguments", name, target)
			}
		}
	}
}

func checkOurs(t *testing.T, name, folder, ours string, test bool) {
	t.Helper()
	if within(ours, "app/githubtest") && !within(folder, "app/githubtest") && !test && !strings.HasSuffix(folder, "test") && !strings.HasPrefix(path.Base(name), "demo") {
		t.Errorf("%s imports the stand-in; only tests, packages for tests and the demo may", name)
	}
	for _, r := range importRules {
		if !within(folder, r.folder) {
			continue
		}
		for _, allowed := range r.ours {
			if ours == allowed || strings.HasSuffix(allowed, "/") && within(ours, strings.TrimSuffix(allowed, "/")) {
				return
			}
		}
		// A test may also use the stand-in and the fixtures that packages export for tests.
		if test && (within(ours, "app/githubtest") || strings.HasSuffix(ours, "test") || within(ours, folder) || ours == folder) {
			return
		}
		t.Errorf("%s imports %s%s, which files in %s may not", name, module, ours, r.folder)
		return
	}
	t.Errorf("%s lies in a folder that no rule names", name)
}

func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

// TestV74Imports: nothing but this package and its own tests can call what signs summaries, so
// neither the web server nor a scanner, in its child or outside, gets near the key.
func TestV74Imports(t *testing.T) {
	t.Parallel()
	for _, r := range importRules {
		if r.folder != "cmd/landwaiter" && slices.ContainsFunc(r.ours, func(o string) bool { return strings.HasPrefix(o, "cmd/landwaiter/signer") }) {
			t.Errorf("%s may import signer", r.folder)
		}
	}
	out, err := exec.Command("go", "list", "-deps", module+"web", module+"app", module+"scanners/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	if deps := strings.Fields(string(out)); slices.Contains(deps, module+"cmd/landwaiter/signer") || !slices.Contains(deps, module+"checks") {
		t.Errorf("signer is among %d packages that they are made of", len(deps))
	}
}
