package store

import (
	"context"
	"encoding/json"
	"time"
)

// Limits of a Job, in bytes.
const (
	MaxArgs = 4 << 10
	MaxKey  = 512
)

// Follow is a Job.Generation that takes the newest generation of the key without raising it:
// a job that shows something about the work that another job with this key does.
const Follow int64 = -1

// Job is one durable unit of work. It carries identity, never payload.
type Job struct {
	ID int64
	// Step is what to do: "route", "judge", "publish:check". Jobs coalesce by (Step, Key), so
	// each surface needs a Step of its own.
	Step string
	// Key is what it is done to. Two jobs with one Key never run at once, whatever their Step.
	Key string
	// Generation tells newer work on a Key from older. For Enqueue: 0 raises the key's
	// generation by one and takes it, Follow takes the newest as it is, and any other value is
	// taken as given and does not touch the key's newest.
	Generation int64
	Cause      string // why it exists, for people: "pull_request.synchronize", "advisory GHSA-..."
	// Priority orders jobs that are due: a smaller number goes first. GITHUB.md section 4.
	Priority int
	// InstallationID is the lane for fairness: within a priority the lanes take turns.
	InstallationID int64
	Due            time.Time       // not before; zero means at once
	Attempts       int             // claims so far, this one included; a crash counts
	Args           json.RawMessage // identity only, at most MaxArgs bytes; nil means none
	Created        time.Time       // when this Step and Key began to wait
	LastError      string          // why the last attempt did not end it

	Token      string    // proves the lease; set by Claim
	LeaseUntil time.Time // set by Claim and Renew
}

// Enqueue adds jobs in one transaction, in the given order.
//
// A job whose Step and Key already wait does not become a second one: the waiting job gets
// the earlier Due and the better Priority of both, and Generation, Args and Cause of the
// newer generation (of the later call when they are equal); a raised generation starts its
// attempts anew. While a job with the Step and Key runs, the new one waits and starts after
// it. A buried one does not matter.
//
// ID, Attempts, Created, LastError, Token and LeaseUntil are ignored. It returns ErrTooLarge
// when Args or Key are over their limit.
func (db *DB) Enqueue(ctx context.Context, jobs ...Job) error { return errUnbuilt }

// Newest returns the newest generation of key, or ErrNotFound when none was ever raised. It
// outlives the jobs.
func (db *DB) Newest(ctx context.Context, key string) (int64, error) { return 0, errUnbuilt }

// Claim takes up to n jobs that are due and gives each a lease from now on. It returns fewer,
// or none, when fewer are ready. A caller that got n should ask again at once.
//
// Order: priority, then lanes in turn (one job per installation and round; the round goes
// on where this process's last Claim ended), then due time. Jobs whose Key runs are passed
// over. Jobs whose lease ran out return to the queue first, with their attempts counted, so
// a job that kills its worker shows in Attempts; the caller buries it when there were too many.
// A job that ran out of its lease while a newer one with its Step and Key waits is dropped
// in favour of that one.
//
// worker is kept for people to see. The cost does not grow with the number of queued jobs
// beyond that of an index.
func (db *DB) Claim(ctx context.Context, worker string, n int, lease time.Duration) ([]Job, error) {
	return nil, errUnbuilt
}

// NextDue returns when the next waiting job is due or the next lease runs out, whichever
// comes first; a job that is ready now counts as due at its own time, in the past. It returns
// ErrNotFound when nothing waits or runs. Ready jobs behind a running Key count too.
func (db *DB) NextDue(ctx context.Context) (time.Time, error) { return time.Time{}, errUnbuilt }

// Renew extends the lease of j to lease from now. ErrLeaseLost means: stop the work.
func (db *DB) Renew(ctx context.Context, j Job, lease time.Duration) error { return errUnbuilt }

// Finish ends j and enqueues then, in one transaction. It also clears a buried job with the
// same Step and Key, which j has made good. ErrLeaseLost means that nothing was enqueued.
func (db *DB) Finish(ctx context.Context, j Job, then ...Job) error { return errUnbuilt }

// Retry puts j back to wait until due and keeps cause as its LastError. If a job with its
// Step and Key already waits, j ends in favour of that one.
func (db *DB) Retry(ctx context.Context, j Job, due time.Time, cause string) error {
	return errUnbuilt
}

// Bury sets j aside with cause until somebody revives it. An older buried job with the same
// Step and Key is replaced.
func (db *DB) Bury(ctx context.Context, j Job, cause string) error { return errUnbuilt }

// Buried returns up to limit buried jobs, the latest buried first. Their LeaseUntil is zero.
func (db *DB) Buried(ctx context.Context, limit int) ([]Job, error) { return nil, errUnbuilt }

// Revive makes the buried job with that id wait again, due now, with its attempts at 0. It
// keeps its generation. It returns ErrNotFound when no such job is buried.
func (db *DB) Revive(ctx context.Context, id int64) error { return errUnbuilt }

// DropJobs removes the waiting and buried jobs of an installation that was suspended or
// removed, and returns how many. Running jobs keep their lease.
func (db *DB) DropJobs(ctx context.Context, installationID int64) (int64, error) {
	return 0, errUnbuilt
}

// Wake returns a channel that receives when a job may have become ready: after a commit in
// this process, after one in another process on PostgreSQL, and every few seconds there in
// case a notification was lost. It holds at most one value and has one reader: read, then
// Claim until it returns fewer than asked. Use NextDue for jobs that become due by time.
func (db *DB) Wake() <-chan struct{} { return nil }
