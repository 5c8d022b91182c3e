package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/scanners/osv"
)

type demoCommand struct {
	Once   bool   `help:"End after the last step: exit code 0 when all went as expected, 1 when not."`
	Output string `short:"o" enum:"table,json" default:"table" help:"table, or json with --once."`
	Listen string `default:"127.0.0.1:0" placeholder:"ADDRESS" help:"Where the service listens; loopback only."`
	Log    bool   `help:"Show the service's log on stderr."`
}

// Help shows examples.
func (demoCommand) Help() string {
	return `Starts the real service with SQLite and a stand-in for GitHub, both on this machine, and
plays pull requests and releases made of real lock files, advisories and signatures. Every
step is a signed webhook; what is printed is what a person would see on GitHub. Needs no
network and leaves nothing behind.

Examples:
  landwaiter demo
  landwaiter demo --once --output json`
}

// Run plays the story.
func (cmd *demoCommand) Run(c *console) error {
	if cmd.Output == "json" && !cmd.Once {
		return usage("--output json needs --once: the report is complete only at the end")
	}
	if host, _, err := net.SplitHostPort(cmd.Listen); err != nil || !isLoopback(host) {
		return usage("--listen is %q; it should be a loopback address such as 127.0.0.1:8080", cmd.Listen)
	}
	started := time.Now()
	d, err := openDemo(c, cmd)
	if err != nil {
		return err
	}
	defer d.close()
	ctx, stop := context.WithCancel(c.ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.service.run(ctx, d.listen, nil) })
	group.Go(func() error {
		defer stop()
		return d.play(ctx, cmd, started)
	})
	return group.Wait()
}

// held is what the demo's stand-in is held to.
type held = githubtest.Contract

// demo is the running service beside the running stand-in.
type demo struct {
	c       *console
	dir     string // removed at the end
	github  *githubtest.GitHub
	service *service
	listen  net.Listener
	repos   demoRepos
	files   map[string]string // of demodata/releases, by name
	// forkLock, goMod and workflow are what pull requests change a file to.
	forkLock, goMod, workflow string

	// What steps made, for later ones.
	pulls struct {
		adds, readme, malware, fork, policy, workflow, cure *githubtest.Pull
		group                                               *githubtest.MergeGroup
	}
	releases struct{ attest, ghCLI, rules, foreign *githubtest.Release }
}

// openDemo starts the stand-in, seeds it, and opens the service on it.
func openDemo(c *console, cmd *demoCommand) (*demo, error) {
	dir, err := os.MkdirTemp("", "landwaiter-demo-")
	if err != nil {
		return nil, usage("the demo needs a temporary folder: %w", err)
	}
	d := &demo{c: c, dir: dir}
	if err := d.open(cmd); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *demo) open(cmd *demoCommand) error {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails; see crypto/rand
	d.github = githubtest.New(githubtest.Options{WebhookSecret: hex.EncodeToString(secret), Description: d.c.held})
	d.github.Start()
	err := d.seed()
	if err != nil {
		return err
	}
	if d.listen, err = net.Listen("tcp", cmd.Listen); err != nil {
		return usage("--listen: %w", err)
	}
	base := "http://" + d.listen.Addr().String()
	log := slog.New(slog.DiscardHandler)
	if cmd.Log {
		log = slog.New(slog.NewTextHandler(d.c.err, nil))
	}
	conf := config{
		publicURL: base, dataDir: d.dir, databaseURL: "sqlite:" + filepath.Join(d.dir, "landwaiter.db"),
		appID: d.github.AppID(), privateKey: d.github.AppKey(), webhookSecrets: []string{d.github.WebhookSecret()},
		apiURL: d.github.APIURL(), workers: 4,
	}
	if err := importDemoAdvisories(d.c.ctx, d.dir); err != nil {
		return err
	}
	if d.service, err = openService(d.c.ctx, conf, log, nil); err != nil {
		return err
	}
	d.github.SetWebhookURL(base + "/hooks")
	d.github.SetAutoDeliver(true)
	return nil
}

// importDemoAdvisories compiles the advisories that come with the demo into the data folder.
func importDemoAdvisories(ctx context.Context, dataDir string) error {
	source := filepath.Join(dataDir, "osv")
	if err := os.CopyFS(source, demoAdvisories()); err != nil {
		return fmt.Errorf("unpacking the demo's advisories: %w", err)
	}
	const exploited = "known_exploited_vulnerabilities.json"
	catalogue, err := demoFile("exploited/" + exploited)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(source, exploited), []byte(catalogue), 0o600); err != nil {
		return fmt.Errorf("unpacking the demo's catalogue: %w", err)
	}
	index, err := osv.Open(dataDir)
	if err != nil {
		return err
	}
	defer index.Close()
	if _, err := index.Import(ctx, source, osv.ImportOptions{}); err != nil {
		return fmt.Errorf("importing the demo's advisories: %w", err)
	}
	return nil
}

// play runs the steps, prints them, and then waits for Ctrl-C unless it is to end.
func (d *demo) play(ctx context.Context, cmd *demoCommand, started time.Time) error {
	w := d.c.out
	if cmd.Output == "json" {
		w = io.Discard
	}
	p := &storyPrinter{w: w, colour: d.c.colour}
	p.opening(d)
	d.install()
	steps, ok := d.story(ctx, p)
	if ctx.Err() != nil {
		return nil
	}
	breaches := d.github.Violations()
	seconds := time.Since(started).Seconds()
	p.closing(steps, d.c.held != nil, breaches, seconds)
	if cmd.Output == "json" {
		if err := writeStory(d.c.out, steps, seconds); err != nil {
			return err
		}
	}
	if !ok || len(breaches) > 0 {
		if !cmd.Once {
			p.serving(d)
			<-ctx.Done()
		}
		return &exitError{code: exitFail}
	}
	if !cmd.Once {
		p.serving(d)
		<-ctx.Done()
	}
	return nil
}

// close stops everything and removes the temporary folder.
func (d *demo) close() {
	if d.service != nil {
		d.service.close()
	}
	if d.listen != nil {
		d.listen.Close()
	}
	if d.github != nil {
		d.github.Close()
	}
	if err := os.RemoveAll(d.dir); err != nil {
		fmt.Fprintf(d.c.err, "landwaiter: %s could not be removed: %v\n", d.dir, err)
	}
}
