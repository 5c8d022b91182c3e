package app

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

const (
	// maxFile is the largest manifest read, in bytes.
	maxFile = 32 << 20
	// maxFiles and maxBytes bound what one side of a change may hold in manifests. What is
	// beyond them becomes a problem of the file, which makes the verdict Unknown.
	maxFiles = 2000
	maxBytes = 64 << 20
	// blobWidth is how many blobs are fetched at once.
	blobWidth = 8
)

// gathered is a Subject as it was found, ready to be judged.
type gathered struct {
	Material *checks.Material
	Policy   *checks.Policy
	// Commit is where the check stands when the Subject's name does not say: a release's.
	Commit string
	// Wait, when set, says that there is no verdict to form now.
	Wait *waiting
	// Unsettled, when set, says what to wait for instead of recording a Verdict that is Unknown.
	Unsettled *waiting
	// Quiet says that nothing was found that a scanner could look at.
	Quiet bool
	// Then, when set, completes Material with what only Evidence tells to ask for. Its error
	// ends the job for now.
	Then func(context.Context, []checks.Evidence) error
	// PolicyProblem is set when the policy in force could not be read. With PolicyKept, Policy
	// is the last good one; without, it is the default and the verdict cannot be Pass.
	PolicyProblem *checks.PolicyError
	PolicyKept    bool
}

// waiting says that a Subject is not judged now, and what is shown instead.
type waiting struct {
	// Until is when to look again. Zero: not again, the Subject needs no verdict.
	Until time.Time
	Shown output.CheckRun
	// Mark is kept with the check run; see showing.
	Mark string
	// Instead is a Subject that must be judged in this one's place, if it never was.
	Instead *subjectArgs
}

// problem returns the reason that a broken policy gives.
func (g gathered) problem() checks.Reason {
	text := "Policy file: " + g.PolicyProblem.Message
	if g.PolicyProblem.Line > 0 {
		text = fmt.Sprintf("Policy file line %d: %s", g.PolicyProblem.Line, g.PolicyProblem.Message)
	}
	if g.PolicyKept {
		text += " (on the base branch; its last valid policy stays in force)"
	} else {
		text += " (on the base branch, which has no earlier valid policy)"
	}
	return checks.Reason{Rule: checks.RulePolicyFile, Code: checks.CodePolicyInvalid, Message: text}
}

// reading is one file to be read on one side, or a submodule that a file is read with.
type reading struct {
	path string
	entry
}

// inventories reads both sides of a change and fetches only what no earlier reading left.
func (a *App) inventories(ctx context.Context, c *installation, base, head []reading) (b, h checks.Inventory, err error) {
	sides := [2][]reading{bounded(base), bounded(head)}
	var found [2]checks.Inventory
	var missing []reading
	var known [2]bool
	for i, side := range sides {
		if found[i], known[i] = a.knownInventory(ctx, side); !known[i] {
			missing = append(missing, side...)
		}
	}
	blobs, err := c.blobs(ctx, missing)
	if err != nil {
		return b, h, err
	}
	for i, side := range sides {
		if known[i] {
			continue
		}
		files := make([]checks.File, len(side))
		for j, r := range side {
			files[j] = checks.File{Path: r.path, Digest: r.SHA, Data: blobs[r.SHA], Problem: r.problem()}
			if r.submodule() {
				files[j].Link, files[j].Data = r.SHA, nil
			}
		}
		found[i] = a.cfg.ReadInventory(ctx, files)
		if err := ctx.Err(); err != nil {
			return b, h, fmt.Errorf("reading manifests: %w", err)
		}
		a.keepInventory(ctx, side, found[i])
	}
	return found[0], found[1], nil
}

// bounded marks files beyond the bounds of one side as too much, keeping them visible.
func bounded(side []reading) []reading {
	slices.SortFunc(side, func(x, y reading) int { return strings.Compare(x.path, y.path) })
	var total int64
	for i := range side {
		total += side[i].Size
		side[i].over = i >= maxFiles || total > maxBytes
	}
	return side
}

// parserOf says what decides how each file of a side is read: the reader's version and every
// file it is read with, since manifests may include each other.
func (a *App) parserOf(side []reading) string {
	h := sha256.New()
	for _, r := range side {
		if r.submodule() { // the same name may be that of a file on another side
			fmt.Fprint(h, modeSubmodule, "\x00")
		}
		fmt.Fprintf(h, "%s\x00%s\x00%s\x00", r.path, r.SHA, r.problem())
	}
	return a.cfg.ParserVersion + "+" + hex.EncodeToString(h.Sum(nil)[:16])
}

// notManifest is the Format under which a companion is remembered: a file that was read but
// names no packages itself.
const notManifest = "-"

// knownInventory puts the Inventory of a side together from earlier readings, or reports
// that one is missing.
func (a *App) knownInventory(ctx context.Context, side []reading) (checks.Inventory, bool) {
	var inv checks.Inventory
	if a.cfg.ParserVersion == "" {
		return inv, len(side) == 0
	}
	parser := a.parserOf(side)
	for _, r := range side {
		m, err := a.store.CachedInventory(ctx, r.SHA, parser+"/"+r.path)
		if err != nil {
			return checks.Inventory{}, false
		}
		if m.Format != notManifest {
			m.Path = r.path
			inv.Manifests = append(inv.Manifests, m)
		}
	}
	return inv, true
}

// keepInventory remembers what a side was read as. A side with a Gap is read anew next time:
// the Gap may come from a limit of that moment.
func (a *App) keepInventory(ctx context.Context, side []reading, inv checks.Inventory) {
	byPath := map[string]checks.Manifest{}
	for _, m := range inv.Manifests {
		if m.Gap != "" {
			return
		}
		byPath[m.Path] = m
	}
	if a.cfg.ParserVersion == "" {
		return
	}
	parser := a.parserOf(side)
	for _, r := range side {
		m, ok := byPath[r.path]
		if !ok {
			m = checks.Manifest{Path: r.path, Digest: r.SHA, Format: notManifest}
		}
		a.github.cache.later(ctx, 200*len(m.Packages)+1000*len(m.Observations), func(ctx context.Context) {
			// Losing it costs a reading next time, and the store logs its own faults.
			_ = a.store.SaveInventory(ctx, r.SHA, parser+"/"+r.path, m)
		})
	}
}

// blobs fetches the content of files by digest, each once, several at a time.
func (c *installation) blobs(ctx context.Context, files []reading) (map[string][]byte, error) {
	var mu sync.Mutex
	found := map[string][]byte{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(blobWidth)
	asked := map[string]bool{}
	for _, f := range files {
		if f.submodule() || f.problem() != "" || asked[f.SHA] {
			continue
		}
		asked[f.SHA] = true
		group.Go(func() error {
			data, err := c.blob(ctx, f.SHA)
			if err != nil {
				return fmt.Errorf("reading %s: %w", f.path, err)
			}
			mu.Lock()
			defer mu.Unlock()
			found[f.SHA] = data
			return nil
		})
	}
	return found, group.Wait()
}

// blob returns the bytes with the git object name sha, proven by it.
func (c *installation) blob(ctx context.Context, sha string) ([]byte, error) {
	if sha == blobName(sha, nil) {
		return nil, nil // the empty blob has the same name everywhere
	}
	cache := c.app.github.cache
	if data, ok := cache.get(ctx, c.Repo, "blob", sha); ok && blobName(sha, data) == sha {
		return data, nil
	}
	data, _, err := c.Git.GetBlobRaw(ctx, c.Repo.Owner, c.Repo.Name, sha)
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", sha, err)
	}
	if blobName(sha, data) != sha {
		return nil, fmt.Errorf("blob %s: the %d bytes received are not that blob", sha, len(data))
	}
	cache.keep(ctx, c.Repo, "blob", sha, data)
	return data, nil
}

// blobName returns the object name that git gives data, with the hash that sha is written in.
func blobName(sha string, data []byte) string {
	header := fmt.Sprintf("blob %d\x00", len(data))
	if len(sha) == sha256.Size*2 {
		h := sha256.New()
		h.Write([]byte(header))
		h.Write(data)
		return hex.EncodeToString(h.Sum(nil))
	}
	h := sha1.New()
	h.Write([]byte(header))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// remember stores value as JSON under a setting's name, unless it is there already.
func (a *App) remember(ctx context.Context, name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing setting %s: %w", name, err)
	}
	old, err := a.store.Setting(ctx, name)
	if err == nil && old == string(text) {
		return nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("reading setting %s: %w", name, err)
	}
	if err := a.store.SetSetting(ctx, name, string(text)); err != nil {
		return fmt.Errorf("storing setting %s: %w", name, err)
	}
	return nil
}

// recall reads what remember stored; ok is false when nothing was.
func recall[T any](ctx context.Context, a *App, name string) (value T, ok bool, err error) {
	text, err := a.store.Setting(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return value, false, nil
	}
	if err != nil {
		return value, false, fmt.Errorf("reading setting %s: %w", name, err)
	}
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return value, false, fmt.Errorf("reading setting %s: %w", name, err)
	}
	return value, true, nil
}
