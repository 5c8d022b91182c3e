package githubtest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// ContractMode says whether traffic is held to GitHub's published OpenAPI description.
type ContractMode int

// The modes. The zero value is Strict.
const (
	// Strict checks, where there is a Description, every request, every answer and every webhook. Each breach is
	// listed by Violations; the request is still answered.
	Strict ContractMode = iota
	// Off checks nothing and does not load the description.
	Off
)

// Contract judges traffic by GitHub's published description. The package contract has one; it
// is handed in because only tests and the demo of a build for it should carry that package,
// which costs every start of a process 16 ms. method and template name the operation as
// GitHub writes it. Errors name all breaches.
type Contract interface {
	Request(ctx context.Context, method, template string, r *http.Request, params map[string]string, body []byte) error
	Response(ctx context.Context, method, template string, r *http.Request, params map[string]string, status int, header http.Header, body []byte) error
	Webhook(event, action string, payload []byte) error
}

// Options configure New. The zero value is useful: nothing is checked, no webhooks sent.
type Options struct {
	// Now tells the time; nil means time.Now. The stand-in never sleeps on it.
	Now func() time.Time
	// AppID is the numeric id of the App; 0 means 4242.
	AppID int64
	// AppSlug is the App's name in URLs; "" means "landwaiter". Its user is AppSlug + "[bot]".
	AppSlug string
	// Key is the App's private key; nil means one 2,048-bit key made once per process.
	Key *rsa.PrivateKey
	// WebhookSecret signs deliveries; "" means "stand-in-webhook-secret".
	WebhookSecret string
	// WebhookURL is where deliveries go; "" stores them as failed with status 0.
	// SetWebhookURL changes it.
	WebhookURL string
	// AutoDeliver sends a webhook for every change of state, as GitHub does, in order,
	// from one goroutine. See Settle. Without it, only Deliver sends. Changes before Start
	// are not sent.
	AutoDeliver bool
	// Events are the names of the events the App subscribes to; nil means every one.
	// Installation events and ping come always.
	Events []string
	// Description is what traffic is held to; nil checks nothing. NewTest demands it.
	Description Contract
	// Contract is Strict unless set.
	Contract ContractMode
	// Latency is added to every API call, measured on the real clock.
	Latency time.Duration
	// TokenLength is the length of installation tokens, at least 40, the default. GitHub
	// promises no length; 520 has been seen.
	TokenLength int
	// InlineBundles puts attestation bundles into the list itself, as older servers do.
	InlineBundles bool
}

// GitHub is one stand-in: state, an http.Handler for the API, and a second listener
// for downloads. All methods may be called from several goroutines at once.
type GitHub struct {
	opts Options
	now  func() time.Time

	api  *httptest.Server
	blob *httptest.Server

	mu sync.Mutex // guards everything below
	state
	traffic
	hooks
}

// state is what GitHub would keep in its database.
type state struct {
	lastID        int64
	accounts      map[string]*account
	repos         map[int64]*Repo
	names         map[string]int64 // lower-case owner/name -> id, old names included
	installations map[int64]*Installation
	tokens        map[string]*token
	uploads       map[int64]*asset
	bundles       map[int64]*attestation
	appCreated    time.Time
}

// appKey is the key used when a test does not bring its own. Making one takes up to
// a second, so all stand-ins of a process share it.
var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Sprintf("making the App's key: %v", err))
	}
	return key
})

// New returns a stand-in with an App and nothing else. Call Start before use over
// HTTP, Close when done.
func New(o Options) *GitHub {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.AppID == 0 {
		o.AppID = 4242
	}
	if o.AppSlug == "" {
		o.AppSlug = "landwaiter"
	}
	if o.Key == nil {
		o.Key = appKey()
	}
	if o.WebhookSecret == "" {
		o.WebhookSecret = "stand-in-webhook-secret"
	}
	g := &GitHub{opts: o, now: func() time.Time { return o.Now().UTC().Truncate(time.Second) }}
	g.state = state{
		lastID:        1000,
		accounts:      map[string]*account{},
		repos:         map[int64]*Repo{},
		names:         map[string]int64{},
		installations: map[int64]*Installation{},
		tokens:        map[string]*token{},
		uploads:       map[int64]*asset{},
		bundles:       map[int64]*attestation{},
		appCreated:    g.now(),
	}
	g.traffic = newTraffic(g.now())
	g.hooks = newHooks(o.WebhookURL)
	return g
}

// TB is the part of testing.TB that NewTest needs.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// NewTest returns a started stand-in that closes with the test and fails it for every
// violation of the contract and every credential sent to the blob store. A Strict stand-in
// without a Description fails the test: it would check nothing.
func NewTest(t TB, o Options) *GitHub {
	t.Helper()
	if o.Contract == Strict && o.Description == nil {
		t.Errorf("%s", "Options.Description is missing: set contract.Description{}")
	}
	g := New(o)
	g.Start()
	t.Cleanup(func() {
		g.Close()
		for _, v := range g.Violations() {
			t.Errorf("contract with GitHub: %s", v)
		}
	})
	return g
}

// Start listens on two loopback ports: the API and web pages on one, the blob store
// with downloads on the other. Starting twice does nothing.
func (g *GitHub) Start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.api != nil {
		return
	}
	g.api = httptest.NewServer(g)
	g.blob = httptest.NewServer(http.HandlerFunc(g.serveBlob))
	g.startDelivering()
}

// Close waits for webhooks under way and stops listening. Closing twice, or before
// Start, does nothing.
func (g *GitHub) Close() {
	g.mu.Lock()
	api, blob := g.api, g.blob
	g.mu.Unlock()
	if api == nil {
		return
	}
	g.stopDelivering()
	api.Close()
	blob.Close()
}

// URL is the root of the stand-in, such as http://127.0.0.1:4000, without a slash at
// the end: the address of the web pages, as on Enterprise Server. Empty before Start.
func (g *GitHub) URL() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.root()
}

func (g *GitHub) root() string {
	if g.api == nil {
		return ""
	}
	return g.api.URL
}

// APIURL is the address of the API, URL with /api/v3 behind it; every URL in an answer
// or payload starts with it. Uploads go to /api/uploads. The API answers at the root
// of URL as well, as api.github.com does. Empty before Start.
func (g *GitHub) APIURL() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.apiRoot()
}

func (g *GitHub) apiRoot() string {
	if g.api == nil {
		return ""
	}
	return g.api.URL + "/api/v3"
}

// BlobURL is the root of the blob store, another host than URL. Empty before Start.
func (g *GitHub) BlobURL() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.blobRoot()
}

func (g *GitHub) blobRoot() string {
	if g.blob == nil {
		return ""
	}
	return g.blob.URL
}

// AppID is the numeric id of the App.
func (g *GitHub) AppID() int64 { return g.opts.AppID }

// AppKey is the App's private key in PKCS #1 PEM, as GitHub hands it out.
func (g *GitHub) AppKey() []byte {
	der := x509.MarshalPKCS1PrivateKey(g.opts.Key)
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der})
}

// WebhookSecret is the secret that signs deliveries.
func (g *GitHub) WebhookSecret() string { return g.opts.WebhookSecret }

// id returns a number no other object has.
func (g *GitHub) id() int64 {
	g.lastID++
	return g.lastID
}

// stamp returns a time as GitHub writes it: UTC, whole seconds.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// stampOrNil is stamp, with null for the zero time.
func stampOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}
