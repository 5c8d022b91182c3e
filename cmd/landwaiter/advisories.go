package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/landwaiter/landwaiter/scanners/osv"
)

type advisoriesCommand struct {
	Import importCommand `cmd:"" help:"Import advisories from a folder or zip in the layout of the OSV bucket."`
	Update updateCommand `cmd:"" help:"Download new advisories from the OSV bucket."`
	Status statusCommand `cmd:"" help:"Show counts and age per ecosystem."`
}

// Help shows an example.
func (advisoriesCommand) Help() string {
	return "Example:\n  landwaiter advisories update && landwaiter advisories status"
}

// advisoryFolder is the flag that all three share.
type advisoryFolder struct {
	Data string `placeholder:"DIR" env:"LANDWAITER_DATA_DIR" help:"Folder that keeps the advisories. Default: landwaiter's folder in the user's cache."`
}

// open opens the index. With repair a damaged one is opened all the same: an import or an
// update writes it anew.
func (f advisoryFolder) open(c *console, repair bool) (*osv.Index, error) {
	dir := dataDir(f.Data)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, usage("cannot create the folder of advisories: %w", err)
	}
	index, err := osv.Open(dir)
	if repair && index != nil && errors.Is(err, osv.ErrCorrupt) {
		fmt.Fprintf(c.err, "landwaiter: %v; it is written anew\n", err)
		return index, nil
	}
	if err != nil {
		return nil, usage("%w; run 'landwaiter advisories update' or import again", err)
	}
	return index, nil
}

type importCommand struct {
	advisoryFolder
	Force bool   `help:"Accept an archive with over 30 % fewer advisories than before."`
	Path  string `arg:"" help:"Folder (<ecosystem>/all.zip, known_exploited_vulnerabilities.json, epss_scores-*.csv.gz) or one such file."`
}

// Help shows an example.
func (importCommand) Help() string {
	return "Example, on a machine without network:\n  landwaiter advisories import ./osv-mirror"
}

// Run imports.
func (cmd *importCommand) Run(c *console) error {
	index, err := cmd.open(c, true)
	if err != nil {
		return err
	}
	defer index.Close()
	p := newProgress(c)
	defer p.done()
	done, err := index.Import(c.ctx, cmd.Path, osv.ImportOptions{Force: cmd.Force, Progress: sayProgress(p)})
	p.done()
	printImported(c, done)
	if err != nil {
		return usage("importing %s: %w", cmd.Path, err)
	}
	return nil
}

// sayProgress shows the progress of a refresh.
func sayProgress(p *progress) func(osv.Progress) {
	return func(s osv.Progress) {
		switch {
		case s.Stage == "download":
			p.say("downloading %s: %d of %d MB", s.Ecosystem, s.Done/1e6, s.Total/1e6)
		case s.Total > 0:
			p.say("%s %s: %d of %d advisories", s.Stage, s.Ecosystem, s.Done, s.Total)
		default:
			p.say("%s %s: %d advisories", s.Stage, s.Ecosystem, s.Done)
		}
	}
}

// printImported says what a refresh took and what it left out.
func printImported(c *console, done osv.Imported) {
	var changed, records int
	var bytes int64
	for _, e := range done.Ecosystems {
		changed, records, bytes = changed+e.Changed, records+e.Records, bytes+e.Bytes
		if e.Bad > 0 {
			fmt.Fprintf(c.err, "landwaiter: %s: left out %d unreadable records, such as %s\n", e.Ecosystem, e.Bad, strings.Join(e.BadNames, ", "))
		}
	}
	if c.quiet {
		return
	}
	for _, s := range done.Sources {
		bytes += s.Bytes
		switch {
		case s.Err != nil: // told with the other failures
		case s.Unchanged:
			fmt.Fprintf(c.out, "%s is unchanged: %d CVEs.\n", s.Name, s.CVEs)
		default:
			fmt.Fprintf(c.out, "%s: %d CVEs.\n", s.Name, s.CVEs)
		}
	}
	fmt.Fprintf(c.out, "%d ecosystems, %d advisories, %d of them read now", len(done.Ecosystems), records, changed)
	if bytes > 0 {
		fmt.Fprintf(c.out, ", %.1f MB downloaded", float64(bytes)/1e6)
	}
	fmt.Fprintln(c.out, ".")
}

type updateCommand struct {
	advisoryFolder
	URL       string   `env:"LANDWAITER_OSV_URL" default:"https://osv-vulnerabilities.storage.googleapis.com" help:"Address of the OSV bucket."`
	KEVURL    string   `name:"kev-url" env:"LANDWAITER_KEV_URL" default:"${kev_url}" help:"Address of the catalogue of known exploited vulnerabilities, or off."`
	EPSSURL   string   `name:"epss-url" env:"LANDWAITER_EPSS_URL" default:"${epss_url}" help:"Address of the EPSS scores, or off."`
	Ecosystem []string `placeholder:"NAME" help:"Only these ecosystems. Default: all that Landwaiter reads."`
	Full      bool     `help:"Download whole archives even where changes would do."`
	Force     bool     `help:"Accept an archive with over 30 % fewer advisories than before."`
}

// Help shows an example.
func (updateCommand) Help() string {
	return "Downloads whole archives the first time and only what changed afterwards. An interrupted\ndownload goes on where it stopped.\n\nExample:\n  landwaiter advisories update --ecosystem npm --ecosystem Go"
}

// Run updates.
func (cmd *updateCommand) Run(c *console) error {
	index, err := cmd.open(c, true)
	if err != nil {
		return err
	}
	defer index.Close()
	p := newProgress(c)
	defer p.done()
	done, err := index.Update(c.ctx, osv.UpdateOptions{
		URL: cmd.URL, KEVURL: cmd.KEVURL, EPSSURL: cmd.EPSSURL, Ecosystems: cmd.Ecosystem, Full: cmd.Full, Force: cmd.Force, Progress: sayProgress(p),
	})
	p.done()
	printImported(c, done)
	if err != nil {
		return &exitError{exitUnknown, fmt.Errorf("updating advisories from %s: %w; what was there stays in use", cmd.URL, err)}
	}
	return nil
}

type statusCommand struct {
	advisoryFolder
	Output string `short:"o" enum:"table,json" default:"table" help:"table or json."`
}

// Help shows an example.
func (statusCommand) Help() string {
	return "Example:\n  landwaiter advisories status --output json"
}

// Run prints the status.
func (cmd *statusCommand) Run(c *console) error {
	index, err := cmd.open(c, false)
	if err != nil {
		return err
	}
	defer index.Close()
	s := index.Status()
	if cmd.Output == "json" {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	}
	if len(s.Ecosystems) == 0 {
		fmt.Fprintln(c.out, "No advisories yet. Run: landwaiter advisories update")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ECOSYSTEM\tADVISORIES\tWITHDRAWN\tNEWEST\tCURRENT AS OF")
	for _, e := range s.Ecosystems {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", e.Ecosystem, e.Records, e.Withdrawn, day(e.Newest), day(e.Fetched))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(c.out)
	for _, e := range [...]struct {
		name, without string
		osv.ExploitStatus
	}{
		{"known exploited (KEV)", "no rule about exploited vulnerabilities can be judged", s.KEV},
		{"EPSS", "no rule about EPSS scores can be judged", s.EPSS},
	} {
		if e.Fetched.IsZero() {
			fmt.Fprintf(c.out, "No data of %s: %s.\n", e.name, e.without)
			continue
		}
		fmt.Fprintf(c.out, "%s: %d CVEs, published %s, current as of %s.\n", e.name, e.CVEs, day(e.Published), day(e.Fetched))
	}
	return nil
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
