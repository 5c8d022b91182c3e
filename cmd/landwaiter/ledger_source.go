package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/store/ledger"
)

const (
	// maxCheckpointBytes bounds a checkpoint; ours are below 500 bytes.
	maxCheckpointBytes = 64 << 10
	// sourceTimeout is for one file of a published ledger, of at most 16 MiB.
	sourceTimeout = 2 * time.Minute
)

// ledgerSource is a published ledger: a folder, or an address.
type ledgerSource struct {
	From      string `placeholder:"DIR|URL" help:"Published ledger: a folder that export wrote, or an address such as https://landwaiter.example.com/ledger."`
	TokenFile string `placeholder:"FILE" help:"File with the token for the address. Default: LANDWAITER_LEDGER_TOKEN."`
}

// source returns a reader of the published ledger.
func (s ledgerSource) source(c *console) (ledger.Source, error) {
	if !strings.Contains(s.From, "://") {
		if stat, err := os.Stat(s.From); err != nil || !stat.IsDir() {
			return nil, usage("--from %s: it should be a folder that landwaiter ledger export wrote, or an https:// address", s.From)
		}
		return s.folder, nil
	}
	var base string
	if err := setURL(&base, s.From); err != nil {
		return nil, usage("--from %w", err)
	}
	token, _ := c.env("LANDWAITER_LEDGER_TOKEN")
	if s.TokenFile != "" {
		content, err := os.ReadFile(s.TokenFile)
		if err != nil {
			return nil, usage("reading --token-file: %w", err)
		}
		token = string(content)
	}
	client := &http.Client{Timeout: sourceTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("it redirects; give the address that it redirects to") // the token goes nowhere else
	}}
	return func(path string, limit int64) ([]byte, error) {
		r, err := http.NewRequestWithContext(c.ctx, http.MethodGet, base+"/"+path, nil)
		if err != nil {
			return nil, usage("--from: %w", err)
		}
		if token = strings.TrimSpace(token); token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := client.Do(r)
		if err != nil {
			return nil, &exitError{exitUnknown, fmt.Errorf("reading %s: %w", path, err)}
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, &exitError{exitUnknown, fmt.Errorf("%s/%s: %s; either it is not published, or a token is needed (--token-file)", base, path, answer.Status)}
		}
		return readLimited(answer.Body, path, limit)
	}, nil
}

// folder reads a file of an exported ledger.
func (s ledgerSource) folder(path string, limit int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(s.From, filepath.FromSlash(path)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &exitError{exitUnknown, fmt.Errorf("%s is not in %s: the export is not whole, or holds hashes only", path, s.From)}
	}
	if err != nil {
		return nil, &exitError{exitUnknown, err}
	}
	defer f.Close()
	return readLimited(f, path, limit)
}

func readLimited(r io.Reader, path string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, &exitError{exitUnknown, fmt.Errorf("reading %s: %w", path, err)}
	}
	if int64(len(b)) > limit {
		return nil, &exitError{exitFail, fmt.Errorf("%s is over %d bytes, which none of a ledger is", path, limit)}
	}
	return b, nil
}
