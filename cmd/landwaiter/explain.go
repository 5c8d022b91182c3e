package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/checks/signers"
)

// explain prints the comparisons behind each asset of a report.
func explain(w io.Writer, r checks.Report) {
	for _, a := range r.Assets {
		fmt.Fprintf(w, "\n%s\n", output.Plain(a.Name, 200))
		if len(a.Steps) == 0 {
			fmt.Fprintf(w, "  nothing was compared: %s\n", output.Plain(orText(a.Reason, "no evidence is needed or found"), 400))
		}
		for _, s := range a.Steps {
			fmt.Fprintf(w, "  %-11s  %s\n", s.State, s.Name)
			if s.State != checks.StepNotReached {
				fmt.Fprintf(w, "               expected  %s\n               found     %s\n", output.Plain(s.Expected, 300), output.Plain(s.Found, 300))
			}
		}
	}
	explainDrift(w, r.Memory)
}

// explainDrift prints, for each signer that the memory does not know, its fields then and now.
func explainDrift(w io.Writer, m *signers.Recall) {
	if m == nil {
		return
	}
	if len(m.Drift) == 0 {
		fmt.Fprintf(w, "\nsigners\n  nothing differs from the %d signers that the releases before taught\n", len(m.Known))
	}
	for _, d := range m.Drift {
		fmt.Fprintf(w, "\n%s\n", output.Plain("signers of "+strings.Join(d.Assets, ", "), 400))
		for _, row := range d.Rows() {
			state := checks.StepHolds
			if row.Differs {
				state = checks.StepFails
			}
			fmt.Fprintf(w, "  %-11s  %s\n               then      %s\n               now       %s\n", state, row.Label,
				output.Plain(orText(row.Then, "nothing"), 300), output.Plain(orText(row.Now, "nothing"), 300))
		}
	}
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
