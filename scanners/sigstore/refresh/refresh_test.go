package refresh_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore"
	"github.com/landwaiter/landwaiter/scanners/sigstore/refresh"
)

// repository is a TUF repository over HTTP with one target, trusted_root.json.
type repository struct {
	t       *testing.T
	key     ed25519.PrivateKey
	expires time.Time
	anchor  []byte

	mu    sync.Mutex
	files map[string][]byte
}

func newRepository(t *testing.T) (*repository, refresh.Source) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &repository{t: t, key: key, expires: time.Now().AddDate(0, 1, 0).UTC(), files: map[string][]byte{}}
	r.anchor = r.root(1, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		data, ok := r.files[strings.TrimPrefix(q.URL.Path, "/")]
		r.mu.Unlock()
		if !ok {
			http.NotFound(w, q)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(server.Close)
	return r, refresh.Source{Root: checks.RootPublicGood, URL: server.URL, Anchor: r.anchor}
}

func (r *repository) put(name string, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[name] = data
}

// sign signs one file of metadata with the repository's only key.
func sign[T metadata.Roles](r *repository, m *metadata.Metadata[T]) []byte {
	r.t.Helper()
	signer, err := signature.LoadSigner(r.key, crypto.Hash(0))
	if err == nil {
		_, err = m.Sign(signer)
	}
	data, err2 := m.ToBytes(false)
	if err != nil || err2 != nil {
		r.t.Fatal(err, err2)
	}
	return data
}

// root makes a TUF root of a version, in which each role needs threshold signatures.
func (r *repository) root(version int64, threshold int) []byte {
	r.t.Helper()
	m := metadata.Root(r.expires)
	m.Signed.Version = version
	key, err := metadata.KeyFromPublicKey(r.key.Public())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, role := range []string{metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP} {
		if err := m.Signed.AddKey(key, role); err != nil {
			r.t.Fatal(err)
		}
		m.Signed.Roles[role].Threshold = threshold
	}
	return sign(r, m)
}

// publish serves content as the target, with all metadata of one version.
func (r *repository) publish(version int64, content []byte) {
	r.t.Helper()
	sum := sha256.Sum256(content)
	file, err := metadata.TargetFile().FromBytes("trusted_root.json", content, "sha256")
	if err != nil {
		r.t.Fatal(err)
	}
	targets := metadata.Targets(r.expires)
	targets.Signed.Version, targets.Signed.Targets["trusted_root.json"] = version, file
	snapshot := metadata.Snapshot(r.expires)
	snapshot.Signed.Version, snapshot.Signed.Meta["targets.json"] = version, metadata.MetaFile(version)
	timestamp := metadata.Timestamp(r.expires)
	timestamp.Signed.Version, timestamp.Signed.Meta["snapshot.json"] = version, metadata.MetaFile(version)
	r.put(fmt.Sprintf("%d.targets.json", version), sign(r, targets))
	r.put(fmt.Sprintf("%d.snapshot.json", version), sign(r, snapshot))
	r.put("timestamp.json", sign(r, timestamp))
	r.put("targets/"+hex.EncodeToString(sum[:])+".trusted_root.json", content)
}

// genuine is the embedded root of the public instance.
func genuine(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("../trust/public-good/trusted_root.json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func newStore(t *testing.T) refresh.Store {
	t.Helper()
	return refresh.Store{Dir: filepath.Join(t.TempDir(), "trust"), Now: func() time.Time { return time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC) }}
}

// TestUpdate refreshes a root, again without a change, and again with one, and has a scanner
// use it.
func TestUpdate(t *testing.T) {
	t.Parallel()
	r, src := newRepository(t)
	s := newStore(t)
	if found, err := s.Load(); err != nil || len(found) != 0 {
		t.Fatalf("before: %v, %v", found, err)
	}
	r.publish(1, genuine(t))
	for i, want := range []bool{true, false} {
		if changed, err := s.Update(t.Context(), src); err != nil || changed != want {
			t.Fatalf("update %d: %v, %v", i+1, changed, err)
		}
	}
	r.publish(2, append(genuine(t), '\n'))
	if changed, err := s.Update(t.Context(), src); err != nil || !changed {
		t.Fatalf("another root: %v, %v", changed, err)
	}
	found, err := s.Load()
	if err != nil || len(found) != 1 {
		t.Fatalf("after: %v, %v", found, err)
	}
	scanner, err := sigstore.New(sigstore.Config{Snapshots: found, MaxRootAge: 30 * 24 * time.Hour, Now: func() time.Time { return time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range scanner.TrustStatus() {
		refreshed := row.Root == checks.RootPublicGood
		if refreshed != (row.Source == "refreshed") || refreshed && (row.Stale || !row.Since.Equal(s.Now())) || !refreshed && !row.Stale {
			t.Errorf("got %+v", row)
		}
	}
}

// TestV53Refresh changes one thing of a repository from which a root was refreshed: the change
// is refused, and the root that was there stays.
func TestV53Refresh(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(t *testing.T, r *repository, src *refresh.Source)
	}{
		{"V53 older version", func(t *testing.T, r *repository, _ *refresh.Source) { r.publish(1, append(genuine(t), '\n')) }},
		{"V53 expired", func(t *testing.T, r *repository, _ *refresh.Source) {
			r.expires = time.Now().AddDate(0, 0, -1).UTC()
			r.publish(3, append(genuine(t), '\n'))
		}},
		{"V53 root with threshold 0", func(t *testing.T, r *repository, _ *refresh.Source) {
			r.put("2.root.json", r.root(2, 0))
			r.publish(3, append(genuine(t), '\n'))
		}},
		{"V53 threshold over the number of keys", func(t *testing.T, r *repository, _ *refresh.Source) {
			r.put("2.root.json", r.root(2, 2))
			r.publish(3, append(genuine(t), '\n'))
		}},
		{"V53 malformed root", func(t *testing.T, r *repository, _ *refresh.Source) {
			r.put("2.root.json", []byte("{"))
			r.publish(3, append(genuine(t), '\n'))
		}},
		{"V53 malformed metadata", func(_ *testing.T, r *repository, _ *refresh.Source) { r.put("timestamp.json", []byte(`{"signed":{}}`)) }},
		{"V53 malformed trusted root", func(_ *testing.T, r *repository, _ *refresh.Source) { r.publish(3, []byte(`{"mediaType":"x"}`)) }},
		{"trusted root without authorities", func(_ *testing.T, r *repository, _ *refresh.Source) {
			r.publish(3, []byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`))
		}},
		{"signed by another key", func(t *testing.T, r *repository, _ *refresh.Source) {
			_, other, err := ed25519.GenerateKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			r.key = other
			r.publish(3, append(genuine(t), '\n'))
		}},
		{"target of other bytes", func(t *testing.T, r *repository, _ *refresh.Source) {
			content := append(genuine(t), '\n')
			r.publish(3, content)
			sum := sha256.Sum256(content)
			r.put("targets/"+hex.EncodeToString(sum[:])+".trusted_root.json", append(genuine(t), ' '))
		}},
		{"an address that is not https", func(_ *testing.T, _ *repository, src *refresh.Source) { src.URL = "http://tuf.example" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, src := newRepository(t)
			s := newStore(t)
			r.publish(2, genuine(t))
			if _, err := s.Update(t.Context(), src); err != nil {
				t.Fatalf("baseline: %v", err)
			}
			c.change(t, r, &src)
			changed, err := s.Update(t.Context(), src)
			if err == nil {
				t.Errorf("accepted, changed %v", changed)
			}
			if found, err := s.Load(); err != nil || string(found[checks.RootPublicGood].JSON) == string(append(genuine(t), '\n')) || found[checks.RootPublicGood].JSON == nil {
				t.Errorf("the root that was there is gone: %v", err)
			}
		})
	}
}

// TestLoadBroken: a kept file that was damaged is an error that says what to do.
func TestLoadBroken(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"not JSON": "{", "nothing in it": "{}", "another root": `{"trusted_root":"e30="}`} {
		s := newStore(t)
		if err := os.MkdirAll(s.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.Dir, checks.RootGitHub+".json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := s.Load(); err == nil || len(found) != 0 || !strings.Contains(err.Error(), "landwaiter trust update") {
			t.Errorf("%s: got %v, %v", name, found, err)
		}
	}
}

// TestSources: each embedded root has a repository and a TUF root to begin with.
func TestSources(t *testing.T) {
	t.Parallel()
	list, err := refresh.Sources()
	if err != nil || len(list) != 2 {
		t.Fatalf("got %v, %v", list, err)
	}
	for _, src := range list {
		if m, err := new(metadata.Metadata[metadata.RootType]).FromBytes(src.Anchor); err != nil || m.Signed.Version < 1 || !strings.HasPrefix(src.URL, "https://") {
			t.Errorf("%s: %v", src.Root, err)
		}
	}
}

// TestOlderSnapshot: a refreshed root that is older than the embedded one, as after an
// upgrade, does not count.
func TestOlderSnapshot(t *testing.T) {
	t.Parallel()
	old, err := os.ReadFile("../testdata/corpus/sigstore-go/data/trusted-roots/scaffolding.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := sigstore.New(sigstore.Config{Snapshots: map[string]sigstore.Snapshot{checks.RootPublicGood: {JSON: old, Refreshed: time.Now()}}})
	if err != nil {
		t.Fatal(err)
	}
	if row := s.TrustStatus()[0]; row.Source != "embedded" {
		t.Errorf("got %+v", row)
	}
}
