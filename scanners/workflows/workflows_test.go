package workflows

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// observe reads a text as a workflow, or as an action.yml when it has `runs:`.
func observe(t *testing.T, text string) ([]inventory.Observation, *Problem) {
	t.Helper()
	docs, err := syntax.YAML(text)
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d documents: %v", len(docs), err)
	}
	return Observe(docs[0], text, docs[0].Get("runs").Kind() != syntax.Absent)
}

// short is an Observation as the tables write it: "12 high workflow-...: subject".
func short(o inventory.Observation) string {
	return fmt.Sprintf("%d %s %s: %s", o.Line, o.Severity, strings.TrimPrefix(o.Rule, "workflow-"), o.Subject)
}

func wantObservations(t *testing.T, text string, want ...string) {
	t.Helper()
	found, problem := observe(t, text)
	if problem != nil {
		t.Errorf("problem: %v", problem)
	}
	var got []string
	for _, o := range found {
		got = append(got, short(o))
		if o.Message == "" || o.Remedy == "" {
			t.Errorf("%s: message %q, remedy %q", short(o), o.Message, o.Remedy)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("observations (-want +got):\n%s\nof\n%s", diff, numberedLines(text))
	}
}

func numberedLines(text string) string {
	var b strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		n++
		fmt.Fprintf(&b, "%3d %s", n, line)
	}
	return b.String()
}

// change replaces what stands in text once, or fails.
func change(t *testing.T, text, from, to string) string {
	t.Helper()
	if strings.Count(text, from) != 1 {
		t.Fatalf("%q is there %d times", from, strings.Count(text, from))
	}
	return strings.Replace(text, from, to, 1)
}

const pinned = `on: push
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: octo/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b3 # v2
      - uses: ./.github/actions/build
      - run: make
`

func TestUnpinned(t *testing.T) {
	t.Parallel()
	const use = "octo/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b3 # v2"
	for name, c := range map[string]struct {
		to   string
		want []string
	}{
		"full commit":            {use, nil},
		"full commit by SHA-256": {"octo/setup@" + strings.Repeat("0a", 32), nil},
		"commit in upper case":   {"octo/setup@8F4B7F84864484A7BF31766ABE9204DA3CBE65B3", nil},
		"version tag":            {"octo/setup@v2", []string{"8 low unpinned-action: octo/setup@v2"}},
		"version with a note":    {"octo/setup@v2.1.0-rc.1", []string{"8 low unpinned-action: octo/setup@v2.1.0-rc.1"}},
		"version of a part":      {"octo/mono@cli/v1.2.3", []string{"8 low unpinned-action: octo/mono@cli/v1.2.3"}},
		"main":                   {"octo/setup@main", []string{"8 medium unpinned-action: octo/setup@main"}},
		"branch of a release":    {"octo/setup@release/v1", []string{"8 medium unpinned-action: octo/setup@release/v1"}},
		"stable":                 {"octo/setup@stable", []string{"8 medium unpinned-action: octo/setup@stable"}},
		"short commit":           {"octo/setup@8f4b7f8", []string{"8 medium unpinned-action: octo/setup@8f4b7f8"}},
		"39 digits":              {"octo/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b", []string{"8 medium unpinned-action: octo/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b"}},
		"41 digits":              {"octo/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b33", []string{"8 medium unpinned-action: octo/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b33"}},
		"folder":                 {"octo/tools/setup/node@v2", []string{"8 low unpinned-action: octo/tools/setup/node@v2"}},
		"quoted":                 {"'octo/setup@v2'", []string{"8 low unpinned-action: octo/setup@v2"}},
		"well-known owner":       {"actions/checkout@v4", []string{"8 low unpinned-action: actions/checkout@v4"}},
		"without a ref":          {"octo/setup", nil}, // GitHub refuses to run it
		"image by digest":        {"docker://alpine@sha256:" + strings.Repeat("0a", 32), nil},
		"image by version":       {"docker://alpine:3.18", []string{"8 low unpinned-action: docker://alpine:3.18"}},
		"image by name":          {"docker://ghcr.io/octo/tool", []string{"8 medium unpinned-action: docker://ghcr.io/octo/tool"}},
		"image latest":           {"docker://localhost:5000/tool:latest", []string{"8 medium unpinned-action: docker://localhost:5000/tool:latest"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantObservations(t, change(t, pinned, use, c.to), c.want...)
		})
	}
}

func TestUnpinnedElsewhere(t *testing.T) {
	t.Parallel()
	t.Run("reusable workflow", func(t *testing.T) {
		t.Parallel()
		wantObservations(t, "on: push\njobs:\n  call:\n    uses: octo/shared/.github/workflows/ci.yml@main\n    secrets: inherit\n",
			"4 medium unpinned-action: octo/shared/.github/workflows/ci.yml@main")
	})
	t.Run("reusable workflow of the repository", func(t *testing.T) {
		t.Parallel()
		wantObservations(t, "on: push\njobs:\n  call:\n    uses: ./.github/workflows/ci.yml\n")
	})
	t.Run("composite action", func(t *testing.T) {
		t.Parallel()
		wantObservations(t, "name: a\nruns:\n  using: composite\n  steps:\n    - uses: octo/setup@v2\n", "5 low unpinned-action: octo/setup@v2")
	})
	t.Run("image of an action", func(t *testing.T) {
		t.Parallel()
		wantObservations(t, "runs:\n  using: docker\n  image: docker://alpine:3.18\n", "3 low unpinned-action: docker://alpine:3.18")
		wantObservations(t, "runs:\n  using: docker\n  image: Dockerfile\n")
	})
	t.Run("the same action twice is told once", func(t *testing.T) {
		t.Parallel()
		wantObservations(t, strings.ReplaceAll(change(t, pinned, "./.github/actions/build", "octo/setup@v2"), "octo/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b3 # v2", "octo/setup@v2"),
			"8 low unpinned-action: octo/setup@v2")
	})
	t.Run("behind an anchor", func(t *testing.T) {
		t.Parallel()
		wantObservations(t, "on: push\njobs:\n  a:\n    steps: &s\n      - uses: octo/setup@v2\n  b:\n    steps: *s\n", "5 low unpinned-action: octo/setup@v2")
	})
}

func TestUnpinnedRemedy(t *testing.T) {
	t.Parallel()
	for use, want := range map[string]string{
		"octo/setup@v2":                 "uses: octo/setup@<full commit of v2> # v2",
		"octo/a/b@main":                 "uses: octo/a/b@<full commit of main> # main",
		"docker://alpine:3.18":          "uses: docker://alpine@sha256:<digest> # 3.18",
		"docker://localhost:5000/a/b":   "uses: docker://localhost:5000/a/b@sha256:<digest>",
		"docker://localhost:5000/a/b:1": "uses: docker://localhost:5000/a/b@sha256:<digest> # 1",
	} {
		found, _ := observe(t, change(t, pinned, "octo/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b3 # v2", use))
		if len(found) != 1 || found[0].Remedy != want {
			t.Errorf("%s: %+v, want the remedy %q", use, found, want)
		}
	}
}

func TestWriteAll(t *testing.T) {
	t.Parallel()
	const two = "on: push\npermissions:\n  contents: read\njobs:\n  a:\n    permissions:\n      contents: write\n    steps: [{run: make}]\n  b:\n    steps: [{run: make}]\n"
	for name, c := range map[string]struct {
		from, to string
		want     []string
	}{
		"narrow":               {"on: push", "on: push", nil},
		"workflow":             {"permissions:\n  contents: read", "permissions: write-all", []string{"2 medium write-all: workflow"}},
		"job":                  {"permissions:\n      contents: write", "permissions: write-all", []string{"6 medium write-all: job a"}},
		"read-all":             {"permissions:\n  contents: read", "permissions: read-all", nil},
		"none":                 {"permissions:\n  contents: read\n", "", nil}, // a setting of the repository decides
		"each job has its own": {"permissions:\n  contents: read\njobs:\n  a:\n    permissions:\n      contents: write\n    steps: [{run: make}]\n  b:\n", "permissions: write-all\njobs:\n  a:\n    permissions:\n      contents: write\n    steps: [{run: make}]\n  b:\n    permissions: {}\n", []string{"2 low write-all: workflow"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantObservations(t, change(t, two, c.from, c.to), c.want...)
		})
	}
}

// FuzzObserve finds no file that breaks what must hold of any: no panic, lines that exist, texts
// that are there and valid, one observation for each rule and subject, and the same each time.
func FuzzObserve(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "read", "*.y*ml"))
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add(safe)
	f.Add(quiet)
	f.Add("on: {workflow_run: }\njobs: {a: {needs: [a, b], if: \"${{ 'x\", steps: [{run: \"${{ env.A }}\", env: {A: \"${{ env.B }}\", B: \"${{ env.A }}\"}}]}}")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<15 || !utf8.ValidString(text) {
			return
		}
		docs, err := syntax.YAML(text)
		if err != nil || len(docs) == 0 {
			return
		}
		for _, action := range []bool{false, true} {
			found, problem := Observe(docs[0], text, action)
			lines := strings.Count(text, "\n") + 1
			if problem != nil && (problem.Line < 1 || problem.Line > lines) {
				t.Errorf("problem in line %d of %d", problem.Line, lines)
			}
			seen := map[[2]string]bool{}
			for _, o := range found {
				k := [2]string{o.Rule, o.Subject}
				if seen[k] || o.Line < 1 || o.Line > lines || o.Severity < inventory.SeverityLow || o.Message == "" || o.Remedy == "" ||
					!utf8.ValidString(o.Subject+o.Message+o.Remedy) || len(o.Message) > 1000 || len(o.Subject) > 600 {
					t.Errorf("again %v, of %d lines: %+v", seen[k], lines, o)
				}
				seen[k] = true
			}
			again, _ := Observe(docs[0], text, action)
			if diff := cmp.Diff(found, again); diff != "" {
				t.Errorf("two looks differ:\n%s", diff)
			}
		}
	})
}
