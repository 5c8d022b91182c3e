// Package refresh keeps the trust roots of Sigstore and of GitHub current, from the TUF
// repositories that serve them (https://theupdateframework.github.io/specification/).
//
// It owns the folder in which refreshed roots lie and the TUF client. What it fetches counts
// only when the chain of signatures leads from the TUF root that is embedded in the binary; on
// any error the root that was there before stays. It changes no scanner. Start at Store.Update.
package refresh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/tuf"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore"
)

const (
	target  = "trusted_root.json" // in both repositories
	maxKept = 4 << 20             // bytes of a kept root
	maxTime = 2 * time.Minute     // of one update
)

// Source is a TUF repository that serves one trust root.
type Source struct {
	Root   string // the name: checks.RootPublicGood or checks.RootGitHub
	URL    string // where the repository lies
	Anchor []byte // the TUF root to begin with
}

// Sources returns the repositories of the embedded roots: those of Sigstore's public
// instance and of GitHub.
func Sources() ([]Source, error) {
	list := []Source{
		{Root: checks.RootPublicGood, URL: "https://tuf-repo-cdn.sigstore.dev"},
		{Root: checks.RootGitHub, URL: "https://tuf-repo.github.com"},
	}
	for i := range list {
		var err error
		if list[i].Anchor, err = sigstore.Anchor(list[i].Root); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Store is the folder of refreshed roots. Two processes may use one folder: files are
// replaced whole.
type Store struct {
	Dir    string
	Client *http.Client     // nil means one without cookies that follows no redirect
	Now    func() time.Time // nil means time.Now
}

// kept is a file of the folder.
type kept struct {
	Refreshed   time.Time `json:"refreshed"`
	TrustedRoot []byte    `json:"trusted_root"` // as it was fetched, byte for byte
}

func (s Store) file(root string) string { return filepath.Join(s.Dir, root+".json") }

// Load returns the refreshed roots by name. One that was never refreshed is missing. An error
// names a file that cannot be used; the others are returned beside it.
func (s Store) Load() (map[string]sigstore.Snapshot, error) {
	found := map[string]sigstore.Snapshot{}
	var wrong []error
	for _, root := range []string{checks.RootPublicGood, checks.RootGitHub} {
		snapshot, err := s.load(root)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			wrong = append(wrong, err)
		default:
			found[root] = snapshot
		}
	}
	return found, errors.Join(wrong...)
}

func (s Store) load(root string) (sigstore.Snapshot, error) {
	f, err := os.Open(s.file(root))
	if err != nil {
		return sigstore.Snapshot{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKept))
	var k kept
	if err == nil {
		err = json.Unmarshal(data, &k)
	}
	if err == nil {
		err = sigstore.CheckRoot(root, k.TrustedRoot)
	}
	if err != nil {
		return sigstore.Snapshot{}, fmt.Errorf("reading %s: %w; delete it, or run landwaiter trust update", s.file(root), err)
	}
	return sigstore.Snapshot{JSON: k.TrustedRoot, Refreshed: k.Refreshed.UTC()}, nil
}

// Update asks the repository of src for its trust root and keeps it. changed says that it is
// another than the one kept before.
func (s Store) Update(ctx context.Context, src Source) (changed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	data, err := s.fetch(ctx, src)
	if err != nil {
		return false, fmt.Errorf("refreshing the trust root %s from %s: %w", src.Root, src.URL, err)
	}
	if err := sigstore.CheckRoot(src.Root, data); err != nil {
		return false, fmt.Errorf("refreshing the trust root %s from %s: %w", src.Root, src.URL, err)
	}
	before, err := s.load(src.Root)
	changed = err != nil || string(before.JSON) != string(data)
	return changed, s.keep(src.Root, data)
}

// fetch runs TUF's client workflow. The metadata that it leaves in the folder is what makes
// it refuse older versions later.
func (s Store) fetch(ctx context.Context, src Source) (data []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the TUF client stopped by a fault: %v", r)
		}
	}()
	client, err := tuf.New(&tuf.Options{
		Root: src.Anchor, RepositoryBaseURL: src.URL, CachePath: filepath.Join(s.Dir, "tuf"), Fetcher: fetcher{ctx, s.client()},
	})
	if err != nil {
		return nil, err
	}
	return client.GetTarget(target)
}

func (s Store) client() *http.Client {
	if s.Client != nil {
		return s.Client
	}
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// keep writes a root into the folder, whole or not at all.
func (s Store) keep(root string, data []byte) error {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	text, err := json.Marshal(kept{Refreshed: now().UTC().Truncate(time.Second), TrustedRoot: data})
	if err != nil {
		return fmt.Errorf("writing the trust root %s: %w", root, err)
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.Dir, "."+root+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing to remove
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing the trust root %s: %w", root, err)
	}
	return os.Rename(f.Name(), s.file(root))
}

// fetcher downloads files of a repository, each within the size that TUF allows.
type fetcher struct {
	ctx    context.Context
	client *http.Client
}

// DownloadFile implements go-tuf's Fetcher.
func (f fetcher) DownloadFile(address string, most int64, _ time.Duration) ([]byte, error) {
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" && !strings.HasPrefix(u.Host, "127.0.0.1:") {
		return nil, fmt.Errorf("the address %s is not https", address)
	}
	r, err := http.NewRequestWithContext(f.ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "landwaiter")
	answer, err := f.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: answer.StatusCode, URL: address}
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err == nil && int64(len(data)) > most {
		err = &metadata.ErrDownloadLengthMismatch{Msg: fmt.Sprintf("%s is larger than %d bytes", address, most)}
	}
	return data, err
}
