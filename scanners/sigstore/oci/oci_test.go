package oci_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/oci"
)

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// shop is a registry with one image, "HOST/acme/app".
type shop struct {
	t      *testing.T
	host   string
	image  v1.Image
	digest string
}

func newShop(t *testing.T, wrap func(http.Handler) http.Handler) *shop {
	t.Helper()
	handler := registry.New(registry.WithReferrersSupport(true))
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s := &shop{t: t, host: strings.TrimPrefix(server.URL, "http://")}
	var err error
	if s.image, err = random.Image(64, 1); err != nil {
		t.Fatal(err)
	}
	s.digest = s.push(s.image).String()
	if wrap != nil { // what is asked, after what was pushed
		front := httptest.NewServer(wrap(handler))
		t.Cleanup(front.Close)
		u, err := url.Parse(front.URL)
		if err != nil {
			t.Fatal(err)
		}
		s.host = u.Host
	}
	return s
}

// push uploads an image under its digest and returns that.
func (s *shop) push(image v1.Image) v1.Hash {
	s.t.Helper()
	digest, err := image.Digest()
	if err != nil {
		s.t.Fatal(err)
	}
	ref, err := name.NewDigest(s.host + "/acme/app@" + digest.String())
	if err != nil {
		s.t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		s.t.Fatal(err)
	}
	return digest
}

// attest puts an artifact with these layers beside the image.
func (s *shop) attest(artifactType string, layers ...string) {
	s.t.Helper()
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.MediaType(artifactType))
	for _, text := range layers {
		var err error
		if artifact, err = mutate.AppendLayers(artifact, static.NewLayer([]byte(text), types.MediaType(artifactType))); err != nil {
			s.t.Fatal(err)
		}
	}
	digest, err := s.image.Digest()
	if err != nil {
		s.t.Fatal(err)
	}
	size, err := s.image.Size()
	if err != nil {
		s.t.Fatal(err)
	}
	withSubject, ok := mutate.Subject(artifact, v1.Descriptor{MediaType: types.OCIManifestSchema1, Size: size, Digest: digest}).(v1.Image)
	if !ok {
		s.t.Fatal("an image with a subject is no image")
	}
	s.push(withSubject)
}

func (s *shop) bundles() ([]checks.Bundle, error) {
	s.t.Helper()
	return oci.Client{Registries: []string{s.host}}.Bundles(s.t.Context(), http.DefaultTransport, s.host+"/acme/app", s.digest)
}

// TestBundles reads what refers to an image, from an in-memory registry.
func TestBundles(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	if got, err := s.bundles(); err != nil || len(got) != 0 {
		t.Fatalf("an image without attestations: got %+v, %v", got, err)
	}
	s.attest(bundleType, `{"mediaType":"one"}`)
	s.attest(bundleType, `{"mediaType":"two"}`)
	s.attest("application/vnd.example.sbom", `{}`)
	s.attest(bundleType, `{}`, `{"more":"layers"}`)
	got, err := s.bundles()
	if err != nil || len(got) != 3 {
		t.Fatalf("got %+v, %v", got, err)
	}
	texts, broken := map[string]bool{}, 0
	for _, b := range got {
		if b.Origin != checks.OriginRegistry || b.For != "" {
			t.Errorf("got %+v", b)
		}
		if b.Problem != nil {
			broken++
			if b.Problem.Code != checks.CodeNotReadable || !strings.Contains(b.Problem.Message, "2 layers") {
				t.Errorf("got %+v", b.Problem)
			}
			continue
		}
		texts[string(b.Data)] = true
	}
	if broken != 1 || !texts[`{"mediaType":"one"}`] || !texts[`{"mediaType":"two"}`] {
		t.Errorf("got %v and %d broken ones", texts, broken)
	}
}

// TestBundlesRefused: what is not there, not allowed or lies is an error, never an empty list.
func TestBundlesRefused(t *testing.T) {
	t.Parallel()
	other := "sha256:" + strings.Repeat("0", 64)
	s := newShop(t, nil)
	long := newShop(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				return
			}
			for range 9 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		})
	})
	lie := newShop(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/manifests/") {
				_, _ = w.Write([]byte(`{"schemaVersion":2}`))
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	for name, f := range map[string]func() ([]checks.Bundle, error){
		"no such image": func() ([]checks.Bundle, error) {
			return oci.Client{Registries: []string{s.host}}.Bundles(t.Context(), http.DefaultTransport, s.host+"/acme/app", other)
		},
		"bad digest": func() ([]checks.Bundle, error) {
			return oci.Client{Registries: []string{s.host}}.Bundles(t.Context(), http.DefaultTransport, s.host+"/acme/app", "sha256:0")
		},
		"endless answer":  long.bundles,
		"another content": lie.bundles,
	} {
		if got, err := f(); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if _, err := (oci.Client{Registries: []string{"ghcr.io"}}).Bundles(t.Context(), http.DefaultTransport, s.host+"/acme/app", s.digest); !errors.Is(err, oci.ErrRegistry) {
		t.Errorf("a registry that is not allowed: got %v", err)
	}
}
