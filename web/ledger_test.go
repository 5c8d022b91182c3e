package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

const ledgerToken = "0123456789abcdef0123456789abcdef"

// ledgerServer serves a ledger of 300 entries, each tile as its own path.
func ledgerServer(t *testing.T, access LedgerAccess, token string) http.Handler {
	t.Helper()
	return newServer(t, Config{Ledger: Ledger{
		Access: access, Token: token,
		Checkpoint: func(context.Context) (string, error) { return "signed\n", nil },
		Rotations:  func() ([]byte, error) { return []byte("[]\n"), nil },
		Tile: func(_ context.Context, tile ledger.Tile) ([]byte, error) {
			if !tile.In(300) {
				return nil, fmt.Errorf("tile: %w", store.ErrNotFound)
			}
			return []byte(tile.Path()), nil
		},
	}}).Handler(false)
}

func askLedger(h http.Handler, path, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestG12LedgerAccess: what everybody sees is what the operator allows, entries never are.
func TestG12LedgerAccess(t *testing.T) {
	t.Parallel()
	const checkpoint, hashes, partial, entries = "/ledger/checkpoint", "/ledger/tile/0/000", "/ledger/tile/0/001.p/44", "/ledger/tile/entries/000"
	const rotations = "/ledger/rotations"
	const good = "Bearer " + ledgerToken
	tests := []struct {
		access LedgerAccess
		token  string
		sent   string
		seen   []string
	}{
		{"", "", "", nil},
		{"", "", "Bearer ", nil},
		{LedgerOff, "", good, nil},
		{LedgerOff, ledgerToken, "", nil},
		{LedgerOff, ledgerToken, good, []string{checkpoint, hashes, partial, entries}},
		{LedgerOff, ledgerToken, "Bearer " + ledgerToken[1:], nil},
		{LedgerOff, ledgerToken, "Bearer  " + ledgerToken, nil},
		{LedgerOff, ledgerToken, ledgerToken, nil},
		{LedgerOff, ledgerToken, "Basic " + ledgerToken, nil},
		{LedgerCheckpoint, "", "", []string{checkpoint}},
		{LedgerCheckpoint, ledgerToken, "Bearer wrong", []string{checkpoint}},
		{LedgerTiles, "", "", []string{checkpoint, hashes, partial}},
		{LedgerTiles, "", "Bearer ", []string{checkpoint, hashes, partial}},
		{LedgerTiles, ledgerToken, good, []string{checkpoint, hashes, partial, entries}},
		{"everything", "", "", nil}, // a degree that does not exist opens nothing
	}
	for _, tt := range tests {
		if len(tt.seen) > 0 {
			tt.seen = append(tt.seen, rotations) // who reads the checkpoint
		}
		h := ledgerServer(t, tt.access, tt.token)
		missing := said(askLedger(h, "/ledger/tile/0/777", tt.sent))
		for _, path := range []string{checkpoint, rotations, hashes, partial, entries} {
			w := askLedger(h, path, tt.sent)
			want := false
			for _, p := range tt.seen {
				want = want || p == path
			}
			if (w.Code == http.StatusOK) != want {
				t.Errorf("access %q, token %q, sent %q: %s = %d", tt.access, tt.token, tt.sent, path, w.Code)
			}
			if !want && (w.Code != http.StatusNotFound || said(w) != missing) {
				t.Errorf("access %q, sent %q: %s = %d %s, want the same 404 as for what is not there", tt.access, tt.sent, path, w.Code, w.Body)
			}
			if want && path == entries && w.Header().Get("Cache-Control") != "private, no-store" {
				t.Errorf("entries may be kept by others: %q", w.Header().Get("Cache-Control"))
			}
		}
	}
	if w := ask(newServer(t, Config{}).Handler(false), "GET", checkpoint, ""); w.Code != http.StatusNotFound {
		t.Errorf("without a ledger: %d", w.Code)
	}
}

func TestLedgerPaths(t *testing.T) {
	t.Parallel()
	h := ledgerServer(t, LedgerTiles, ledgerToken)
	for path, cache := range map[string]string{
		"/ledger/tile/0/000":       "public, max-age=31536000, immutable",
		"/ledger/tile/0/000.p/7":   "public, max-age=3600",
		"/ledger/tile/0/001.p/44":  "public, max-age=3600",
		"/ledger/tile/1/000.p/1":   "public, max-age=3600",
		"/ledger/tile/entries/000": "private, no-store",
	} {
		w := askLedger(h, path, "Bearer "+ledgerToken)
		if w.Code != http.StatusOK || w.Body.String() != strings.TrimPrefix(path, "/ledger/") || w.Header().Get("Cache-Control") != cache ||
			w.Header().Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s = %d %q, %v", path, w.Code, w.Body, w.Header())
		}
	}
	w := askLedger(h, "/ledger/checkpoint", "")
	if w.Body.String() != "signed\n" || w.Header().Get("Cache-Control") != "no-cache" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("checkpoint: %q, %v", w.Body, w.Header())
	}
	for _, path := range []string{
		"/ledger", "/ledger/", "/ledger/tile/", "/ledger/tile/0/001", "/ledger/tile/0/001.p/45", "/ledger/tile/0/0", "/ledger/tile/64/000",
		"/ledger/tile/data/000", "/ledger/tile/0/..%2f..%2fcheckpoint", "/ledger/tile/../checkpoint", "/ledger/tile/0/000.p/256", "/ledger/tile/0/000/",
		"/ledger/tile/" + strings.Repeat("x", 5000),
	} {
		if w := askLedger(h, path, "Bearer "+ledgerToken); w.Code != http.StatusNotFound {
			t.Errorf("%.60s = %d, want 404", path, w.Code)
		}
	}
	if w := ask(h, "POST", "/ledger/tile/0/000", ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d", w.Code)
	}
}

// TestLedgerFaultIsNoTile: a ledger that cannot be read is a fault with a number, not a 404.
func TestLedgerFaultIsNoTile(t *testing.T) {
	t.Parallel()
	h := newServer(t, Config{Ledger: Ledger{
		Access:     LedgerTiles,
		Checkpoint: func(context.Context) (string, error) { return "", errors.New("secret detail") },
		Rotations:  func() ([]byte, error) { return nil, errors.New("secret detail") },
		Tile: func(context.Context, ledger.Tile) ([]byte, error) {
			return nil, &store.TamperedError{Index: 3, Detail: "secret detail"}
		},
	}}).Handler(false)
	for _, path := range []string{"/ledger/checkpoint", "/ledger/rotations", "/ledger/tile/0/000"} {
		if w := askLedger(h, path, ""); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s = %d %s", path, w.Code, w.Body)
		}
	}
}
