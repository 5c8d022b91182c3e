package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"
)

const (
	maxRedirects = 5 // from the address GitHub names to the bytes; GitHub itself uses one
	// slowest is the pace in bytes per second below which a download is given up, so that a
	// server which drips bytes cannot hold a slot. A guess: GitHub delivers a hundred times that.
	slowest = 256 << 10
	// usualPatience is the longest silence; twice as much is added to the time that slowest allows.
	usualPatience = 30 * time.Second
)

// downloads is the one client for addresses that GitHub names rather than we: where assets
// and attestation bundles are kept (THREATS G13, G18).
//
// It carries no credentials, no cookies and no referrer, speaks https only, and connects to
// public addresses only, which is checked on the address that the name resolved to. Hosts are
// not listed: the first address always comes from GitHub's API over TLS, and GitHub moves its
// storage without notice. The host of the API and those below it may have a private address:
// the operator named that host. Through a proxy of the environment, the proxy resolves names,
// and keeping private addresses out is its task.
type downloads struct {
	client *http.Client
	api    string // host of GitHub's API, without port
	plain  bool   // the API is plain HTTP on loopback, as in tests and the demo: so may downloads be
	slots  chan struct{}
	// patience is usualPatience outside tests.
	patience time.Duration
}

// newDownloads returns the client for an API at api. At most parallel downloads run at once.
func newDownloads(api *url.URL, parallel int) *downloads {
	d := &downloads{
		api: api.Hostname(), plain: api.Scheme == "http" && loopbackHost(api.Hostname()),
		slots: make(chan struct{}, parallel), patience: usualPatience,
	}
	proxy := httpproxy.FromEnvironment()
	toProxy := proxy.ProxyFunc()
	proxies := proxyAddresses(proxy)
	d.client = &http.Client{
		CheckRedirect: d.redirect,
		Transport: &http.Transport{
			Proxy: func(r *http.Request) (*url.URL, error) { return toProxy(r.URL) },
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return d.dial(ctx, network, address, proxies[address])
			},
			ForceAttemptHTTP2:      true,
			DisableCompression:     true, // sizes are compared with what was announced
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  usualPatience,
			IdleConnTimeout:        usualPatience,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    parallel,
		},
	}
	return d
}

func loopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// proxyAddresses returns the addresses dialled for the proxies of the environment.
func proxyAddresses(c *httpproxy.Config) map[string]bool {
	addresses := map[string]bool{}
	for _, text := range []string{c.HTTPProxy, c.HTTPSProxy} {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" {
			u, err = url.Parse("http://" + text)
		}
		if err != nil || u.Hostname() == "" {
			continue
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
		}
		if port == "" {
			port = "80"
		}
		addresses[net.JoinHostPort(u.Hostname(), port)] = true
	}
	return addresses
}

// allowed refuses addresses that are not fetched.
func (d *downloads) allowed(u *url.URL) error {
	switch {
	case u.Hostname() == "":
		return badAddress("the address names no host")
	case u.User != nil:
		return badAddress("the address carries a user name")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && d.plain && loopbackHost(u.Hostname()):
		return nil
	}
	return badAddress(fmt.Sprintf("the address is not https but %q", u.Scheme))
}

// badAddress is an address that is not fetched, and why.
type badAddress string

func (e badAddress) Error() string { return string(e) }

// redirect follows at most maxRedirects, each to an allowed address. The address before is
// a secret, because whoever knows a signed address can fetch it: it is not passed on.
func (d *downloads) redirect(r *http.Request, via []*http.Request) error {
	r.Header.Del("Referer")
	if len(via) >= maxRedirects {
		return badAddress(fmt.Sprintf("stopped after %d redirects", maxRedirects))
	}
	return d.allowed(r.URL)
}

// dial connects to address unless it resolves to one that is not public.
func (d *downloads) dial(ctx context.Context, network, address string, proxy bool) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	own := proxy || strings.EqualFold(host, d.api) || strings.HasSuffix(strings.ToLower(host), "."+strings.ToLower(d.api))
	dialer := net.Dialer{Timeout: 10 * time.Second}
	dialer.Control = func(_, resolved string, _ syscall.RawConn) error {
		peer, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return fmt.Errorf("reading address %q: %w", resolved, err)
		}
		if own || public(peer.Addr()) || d.plain && peer.Addr().Unmap().IsLoopback() {
			return nil
		}
		return badAddress(fmt.Sprintf("%s resolves to %s, which is not a public address", host, peer.Addr()))
	}
	return dialer.DialContext(ctx, network, address)
}

// notPublic are the special-purpose blocks of the IANA registries (RFC 6890 and updates)
// that netip has no method for, and transition ranges that hide an IPv4 address. NAT64's
// well-known range is looked into instead: hosts without IPv4 reach GitHub through it.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("5f00::/16"), netip.MustParsePrefix("fec0::/10"),
}

// nat64 is the range of RFC 6052: its last four bytes are an IPv4 address.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// public reports whether anybody on the Internet could be asked at ip.
func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, block := range notPublic {
		if block.Contains(ip) {
			return false
		}
	}
	return true
}

// answered is an HTTP status other than 200 from a download.
type answered struct{ Status int }

func (e answered) Error() string {
	return fmt.Sprintf("HTTP %d %s", e.Status, http.StatusText(e.Status))
}

// errLonger says that a download has more bytes than were asked for.
var errLonger = errors.New("longer than the limit")

// final reports whether a download that failed with err would fail again.
func final(err error) bool {
	var refused answered
	var bad badAddress
	if errors.As(err, &refused) {
		return refused.Status < 500 && refused.Status != http.StatusTooManyRequests && refused.Status != http.StatusRequestTimeout
	}
	return errors.As(err, &bad) || errors.Is(err, errLonger)
}

// open starts fetching address for at most size bytes. The caller reads and closes the body,
// which breaks off when it is silent for patience or slower than slowest. Errors name the
// host and never the path, which may be a credential.
func (d *downloads) open(ctx context.Context, address string, size int64) (io.ReadCloser, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, badAddress("the address cannot be read") // err would repeat the address
	}
	if err := d.allowed(u); err != nil {
		return nil, err
	}
	ctx, watch := newPace(ctx, size, d.patience)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		watch.stop()
		return nil, fmt.Errorf("asking %s: the address cannot be used", u.Host)
	}
	answer, err := d.client.Do(r)
	if err != nil {
		err = withoutAddress(ctx, err)
		watch.stop()
		return nil, fmt.Errorf("asking %s: %w", u.Host, err)
	}
	return watch.body(u.Host, answer)
}

// withoutAddress is err without the address that net/http puts into its errors.
func withoutAddress(ctx context.Context, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// bytes downloads address, at most limit bytes of it.
func (d *downloads) bytes(ctx context.Context, address string, limit int64) ([]byte, error) {
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	body, err := d.open(ctx, address, limit)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errLonger
	}
	return data, err
}

// pace ends a download that stalls or drips.
type pace struct {
	io.Reader
	closer  io.Closer
	ctx     context.Context // of the request, for the cause of its end
	cancel  context.CancelCauseFunc
	silence *time.Timer
	whole   *time.Timer
	longest time.Duration // of silence
}

// newPace returns a context for a download of at most size bytes, and what watches it.
func newPace(ctx context.Context, size int64, patience time.Duration) (context.Context, *pace) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &pace{ctx: ctx, cancel: cancel, longest: patience}
	p.silence = time.AfterFunc(patience, func() { cancel(fmt.Errorf("no byte for %s", patience)) })
	limit := 2*patience + time.Duration(size/slowest)*time.Second
	p.whole = time.AfterFunc(limit, func() { cancel(fmt.Errorf("not finished after %s", limit)) })
	return ctx, p
}

// body returns the body of answer under watch, or answered when it is not a success.
func (p *pace) body(host string, answer *http.Response) (io.ReadCloser, error) {
	p.Reader, p.closer = answer.Body, answer.Body
	if answer.StatusCode != http.StatusOK {
		_ = p.Close() // the body of a refusal is not read
		return nil, fmt.Errorf("asking %s: %w", host, answered{answer.StatusCode})
	}
	return p, nil
}

// Read reads on, and says why when the watch broke it off.
func (p *pace) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if n > 0 {
		p.silence.Reset(p.longest)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = withoutAddress(p.ctx, err)
	}
	return n, err
}

// Close ends the download and the watch.
func (p *pace) Close() error {
	p.stop()
	return p.closer.Close()
}

func (p *pace) stop() {
	p.silence.Stop()
	p.whole.Stop()
	p.cancel(nil)
}
