package output_test

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks/output"
)

func TestUnheld(t *testing.T) {
	t.Parallel()
	r := release(policy(t, ""), []string{"install.sh"})
	run := output.ForCheck(r, output.Options{Unheld: `The release could not be held: grant "Contents: write".`})
	if !strings.Contains(run.Summary, "\nThe release could not be held: grant \"Contents: write\".\n\n| Asset |") {
		t.Errorf("summary:\n%s", run.Summary)
	}
}
