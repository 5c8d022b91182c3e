// Package npm fetches the attestations that an npm registry keeps for one version of a
// package, and the digest of the version.
//
// It believes nothing that the registry says: bundles are verified by the scanner like any
// other. It asks one registry, that of the operator, without credentials and through a
// transport that its caller guards. Start reading at Client.Version.
package npm

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

const (
	maxAnswer = 8 << 20 // bytes
	maxTime   = 30 * time.Second
)

// ErrRegistry says that the operator names no registry.
var ErrRegistry = errors.New("no npm registry is asked; its operator can name one (LANDWAITER_NPM_URL)")

// Client asks one registry. The zero Client asks none.
type Client struct {
	// URL is the root of the registry, without a slash at the end.
	URL string
}

var (
	nameForm    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(@[a-z0-9~._-]{1,100}/)?[a-zA-Z0-9~._-]{1,214}$`) })
	versionForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Za-z.+-]{1,100}$`) })
)

// Version returns the SHA-512 of a version of the package called name, hexadecimal, and the
// attestations that the registry keeps for it. A version without attestations has no bundles.
func (c Client) Version(ctx context.Context, through http.RoundTripper, name, version string) (sha512 string, bundles []checks.Bundle, err error) {
	switch {
	case c.URL == "":
		return "", nil, ErrRegistry
	case !nameForm().MatchString(name) || !versionForm().MatchString(version) || strings.Trim(version, ".") == "":
		return "", nil, fmt.Errorf("%s@%s is no name and version of an npm package", name, version)
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	client := &http.Client{Transport: through, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	escaped := strings.ReplaceAll(url.PathEscape(name), "%2F", "%2f")
	data, err := get(ctx, client, c.URL+"/"+escaped+"/"+url.PathEscape(version))
	if err != nil {
		return "", nil, fmt.Errorf("reading %s@%s: %w", name, version, err)
	}
	if sha512, err = digest(data, name, version); err != nil {
		return "", nil, fmt.Errorf("reading %s@%s: %w", name, version, err)
	}
	data, err = get(ctx, client, c.URL+"/-/npm/v1/attestations/"+escaped+"@"+url.PathEscape(version))
	var status *statusError
	if errors.As(err, &status) && status.code == http.StatusNotFound {
		return sha512, nil, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("reading the attestations of %s@%s: %w", name, version, err)
	}
	return sha512, []checks.Bundle{{Name: "attestations of " + name + "@" + version, Origin: checks.OriginRegistry, Data: data}}, nil
}

// digest reads the SHA-512 in a version's metadata.
func digest(data []byte, name, version string) (string, error) {
	var v struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Dist    struct {
			Integrity string `json:"integrity"` // W3C Subresource Integrity
		} `json:"dist"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return "", fmt.Errorf("the answer is not that of a registry: %w", err)
	}
	if v.Name != name || v.Version != version {
		return "", fmt.Errorf("the registry answers with %q@%q", v.Name, v.Version)
	}
	for _, word := range strings.Fields(v.Dist.Integrity) {
		text, ok := strings.CutPrefix(word, "sha512-")
		raw, err := base64.StdEncoding.DecodeString(text)
		if ok && err == nil && len(raw) == 64 {
			return hex.EncodeToString(raw), nil
		}
	}
	return "", errors.New("the registry gives no SHA-512 of it")
}

// statusError is an answer other than 200.
type statusError struct{ code int }

func (e *statusError) Error() string {
	return fmt.Sprintf("HTTP %d %s", e.code, http.StatusText(e.code))
}

func get(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "landwaiter")
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, &statusError{answer.StatusCode}
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err == nil && len(data) > maxAnswer {
		err = errors.New("the answer is larger than 8 MiB")
	}
	return data, err
}
