package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/store"
)

// surfaceSummary is the verification summaries of a release that passes: made by the signer,
// and attached to the release where the policy says so.
const surfaceSummary = "summary"

// wantsSummary reports whether summaries are to be made of r.
func wantsSummary(r checks.Report, p *checks.Policy) bool {
	return p.Releases.Summary != checks.SummaryOff && summary.Wanted(r)
}

// publishSummary has the summaries of r made and attaches them. The signer makes them once,
// however often it is asked.
func (a *App) publishSummary(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) error {
	if a.cfg.Summarise == nil {
		return nil // they were switched off since the job was made
	}
	file, err := a.cfg.Summarise(ctx, r.Key, r.Generation)
	var refusal *summary.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Code == summary.RefusedOverruled:
		return nil // the newer report has a job of its own
	case errors.As(err, &refusal):
		return &permanent{fmt.Errorf("issuing summaries of %s: %w", r.Key, err)}
	case err != nil:
		return fmt.Errorf("issuing summaries of %s: %w", r.Key, err)
	}
	a.log.InfoContext(ctx, "summarised", "repo", s.Repo.String(), "run", r.Key, "ledger_index", file.LedgerIndex)
	if r.Report.Policy.Summary != checks.SummaryAttach {
		return nil
	}
	return a.attach(ctx, c, r, file.File)
}

// attachFirst attaches summaries to a draft before it is published: afterwards its release may
// be immutable, and cannot be attached to. A refusal of the signer holds nothing up; the job of
// the summaries makes it seen.
func (a *App) attachFirst(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) error {
	if r.Report.Policy.Summary != checks.SummaryAttach || !summary.Wanted(r.Report) {
		return nil
	}
	err := a.publishSummary(ctx, c, s, r)
	var refused *permanent
	if errors.As(err, &refused) {
		return nil
	}
	return err
}

// The states of what is attached: the start of Publication.State.
const (
	attachAttaching = "attaching" // an upload was about to be sent whose answer is not known
	attachAttached  = "attached"
	attachRefused   = "refused" // GitHub does not let us, or somebody else's file has the name
)

// attachment is the file of ours on a release: what was uploaded, or was about to be.
type attachment struct {
	State  string
	ID     int64 // GitHub's number of the asset; 0 while the answer is not known
	SHA256 string
	Size   int64
}

// attached returns what is stored of the file of ours on the release with that key; zero when
// there is none.
func (a *App) attached(ctx context.Context, key string) (attachment, error) {
	p, err := a.store.Publication(ctx, surfaceSummary, key)
	if errors.Is(err, store.ErrNotFound) {
		return attachment{}, nil
	}
	if err != nil {
		return attachment{}, fmt.Errorf("reading what is attached to %s: %w", key, err)
	}
	x := attachment{ID: p.RemoteID}
	if _, err := fmt.Sscanf(p.State, "%s sha256:%64s %d", &x.State, &x.SHA256, &x.Size); err != nil {
		return attachment{}, fmt.Errorf("reading what is attached to %s: the state %q: %w", key, p.State, err)
	}
	return x, nil
}

func (a *App) noteAttached(ctx context.Context, r store.StoredReport, x attachment) error {
	p := store.Publication{
		Surface: surfaceSummary, Key: r.Key, Generation: r.Generation, RemoteID: x.ID,
		State: fmt.Sprintf("%s sha256:%s %d", x.State, x.SHA256, x.Size),
	}
	if err := a.store.SavePublication(ctx, p); err != nil {
		return fmt.Errorf("keeping what is attached to %s: %w", r.Key, err)
	}
	return nil
}

// attach uploads the summaries once. It looks first: after a lost answer the file is there, and
// is known by its bytes. Nothing is ever replaced or deleted: when the release changes later,
// its newer summaries are offered at the service, and the file that was attached stays true of
// the bytes that it names.
func (a *App) attach(ctx context.Context, c *installation, r store.StoredReport, file []byte) error {
	known, err := a.attached(ctx, r.Key)
	if err != nil || known.State == attachAttached {
		return err
	}
	found, err := c.release(ctx, r.Report.Subject.ReleaseID)
	var lacking *errPermission
	switch {
	case notFound(err):
		return nil // deleted meanwhile
	case errors.As(err, &lacking):
		return a.unattached(ctx, r, known, "the App is not granted "+lacking.Missing.words())
	case err != nil:
		return err
	}
	frozen := found.Immutable && !found.Draft
	if frozen && known.SHA256 == "" {
		return nil // and never will be; the summaries are offered at the service
	}
	there, err := a.adopt(ctx, c, r, known)
	switch {
	case err != nil || there:
		return err
	case frozen:
		return a.unattached(ctx, r, known, "the release is immutable")
	}
	sum := sha256.Sum256(file)
	known = attachment{State: attachAttaching, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(file))}
	if err := a.noteAttached(ctx, r, known); err != nil {
		return err
	}
	return a.upload(ctx, c, r, known, file)
}

// adopt looks for a file with our name on the release. One with the bytes that were to be
// uploaded is ours; any other is somebody's, and is left alone.
func (a *App) adopt(ctx context.Context, c *installation, r store.StoredReport, known attachment) (there bool, err error) {
	assets, err := c.listAssets(ctx, r.Report.Subject.ReleaseID)
	if err != nil {
		return false, err
	}
	for _, x := range assets {
		if x.Name != summary.FileName {
			continue
		}
		ours, err := a.isOurs(ctx, c, x, known)
		if err != nil {
			return true, err
		}
		if !ours {
			return true, a.unattached(ctx, r, known, "the release has a file "+summary.FileName+" that Landwaiter did not upload")
		}
		known.State, known.ID = attachAttached, x.ID
		return true, a.noteAttached(ctx, r, known)
	}
	return false, nil
}

// isOurs downloads a file with our name and compares its bytes with those that were uploaded.
func (a *App) isOurs(ctx context.Context, c *installation, x releaseAsset, known attachment) (bool, error) {
	if known.SHA256 == "" || x.Size != known.Size {
		return false, nil
	}
	read, err := a.readAsset(ctx, c, x, digesting{})
	return read.Problem == nil && read.SHA256 == known.SHA256, err
}

// upload sends the file. A refusal is final, but for one that says that the name is taken: then
// the file of an earlier attempt may have arrived.
func (a *App) upload(ctx context.Context, c *installation, r store.StoredReport, x attachment, file []byte) error {
	path := fmt.Sprintf("%s/releases/%d/assets?name=%s", c.path(), r.Report.Subject.ReleaseID, url.QueryEscape(summary.FileName))
	q, err := c.NewUploadRequest(path, bytes.NewReader(file), int64(len(file)), "application/jsonl")
	if err != nil {
		return fmt.Errorf("uploading summaries of %s: %w", r.Key, err)
	}
	var made releaseAsset
	_, err = c.Do(ctx, q, &made)
	var lacking *errPermission
	switch {
	case errors.As(err, &lacking):
		return a.unattached(ctx, r, x, "the App is not granted "+lacking.Missing.words())
	case status(err) == http.StatusUnprocessableEntity:
		if there, err := a.adopt(ctx, c, r, x); err != nil || there {
			return err
		}
		return a.unattached(ctx, r, x, err.Error())
	case denied(err):
		return a.unattached(ctx, r, x, err.Error())
	case err != nil:
		return fmt.Errorf("uploading summaries of %s: %w", r.Key, err)
	case made.Name != summary.FileName || made.Size != x.Size || made.ID <= 0:
		return fmt.Errorf("uploading summaries of %s: GitHub answers with %q of %d bytes", r.Key, made.Name, made.Size)
	}
	x.State, x.ID = attachAttached, made.ID
	return a.noteAttached(ctx, r, x)
}

// unattached keeps that the file could not be attached, and says why in the log. The release is
// none the worse: its summaries are offered at the service.
func (a *App) unattached(ctx context.Context, r store.StoredReport, x attachment, why string) error {
	a.log.WarnContext(ctx, "summaries not attached", "run", r.Key, "reason", why)
	if x.SHA256 == "" {
		return nil
	}
	x.State = attachRefused
	return a.noteAttached(ctx, r, x)
}

// setApart takes the file that we attached out of what a release consists of: it says what was
// found, and is no part of what is judged. Who puts another file under its name has a file
// with another number, which is judged like any other.
func (x attachment) setApart(assets []releaseAsset) (rest []releaseAsset, own *releaseAsset) {
	for i, asset := range assets {
		if own == nil && x.is(asset) {
			own = &assets[i]
			continue
		}
		rest = append(rest, asset)
	}
	return rest, own
}

// is reports whether an asset is the file of ours. While an upload's answer is not known, its
// number is not either: then its bytes tell, as GitHub hashes them, or that it never arrived.
func (x attachment) is(asset releaseAsset) bool {
	switch {
	case x.SHA256 == "" || asset.Name != summary.FileName:
		return false
	case x.ID != 0:
		return asset.ID == x.ID
	case asset.State != "uploaded":
		return true
	}
	return asset.Size == x.Size && asset.Digest == "sha256:"+x.SHA256
}
