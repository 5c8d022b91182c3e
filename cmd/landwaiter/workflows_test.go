package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/app/githubtest/contract"
)

const (
	workflowFile = ".github/workflows/ci.yml"
	// goodWorkflow has nothing to tell of.
	goodWorkflow = `on: pull_request
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: octo/setup@8f4b7f84864484a7bf31766abe9204da3cbe65b3 # v2
      - run: make
`
	// openWorkflow checks out strangers' code with a secret at hand, in line 10.
	openWorkflow = `on: pull_request_target
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ${{ github.event.pull_request.head.sha }}
      - run: make
        env:
          TOKEN: ${{ secrets.TOKEN }}
`
)

// TestWorkflowPulls sends pull requests that touch workflows through the whole service, and
// looks at what stands on GitHub after each.
func TestWorkflowPulls(t *testing.T) {
	edited := strings.Replace(openWorkflow, "run: make", "run: make all", 1)
	unpinned := strings.Replace(goodWorkflow, "8f4b7f84864484a7bf31766abe9204da3cbe65b3 # v2", "v2", 1)
	strict := strings.Replace(pullPolicy, "recommended", "strict", 1)
	tests := []struct {
		name       string
		policy     string
		base, head githubtest.Files
		conclusion string
		title      string
		annotated  []string // "level path:line"
	}{
		{
			name: "an unpinned action is added", policy: pullPolicy,
			base: githubtest.Files{workflowFile: goodWorkflow}, head: githubtest.Files{workflowFile: unpinned},
			conclusion: "neutral", title: "1 finding", annotated: []string{"warning " + workflowFile + ":8"},
		},
		{
			name: "an unpinned action is added under the strict policy", policy: strict,
			base: githubtest.Files{workflowFile: goodWorkflow}, head: githubtest.Files{workflowFile: unpinned},
			conclusion: "failure", title: "1 violation", annotated: []string{"failure " + workflowFile + ":8"},
		},
		{
			name: "a workflow checks out strangers' code with secrets", policy: pullPolicy,
			base: githubtest.Files{workflowFile: goodWorkflow}, head: githubtest.Files{".github/workflows/preview.yml": openWorkflow},
			conclusion: "failure", title: "1 violation", annotated: []string{"failure .github/workflows/preview.yml:10"},
		},
		{
			name: "a workflow with an old problem is edited elsewhere", policy: pullPolicy,
			base: githubtest.Files{workflowFile: openWorkflow}, head: githubtest.Files{workflowFile: "# checked\n" + edited},
			conclusion: "success",
		},
		{
			name: "a workflow with an old problem is renamed", policy: pullPolicy,
			base: githubtest.Files{workflowFile: openWorkflow}, head: githubtest.Files{workflowFile: githubtest.Deleted, ".github/workflows/build.yml": openWorkflow},
			conclusion: "success",
		},
		{
			name: "a workflow with an old problem is renamed and edited", policy: pullPolicy,
			base: githubtest.Files{workflowFile: openWorkflow}, head: githubtest.Files{workflowFile: githubtest.Deleted, ".github/workflows/build.yml": "# checked\n" + edited},
			conclusion: "success",
		},
		{
			name: "an old problem is copied to another workflow", policy: pullPolicy,
			base: githubtest.Files{workflowFile: openWorkflow}, head: githubtest.Files{".github/workflows/build.yml": edited},
			conclusion: "failure", title: "1 violation", annotated: []string{"failure .github/workflows/build.yml:10"},
		},
		{
			name: "a workflow loses its problem", policy: pullPolicy,
			base: githubtest.Files{workflowFile: openWorkflow}, head: githubtest.Files{workflowFile: goodWorkflow},
			conclusion: "success",
		},
		{
			name: "a trigger makes a checkout dangerous", policy: pullPolicy,
			base:       githubtest.Files{workflowFile: strings.Replace(openWorkflow, "pull_request_target", "pull_request", 1)},
			head:       githubtest.Files{workflowFile: openWorkflow},
			conclusion: "failure", title: "1 violation", annotated: []string{"failure " + workflowFile + ":10"},
		},
		{
			name: "a title goes into a script", policy: pullPolicy,
			base:       githubtest.Files{workflowFile: goodWorkflow},
			head:       githubtest.Files{workflowFile: goodWorkflow + "      - run: |\n          echo one\n          echo ${{ github.event.pull_request.title }}\n"},
			conclusion: "failure", title: "1 violation", annotated: []string{"failure " + workflowFile + ":12"},
		},
		{
			name: "G23 an expression cannot be read", policy: pullPolicy,
			base:       githubtest.Files{workflowFile: goodWorkflow},
			head:       githubtest.Files{workflowFile: goodWorkflow + "      - run: echo ${{ github.actor\n"},
			conclusion: "failure", title: "Could not",
		},
		{
			name: "an action of the repository is unsafe", policy: pullPolicy,
			base:       githubtest.Files{workflowFile: goodWorkflow},
			head:       githubtest.Files{".github/actions/say/action.yml": "name: say\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ github.head_ref }}\n      shell: bash\n"},
			conclusion: "failure", title: "1 violation", annotated: []string{"failure .github/actions/say/action.yml:5"},
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var errs bytes.Buffer
	d, err := openDemo(&console{ctx: ctx, out: &errs, err: &errs, env: os.LookupEnv, held: contract.Description{}}, &demoCommand{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	running, stop := context.WithCancel(ctx)
	var group errgroup.Group
	group.Go(func() error { return d.service.run(running, d.listen, nil) })
	defer func() {
		stop()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	}()
	d.install()
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := d.github.Repo("harbour", fmt.Sprintf("flow-%d", i))
			r.Commit("main", "Start", githubtest.Files{policyPath: tt.policy, "README.md": "# Flow\n"})
			r.Commit("main", "Workflow", tt.base)
			p := r.OpenPull(githubtest.PullOptions{Head: "change", Title: "Change", Files: tt.head})
			if err := d.answered(ctx); err != nil {
				t.Fatal(err)
			}
			if err := d.quiet(ctx); err != nil {
				t.Fatal(err)
			}
			run := step{repo: r, check: pullCheck, sha: p.HeadSHA}.look().run
			var got []string
			for _, a := range run.Annotations {
				got = append(got, fmt.Sprintf("%s %s:%d", a.Level, a.Path, a.StartLine))
			}
			if run.Conclusion != tt.conclusion || !strings.Contains(run.Output.Title, tt.title) || !slices.Equal(got, tt.annotated) {
				t.Errorf("conclusion %q, title %q, annotations %q\nwant %q, a title with %q, %q\n%s\n%s",
					run.Conclusion, run.Output.Title, got, tt.conclusion, tt.title, tt.annotated, run.Output.Summary, run.Output.Text)
			}
		})
	}
	if breaches := d.github.Violations(); len(breaches) > 0 {
		t.Errorf("breaches of GitHub's contract: %v", breaches)
	}
}
