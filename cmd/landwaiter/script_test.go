package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landwaiter/landwaiter/scanners/registry/registrytest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"landwaiter": main})
}

// TestScripts plays the stories of testdata/script: what a person types and reads.
//
// Beside testscript's own commands a story may use: zip ARCHIVE FILE... (a zip of files,
// by base name), big FILE MIB (a file of that size), schema FILE (a report that satisfies
// docs/report.schema.json), flip FILE (one bit of the first byte), code N COMMAND... (a
// command that must end with that exit code), cut FILE N TARGET (its first N bytes),
// depsdev (start a stand-in for deps.dev and set LANDWAITER_DEPSDEV_URL), record DIR N (record
// N reports in the data folder), behind DIR SQL... (change its database), copy DIR TARGET,
// publish DIR ACCESS TOKEN (serve its ledger and set LEDGER to the address), summarise DIR GENERATION TARGET FILE...
// (judge a release v1.2.0 of acme/app with these files as passed, issue its summaries).
func TestScripts(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("DEMODATA", filepath.Join(root, "cmd", "landwaiter", "demodata"))
			e.Setenv("ROOT", root)
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
			e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			e.Setenv("GIT_AUTHOR_NAME", "Mona")
			e.Setenv("GIT_AUTHOR_EMAIL", "mona@example.com")
			e.Setenv("GIT_COMMITTER_NAME", "Mona")
			e.Setenv("GIT_COMMITTER_EMAIL", "mona@example.com")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"zip":    zipCommand,
			"big":    bigCommand,
			"schema": func(ts *testscript.TestScript, neg bool, args []string) { schemaCommand(ts, root, args) },
			"flip":   flipCommand,
			"code":   codeCommand,
			"cut":    cutCommand,

			"depsdev": depsdevCommand,
			"record":  recordCommand,
			"behind":  behindCommand,
			"copy":    copyCommand,
			"publish": publishCommand,

			"summarise": summariseCommand,
		},
	})
}

// depsdevCommand starts a stand-in for deps.dev until the story ends.
func depsdevCommand(ts *testscript.TestScript, _ bool, _ []string) {
	server := httptest.NewServer(registrytest.New())
	ts.Defer(server.Close)
	ts.Setenv("LANDWAITER_DEPSDEV_URL", server.URL)
}

func zipCommand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[0])), 0o755))
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	w := zip.NewWriter(f)
	for _, name := range args[1:] {
		part, err := w.Create(filepath.Base(name))
		ts.Check(err)
		_, err = part.Write([]byte(ts.ReadFile(name)))
		ts.Check(err)
	}
	ts.Check(w.Close())
}

func bigCommand(ts *testscript.TestScript, _ bool, args []string) {
	mib := 0
	ts.Check(json.Unmarshal([]byte(args[1]), &mib))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat("[", mib<<20)), 0o644))
}

func schemaCommand(ts *testscript.TestScript, root string, args []string) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(root, "docs", "report.schema.json"))
	ts.Check(err)
	report, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(schema.Validate(report))
}

func flipCommand(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	data[0] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

func codeCommand(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want := args[0]; want != strconv.Itoa(got) {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
}

func cutCommand(ts *testscript.TestScript, _ bool, args []string) {
	n := 0
	ts.Check(json.Unmarshal([]byte(args[1]), &n))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(ts.ReadFile(args[0]))[:n], 0o644))
}
