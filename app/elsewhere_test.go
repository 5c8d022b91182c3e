package app

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

var imagePolicy = strings.Replace(reportPolicy, "releases:\n", "releases:\n  images: [ghcr.io/acme/shop]\n  package: pkg:npm/%40acme/shop\n", 1)

func TestImagesIn(t *testing.T) {
	t.Parallel()
	sum := "sha256:" + strings.Repeat("a", 64)
	for _, c := range []struct {
		name, notes string
		want        []string
	}{
		{"none", "A release.", nil},
		{"one", "docker pull ghcr.io/acme/shop@" + sum + "\n", []string{"ghcr.io/acme/shop@" + sum}},
		{"with a tag, in a link, twice", "`ghcr.io/acme/shop:v1@" + sum + "` [x](https://ghcr.io/acme/shop@" + sum + ")", []string{"ghcr.io/acme/shop@" + sum}},
		{"with a port", "localhost:5000/shop@" + sum, []string{"localhost:5000/shop@" + sum}},
		{"by tag alone", "ghcr.io/acme/shop:v1", nil},
		{"a longer digest", "ghcr.io/acme/shop@" + sum + "a", nil},
	} {
		if d := cmp.Diff(c.want, imagesIn(c.notes)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func TestVersionOf(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{"v1.2.0": "1.2.0", "1.2.0": "1.2.0", "@acme/shop@1.2.0": "1.2.0", "shop@v1.2.0": "1.2.0", "v": "", "@x": "@x"} {
		if got := versionOf(tag); got != want {
			t.Errorf("%s: got %q, want %q", tag, got, want)
		}
	}
}

// TestElsewhere: what the policy names is asked for, and judged as an asset that is known by
// its digest.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	evidence := []checks.Bundle{{Name: "attestation 1", Origin: checks.OriginRegistry, Data: []byte("{}")}}
	image := checks.Asset{Name: "ghcr.io/acme/shop@" + digest, Kind: checks.AssetImage, SHA256: strings.Repeat("a", 64)}
	pkg := checks.Asset{Name: "pkg:npm/%40acme/shop@1.0.0", Kind: checks.AssetPackage, SHA512: strings.Repeat("b", 128)}
	for _, test := range []struct {
		name    string
		change  func(*Config)
		image   bool // it is known
		problem string
	}{
		{"answered", func(*Config) {}, true, ""},
		{"registry fails", func(c *Config) {
			c.ReadImage = func(context.Context, http.RoundTripper, string, string) ([]checks.Bundle, error) {
				return nil, errors.New("HTTP 500")
			}
		}, false, "HTTP 500"},
		{"nobody is asked", func(c *Config) { c.ReadImage = nil }, false, "no container registry is asked here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := &looker{}
			s := newStage(t, play{policy: imagePolicy, change: func(c *Config) {
				c.Scanners = []checks.Scanner{l}
				c.ReadImage = func(_ context.Context, through http.RoundTripper, name, at string) ([]checks.Bundle, error) {
					if name != "ghcr.io/acme/shop" || at != digest || through == nil {
						t.Errorf("asked for %s@%s through %v", name, at, through)
					}
					return evidence, nil
				}
				c.ReadPackage = func(_ context.Context, _ http.RoundTripper, name, version string) (string, []checks.Bundle, error) {
					if name != "@acme/shop" || version != "1.0.0" {
						t.Errorf("asked for %s@%s", name, version)
					}
					return pkg.SHA512, nil, nil
				}
				test.change(c)
			}})
			rel := s.repo.Release(githubtest.ReleaseOptions{
				Tag: "v1.0.0", Assets: map[string][]byte{"app.tar.gz": tarball},
				Body: "ghcr.io/acme/shop:v1@" + digest + " and ghcr.io/other/image@" + digest,
			})
			s.settle()
			s.advance(time.Minute)
			got := l.seen.Assets[1:]
			if len(got) != 2 {
				t.Fatalf("got %+v", got)
			}
			if test.image {
				if d := cmp.Diff([]checks.Asset{image, pkg}, got); d != "" || len(l.seen.Bundles) != 1 {
					t.Errorf("%d bundles; assets (-want +got):\n%s", len(l.seen.Bundles), d)
				}
				return
			}
			if p := got[0].Problem; p == nil || !p.Unknown() || !strings.Contains(p.Message, test.problem) || got[0].SHA256 != "" {
				t.Errorf("got %+v", got[0])
			}
			if r := s.report(rel); r.Verdict == checks.Pass {
				t.Errorf("got %v", r.Verdict)
			}
		})
	}
}

// TestG24NotesNameAnotherImage: a digest that changes in the notes has the release judged anew.
func TestG24NotesNameAnotherImage(t *testing.T) {
	t.Parallel()
	asked := 0
	s := newStage(t, play{policy: imagePolicy, change: func(c *Config) {
		c.ReadImage = func(context.Context, http.RoundTripper, string, string) ([]checks.Bundle, error) {
			asked++
			return nil, nil
		}
	}})
	notes := func(c string) string { return "ghcr.io/acme/shop@sha256:" + strings.Repeat(c, 64) }
	rel := s.repo.Release(githubtest.ReleaseOptions{Tag: "v1.0.0", Assets: map[string][]byte{"app.tar.gz": tarball}, Body: notes("a")})
	s.settle()
	s.advance(time.Minute)
	first := s.report(rel).Subject.AssetSet
	rel.Edit(notes("b"))
	s.settle()
	s.advance(time.Minute)
	r := s.report(rel)
	if asked < 2 || r.Subject.AssetSet == first || r.Assets[1].Name != notes("b") {
		t.Errorf("asked %d times; %s and %s; %+v", asked, first, r.Subject.AssetSet, r.Assets)
	}
}
