package manifests

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

const workflowFile = ".github/workflows/ci.yml"

// openWorkflow checks out strangers' code with a secret at hand.
const openWorkflow = `on: pull_request_target
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

func TestObservations(t *testing.T) {
	t.Parallel()
	want := func(t *testing.T, m inventory.Manifest, rules ...string) {
		t.Helper()
		var got []string
		for _, o := range m.Observations {
			got = append(got, o.Rule)
			if o.Package != nil {
				t.Errorf("%s is about the package %s, want the file", o.Rule, o.Package.Name)
			}
		}
		if strings.Join(got, " ") != strings.Join(rules, " ") || m.Gap != "" {
			t.Errorf("observations %v, gap %q; want %v", got, m.Gap, rules)
		}
	}
	t.Run("workflow", func(t *testing.T) {
		t.Parallel()
		m := read(t, workflowFile, openWorkflow)
		want(t, m, inventory.RuleUnpinned, inventory.RuleCheckout)
		if len(m.Packages) != 1 || m.Observations[1].Line != 8 || m.Observations[1].Severity != inventory.SeverityCritical {
			t.Errorf("%d packages, observation %+v; want 1, and critical in line 8", len(m.Packages), m.Observations[1])
		}
	})
	t.Run("closed workflow", func(t *testing.T) {
		t.Parallel()
		text := strings.Replace(openWorkflow, "actions/checkout@v4", "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683", 1)
		want(t, read(t, workflowFile, strings.Replace(text, "pull_request_target", "pull_request", 1)))
	})
	t.Run("action", func(t *testing.T) {
		t.Parallel()
		const action = "inputs: {name: {}}\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.name }}\n      shell: bash\n"
		want(t, read(t, "tools/action.yml", action), inventory.RuleScriptInput)
	})
	t.Run("another manifest", func(t *testing.T) {
		t.Parallel()
		want(t, read(t, "tools/requirements.txt", "uses==1\n"))
	})
}

// TestG23BrokenWorkflow keeps what was read of a workflow whose expressions cannot be, and tells that
// it is not all.
func TestG23BrokenWorkflow(t *testing.T) {
	t.Parallel()
	m := read(t, workflowFile, strings.Replace(openWorkflow, "run: make", "run: make ${{ github.actor", 1))
	const gap = "cannot be judged as a workflow: line 9: the expression ${{ github.actor is not closed by }}; correct it by hand"
	if m.Gap != gap {
		t.Errorf("gap %q, want %q", m.Gap, gap)
	}
	if len(m.Packages) != 1 || len(m.Observations) != 2 {
		t.Errorf("%d packages and %d observations, want 1 and 2", len(m.Packages), len(m.Observations))
	}
	m = read(t, workflowFile, openWorkflow+"jobs: {}\n")
	wantGap(t, m, "is there twice")
	if len(m.Packages)+len(m.Observations) != 0 {
		t.Errorf("%d packages and %d observations of a file that breaks its grammar, want none", len(m.Packages), len(m.Observations))
	}
}
