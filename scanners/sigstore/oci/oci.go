// Package oci fetches the Sigstore bundles that container registries keep beside an image, by
// the image's digest (OCI distribution specification 1.1, "Listing Referrers").
//
// It owns go-containerregistry. It believes nothing that a registry says: bundles are verified
// by the scanner like any other. It asks anonymously, only the registries that the operator
// names, through a transport that its caller guards. Start reading at Client.Bundles.
package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/landwaiter/landwaiter/checks"
)

const (
	maxAnswer    = 8 << 20 // bytes of one answer of a registry
	maxReferrers = 100     // bundles fetched for one image
	maxTime      = time.Minute
)

// bundleType is how media types of Sigstore bundles begin.
const bundleType = "application/vnd.dev.sigstore.bundle"

// ErrRegistry says that the operator does not let the registry of an image be asked.
var ErrRegistry = errors.New("this registry is not asked")

// Client asks registries. The zero Client asks none.
type Client struct {
	// Registries are the hosts that may be asked: "ghcr.io".
	Registries []string
}

// Bundles returns the bundles that the registry keeps beside the image called image at
// digest, "sha256:...", and fails when the registry does not have the image. A bundle that
// could not be fetched is returned with a Problem. through carries the requests.
func (c Client) Bundles(ctx context.Context, through http.RoundTripper, image, digest string) ([]checks.Bundle, error) {
	ref, err := name.NewDigest(image+"@"+digest, name.StrictValidation)
	if err != nil {
		return nil, fmt.Errorf("reading the image name %s: %w", image, err)
	}
	if !slices.Contains(c.Registries, ref.RegistryStr()) {
		return nil, fmt.Errorf("asking %s for %s: %w; its operator can allow it (LANDWAITER_IMAGE_REGISTRIES)", ref.RegistryStr(), image, ErrRegistry)
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	options := []remote.Option{
		remote.WithContext(ctx), remote.WithTransport(limited{through}), remote.WithAuth(authn.Anonymous), remote.WithUserAgent("landwaiter"),
	}
	if _, err := remote.Get(ref, options...); err != nil { // the library compares the digest
		return nil, fmt.Errorf("reading image %s: %w", ref, err)
	}
	index, err := remote.Referrers(ref, options...)
	if err != nil {
		return nil, fmt.Errorf("listing what refers to %s: %w", ref, err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("reading what refers to %s: %w", ref, err)
	}
	return fetch(ref, list.Manifests, options), nil
}

// fetch returns the bundles among what refers to ref.
func fetch(ref name.Digest, list []v1.Descriptor, options []remote.Option) []checks.Bundle {
	var found []checks.Bundle
	for _, d := range list {
		if !strings.HasPrefix(d.ArtifactType, bundleType) {
			continue
		}
		label := fmt.Sprintf("attestation %d of %s", len(found)+1, ref.Context())
		if len(found) == maxReferrers {
			return append(found, unread(label, checks.CodeTooLarge, fmt.Errorf("there are more than %d", maxReferrers)))
		}
		data, err := bundle(ref.Context().Digest(d.Digest.String()), options)
		if err != nil {
			found = append(found, unread(label, checks.CodeNotReadable, err))
			continue
		}
		found = append(found, checks.Bundle{Name: label, Origin: checks.OriginRegistry, Data: data})
	}
	return found
}

func unread(label, code string, err error) checks.Bundle {
	return checks.Bundle{Name: label, Origin: checks.OriginRegistry, Problem: &checks.Reason{
		Rule: "release-evidence", Code: code, Message: fmt.Sprintf("the registry's bundle could not be read: %v", err),
	}}
}

// bundle returns the bundle in the artifact at ref: its one layer.
func bundle(ref name.Digest, options []remote.Option) (data []byte, err error) {
	artifact, err := remote.Image(ref, options...)
	if err != nil {
		return nil, err
	}
	layers, err := artifact.Layers()
	if err != nil {
		return nil, err
	}
	if len(layers) != 1 {
		return nil, fmt.Errorf("it has %d layers, not one", len(layers))
	}
	body, err := layers[0].Compressed() // the library compares size and digest while reading
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	return io.ReadAll(body)
}

// limited bounds the bytes of every answer.
type limited struct{ http.RoundTripper }

// errLong says that an answer is over the limit.
var errLong = errors.New("the answer is larger than 8 MiB")

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &bounded{ReadCloser: answer.Body, left: maxAnswer}
	return answer, nil
}

// bounded reads at most left bytes and then fails.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
