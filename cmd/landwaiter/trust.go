package main

import (
	"context"
	"fmt"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/landwaiter/landwaiter/scanners/sigstore"
	"github.com/landwaiter/landwaiter/scanners/sigstore/refresh"
)

type trustCommand struct {
	Status trustStatusCommand `cmd:"" help:"Show the trust roots and how old they are."`
	Update trustUpdateCommand `cmd:"" help:"Refresh the trust roots of Sigstore and of GitHub."`
}

// Help shows an example.
func (trustCommand) Help() string {
	return "Example:\n  landwaiter trust update && landwaiter trust status"
}

// trustFolder is the flag that both share, and verify too.
type trustFolder struct {
	Data string `placeholder:"DIR" env:"LANDWAITER_DATA_DIR" help:"Folder that keeps refreshed trust roots. Default: landwaiter's folder in the user's cache."`
}

func (f trustFolder) store() refresh.Store { return trustStore(dataDir(f.Data)) }

// trustStore is where refreshed trust roots lie below the data folder.
func trustStore(dir string) refresh.Store { return refresh.Store{Dir: filepath.Join(dir, "trust")} }

type trustStatusCommand struct {
	trustFolder
}

// Help shows an example.
func (trustStatusCommand) Help() string { return "Example:\n  landwaiter trust status" }

// Run prints one line for each trust root.
func (cmd *trustStatusCommand) Run(c *console) error {
	found, err := cmd.store().Load()
	if err != nil {
		return usage("%w", err)
	}
	s, err := sigstore.New(sigstore.Config{Snapshots: found, MaxRootAge: maxTrustAge, Now: time.Now})
	if err != nil {
		return usage("%w", err)
	}
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ROOT\tSOURCE\tNEWEST PART\tCURRENT AS OF\tSHA-256")
	for _, row := range s.TrustStatus() {
		note := ""
		if row.Stale {
			note = " (old: run landwaiter trust update)"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s%s\t%s\n", row.Root, row.Source, row.Newest.Format(time.DateOnly), row.Since.Format(time.DateOnly), note, row.SHA256[:16])
	}
	return t.Flush()
}

type trustUpdateCommand struct {
	trustFolder
	URL  string `placeholder:"URL" help:"Address of a mirror of the TUF repository; needs ROOT."`
	Root string `arg:"" optional:"" enum:"all,public-good,github" default:"all" help:"Which root: public-good, github, or all."`
}

// Help shows an example.
func (trustUpdateCommand) Help() string {
	return "Example:\n  landwaiter trust update\n  landwaiter trust update github --url https://tuf.example.com"
}

// Run refreshes the trust roots.
func (cmd *trustUpdateCommand) Run(c *console) error {
	if cmd.URL != "" && cmd.Root == "all" {
		return usage("--url needs the root that it serves: public-good or github")
	}
	sources, err := refresh.Sources()
	if err != nil {
		return err
	}
	store := cmd.store()
	for _, src := range sources {
		if cmd.Root != "all" && src.Root != cmd.Root {
			continue
		}
		if cmd.URL != "" {
			src.URL = cmd.URL
		}
		changed, err := store.Update(c.ctx, src)
		if err != nil {
			return &exitError{exitUnknown, fmt.Errorf("%w; the root that was there stays", err)}
		}
		fmt.Fprintf(c.out, "%s: %s\n", src.Root, map[bool]string{true: "refreshed", false: "already current"}[changed])
	}
	return nil
}

// Trust roots change a few times a year.
const (
	trustEvery      = 12 * time.Hour
	trustAfterFault = 15 * time.Minute
	// maxTrustAge is how long a root counts without a refresh (THREATS V54): a revoked
	// authority would not be noticed.
	maxTrustAge = 30 * 24 * time.Hour
)

// signatures returns the scanner of signatures with the refreshed trust roots.
func (s *service) signatures() (*sigstore.Live, error) { return sigstore.NewLive(s.trust()) }

// trust is the configuration of the scanner of signatures. A refreshed root that cannot be
// read is told of and left out: the embedded one is good.
func (s *service) trust() sigstore.Config {
	conf := sigstore.Config{Now: time.Now}
	found, err := trustStore(s.conf.dataDir).Load()
	if err != nil {
		s.log.Error("reading refreshed trust roots", "error", err.Error())
	}
	conf.Snapshots = found
	if s.conf.trustRefresh {
		conf.MaxRootAge = maxTrustAge
	}
	return conf
}

// refreshTrust keeps the trust roots current until ctx ends. What fails is logged and tried
// again; the last good root stays in use and its age is in every report.
func (s *service) refreshTrust(ctx context.Context) {
	for {
		wait := trustEvery
		if err := s.refreshTrustOnce(ctx); ctx.Err() != nil {
			return
		} else if err != nil {
			wait = trustAfterFault
			s.log.Error("refreshing trust roots", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (s *service) refreshTrustOnce(ctx context.Context) error {
	sources, err := refresh.Sources()
	if err != nil {
		return err
	}
	for _, src := range sources {
		changed, err := trustStore(s.conf.dataDir).Update(ctx, src)
		if err != nil {
			return err
		}
		if changed {
			s.log.Info("trust root refreshed", "root", src.Root)
		}
	}
	return s.live.Replace(s.trust())
}

// snapshots loads the refreshed trust roots for a command; the embedded ones stand in for those
// that were never refreshed.
func (f trustFolder) snapshots() (map[string]sigstore.Snapshot, error) {
	found, err := f.store().Load()
	if err != nil {
		return nil, usage("%w", err)
	}
	return found, nil
}
