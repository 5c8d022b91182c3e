package main

import (
	"fmt"
	"io"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
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
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
