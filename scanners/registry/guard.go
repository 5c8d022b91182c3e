package registry

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// newClient returns the client for the API at u (THREATS G18): no credentials, no cookies, no
// redirect is followed, and with public the host must have a public address, which is checked
// on the address that its name resolved to. An operator who names another host may keep it
// anywhere. Through a proxy of the environment, the proxy resolves names.
func newClient(u *url.URL, public bool) *http.Client {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	dialer := &net.Dialer{Timeout: 2 * time.Second}
	if public && proxy == nil && err == nil {
		dialer.ControlContext = onlyPublic
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dialer.DialContext,
			TLSHandshakeTimeout: 3 * time.Second, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: width,
			ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// addressError says that a name resolved to an address that must not be called.
type addressError struct{ address netip.Addr }

func (e *addressError) Error() string {
	return fmt.Sprintf("its name resolves to %s, which is not a public address", e.address)
}

// shared is the range of carriers' networks (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

func onlyPublic(_ context.Context, _, address string, _ syscall.RawConn) error {
	peer, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading address %q: %w", address, err)
	}
	ip := peer.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip) {
		return &addressError{ip}
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
