package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/engine"
)

// maxClaim bounds the jobs of one Claim. Beyond some dozens nothing is gained (PERFORMANCE.md section 6).
const maxClaim = 256

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
	if n <= 0 {
		return nil, nil
	}
	look, err := db.look(ctx)
	if err != nil || look.idle(db.now()) {
		return nil, err
	}
	var c *claiming
	var jobs []Job
	err = db.change(ctx, func(t *tx) error {
		c = &claiming{tx: t, now: db.now(), left: min(n, maxClaim), turn: db.turns(), keys: make(map[string]bool)}
		err := c.collect(look)
		if err == nil {
			jobs, err = c.take(worker, lease)
		}
		if err != nil {
			return fmt.Errorf("claiming jobs: %w", err)
		}
		crash.Before(crash.Claim)
		return nil
	})
	if err != nil {
		return nil, err
	}
	crash.After(crash.Claim)
	db.setTurns(c.turn)
	return jobs, nil
}

// queueLook is the head of each part of the queue. What appears a moment later is found by the
// next Claim.
type queueLook struct{ ready, due, lease sql.NullInt64 }

func (q queueLook) idle(now time.Time) bool {
	return !q.ready.Valid && !reached(q.due, now) && !reached(q.lease, now)
}

func reached(at sql.NullInt64, now time.Time) bool { return at.Valid && at.Int64 <= engine.Micros(now) }

// look looks at the queue without taking the write lock, so that asking in vain costs nothing.
//
// Each head is the first row in the order of an index, here and in the queries below: written
// as EXISTS or min() they make PostgreSQL read all jobs while it has no statistics of them.
func (db *DB) look(ctx context.Context) (queueLook, error) {
	var q queueLook
	err := db.reader(ctx).One(`SELECT
		(SELECT priority FROM job WHERE state = 0 ORDER BY priority LIMIT 1),
		(SELECT due FROM job WHERE state = 1 ORDER BY due LIMIT 1),
		(SELECT lease_until FROM job WHERE state = 2 ORDER BY lease_until LIMIT 1)`, nil, &q.ready, &q.due, &q.lease)
	if err != nil {
		return q, fmt.Errorf("looking for jobs: %w", err)
	}
	return q, nil
}

// NextDue returns when the next waiting job becomes due or the next lease runs out, whichever
// comes first: when to Claim again without having been woken. It returns ErrNotFound when
// there is no such time. Jobs that are ready already do not count: what Claim left of them
// stands behind running keys, and Wake tells when one of these ends.
func (db *DB) NextDue(ctx context.Context) (time.Time, error) {
	q, err := db.look(ctx)
	switch {
	case err != nil:
		return time.Time{}, err
	case !q.due.Valid && !q.lease.Valid:
		return time.Time{}, fmt.Errorf("next due job: %w", ErrNotFound)
	case !q.due.Valid || q.lease.Valid && q.lease.Int64 < q.due.Int64:
		return engine.FromMicros(q.lease.Int64), nil
	default:
		return engine.FromMicros(q.due.Int64), nil
	}
}

func (db *DB) turns() map[int]int64 {
	db.mu.Lock()
	defer db.mu.Unlock()
	turn := make(map[int]int64, len(db.turn))
	for priority, lane := range db.turn {
		turn[priority] = lane
	}
	return turn
}

func (db *DB) setTurns(turn map[int]int64) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.turn = turn
}
