package powercut

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/storetest"
)

// The variables that replay and lengthen the test; CONTRIBUTING.md says how.
const (
	seedVariable = "LANDWAITER_FAULT_SEED"
	cutsVariable = "LANDWAITER_POWER_CUTS"
)

const databaseName = "landwaiter.db"

// promise is something that the store has acknowledged.
type promise struct {
	from int // the point in the list of effects from which on it holds
	what string
	kept func(ctx context.Context, db *store.DB) error
}

// worked is a store that was worked on while its disk was recorded.
type worked struct {
	disk     *disk
	folder   string
	mu       sync.Mutex
	promises []promise
}

// promised is called when the store has answered.
func (w *worked) promised(what string, kept func(ctx context.Context, db *store.DB) error) {
	p := promise{w.disk.now(), what, kept}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.promises = append(w.promises, p)
}

// work receives deliveries, routes them, and records reports from many sides at once, until the WAL was
// folded into the database a few times.
func work(t *testing.T) *worked {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, databaseName)
	w := &worked{disk: record(path, path+".checkpoint"), folder: folder}
	defer w.disk.stop()
	db, err := store.Open(t.Context(), store.Config{URL: path})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for side := range 8 {
		group.Go(func() {
			random := rand.NewChaCha8([32]byte{byte(side)})
			for i := range 40 {
				if err := w.step(t.Context(), db, side, i, random); err != nil {
					t.Errorf("side %d, step %d: %v", side, i, err)
					return
				}
			}
		})
	}
	group.Wait()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}

// step does one thing of each kind.
func (w *worked) step(ctx context.Context, db *store.DB, side, i int, random *rand.ChaCha8) error {
	body := make([]byte, 120_000) // of which compression saves nothing
	if _, err := random.Read(body); err != nil {
		return err
	}
	d := store.Delivery{GUID: fmt.Sprintf("%08d-0000-4000-8000-%012d", side, i), Event: "pull_request", InstallationID: int64(side + 1), Body: body}
	if _, err := db.Receive(ctx, d, store.Job{Priority: 30, InstallationID: d.InstallationID}); err != nil {
		return err
	}
	w.promised("delivery "+d.GUID, func(ctx context.Context, db *store.DB) error {
		got, err := db.Delivery(ctx, d.GUID)
		if err == nil && string(got.Body) != string(body) {
			return errors.New("it has another body")
		}
		return err
	})
	jobs, err := db.Claim(ctx, "worker", 1, time.Hour)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		next := store.Job{Step: "judge", Key: "pr:" + j.Key, Priority: 50, InstallationID: j.InstallationID}
		if j.Step != store.StepRoute {
			next.Step, next.Key = "publish:check", j.Key
		}
		if err := db.Finish(ctx, j, next); err != nil {
			return err
		}
		w.promised("the end of "+j.Step+" "+j.Key, func(ctx context.Context, db *store.DB) error {
			return hasJob(ctx, db, j.Step, j.Key, false)
		})
	}
	if i%3 > 0 {
		return nil
	}
	return w.judge(ctx, db, fmt.Sprintf("pr:%d:%d", side, i))
}

// judge records a report.
func (w *worked) judge(ctx context.Context, db *store.DB, key string) error {
	r := store.Record{Key: key, Generation: 1, Parser: "1", Report: checks.Report{
		Subject: checks.Subject{Kind: checks.KindPullRequest, Repository: "octo-org/octo-repo", RepositoryID: 42, Ref: "refs/pull/7/head", Commit: strings.Repeat("a", 40), Number: 7},
		Verdict: checks.Fail, Reasons: []checks.Reason{}, Findings: []checks.Finding{}, Assets: []checks.AssetReport{}, Evidence: []checks.EvidenceSummary{},
		Policy: checks.PolicyRef{Digest: "sha256:0f", Source: "landwaiter:recommended@1"}, Time: time.Date(2026, 11, 23, 8, 59, 0, 0, time.UTC),
	}}
	recorded, err := db.Record(ctx, r)
	if err != nil {
		return err
	}
	w.promised("report "+key, func(ctx context.Context, db *store.DB) error {
		got, err := db.Report(ctx, recorded.ReportID)
		if err == nil && (got.Key != key || got.LedgerIndex != recorded.LedgerIndex) {
			return fmt.Errorf("report %d is of %s, entry %d", recorded.ReportID, got.Key, got.LedgerIndex)
		}
		return err
	})
	w.promised("checkpoint of "+key, func(ctx context.Context, db *store.DB) error {
		signed, err := db.LedgerCheckpoint(ctx, recorded.LedgerIndex+1)
		if err == nil && signed != recorded.Checkpoint {
			return errors.New("it is another one")
		}
		return err
	})
	return nil
}

// hasJob fails unless a job is there or not, as wanted.
func hasJob(ctx context.Context, db *store.DB, step, key string, want bool) error {
	has, err := db.HasJob(ctx, step, key)
	if err == nil && has != want {
		return fmt.Errorf("a job: %v, want %v", has, want)
	}
	return err
}

// cut opens what the disk may hold after a power cut, and says what of the promises is broken.
func (w *worked) cut(t *testing.T, at int, f fate, random *rand.Rand, counts func(file string) bool) error {
	t.Helper()
	folder := t.TempDir()
	files, beside := w.disk.after(at, f, random, counts)
	files.save(t, folder, databaseName+".checkpoint", beside)
	const key = databaseName + ".ledger.key"
	if err := os.Link(filepath.Join(w.folder, key), filepath.Join(folder, key)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, databaseName)
	db, err := store.Open(t.Context(), store.Config{URL: path})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.VerifyLedger(t.Context(), func(int64, int64) {}); err != nil {
		return err
	}
	if err := intact(t.Context(), path); err != nil {
		return err
	}
	for _, p := range w.promises {
		if p.from > at {
			continue
		}
		if err := p.kept(t.Context(), db); err != nil {
			return fmt.Errorf("%s, acknowledged at %d: %w", p.what, p.from, err)
		}
	}
	return nil
}

// intact has SQLite check its file.
func intact(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	var answer string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&answer); err != nil {
		return err
	}
	if answer != "ok" {
		return errors.New("integrity_check: " + answer)
	}
	return nil
}

// TestI01_PowerCutLosesNothingAcknowledged cuts the power at random points: whatever of the writes that were
// not synced has reached the disk, the store opens, its ledger is what was signed, and all that was acknowledged is there.
func TestI01_PowerCutLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	w := work(t)
	seed := storetest.Number(t, seedVariable, uint64(time.Now().UnixNano()))
	cuts := int(storetest.Number(t, cutsVariable, 60))
	t.Logf("%s=%d: %d cuts among %d effects, %d promises, WAL folded %d times", seedVariable, seed, cuts, len(w.disk.effects), len(w.promises), w.folded())
	if folded := w.folded(); folded < 2 {
		t.Fatalf("the WAL was folded into the database %d times: work more", folded)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range cuts {
		at, f := random.IntN(len(w.disk.effects)+1), fate(i)%fates
		if err := w.cut(t, at, f, random, func(string) bool { return true }); err != nil {
			t.Errorf("cut %d before effect %d, fate %d: %v", i, at, f, err)
		}
	}
}

// folded counts syncs of the database file, which SQLite does after folding the WAL into it.
func (w *worked) folded() int {
	n := 0
	for _, e := range w.disk.effects {
		if e.kind == synced && e.file == databaseName {
			n++
		}
	}
	return n
}

// TestPowerCutIsSeen: a disk that lies about syncs of the WAL loses what was acknowledged, so the test above
// sees a store that does not sync.
func TestPowerCutIsSeen(t *testing.T) {
	t.Parallel()
	w := work(t)
	random := rand.New(rand.NewPCG(1, 0))
	// Just after the WAL was folded nothing is missing: one of some points is not there.
	const points = 8
	for i := 1; i < points; i++ {
		at := len(w.disk.effects) * i / points
		if err := w.cut(t, at, gone, random, func(string) bool { return true }); err != nil {
			t.Fatalf("cut before effect %d, with syncs: %v", at, err)
		}
		if err := w.cut(t, at, gone, random, func(file string) bool { return file == databaseName }); err != nil {
			return
		}
	}
	t.Error("without the syncs of the WAL nothing was lost")
}
