package main

import (
	"fmt"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/scanners/osv"
)

// printReport writes r in the form asked for and returns the error that carries the exit
// code of its verdict.
func printReport(c *console, form string, r checks.Report) error {
	var err error
	switch form {
	case "json":
		err = output.JSON(c.out, r)
	case "sarif":
		err = output.SARIF(c.out, r)
	case "markdown":
		err = output.Markdown(c.out, r)
	case "osv-scanner":
		err = osv.WriteOSVScanner(c.out, r)
	default:
		err = output.Table(c.out, r, c.colour)
	}
	if err != nil {
		return &exitError{exitInternal, fmt.Errorf("writing the report: %w", err)}
	}
	switch r.Verdict {
	case checks.Pass:
		return nil
	case checks.Fail:
		return &exitError{code: exitFail}
	default:
		return &exitError{code: exitUnknown}
	}
}
