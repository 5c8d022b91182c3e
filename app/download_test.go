package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// newTestDownloads returns a client for an API at address.
func newTestDownloads(t *testing.T, address string) *downloads {
	t.Helper()
	api, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return newDownloads(api, 2)
}

func TestG18PublicAddresses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		address string
		want    bool
	}{
		{"140.82.112.3", true},
		{"2606:50c0:8000::153", true},
		{"64:ff9b::8c52:7003", true}, // NAT64 of 140.82.112.3
		{"127.0.0.1", false},
		{"10.1.2.3", false},
		{"172.16.0.1", false},
		{"192.168.1.1", false},
		{"169.254.169.254", false}, // cloud metadata
		{"100.100.100.200", false}, // shared address space
		{"0.0.0.0", false},
		{"224.0.0.1", false},
		{"255.255.255.255", false},
		{"198.18.0.1", false},
		{"::1", false},
		{"::", false},
		{"fe80::1", false},
		{"fc00::1", false},
		{"fec0::1", false},
		{"::ffff:127.0.0.1", false},
		{"::ffff:10.0.0.1", false},
		{"::127.0.0.1", false},
		{"64:ff9b::7f00:1", false},
		{"64:ff9b::a9fe:a9fe", false},
		{"2002:7f00:1::", false},
		{"2001:db8::1", false},
		{"ff02::1", false},
	}
	for _, test := range tests {
		if got := public(netip.MustParseAddr(test.address)); got != test.want {
			t.Errorf("public(%s) = %v, want %v", test.address, got, test.want)
		}
	}
}

func TestG18AddressesRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, api, address, want string
	}{
		{"plain HTTP", "https://api.github.com/", "http://objects.example/a", "not https"},
		{"plain HTTP to loopback beside a public API", "https://api.github.com/", "http://127.0.0.1/a", "not https"},
		{"plain HTTP elsewhere beside a local API", "http://127.0.0.1:1/", "http://objects.example/a", "not https"},
		{"file", "https://api.github.com/", "file:///etc/passwd", "names no host"},
		{"no host", "https://api.github.com/", "https:///a", "names no host"},
		{"credentials", "https://api.github.com/", "https://user:secret@objects.example/a", "user name"},
		{"garbage", "https://api.github.com/", "https://objects.example/%zz?secret", "cannot be read"},
		{"loopback by address", "https://api.github.com/", "https://127.0.0.1/a?secret", "not a public address"},
		{"loopback by name", "https://api.github.com/", "https://localhost/a?secret", "not a public address"},
		{"loopback by number", "https://api.github.com/", "https://[::ffff:7f00:1]/a?secret", "not a public address"},
		{"metadata of a cloud beside a local API", "http://127.0.0.1:1/", "https://169.254.169.254/a?secret", "not a public address"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := newTestDownloads(t, test.api).open(t.Context(), test.address, 1)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("open %s: %v, want an error with %q", test.address, err, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("error repeats the address: %v", err)
			}
		})
	}
}

func TestG13RedirectsCarryNothing(t *testing.T) {
	t.Parallel()
	headers := make(chan http.Header, 1)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers <- r.Header
		_, _ = io.WriteString(w, "bytes") // the test reads them
	}))
	t.Cleanup(target.Close)
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "canary", Domain: "127.0.0.1", Path: "/"})
		http.Redirect(w, r, target.URL+"/b", http.StatusFound)
	}))
	t.Cleanup(first.Close)
	got, err := newTestDownloads(t, first.URL).bytes(t.Context(), first.URL+"/a?signature=canary", 100)
	if err != nil || string(got) != "bytes" {
		t.Fatalf("bytes = %q, %v", got, err)
	}
	for name := range <-headers {
		if name != "User-Agent" && name != "Accept-Encoding" {
			t.Errorf("the target of a redirect received header %s", name)
		}
	}
}

func TestDownloadsGiveUp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		size   int64
		want   string
	}{
		{"redirects in a circle", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, 10, "5 redirects"},
		{"redirect away from https", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://objects.example/", http.StatusFound)
		}, 10, "not https"},
		{"refused", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, 10, "HTTP 403"},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 10, "no byte for 50ms"},
		{"silence in the middle", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "12345")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, 10, "no byte for 50ms"},
		{"drip", func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for r.Context().Err() == nil {
				<-tick.C
				_, _ = io.WriteString(w, "1")
				_ = http.NewResponseController(w).Flush()
			}
		}, 1000, "not finished after 4s"},
		{"longer than asked for", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "12345678901") }, 10, "longer than the limit"},
		{"cut", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "12345")
		}, 10, "unexpected EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(test.answer))
			t.Cleanup(server.Close)
			d := newTestDownloads(t, server.URL)
			switch {
			case strings.Contains(test.want, "no byte"):
				d.patience = 50 * time.Millisecond
			case test.name == "drip": // a busy machine may be silent for a while
				d.patience = 2 * time.Second
			}
			if _, err := d.bytes(t.Context(), server.URL, test.size); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("bytes: %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestDownloadsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := newTestDownloads(t, "http://"+l.Addr().String()).open(ctx, "http://"+l.Addr().String(), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("open = %v, want context.Canceled", err)
	}
}
