// Package app is Landwaiter's side of GitHub, and nothing else talks to GitHub.
//
// It owns the one path that every trigger walks: a webhook is received (receive.go) and
// routed to jobs by the table of events (events.go); a worker takes a job under a lease
// (work.go); judge.go gathers what the Subject is now (gather.go, pull_request.go,
// merge_group.go, policy.go), asks checks.Run for the Report and records it; publish.go
// shows it on its surfaces (check_run.go and those in its table); clock.go starts what time
// alone starts; settle.go decides what becomes of a job that did not end well. client.go,
// tokens.go, transport.go, limits.go and cache.go hold every rule about calling GitHub: one
// host, one token per job, limits, paging.
//
// Releases leave the path at three places: gather_release.go waits until the assets have
// settled and reads them (assets.go, evidence.go, attestations.go), with download.go for what
// is not at the API, and what came into the release (duties.go, package history); gate.go and issues.go are surfaces of their own, where one job for each
// repository writes all its issues (wishes.go, rollup.go); and publish.go shows nothing of a
// release that changed since it was judged. gate_draft.go publishes drafts; summary.go has the
// verification summaries of what passed made by the signer, and attaches them. Deployments have no
// check: gather_deployment.go waits for the releases at their commit, deployment_gate.go and
// deployment_answer.go are their surface. push.go and gather_commit.go judge commits of the
// default branch before they are tagged.
//
// It never forms a Verdict, opens a file, or keeps state outside the store: any step may
// stop anywhere and run again with the same outcome.
//
// Start reading at New and Run here, then follow the path in that order.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/app/tracing"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/crash"
)

// Config is what New needs. AppID, PrivateKey, WebhookSecrets, Store, Wanted and
// ReadInventory are required.
type Config struct {
	// AppID is GitHub's number of the App.
	AppID int64
	// PrivateKey is the App's RSA key in PEM. It is used to sign tokens and never leaves the process.
	PrivateKey []byte
	// WebhookSecrets are the active secrets, several while one is being replaced.
	WebhookSecrets []string
	// APIURL is the root of GitHub's REST API; "" means https://api.github.com/. Tokens are
	// sent to this host and to no other.
	APIURL string
	// PublicURL is where people reach Landwaiter; links in checks start with it. "" leaves links out.
	PublicURL string
	// Sign returns the proof that a link to the page of the Subject with that key carries; nil
	// leaves links out.
	Sign func(key string) string

	Store    *store.DB
	Scanners []checks.Scanner
	// Wanted reports whether a path is a manifest, or a companion needed to read one.
	Wanted func(path string) bool
	// ReadInventory reads the packages that files name. It never fails: what it could not
	// read is a Gap of the manifest.
	ReadInventory func(ctx context.Context, files []checks.File) checks.Inventory
	// GoSource returns an empty collection of what Go source imports, which ctx ends; nil: nobody
	// reads source.
	GoSource func(ctx context.Context) GoSource
	// ParserVersion names the behaviour of ReadInventory; stored inventories of another
	// version are not used. "" means that none are.
	ParserVersion string

	// ReadImage returns the evidence that a container registry keeps for an image at digest,
	// "sha256:...". ReadPackage returns what an npm registry keeps for a version of a package,
	// with its SHA-512 in hexadecimal. Both ask through the transport that they are given,
	// which reaches public addresses only. nil means that nobody is asked: then what the
	// policy wants of them is Unknown.
	ReadImage   func(ctx context.Context, through http.RoundTripper, image, digest string) ([]checks.Bundle, error)
	ReadPackage func(ctx context.Context, through http.RoundTripper, name, version string) (sha512 string, bundles []checks.Bundle, err error)

	// Summarise makes, or finds, the signed verification summaries of the Report of that
	// generation on a Subject's key. A *summary.Refusal is final; any other error may pass.
	// Called again it returns the same bytes. nil means that none are made.
	Summarise func(ctx context.Context, key string, generation int64) (store.StoredSummary, error)

	// MaxAsset is the largest release asset read, in bytes; 0 means 4 GiB.
	MaxAsset int64

	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Log is where errors are written, once each; nil means slog.Default().
	Log *slog.Logger
	// Transport carries requests; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Tracer follows each delivery through its jobs; nil exports nothing, and traces have their
	// numbers in the log alone.
	Tracer *tracing.Tracer
	// Metrics is where metrics are registered; nil registers none.
	Metrics prometheus.Registerer
	// Workers is the number of jobs run at once; 0 means 8.
	Workers int
	// Version is shown to GitHub as part of the user agent.
	Version string
}

// App is the engine. Make one with New; all methods may be called from several goroutines.
type App struct {
	cfg     Config
	log     *slog.Logger
	store   *store.DB
	github  *gateway
	metrics *metrics
	secrets [][]byte
	limits  limits

	downloads *downloads
}

// limits are the durations a test shortens.
type limits struct {
	lease    time.Duration // how long a claimed job is ours without a heartbeat
	beat     time.Duration // between heartbeats
	idle     time.Duration // between looks at the queue when nothing wakes us
	judge    time.Duration // deadline of one judgment (GITHUB.md section 5: 5 minutes)
	release  time.Duration // deadline of judging a release, which may hold gigabytes
	step     time.Duration // deadline of any other step
	drain    time.Duration // how long a stopping process may use to give its jobs back
	bodyWait time.Duration // how long a webhook waits for memory
}

// New returns an engine that is not running yet. It refuses a configuration that could not
// work or would not be safe, naming the field.
func New(cfg Config) (*App, error) {
	secrets, err := readSecrets(cfg.WebhookSecrets)
	if err != nil {
		return nil, err
	}
	if cfg.AppID <= 0 {
		return nil, errors.New("app: Config.AppID must be the App's number, above 0")
	}
	if cfg.Store == nil || cfg.Wanted == nil || cfg.ReadInventory == nil {
		return nil, errors.New("app: Config.Store, Config.Wanted and Config.ReadInventory are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	cfg.Log = tracing.Log(cfg.Log)
	if cfg.Workers <= 0 {
		cfg.Workers = 8
	}
	cfg.PublicURL = strings.TrimSuffix(cfg.PublicURL, "/")
	if _, err := url.Parse(cfg.PublicURL); err != nil {
		return nil, fmt.Errorf("app: Config.PublicURL: %w", err)
	}
	m, err := newMetrics(cfg.Metrics, cfg.Store, cfg.Version)
	if err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, log: cfg.Log, store: cfg.Store, metrics: m, secrets: secrets, limits: usualLimits()}
	a.github, err = newGateway(cfg, m)
	if err != nil {
		return nil, err
	}
	a.downloads = newDownloads(a.github.base, parallelDownloads)
	return a, nil
}

// usualLimits are the limits outside tests. A dead worker's job is taken over after the
// lease, which THREATS.md section 5 wants within 60 seconds.
func usualLimits() limits {
	return limits{
		lease: crash.Hurry(60 * time.Second), beat: crash.Hurry(20 * time.Second), idle: time.Second,
		judge: 5 * time.Minute, release: 30 * time.Minute, step: 2 * time.Minute, drain: 5 * time.Second, bodyWait: 2 * time.Second,
	}
}

// now returns the time in UTC.
func (a *App) now() time.Time { return a.cfg.Now().UTC() }

// Run works on jobs and keeps the clock until ctx ends, then returns nil after every job
// under way has been given back. It returns an error when the clock's jobs cannot be stored.
func (a *App) Run(ctx context.Context) error {
	if err := a.startClock(ctx); err != nil {
		return err
	}
	return a.workUntil(ctx)
}
