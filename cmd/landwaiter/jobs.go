package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/landwaiter/landwaiter/store"
)

type jobsCommand struct {
	List  jobsListCommand  `cmd:"" default:"withargs" help:"Say what waits, and list the jobs that were given up with the cause of each."`
	Retry jobsRetryCommand `cmd:"" help:"Let jobs that were given up run again."`
}

// Help shows an example.
func (jobsCommand) Help() string {
	return `A job that fails eight times, or in a way that another attempt cannot cure, is set aside: its check says so,
and it is listed here until it is retried or newer work on the same subject takes its place.

Example:
  landwaiter jobs --data /var/lib/landwaiter
  landwaiter jobs retry 4711`
}

// maxListed bounds how many jobs are listed, or retried with --all.
const maxListed = 1000

type jobsListCommand struct {
	ledgerPlace
	Output string `short:"o" enum:"table,json" default:"table" help:"table or json."`
}

// Help shows an example.
func (jobsListCommand) Help() string {
	return "Example:\n  landwaiter jobs -o json | jq '.buried[].cause'"
}

// queueReport is what the command prints as JSON.
type queueReport struct {
	Steps  []queueStep `json:"steps"`
	Buried []buriedJob `json:"buried"`
}

type queueStep struct {
	Step    string     `json:"step"`
	Ready   int64      `json:"ready"`
	Later   int64      `json:"later"`
	Running int64      `json:"running"`
	Buried  int64      `json:"buried"`
	Oldest  *time.Time `json:"oldest_due,omitempty"`
}

type buriedJob struct {
	ID           int64     `json:"id"`
	Step         string    `json:"step"`
	Key          string    `json:"key"`
	Why          string    `json:"cause"` // of the burial
	Reason       string    `json:"created_for"`
	Attempts     int       `json:"attempts"`
	Installation int64     `json:"installation"`
	Buried       time.Time `json:"buried"`
}

// Run lists.
func (cmd *jobsListCommand) Run(c *console) (err error) {
	db, err := cmd.openQueue(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	report, err := queueOf(c.ctx, db)
	if err != nil {
		return err
	}
	if cmd.Output == "json" {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		return e.Encode(report)
	}
	return report.print(c)
}

// openQueue opens the database that the flags name.
func (p ledgerPlace) openQueue(c *console) (*store.DB, error) {
	conf, err := p.load(c)
	if err != nil {
		return nil, err
	}
	db, err := store.OpenQueue(c.ctx, store.Config{URL: conf.databaseURL})
	if err != nil {
		return nil, usage("opening the database (--database, --data): %w", err)
	}
	return db, nil
}

func queueOf(ctx context.Context, db *store.DB) (queueReport, error) {
	r := queueReport{Steps: []queueStep{}, Buried: []buriedJob{}}
	stats, err := db.Stats(ctx)
	if err != nil {
		return r, err
	}
	for _, q := range stats.Queue {
		s := queueStep{Step: q.Step, Ready: q.Ready, Later: q.Later, Running: q.Running, Buried: q.Buried}
		if !q.OldestDue.IsZero() {
			s.Oldest = &q.OldestDue
		}
		r.Steps = append(r.Steps, s)
	}
	jobs, err := db.Buried(ctx, maxListed)
	if err != nil {
		return r, err
	}
	for _, j := range jobs {
		r.Buried = append(r.Buried, buriedJob{
			ID: j.ID, Step: j.Step, Key: j.Key, Why: j.LastError, Reason: j.Cause, Attempts: j.Attempts,
			Installation: j.InstallationID, Buried: j.Due.UTC(),
		})
	}
	return r, nil
}

func (r queueReport) print(c *console) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	if len(r.Steps) == 0 {
		fmt.Fprintln(w, "Nothing waits, and nothing was given up.")
		return w.Flush()
	}
	fmt.Fprintln(w, "STEP\tREADY\tLATER\tRUNNING\tGIVEN UP\tOLDEST DUE")
	for _, s := range r.Steps {
		oldest := "-"
		if s.Oldest != nil {
			oldest = s.Oldest.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\n", s.Step, s.Ready, s.Later, s.Running, s.Buried, oldest)
	}
	if err := w.Flush(); err != nil || len(r.Buried) == 0 {
		return err
	}
	fmt.Fprintln(c.out, "\nGiven up, the latest first. Cure the cause, then: landwaiter jobs retry ID, or --all")
	for _, j := range r.Buried {
		// What others wrote may be in it: control characters must not reach a terminal.
		fmt.Fprintf(c.out, "%d  %s  %s %s (%s, %d attempts)\n    %s\n", j.ID, j.Buried.Format(time.DateTime), j.Step, oneLine(j.Key), oneLine(j.Reason), j.Attempts, oneLine(j.Why))
	}
	if len(r.Buried) == maxListed {
		fmt.Fprintf(c.out, "... and more; these are the latest %d.\n", maxListed)
	}
	return nil
}

// oneLine is text without control characters.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}

type jobsRetryCommand struct {
	ledgerPlace
	All bool    `help:"Retry every job that was given up."`
	ID  []int64 `arg:"" optional:"" help:"Numbers of jobs, as 'landwaiter jobs' lists them."`
}

// Help shows an example.
func (jobsRetryCommand) Help() string {
	return "The service that runs takes them up within seconds.\n\nExample:\n  landwaiter jobs retry --all"
}

// Run revives.
func (cmd *jobsRetryCommand) Run(c *console) (err error) {
	if cmd.All == (len(cmd.ID) > 0) {
		return usage("name jobs by their numbers, or pass --all")
	}
	db, err := cmd.openQueue(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ids := cmd.ID
	if cmd.All {
		jobs, err := db.Buried(c.ctx, maxListed)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			ids = append(ids, j.ID)
		}
	}
	revived := 0
	for _, id := range ids {
		switch err := db.Revive(c.ctx, id); {
		case errors.Is(err, store.ErrNotFound) && cmd.All: // newer work took its place meanwhile
		case errors.Is(err, store.ErrNotFound):
			return usage("job %d is not among those that were given up; 'landwaiter jobs' lists them. Retried before it: %d", id, revived)
		case err != nil:
			return err
		default:
			revived++
		}
	}
	if !c.quiet {
		fmt.Fprintf(c.out, "Retried: %d.\n", revived)
	}
	return nil
}
