package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/go-github/v62/github"
	"github.com/klauspost/compress/snappy"
	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks"
)

const (
	// maxAttestationPages bounds what is asked about one digest, at 100 a page. Attestations
	// beyond are named as not looked at: anyone who may write to the repository can add
	// thousands, and they must not keep a worker busy (THREATS V18).
	maxAttestationPages = 10
	// maxBundles bounds the bundles fetched by address for one release, for the same reason.
	maxBundles = 1000
)

// attestation is one entry of an answer of GitHub's attestations API. Since July 2026 the
// bundle is null and served at bundle_url; older servers hold it inline (GITHUB.md section 7).
type attestation struct {
	Bundle       json.RawMessage `json:"bundle"`
	BundleURL    string          `json:"bundle_url"`
	RepositoryID int64           `json:"repository_id"`
}

// attestations collects the bundles that GitHub keeps for a release.
type attestations struct {
	c    *installation
	held budget // bytes of all bundles together

	fetches  atomic.Int64 // bundles asked for by address
	refused  atomic.Bool  // GitHub does not let us ask
	unsteady atomic.Bool  // a bundle could not be fetched for a reason that may pass

	mu     sync.Mutex
	places map[string]func() ([]byte, *checks.Reason) // by address without query
	seen   map[[32]byte]bool                          // bundles already collected

	// What was found. Of several goroutines, only gap writes here.
	bundles []checks.Bundle
	gaps    []checks.Gap
}

// readAttestations asks GitHub for the attestations of each asset. Bundles that cannot be
// read carry a Problem; a Gap says that GitHub could not be asked at all.
func (c *installation) readAttestations(ctx context.Context, assets []readAsset) (*attestations, error) {
	all := &attestations{c: c, places: map[string]func() ([]byte, *checks.Reason){}, seen: map[[32]byte]bool{}}
	all.held.left = maxEvidenceSum
	found := make([][]checks.Bundle, len(assets))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelDownloads)
	for i, x := range assets {
		if x.SHA256 == "" || isEvidence(x.Name, assets) {
			continue
		}
		group.Go(func() error {
			var err error
			found[i], err = all.of(ctx, x.Asset)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, list := range found {
		all.bundles = append(all.bundles, list...)
	}
	return all, nil
}

// of returns the bundles for one asset that were not collected for another already.
func (s *attestations) of(ctx context.Context, x checks.Asset) ([]checks.Bundle, error) {
	entries, more, err := s.list(ctx, x.SHA256)
	if err != nil {
		return nil, err
	}
	var bundles []checks.Bundle
	for i, entry := range entries {
		name := fmt.Sprintf("attestation %d of %d for %s", i+1, len(entries), x.Name)
		b, fresh, err := s.bundle(ctx, entry, name, x.Name)
		if err != nil {
			return nil, err
		}
		if fresh {
			bundles = append(bundles, b)
		}
	}
	if more {
		bundles = append(bundles, checks.Bundle{
			Name:   fmt.Sprintf("attestations after the first %d for %s", len(entries), x.Name),
			Origin: checks.OriginAttestationAPI, For: x.Name,
			Problem: evidenceProblem(checks.CodeTooLarge, "there are more attestations than are looked at"),
		})
	}
	return bundles, nil
}

// list returns the attestations of a digest that belong to the repository, and whether there
// are more than were asked for. GitHub pages this list by cursor.
func (s *attestations) list(ctx context.Context, digest string) (own []attestation, more bool, err error) {
	if s.refused.Load() {
		return nil, false, nil
	}
	var after string
	entries, err := each(ctx, func(page int) ([]attestation, *github.Response, error) {
		path := fmt.Sprintf("%s/attestations/sha256:%s?per_page=100", s.c.path(), digest)
		if after != "" {
			path += "&after=" + after
		}
		var listed struct {
			Attestations []attestation `json:"attestations"`
		}
		answer, err := s.c.ask(ctx, http.MethodGet, path, nil, &listed)
		if err != nil {
			return nil, answer, err
		}
		answer.NextPage, after = 0, answer.After
		if more = after != ""; more && page < maxAttestationPages {
			answer.NextPage = page + 1
		}
		return listed.Attestations, answer, nil
	})
	var refused *errPermission
	switch {
	case notFound(err): // there are none
		return nil, false, nil
	case errors.As(err, &refused), status(err) == http.StatusForbidden:
		s.gap(err)
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("listing attestations of sha256:%s in %s: %w", digest, s.c.Repo, err)
	}
	for _, entry := range entries {
		if entry.RepositoryID == 0 || entry.RepositoryID == s.c.Repo.ID {
			own = append(own, entry)
		}
	}
	return own, more, nil
}

// gap notes once that GitHub refuses to be asked.
func (s *attestations) gap(err error) {
	if s.refused.Swap(true) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaps = append(s.gaps, checks.Gap{
		Path:   "attestation API",
		Reason: fmt.Sprintf("Landwaiter needs \"Attestations: read\": %v", err),
	})
}

// bundle returns what entry, listed for the asset named asset, holds, and whether that is
// new. One that cannot be read is new for each asset: it may be what each of them lacks.
func (s *attestations) bundle(ctx context.Context, entry attestation, name, asset string) (checks.Bundle, bool, error) {
	b := checks.Bundle{Name: name, Origin: checks.OriginAttestationAPI, Data: entry.Bundle}
	if len(b.Data) == 0 || string(b.Data) == "null" {
		b.Data, b.Problem = s.at(ctx, entry.BundleURL)()
		if ctx.Err() != nil {
			return b, false, fmt.Errorf("reading %s: %w", name, ctx.Err())
		}
	}
	fresh := true
	if b.Problem == nil {
		fresh, b.Problem = s.keep(b.Data)
	}
	if b.Problem != nil {
		b.Data, b.For = nil, asset
	}
	return b, fresh, nil
}

// at returns what fetches the bundle at address, once for all assets it was listed for.
func (s *attestations) at(ctx context.Context, address string) func() ([]byte, *checks.Reason) {
	place, _, _ := strings.Cut(address, "?") // the query is a signature, which differs each time
	s.mu.Lock()
	defer s.mu.Unlock()
	fetch, known := s.places[place]
	if !known {
		fetch = sync.OnceValues(func() ([]byte, *checks.Reason) { return s.fetch(ctx, address) })
		s.places[place] = fetch
	}
	return fetch
}

// keep reports whether data was not collected yet, or why it cannot be.
func (s *attestations) keep(data []byte) (fresh bool, problem *checks.Reason) {
	sum := sha256.Sum256(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.seen[sum]:
		return false, nil
	case len(data) > maxEvidence:
		return true, evidenceProblem(checks.CodeTooLarge, "it has %d bytes, and at most %d are read", len(data), maxEvidence)
	case !s.held.take(int64(len(data))):
		return true, evidenceProblem(checks.CodeTooLarge, "the release's attestations have more than %d bytes together", maxEvidenceSum)
	}
	s.seen[sum] = true
	return true, nil
}

// fetch downloads the bundle at address without credentials (THREATS G13).
func (s *attestations) fetch(ctx context.Context, address string) ([]byte, *checks.Reason) {
	if address == "" {
		return nil, evidenceProblem(checks.CodeNotReadable, "GitHub gives neither the bundle nor its address")
	}
	if s.fetches.Add(1) > maxBundles {
		return nil, evidenceProblem(checks.CodeTooLarge, "the release has more than %d bundles", maxBundles)
	}
	var err error
	for range downloadTries {
		var data []byte
		if data, err = s.c.app.downloads.bytes(ctx, address, maxEvidence); err == nil {
			return unpack(data)
		}
		if ctx.Err() != nil || final(err) {
			break
		}
	}
	if errors.Is(err, errLonger) {
		return nil, evidenceProblem(checks.CodeTooLarge, "it has more than %d bytes", maxEvidence)
	}
	s.unsteady.CompareAndSwap(false, !final(err))
	return nil, evidenceProblem(checks.CodeNotReadable, "the bundle could not be downloaded: %v", err)
}

// unpack returns the JSON in data, which is plain or one raw snappy block.
func unpack(data []byte) ([]byte, *checks.Reason) {
	if json.Valid(data) {
		return data, nil
	}
	// The size is declared up front and by the sender: believe it only within the limit.
	size, err := snappy.DecodedLen(data)
	if err == nil && size > maxEvidence {
		return nil, evidenceProblem(checks.CodeTooLarge, "it declares %d bytes, and at most %d are read", size, maxEvidence)
	}
	if err == nil {
		var decoded []byte
		if decoded, err = snappy.Decode(nil, data); err == nil && json.Valid(decoded) {
			return decoded, nil
		}
	}
	return nil, evidenceProblem(checks.CodeNotReadable, "the bundle is neither JSON nor snappy-compressed JSON: %s", opening(data))
}

// opening shows how data begins, for a person who wonders what it is.
func opening(data []byte) string {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return "it is empty"
	}
	return fmt.Sprintf("it begins with %q", data[:min(len(data), 32)])
}
