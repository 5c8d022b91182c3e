package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/app"
	"github.com/landwaiter/landwaiter/scanners"
	"github.com/landwaiter/landwaiter/scanners/manifests"
	"github.com/landwaiter/landwaiter/scanners/manifests/cage"
	"github.com/landwaiter/landwaiter/scanners/manifests/goimports"
	"github.com/landwaiter/landwaiter/scanners/osv"
	"github.com/landwaiter/landwaiter/scanners/sigstore"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/ledger"
	"github.com/landwaiter/landwaiter/web"
)

type serveCommand struct {
	Config string `placeholder:"FILE" env:"LANDWAITER_CONFIG" type:"existingfile" help:"Configuration file; the environment wins over it."`
	Check  bool   `help:"Check the configuration and end."`
}

// Help shows an example.
func (serveCommand) Help() string {
	return `Runs the service until it is interrupted. Settings come from the environment
(LANDWAITER_...) or a file; docs/configuration.md lists them.

Example:
  export LANDWAITER_PUBLIC_URL=https://landwaiter.example.com
  export LANDWAITER_GITHUB_APP_ID=12345
  export LANDWAITER_GITHUB_PRIVATE_KEY=app.pem
  export LANDWAITER_GITHUB_WEBHOOK_SECRET_FILE=/run/secrets/webhook
  landwaiter serve`
}

// Run runs the service.
func (cmd *serveCommand) Run(c *console) error {
	conf, err := loadConfig(c.env, cmd.Config)
	if err != nil {
		return err
	}
	if cmd.Check {
		fmt.Fprintln(c.out, "The configuration is usable.")
		return nil
	}
	log := newLog(c.err, conf)
	s, err := openService(c.ctx, conf, log, nil)
	if err != nil {
		return err
	}
	defer s.close()
	listen, err := net.Listen("tcp", conf.listen)
	if err != nil {
		return usage("LANDWAITER_LISTEN: %w", err)
	}
	var metrics net.Listener
	if conf.metricsListen != "" {
		if metrics, err = net.Listen("tcp", conf.metricsListen); err != nil {
			listen.Close()
			return usage("LANDWAITER_METRICS_LISTEN: %w", err)
		}
	}
	log.Info("landwaiter is serving", "listen", listen.Addr().String(), "database", databaseKind(conf.databaseURL), "version", version)
	return s.run(c.ctx, listen, metrics)
}

// newLog returns the service's log.
func newLog(w io.Writer, conf config) *slog.Logger {
	options := &slog.HandlerOptions{Level: conf.logLevel}
	if conf.logFormat == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// service is everything `landwaiter serve` runs, wired.
type service struct {
	conf       config
	log        *slog.Logger
	store      *store.DB
	advisories *osv.Index
	readers    *cage.Pool
	live       *sigstore.Live
	traces     *traces // nil when nothing is exported
	metrics    *prometheus.Registry

	ledgerVerified prometheus.Gauge
	app            *app.App
	web            *web.Server
}

// openService opens the store and the advisories and wires the App. transport carries all
// requests to GitHub; nil means the usual one. The caller closes what it returns.
func openService(ctx context.Context, conf config, log *slog.Logger, transport http.RoundTripper) (*service, error) {
	if err := os.MkdirAll(conf.dataDir, 0o700); err != nil {
		return nil, usage("LANDWAITER_DATA_DIR: %w", err)
	}
	s := &service{conf: conf, log: log, readers: cage.New(cage.Config{Log: log})}
	var err error
	if s.traces, err = openTraces(ctx, os.LookupEnv, log); err != nil {
		return nil, err
	}
	if s.conf.tracer == nil { // a test brings its own
		s.conf.tracer = s.traces.tracer()
	}
	conf = s.conf
	if s.store, err = openStore(ctx, conf, log); err != nil {
		return nil, errors.Join(err, s.traces.close())
	}
	if err := s.wire(ctx, transport); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// openStore opens the database with the ledger in it.
func openStore(ctx context.Context, conf config, log *slog.Logger) (*store.DB, error) {
	key, err := ledgerKey(conf)
	if err != nil {
		return nil, err
	}
	rotations, err := store.ReadRotations(conf.rotationsFile())
	if err != nil {
		return nil, usage("LANDWAITER_DATA_DIR: %w", err)
	}
	db, err := store.Open(ctx, store.Config{
		URL: conf.databaseURL, Log: log, LedgerKey: key, LedgerRotations: rotations, CheckpointFile: conf.checkpointFile(),
		Commit: conf.tracer.Around("store commit"),
	})
	if err != nil {
		return nil, usage("opening the database (LANDWAITER_DATABASE_URL): %w", err)
	}
	return db, nil
}

// ledgerKey reads or makes the key that signs the ledger's checkpoints. Its name is the
// public host, so that others can tell ledgers apart.
func ledgerKey(conf config) (*ledger.Key, error) {
	u, err := url.Parse(conf.publicURL)
	if err != nil {
		return nil, usage("LANDWAITER_PUBLIC_URL: %w", err)
	}
	key, err := store.LedgerKey(conf.ledgerKeyFile(), u.Host+"/ledger")
	if err != nil {
		return nil, usage("the ledger's key in LANDWAITER_DATA_DIR: %w", err)
	}
	return key, nil
}

// wire builds the scanners, the App and the web server on the open store.
func (s *service) wire(ctx context.Context, transport http.RoundTripper) error {
	var err error
	s.advisories, err = osv.Open(s.conf.dataDir)
	switch {
	case s.advisories != nil && errors.Is(err, osv.ErrCorrupt):
		s.log.Error("the advisories are damaged; verdicts are unknown until an update or import writes them anew", "error", err.Error())
	case err != nil:
		return usage("opening the advisories: %w", err)
	}
	var age osv.Options
	if s.conf.refresh {
		age.MaxAge = maxAdvisoryAge
	}
	metrics := prometheus.NewRegistry()
	s.metrics, s.ledgerVerified = metrics, newLedgerVerified()
	metrics.MustRegister(s.ledgerVerified, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.live, err = s.signatures(); err != nil {
		return err
	}
	metrics.MustRegister(dataAges{s.advisories, s.live.TrustStatus, time.Now})
	engines, err := scanners.All(scanners.Config{Advisories: s.advisories, OSV: age, Registry: s.registry(metrics), Signatures: s.live})
	if err != nil {
		return err
	}
	links, err := s.links(ctx)
	if err != nil {
		return err
	}
	summarise, err := s.summaries(ctx)
	if err != nil {
		return err
	}
	s.app, err = app.New(app.Config{
		AppID: s.conf.appID, PrivateKey: s.conf.privateKey, WebhookSecrets: s.conf.webhookSecrets,
		APIURL: s.conf.apiURL, PublicURL: s.conf.publicURL, Sign: links.Sign,
		Store: s.store, Scanners: engines,
		Wanted: manifests.Wanted, ReadInventory: s.readers.Read, ParserVersion: manifests.ParserVersion,
		GoSource:  func(ctx context.Context) app.GoSource { return goimports.New(ctx, s.readers.Read) },
		ReadImage: s.conf.images.Bundles, ReadPackage: s.conf.npm.Version,
		Summarise: summarise,
		Log:       s.log, Transport: transport, Tracer: s.conf.tracer, Metrics: metrics, Workers: s.conf.workers, Version: version,
	})
	if err != nil {
		return usage("%w", err)
	}
	s.web, err = web.New(web.Config{
		Hooks: s.app.Hooks(), Metrics: metrics, Ready: s.ready, Report: s.store.ReportByKey, Links: links,
		Summaries: web.Summaries{ByKey: s.store.SummaryByKey, ByDigest: s.store.SummaryByDigest},
		Ledger:    s.published(), Version: currentVersion(), Log: s.log,
	})
	return err
}

// published says what of the ledger is served, and to whom.
func (s *service) published() web.Ledger {
	return web.Ledger{
		Access: s.conf.ledgerAccess, Token: s.conf.ledgerToken, Tile: s.store.LedgerTile,
		Checkpoint: func(ctx context.Context) (string, error) {
			_, signed, err := s.store.LedgerHead(ctx)
			return signed, err
		},
		Rotations: func() ([]byte, error) {
			list, err := store.ReadRotations(s.conf.rotationsFile())
			if err != nil {
				return nil, err
			}
			return store.FormatRotations(list)
		},
	}
}

// linkKeySetting names the secret that proves links to explaining pages. It lies in the
// database so that all processes of an installation have the same.
const linkKeySetting = "web.link_key"

// links reads the secret for links, or makes it at first start.
func (s *service) links(ctx context.Context) (web.Links, error) {
	text, err := s.store.Setting(ctx, linkKeySetting)
	if errors.Is(err, store.ErrNotFound) {
		key := make([]byte, 32)
		rand.Read(key) // never fails; see crypto/rand
		err = s.store.SwapSetting(ctx, linkKeySetting, "", hex.EncodeToString(key))
		if err == nil || errors.Is(err, store.ErrConflict) { // another process was first
			text, err = s.store.Setting(ctx, linkKeySetting)
		}
	}
	if err != nil {
		return web.Links{}, fmt.Errorf("reading the secret for links: %w", err)
	}
	key, err := hex.DecodeString(text)
	if err != nil {
		return web.Links{}, fmt.Errorf("reading the secret for links: %w", err)
	}
	return web.NewLinks(key, s.linkEpoch), nil
}

// linkEpoch returns since when links to pages about a repository hold: since it was last made
// private, "" when it never was (THREATS G32).
func (s *service) linkEpoch(repositoryID int64) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), linkTimeout)
	defer cancel()
	since, err := s.store.Setting(ctx, store.LinksSetting(repositoryID))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return since, err
}

// linkTimeout bounds a look at one row.
const linkTimeout = 2 * time.Second

// ready says what keeps the service from reaching verdicts.
func (s *service) ready(ctx context.Context) error {
	var wrong []error
	if err := s.store.Ping(ctx); err != nil {
		s.log.Error("the database does not answer", "error", err.Error())
		wrong = append(wrong, errors.New("the database does not answer"))
	}
	if s.advisories.Status().Records == 0 {
		wrong = append(wrong, errors.New("no advisories yet: the first download is under way or failed; see the log, or run landwaiter advisories import"))
	}
	return errors.Join(wrong...)
}

// run serves until ctx ends. metrics may be nil.
func (s *service) run(ctx context.Context, listen, metrics net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.app.Run(ctx) })
	group.Go(func() error { return s.web.Serve(ctx, listen, metrics) })
	group.Go(func() error { s.checkCage(ctx); return nil })
	group.Go(func() error { s.watchLedger(ctx); return nil })
	if s.conf.refresh {
		group.Go(func() error { s.refreshAdvisories(ctx); return nil })
	}
	if s.conf.trustRefresh {
		group.Go(func() error { s.refreshTrust(ctx); return nil })
	}
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// checkCage starts the first reader of manifests and says in the log whether all of its cage
// holds. What is missing is logged by the cage itself.
func (s *service) checkCage(ctx context.Context) {
	switch missing, err := s.readers.Missing(ctx); {
	case ctx.Err() != nil:
	case err != nil:
		s.log.Error("manifests cannot be read; verdicts that need them are unknown", "error", err.Error())
	case len(missing) == 0:
		s.log.Info("manifests are read in child processes without files, network and secrets")
	}
}

// Advisories are asked for at these times: the OSV bucket changes every few minutes, and
// an incremental update costs a few kilobytes.
const (
	refreshEvery      = 15 * time.Minute
	refreshAfterFault = 2 * time.Minute // then twice as long each time, up to refreshEvery
	// exploitsEvery is for KEV, which changes on some days, and EPSS, which does daily.
	exploitsEvery = 2 * time.Hour
	// maxAdvisoryAge is how old they may get before verdicts become unknown: new malware is
	// known within days, and a week of failed updates needs a person.
	maxAdvisoryAge = 7 * 24 * time.Hour
)

// refreshAdvisories keeps the advisories current until ctx ends. What fails is logged and
// tried again; the last good data stays in use and its age is in every report.
func (s *service) refreshAdvisories(ctx context.Context) {
	afterFault := refreshAfterFault
	for {
		wait := refreshEvery
		done, err := s.advisories.Update(ctx, osv.UpdateOptions{
			URL: s.conf.osvURL, KEVURL: s.conf.kevURL, EPSSURL: s.conf.epssURL, ExploitsAge: exploitsEvery,
		})
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			wait, afterFault = afterFault, min(2*afterFault, refreshEvery)
			s.log.Error("updating advisories", "source", s.conf.osvURL, "error", err.Error())
		} else {
			afterFault = refreshAfterFault
		}
		if len(done.Changed) > 0 {
			s.log.Info("advisories updated", "packages", len(done.Changed), "exploited", len(done.Exploited))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// close ends what openService opened.
func (s *service) close() {
	s.readers.Close()
	if s.store != nil {
		if err := s.store.Close(); err != nil {
			s.log.Error("closing the database", "error", err.Error())
		}
	}
	if err := s.traces.close(); err != nil {
		s.log.Error("sending the last traces", "error", err.Error())
	}
	if s.advisories != nil {
		if err := s.advisories.Close(); err != nil {
			s.log.Error("closing the advisories", "error", err.Error())
		}
	}
	crash.After(crash.Shutdown)
}

// databaseKind names the engine without showing the URL, which may hold a password.
func databaseKind(url string) string {
	if strings.HasPrefix(url, "sqlite:") {
		return "sqlite"
	}
	return "postgres"
}
