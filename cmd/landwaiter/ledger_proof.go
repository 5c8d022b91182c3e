package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

type ledgerProofCommand struct {
	ledgerPlace
	Key    ledgerKeys `placeholder:"KEY" help:"Public key, or a file that holds it. Default: that of the data folder."`
	Commit string     `placeholder:"SHA" help:"Instead of a report: the newest report on this commit."`
	Report int64      `arg:"" optional:"" help:"Number of the report in the database."`
}

// Help shows an example.
func (ledgerProofCommand) Help() string {
	return `Prints JSON that shows to somebody without the database that a report is in the ledger, byte for
byte. It holds the report.

Example:
  landwaiter ledger proof --commit 0123456789abcdef0123456789abcdef01234567 > proof.json
  landwaiter ledger check proof.json --key ledger.pub`
}

// Run prints a proof.
func (cmd *ledgerProofCommand) Run(c *console) error {
	if (cmd.Commit == "") == (cmd.Report == 0) {
		return usage("give the number of a report or --commit SHA")
	}
	db, err := cmd.open(c, cmd.Key)
	if err != nil {
		return err
	}
	defer db.Close()
	id := cmd.Report
	if cmd.Commit != "" {
		list, err := db.Reports(c.ctx, store.ReportFilter{Commit: cmd.Commit})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return usage("no report on the commit %s; give its full name", cmd.Commit)
		}
		if id = list[0].ID; len(list) > 1 && !c.quiet {
			fmt.Fprintf(c.err, "landwaiter: %d reports are on this commit; this is the newest, number %d\n", len(list), id)
		}
	}
	p, err := db.Prove(c.ctx, id)
	if err != nil {
		return ledgerError(err)
	}
	enc := json.NewEncoder(c.out)
	enc.SetIndent("", "  ")
	return enc.Encode(p)
}

type ledgerCheckCommand struct {
	Key       ledgerKeys `required:"" placeholder:"KEY" help:"Public key of the ledger, or a file that holds it; may be repeated."`
	Report    string     `placeholder:"FILE" help:"A report in JSON as you were given it: is it the one that was entered?"`
	Rotations string     `placeholder:"FILE" help:"Rotations of the ledger's key, as the ledger publishes them: for who has an older key."`
	File      string     `arg:"" help:"The proof, or - for standard input."`
}

// Help shows an example.
func (ledgerCheckCommand) Help() string {
	return `Checks a proof that landwaiter ledger proof printed: the signature of the checkpoint, the way from the
entry to its root, and the report that the entry binds. It needs no network and no database.

Example:
  landwaiter ledger check proof.json --key ledger.pub --report report.json`
}

// Run checks a proof.
func (cmd *ledgerCheckCommand) Run(c *console) error {
	verifiers, err := cmd.verifiers()
	if err != nil {
		return err
	}
	in := os.Stdin
	if cmd.File != "-" {
		if in, err = os.Open(cmd.File); err != nil {
			return usage("reading the proof: %w", err)
		}
		defer in.Close()
	}
	p, err := store.ReadProof(in)
	if err != nil {
		return usage("%s: %w", cmd.File, err)
	}
	proven, err := p.Verify(verifiers...)
	if err != nil {
		return &exitError{exitFail, fmt.Errorf("the proof does not hold: %w", err)}
	}
	if cmd.Report != "" {
		report, err := readReport(cmd.Report)
		if err != nil {
			return err
		}
		if !proven.Binds(report) {
			return &exitError{exitFail, fmt.Errorf("%s is not, byte for byte, the report of entry %d", cmd.Report, proven.Index)}
		}
	}
	return printProven(c, proven)
}

// verifiers returns the keys given and those that they were rotated to.
func (cmd *ledgerCheckCommand) verifiers() ([]string, error) {
	verifiers, err := cmd.Key.read()
	if err != nil || cmd.Rotations == "" {
		return verifiers, err
	}
	rotations, err := store.ReadRotations(cmd.Rotations)
	if err == nil && len(rotations) == 0 {
		err = errors.New("there are none")
	}
	if err != nil {
		return nil, usage("--rotations %s: %w", cmd.Rotations, err)
	}
	for _, v := range slices.Clone(verifiers) {
		heir, err := ledger.Successor(v, rotations)
		if err != nil {
			return nil, &exitError{exitFail, err}
		}
		if !slices.Contains(verifiers, heir) {
			verifiers = append(verifiers, heir)
		}
	}
	return verifiers, nil
}

// readReport reads a report that somebody was given.
func readReport(path string) ([]byte, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, usage("reading --report: %w", err)
	}
	if stat.Size() > store.MaxReport+2 {
		return nil, usage("--report %s is over %d bytes, which no report is", path, store.MaxReport)
	}
	report, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("reading --report: %w", err)
	}
	return report, nil
}

// printProven says what a proof shows.
func printProven(c *console, p store.Proven) error {
	if c.quiet {
		return nil
	}
	var report checks.Report
	if err := json.Unmarshal(p.Report, &report); err != nil {
		return &exitError{exitFail, fmt.Errorf("the report of entry %d is not readable: %w", p.Index, err)}
	}
	fmt.Fprintf(c.out, "The proof holds: entry %d of %d in the ledger %s.\n", p.Index, p.Checkpoint.Size, p.Checkpoint.Origin)
	fmt.Fprintf(c.out, "verdict   %s\n", report.Verdict)
	fmt.Fprintf(c.out, "subject   %s %s of %q, commit %s\n", report.Subject.Kind, report.Subject.Ref, report.Subject.Repository, report.Subject.Commit)
	fmt.Fprintf(c.out, "time      %s\n", day(report.Time))
	fmt.Fprintf(c.out, "report    %s\n", p.Leaf.Digest)
	fmt.Fprintf(c.out, "policy    %s\n", p.Leaf.Policy)
	return nil
}
