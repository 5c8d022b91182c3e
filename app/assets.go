package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"
	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/sums"
)

const (
	// parallelDownloads bounds downloads of the whole process; one core hashes faster than
	// 10 Gbit/s arrive (PERFORMANCE.md 8.6).
	parallelDownloads = 8
	downloadBuffer    = 1 << 20 // bytes held per download, whatever the asset's size
	downloadTries     = 3
	// usualMaxAsset is the largest asset read, in bytes. GitHub takes files under 2 GiB
	// (docs.github.com, "About releases", storage and bandwidth quotas).
	usualMaxAsset = 4 << 30
)

// releaseAsset is one asset as GitHub lists it. go-github v62 knows no digest.
type releaseAsset struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	State     string    `json:"state"` // "uploaded" when it is whole
	Size      int64     `json:"size"`
	Digest    string    `json:"digest"` // "sha256:..."; "" when GitHub has none
	UpdatedAt time.Time `json:"updated_at"`
}

// listAssets returns the assets of the release, sorted by name.
func (c *installation) listAssets(ctx context.Context, release int64) ([]releaseAsset, error) {
	assets, err := each(ctx, func(page int) ([]releaseAsset, *github.Response, error) {
		path := fmt.Sprintf("%s/releases/%d/assets?per_page=100&page=%d", c.path(), release, page)
		var listed []releaseAsset
		answer, err := c.ask(ctx, http.MethodGet, path, nil, &listed)
		return listed, answer, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing assets of release %d of %s: %w", release, c.Repo, err)
	}
	sortAssets(assets)
	return assets, nil
}

func sortAssets(assets []releaseAsset) {
	slices.SortFunc(assets, func(x, y releaseAsset) int { return strings.Compare(x.Name, y.Name) })
}

// assetSet names a set of assets together with the commit of their tag. It changes with
// every upload, removal and replacement, and when the tag moves (THREATS G24).
func assetSet(assets []releaseAsset, commit string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", commit)
	for _, x := range assets {
		fmt.Fprintf(h, "%d %q %s %d %q %d\n", x.ID, x.Name, x.State, x.Size, x.Digest, x.UpdatedAt.UnixNano())
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// readAsset is an asset after reading it.
type readAsset struct {
	checks.Asset
	data []byte // the bytes, when the asset is evidence for others and could be held
	// unsteady says that Problem may pass: the place where the bytes are did not answer.
	unsteady bool
}

// readAssets downloads and hashes assets, evidence for others and lists of checksums first:
// they are small, and they say by which hash functions the rest is needed. Each further one
// costs more than reading with SHA-256 alone.
func (a *App) readAssets(ctx context.Context, c *installation, assets []releaseAsset) ([]readAsset, error) {
	read := make([]readAsset, len(assets))
	held := &budget{left: maxEvidenceSum}
	wanted := func(string) sums.Wanted { return sums.Wanted{} }
	for _, evidence := range []bool{true, false} {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(parallelDownloads)
		for i, x := range assets {
			if readFirst(x.Name) != evidence {
				continue
			}
			d := digesting{Wanted: wanted(x.Name)}
			d.keep = (evidence || d.Bytes) && x.Size <= maxEvidence && held.take(x.Size)
			group.Go(func() error {
				var err error
				read[i], err = a.readAsset(ctx, c, x, d)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		wanted = wants(read)
	}
	for i := range read {
		if _, list := checks.ChecksumFile(read[i].Name); list || !readFirst(read[i].Name) {
			read[i].Data = read[i].data
		}
	}
	return read, nil
}

// readFirst reports whether an asset may say something about others.
func readFirst(name string) bool {
	_, _, evidence := checks.EvidenceFile(name)
	_, list := checks.ChecksumFile(name)
	return evidence || list
}

// wants returns what the evidence that was read needs of an asset, by name: statements and
// lists may name any asset, a signature only the one it stands beside.
func wants(evidence []readAsset) func(name string) sums.Wanted {
	all, beside := sums.Wanted{}, map[string]sums.Wanted{}
	for _, x := range evidence {
		if _, list := checks.ChecksumFile(x.Name); list {
			all = all.Or(sums.ForList(x.data))
			continue
		}
		all.SHA512 = all.SHA512 || names512(x.data)
		if subject, _, ok := checks.EvidenceFile(x.Name); ok {
			beside[subject] = beside[subject].Or(sums.For(x.data))
		}
	}
	return func(name string) sums.Wanted { return all.Or(beside[name]) }
}

// digesting says what to make of an asset's bytes.
type digesting struct {
	sums.Wanted
	keep bool // hold the bytes
}

// readAsset downloads and hashes one asset. What keeps it from being read whole is told in
// its Problem; an error means that GitHub's API cannot be asked now and the job must wait.
func (a *App) readAsset(ctx context.Context, c *installation, x releaseAsset, d digesting) (readAsset, error) {
	read := readAsset{Asset: checks.Asset{ID: x.ID, Name: x.Name, Size: x.Size, GitHubDigest: x.Digest}}
	if read.Problem = unreadable(x, cmp.Or(a.cfg.MaxAsset, usualMaxAsset)); read.Problem != nil {
		return read, nil
	}
	select {
	case a.downloads.slots <- struct{}{}:
		defer func() { <-a.downloads.slots }()
	case <-ctx.Done():
		return read, ctx.Err()
	}
	for try := 1; ; try++ {
		err := a.digest(ctx, c, x, d, &read)
		if err == nil {
			read.Problem = differs(x, read.Asset)
			break
		}
		gone := final(err)
		if ctx.Err() != nil || errors.Is(err, errAPI) {
			return read, fmt.Errorf("reading asset %s of %s: %w", x.Name, c.Repo, err)
		}
		if gone || try == downloadTries {
			read.Problem, read.unsteady = assetProblem(checks.CodeNotReadable, "it could not be downloaded: %v", err), !gone
			break
		}
	}
	if read.Problem != nil {
		read.SetSums(sums.Sums{})
		read.data = nil
	}
	return read, nil
}

// unreadable says why an asset is not worth asking for.
func unreadable(x releaseAsset, most int64) *checks.Reason {
	switch {
	case x.State != "uploaded":
		return assetProblem(checks.CodeNotReadable, "its upload was never finished (state %q): delete it and upload it again", x.State)
	case x.Size > most:
		return assetProblem(checks.CodeTooLarge, "it has %d bytes, and at most %d are read", x.Size, most)
	}
	return nil
}

// differs compares what was read with what GitHub announces.
func differs(x releaseAsset, read checks.Asset) *checks.Reason {
	announced, hinted := strings.CutPrefix(x.Digest, "sha256:")
	switch {
	case read.Read == 0:
		return assetProblem(checks.CodeSizeMismatch, "it is empty: upload it again")
	case read.Read < x.Size:
		return assetProblem(checks.CodeSizeMismatch, "it ends after %d of %d bytes: upload it again", read.Read, x.Size)
	case read.Read > x.Size:
		return assetProblem(checks.CodeSizeMismatch, "it is longer than the %d bytes announced", x.Size)
	case hinted && !strings.EqualFold(announced, read.SHA256):
		return assetProblem(checks.CodeDigestMismatch, "its SHA-256 is %s, but GitHub announces %s", read.SHA256, announced)
	}
	return nil
}

// assetProblem is a Reason why an asset could not be hashed whole.
func assetProblem(code, format string, args ...any) *checks.Reason {
	return &checks.Reason{Rule: "release-assets", Code: code, Message: fmt.Sprintf(format, args...)}
}

// digest downloads x once and fills in what was read.
func (a *App) digest(ctx context.Context, c *installation, x releaseAsset, d digesting, read *readAsset) error {
	body, err := a.openAsset(ctx, c, x)
	if err != nil {
		return err
	}
	defer body.Close()
	hasher := sums.New(d.Wanted)
	var kept bytes.Buffer
	sinks := []io.Writer{hasher}
	if d.keep {
		sinks = append(sinks, &kept)
	}
	// One byte more than announced tells that there is more.
	read.Read, err = io.CopyBuffer(io.MultiWriter(sinks...), io.LimitReader(body, x.Size+1), make([]byte, downloadBuffer))
	if err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", read.Read, x.Size, err)
	}
	read.SetSums(hasher.Sums())
	read.data = kept.Bytes()
	return nil
}

// errAPI marks failures of GitHub's API, which end the job for now, as opposed to those of
// the place where GitHub keeps assets.
var errAPI = errors.New("GitHub's API")

// openAsset asks GitHub's API for x with the installation's token and follows its redirect
// without it (THREATS G13). The client neither follows redirects nor reads downloads by itself.
func (a *App) openAsset(ctx context.Context, c *installation, x releaseAsset) (io.ReadCloser, error) {
	q, err := c.NewRequest(http.MethodGet, fmt.Sprintf("%s/releases/assets/%d", c.path(), x.ID), nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Accept", "application/octet-stream")
	paced, watch := newPace(ctx, x.Size, a.downloads.patience)
	answer, err := c.Client.Client().Do(q.WithContext(paced))
	if err != nil {
		err = withoutAddress(paced, err)
		watch.stop()
		return nil, fmt.Errorf("%w: %w", errAPI, err)
	}
	if answer.StatusCode == http.StatusOK { // some servers send the bytes themselves
		return watch.body("GitHub", answer)
	}
	_ = answer.Body.Close() // what is asked is in the status and the header
	watch.stop()
	switch code := answer.StatusCode; {
	case code >= 300 && code < 400:
		to, err := answer.Location()
		if err != nil {
			return nil, fmt.Errorf("asking GitHub: HTTP %d without an address to go to", code)
		}
		return a.downloads.open(ctx, to.String(), x.Size)
	case code == http.StatusNotFound || code == http.StatusGone:
		return nil, fmt.Errorf("asking GitHub: %w", answered{code})
	default:
		return nil, fmt.Errorf("%w: %w", errAPI, answered{code})
	}
}
