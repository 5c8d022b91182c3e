//go:build unix

package signer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/cmd/landwaiter/signer"
	"github.com/landwaiter/landwaiter/store"
)

// TestV72Overtaken: a summary is not given out when a failed rescan comes between reading the
// report and storing the summary.
func TestV72Overtaken(t *testing.T) {
	f := newFixture(t)
	f.record(t, 1, report())
	fail := report()
	fail.Verdict = checks.Fail
	resource := installPlugin(t)
	folder := strings.TrimPrefix(resource, "testing://")
	asked, proceed := filepath.Join(folder, "asked"), filepath.Join(folder, "go")
	must(t, syscall.Mkfifo(asked, 0o600))
	must(t, syscall.Mkfifo(proceed, 0o600))
	slow, err := signer.Open(t.Context(), signer.Config{Store: f.DB, KMS: resource + "?slow", Verifier: verifier})
	must(t, err)
	done := make(chan error)
	go func() {
		_, err := slow.Issue(t.Context(), subject, 1)
		done <- err
	}()
	pipe, err := os.Open(asked) // returns when the key is asked for the first signature
	must(t, err)
	must(t, pipe.Close())
	f.record(t, 2, fail)
	must(t, os.Remove(asked)) // the second one does not wait
	pipe, err = os.OpenFile(proceed, os.O_WRONLY, 0)
	must(t, err)
	must(t, os.Remove(proceed))
	must(t, pipe.Close())
	var refusal *summary.Refusal
	if err := <-done; !errors.As(err, &refusal) || refusal.Code != summary.RefusedOverruled {
		t.Errorf("got %v", err)
	}
	if _, err := f.SummaryByKey(t.Context(), subject); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("given out: %v", err)
	}
}
