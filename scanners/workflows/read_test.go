package workflows

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestRead compares what is found in whole files with the golden file beside each. Those whose
// names begin with "good" must stay quiet.
func TestRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "read", "*.y*ml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found, problem := observe(t, string(data))
			if problem != nil {
				t.Errorf("problem: %v", problem)
			}
			if strings.HasPrefix(filepath.Base(file), "good") {
				if len(found) > 0 {
					t.Errorf("a good workflow is told of: %+v", found)
				}
				return
			}
			var b strings.Builder
			for _, o := range found {
				fmt.Fprintf(&b, "%s\n  %s\n", short(o), o.Message)
				for line := range strings.Lines(o.Remedy) {
					fmt.Fprintf(&b, "  | %s\n", strings.TrimSuffix(line, "\n"))
				}
			}
			golden := strings.TrimSuffix(file, filepath.Ext(file)) + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("observations (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRealWorkflows looks at workflows of well-kept projects, with the events, conditions and
// scripts that people write. They must stay quiet but for what testdata/real/README.md says.
func TestRealWorkflows(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "real", "*.yml"))
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	var got []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found, problem := observe(t, string(data))
		if problem != nil {
			t.Errorf("%s: %v", file, problem)
		}
		for _, o := range found {
			got = append(got, filepath.Base(file)+":"+short(o))
		}
	}
	want := []string{
		"aws-sdk-issue-regression-labeler.yml:14 low unpinned-action: actions/github-script@v7",
		"osv-scanner-prerelease-check.yml:25 medium unpinned-action: google/osv-scanner-action/.github/workflows/osv-scanner-reusable.yml@main",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("observations (-want +got):\n%s", diff)
	}
}

// BenchmarkObserve looks at a workflow with most kinds of problems, parsed before.
func BenchmarkObserve(b *testing.B) {
	data, err := os.ReadFile(filepath.Join("testdata", "read", "bad-triage.yml"))
	if err != nil {
		b.Fatal(err)
	}
	docs, err := syntax.YAML(string(data))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if found, problem := Observe(docs[0], string(data), false); problem != nil || len(found) == 0 {
			b.Fatal(found, problem)
		}
	}
}
