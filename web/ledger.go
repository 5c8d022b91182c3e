package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// LedgerAccess says what of the ledger is shown to everybody.
type LedgerAccess string

// The degrees of LedgerAccess. Entries hold reports on private repositories: they are never
// shown without the token.
const (
	LedgerOff        LedgerAccess = "off"        // nothing; also the zero value
	LedgerCheckpoint LedgerAccess = "checkpoint" // how many entries there are, and the signed root
	LedgerTiles      LedgerAccess = "tiles"      // and all hashes
)

// Ledger says how the ledger is served below /ledger/ as C2SP tlog-tiles. The zero Ledger serves
// nothing.
type Ledger struct {
	Access LedgerAccess
	// Token opens everything to who sends it as a bearer token; "" opens nothing.
	Token string
	// Checkpoint returns the newest signed checkpoint.
	Checkpoint func(context.Context) (string, error)
	// Rotations returns the rotations of the key, as store.FormatRotations writes them.
	Rotations func() ([]byte, error)
	// Tile returns the bytes of a tile, or store.ErrNotFound.
	Tile func(context.Context, ledger.Tile) ([]byte, error)
}

// ledgerCheckpoint shows the newest checkpoint.
func (s *Server) ledgerCheckpoint(c echo.Context) error {
	access := s.cfg.Ledger.Access
	if !s.mayRead(c, access == LedgerCheckpoint || access == LedgerTiles) {
		return echo.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
	defer cancel()
	signed, err := s.cfg.Ledger.Checkpoint(ctx)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-cache")
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte(signed))
}

// ledgerRotations shows how the key was passed on, to whom may read the checkpoint.
func (s *Server) ledgerRotations(c echo.Context) error {
	access := s.cfg.Ledger.Access
	if !s.mayRead(c, access == LedgerCheckpoint || access == LedgerTiles) || s.cfg.Ledger.Rotations == nil {
		return echo.ErrNotFound
	}
	list, err := s.cfg.Ledger.Rotations()
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-cache")
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, list)
}

// ledgerTile shows a tile. A path that is none, a tile beyond the ledger, and one that is not for
// the asker all look alike (THREATS G12).
func (s *Server) ledgerTile(c echo.Context) error {
	tile, err := ledger.ParseTile(strings.TrimPrefix(c.Request().URL.Path, "/ledger/"))
	public := err == nil && !tile.Entries() && s.cfg.Ledger.Access == LedgerTiles
	if !s.mayRead(c, public) || err != nil {
		return echo.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
	defer cancel()
	b, err := s.cfg.Ledger.Tile(ctx, tile)
	if errors.Is(err, store.ErrNotFound) {
		return echo.ErrNotFound
	}
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, tileCaching(public, tile.Full()))
	return c.Blob(http.StatusOK, echo.MIMEOctetStream, b)
}

// tileCaching says how long a tile may be kept, and by whom. A full one never changes; a partial
// one does not either, but is soon of no use.
func tileCaching(public, full bool) string {
	switch {
	case !public:
		return "private, no-store"
	case full:
		return "public, max-age=31536000, immutable"
	default:
		return "public, max-age=3600"
	}
}

// mayRead says whether the asker sees a part of the ledger: everybody does when it is public,
// and who has the token.
func (s *Server) mayRead(c echo.Context, public bool) bool {
	l := s.cfg.Ledger
	if l.Checkpoint == nil || l.Tile == nil {
		return false
	}
	return public || s.bearer(c)
}

// bearer says whether the asker sent the token that opens everything. Hashes are compared so
// that time tells nothing about the token, not even its length.
func (s *Server) bearer(c echo.Context) bool {
	c.Response().Header().Set(echo.HeaderVary, echo.HeaderAuthorization)
	sent, ok := strings.CutPrefix(c.Request().Header.Get(echo.HeaderAuthorization), "Bearer ")
	if !ok || s.cfg.Ledger.Token == "" {
		return false
	}
	got, want := sha256.Sum256([]byte(sent)), sha256.Sum256([]byte(s.cfg.Ledger.Token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
