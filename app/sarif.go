package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// surfaceCodeScanning shows the findings of a pull request as alerts of code scanning.
const surfaceCodeScanning = "code-scanning"

// toScanCode is what the upload needs. It is optional: nothing else depends on it.
var toScanCode = permissions{"security_events": "write"}

// maxSARIF is the most bytes of a packed upload
// (docs.github.com, "SARIF results exceed one or more limits": 10 MB).
const maxSARIF = 10_000_000

// wantsCodeScanning: the policy in force asks for it, and there are findings of a change to show.
// A report without findings is shown too, because it takes away the alerts of the one before.
func wantsCodeScanning(r checks.Report, p *checks.Policy) bool {
	return p.PullRequest.CodeScanning && r.Subject.Kind == checks.KindPullRequest
}

// publishCodeScanning uploads the findings as SARIF for the head of the pull request, once for
// each content. It shows a Report and decides nothing, so what keeps it from being shown (the
// permission, code scanning switched off, too many findings) is logged when it changes and fails
// neither the job nor the check. A second upload of the same takes the place of the first.
func (a *App) publishCodeScanning(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) error {
	var plain bytes.Buffer
	if err := output.SARIF(&plain, r.Report); err != nil {
		return fmt.Errorf("writing SARIF for %s: %w", s.key(), err)
	}
	sum := sha256.Sum256(plain.Bytes())
	state := s.Commit + " " + hex.EncodeToString(sum[:])
	before, err := a.store.Publication(ctx, surfaceCodeScanning, s.key())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("reading what code scanning shows of %s: %w", s.key(), err)
	}
	if before.State == state {
		return nil
	}
	refused, err := a.uploadSARIF(ctx, c, s, plain.Bytes())
	if err != nil {
		return err
	}
	if err := a.noteRefusal(ctx, s.Repo, refused); err != nil || refused != "" {
		return err
	}
	return a.store.SavePublication(ctx, store.Publication{Surface: surfaceCodeScanning, Key: s.key(), Generation: r.Generation, State: state})
}

// uploadSARIF uploads one log. refused says why GitHub will not take it, which trying again does
// not change.
func (a *App) uploadSARIF(ctx context.Context, c *installation, s subjectArgs, log []byte) (refused string, err error) {
	packed, err := pack(log)
	if err != nil {
		return "", err
	}
	if len(packed) > maxSARIF {
		return fmt.Sprintf("the findings have %d bytes packed, and code scanning takes %d", len(packed), maxSARIF), nil
	}
	body := map[string]any{"commit_sha": s.Commit, "ref": s.Ref, "sarif": packed, "tool_name": "Landwaiter"}
	_, err = c.ask(ctx, http.MethodPost, c.path()+"/code-scanning/sarifs", body, nil)
	var lacking *errPermission
	var accepted *github.AcceptedError // HTTP 202, which is the success here
	switch code := status(err); {
	case err == nil, errors.As(err, &accepted):
		return "", nil
	case errors.As(err, &lacking):
		return lacking.Error(), nil
	case code == http.StatusForbidden, code == http.StatusNotFound:
		return fmt.Sprintf("code scanning is not available in the repository (HTTP %d)", code), nil
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity:
		return fmt.Sprintf("GitHub does not take the upload (HTTP %d)", code), nil
	}
	return "", fmt.Errorf("uploading SARIF for %s: %w", s.key(), err)
}

// pack is gzip and base64, as the API wants it.
func pack(log []byte) (string, error) {
	var text strings.Builder
	encoded := base64.NewEncoder(base64.StdEncoding, &text)
	w := gzip.NewWriter(encoded)
	if _, err := w.Write(log); err != nil {
		return "", fmt.Errorf("packing SARIF: %w", err)
	}
	if err := errors.Join(w.Close(), encoded.Close()); err != nil {
		return "", fmt.Errorf("packing SARIF: %w", err)
	}
	return text.String(), nil
}

// noteRefusal logs why a repository's uploads are refused, once for each reason; "" is none.
func (a *App) noteRefusal(ctx context.Context, r repo, refused string) error {
	name := fmt.Sprintf("code-scanning:%d", r.ID)
	before, _, err := recall[string](ctx, a, name)
	if err != nil || before == refused {
		return err
	}
	if refused != "" {
		a.log.WarnContext(ctx, "code scanning", "repo", r.String(), "refused", refused)
	}
	return a.remember(ctx, name, refused)
}
