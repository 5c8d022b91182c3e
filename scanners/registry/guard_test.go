package registry

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestG18OnlyPublicAddresses(t *testing.T) {
	t.Parallel()
	for address, public := range map[string]bool{
		"216.239.32.53:443": true, "[2001:4860:4802:32::35]:443": true,
		"127.0.0.1:443": false, "[::1]:443": false, "10.1.2.3:443": false, "192.168.1.1:443": false, "172.16.0.1:443": false,
		"169.254.169.254:80": false, "100.64.0.1:443": false, "0.0.0.0:443": false, "[fd00::1]:443": false, "[fe80::1]:443": false,
		"[::ffff:10.0.0.1]:443": false, "224.0.0.1:443": false, "not an address": false,
	} {
		if err := onlyPublic(context.Background(), "tcp", address, nil); (err == nil) != public {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestG18NameThatResolvesInside connects with the guard of the default address to one that
// resolves to loopback.
func TestG18NameThatResolvesInside(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Error("a request arrived")
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
	if err != nil {
		t.Fatal(err)
	}
	s := &source{base: u.String(), host: u.Host, client: newClient(u, true), called: func(string) {}, patience: time.Minute}
	_, f := s.versions(context.Background(), []version{{"npm", "left-pad", "1.3.0"}})
	if f == nil || !strings.Contains(f.reason, "its name resolves to") || !strings.HasSuffix(f.reason, "which is not a public address") {
		t.Errorf("fault: %+v", f)
	}
}
