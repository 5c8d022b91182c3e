package invarianttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// facts are all that the invariants look at, read once.
type facts struct {
	now        time.Time
	sent       []githubtest.Delivery // attempts of the stand-in
	kept       map[string]store.DeliverySummary
	reports    []store.StoredReport // by ledger index
	newest     map[string]int64     // newest generation by report key
	leaves     []store.Leaf
	head       ledger.Checkpoint
	tampered   error // what VerifyLedger says
	checkpoint func(size int64) string
	proof      func(older, newer int64) ([]ledger.Hash, error)
	shown      map[string]shown // publications of checks, by key
	gates      map[string]string
	queue      []store.QueueStats
	buried     []store.Job
	repos      []repoFacts
	calls      []githubtest.Call
	violations []string
}

// shown is what the store holds of a check run.
type shown struct {
	store.Publication
	Run    string `json:"run"`
	Head   string `json:"head"`
	Mark   string `json:"mark"`
	Done   bool   `json:"done"`
	Begun  bool   `json:"begun"`
	Digest string `json:"digest"`
}

// repoFacts are what a person sees of a repository.
type repoFacts struct {
	repo         *githubtest.Repo
	id           int64
	name         string
	installation int64 // 0: the App does not reach it
	archived     bool
	runs         []githubtest.CheckRun // of ours, oldest first
	pulls        []githubtest.PullView
	releases     []githubtest.ReleaseView
	releaseIDs   []int64
	issues       []githubtest.Issue
	deployments  []deployment
}

type deployment struct {
	id      int64
	sha     string
	reports []githubtest.DeploymentReport
}

// ours begins the names of our checks.
const ours = "landwaiter/"

// page is how many rows are read at once.
const page = 500

func collect(ctx context.Context, w World) (*facts, error) {
	f := &facts{
		now: w.Now, sent: w.GitHub.Deliveries(), calls: w.GitHub.Calls(), violations: w.GitHub.Violations(),
		kept: map[string]store.DeliverySummary{}, newest: map[string]int64{}, shown: map[string]shown{}, gates: map[string]string{},
	}
	if f.now.IsZero() {
		f.now = time.Now()
	}
	for _, r := range w.GitHub.Repos() {
		f.repos = append(f.repos, repoOf(r))
	}
	for _, read := range []func(context.Context, *store.DB) error{f.readDeliveries, f.readReports, f.readLedger, f.readShown, f.readQueue} {
		if err := read(ctx, w.DB); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func repoOf(r *githubtest.Repo) repoFacts {
	f := repoFacts{
		repo: r, id: r.ID(), name: r.FullName(), installation: r.InstallationID(), archived: r.Archived(),
		pulls: r.Pulls(), issues: r.Issues(),
	}
	for _, run := range r.CheckRuns("") {
		if strings.HasPrefix(run.Name, ours) && run.ExternalID != "" {
			f.runs = append(f.runs, run)
		}
	}
	for _, rel := range r.Releases() {
		f.releases, f.releaseIDs = append(f.releases, rel.View()), append(f.releaseIDs, rel.ID)
	}
	for _, d := range r.Deployments() {
		f.deployments = append(f.deployments, deployment{id: d.ID, sha: d.SHA(), reports: d.Reports()})
	}
	return f
}

func (f *facts) readDeliveries(ctx context.Context, db *store.DB) error {
	for before := int64(0); ; {
		list, err := db.Deliveries(ctx, before, page)
		if err != nil {
			return err
		}
		for _, d := range list {
			f.kept[d.GUID] = d
			before = d.ID
		}
		if len(list) < page {
			return nil
		}
	}
}

func (f *facts) readReports(ctx context.Context, db *store.DB) error {
	for before := int64(0); ; {
		list, err := db.Reports(ctx, store.ReportFilter{Before: before, Limit: page})
		if err != nil {
			return err
		}
		for _, summary := range list {
			before = summary.ID
			r, err := db.Report(ctx, summary.ID)
			if err != nil {
				return err
			}
			f.reports = append(f.reports, r)
			if _, known := f.newest[r.Key]; known {
				continue
			}
			if f.newest[r.Key], err = db.Newest(ctx, r.Key); err != nil {
				return err
			}
		}
		if len(list) < page {
			break
		}
	}
	for i, j := 0, len(f.reports)-1; i < j; i, j = i+1, j-1 {
		f.reports[i], f.reports[j] = f.reports[j], f.reports[i]
	}
	return nil
}

func (f *facts) readLedger(ctx context.Context, db *store.DB) error {
	var err error
	if f.head, _, err = db.LedgerHead(ctx); err != nil {
		return err
	}
	for int64(len(f.leaves)) < f.head.Size {
		list, err := db.LedgerEntries(ctx, int64(len(f.leaves)), page)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fmt.Errorf("the ledger has %d entries and not %d", len(f.leaves), f.head.Size)
		}
		for _, b := range list {
			leaf, err := store.ParseLeaf(b)
			if err != nil {
				return err
			}
			f.leaves = append(f.leaves, leaf)
		}
	}
	f.tampered = db.VerifyLedger(ctx, nil)
	f.checkpoint = func(size int64) string {
		signed, err := db.LedgerCheckpoint(ctx, size)
		if err != nil {
			return ""
		}
		return signed
	}
	f.proof = func(older, newer int64) ([]ledger.Hash, error) { return db.ProveConsistency(ctx, older, newer) }
	return nil
}

func (f *facts) readShown(ctx context.Context, db *store.DB) error {
	for key := range f.newest {
		p, err := db.Publication(ctx, "check", key)
		if err == nil {
			s := shown{Publication: p}
			if err := json.Unmarshal([]byte(p.State), &s); err != nil {
				return fmt.Errorf("what is shown of %s: %w", key, err)
			}
			f.shown[key] = s
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		gate, err := db.Publication(ctx, "gate", key)
		if err == nil {
			f.gates[key] = gate.State
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (f *facts) readQueue(ctx context.Context, db *store.DB) error {
	stats, err := db.Stats(ctx)
	if err != nil {
		return err
	}
	f.queue = stats.Queue
	f.buried, err = db.Buried(ctx, page)
	return err
}

// report returns the report with that ledger index, or nil.
func (f *facts) report(index int64) *store.StoredReport {
	// Reports come in the order of their entries, one each; the loop is for what should not be.
	if index >= 0 && index < int64(len(f.reports)) && f.reports[index].LedgerIndex == index {
		return &f.reports[index]
	}
	for i := range f.reports {
		if f.reports[i].LedgerIndex == index {
			return &f.reports[i]
		}
	}
	return nil
}

// newestReports returns the report of the newest recorded generation of each key.
func (f *facts) newestReports() map[string]*store.StoredReport {
	list := map[string]*store.StoredReport{}
	for i := range f.reports {
		r := &f.reports[i]
		if old := list[r.Key]; old == nil || old.Generation < r.Generation {
			list[r.Key] = r
		}
	}
	return list
}

// repoByID returns the repository, or nil.
func (f *facts) repoByID(id int64) *repoFacts {
	for i := range f.repos {
		if f.repos[i].id == id {
			return &f.repos[i]
		}
	}
	return nil
}
