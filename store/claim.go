package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

const (
	// expiredAtOnce and dueAtOnce bound what one Claim moves back into the queue; the next
	// one goes on.
	expiredAtOnce = 64
	dueAtOnce     = 1000
)

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
		c = &claiming{tx: t, now: db.now(), left: min(n, maxBatch), turn: db.turns(), keys: make(map[string]bool)}
		err := c.collect(look)
		if err == nil {
			jobs, err = c.take(worker, lease)
		}
		if err != nil {
			return fmt.Errorf("claiming jobs: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	db.setTurns(c.turn)
	return jobs, nil
}

// queueLook is the head of each part of the queue. What appears a moment later is found by the
// next Claim.
type queueLook struct{ ready, due, lease sql.NullInt64 }

func (q queueLook) idle(now time.Time) bool {
	return !q.ready.Valid && !reached(q.due, now) && !reached(q.lease, now)
}

func reached(at sql.NullInt64, now time.Time) bool { return at.Valid && at.Int64 <= micros(now) }

// look looks at the queue without taking the write lock, so that asking in vain costs nothing.
//
// Each head is the first row in the order of an index, here and in the queries below: written
// as EXISTS or min() they make PostgreSQL read all jobs while it has no statistics of them.
func (db *DB) look(ctx context.Context) (queueLook, error) {
	var q queueLook
	err := db.reader(ctx).one(`SELECT
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
		return fromMicros(q.lease.Int64), nil
	default:
		return fromMicros(q.due.Int64), nil
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

// claiming is one Claim on its way.
type claiming struct {
	*tx
	now  time.Time
	left int             // jobs still wanted
	turn map[int]int64   // priority -> the lane that got the last job
	keys map[string]bool // of jobs picked
	ids  []int64         // of jobs picked, in order
}

// collect picks jobs, priority by priority.
func (c *claiming) collect(look queueLook) error {
	if reached(look.lease, c.now) {
		if err := c.takeBackExpired(); err != nil {
			return err
		}
	}
	if reached(look.due, c.now) {
		if err := c.promoteDue(); err != nil {
			return err
		}
	}
	for after := math.MinInt32; c.left > 0; {
		err := c.one(`SELECT priority FROM job WHERE state = 0 AND priority > $1 ORDER BY priority LIMIT 1`, []any{after}, &after)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("finding the next priority: %w", err)
		}
		if err := c.collectPriority(after); err != nil {
			return err
		}
	}
	return nil
}

// takeBackExpired puts jobs whose lease ran out back into the queue.
func (c *claiming) takeBackExpired() error {
	var expired []Job
	err := c.each(`SELECT `+jobColumns+` FROM job WHERE state = 2 AND lease_until <= $1
		ORDER BY lease_until LIMIT $2`+c.db.skipLocked(), []any{micros(c.now), expiredAtOnce},
		func(rows *sql.Rows) error {
			j, err := scanJob(rows)
			expired = append(expired, j)
			return err
		})
	if err != nil {
		return fmt.Errorf("finding leases that ran out: %w", err)
	}
	for _, j := range expired {
		cause := fmt.Sprintf("the worker did not come back before its lease ran out (attempt %d)", j.Attempts)
		if err := c.putBack(j, c.now, cause, "taking back"); err != nil {
			return err
		}
	}
	return nil
}

// promoteDue makes jobs ready whose time has come.
func (c *claiming) promoteDue() error {
	_, err := c.exec(`UPDATE job SET state = 0 WHERE id IN (
		SELECT id FROM job WHERE state = 1 AND due <= $1 ORDER BY due LIMIT $2`+c.db.skipLocked()+`)`,
		micros(c.now), dueAtOnce)
	if err != nil {
		return fmt.Errorf("making jobs ready that are due: %w", err)
	}
	return nil
}

// lane is the queue of one installation within a priority.
type lane struct {
	installation int64
	due, id      int64 // of the last job looked at
	empty        bool
}

// collectPriority picks from the lanes of a priority in turn, as many from each as would share
// the rest out evenly, until enough are picked or all lanes are empty.
func (c *claiming) collectPriority(priority int) error {
	lanes, err := c.lanes(priority)
	if err != nil {
		return err
	}
	for waiting := len(lanes); c.left > 0 && waiting > 0; {
		share := waiting
		waiting = 0
		for i := range lanes {
			l := &lanes[i]
			if l.empty || c.left == 0 {
				continue
			}
			if err := c.pick(priority, l, (c.left+share-1)/share); err != nil {
				return err
			}
			share--
			if !l.empty {
				waiting++
			}
		}
	}
	return nil
}

// lanes returns up to c.left lanes that have a ready job, beginning after the one that was
// served last and going round. Each costs one step in the index.
func (c *claiming) lanes(priority int) ([]lane, error) {
	last, served := c.turn[priority]
	if !served {
		last = math.MaxInt64
	}
	var lanes []lane
	for _, bounds := range [][2]int64{{last, math.MaxInt64}, {math.MinInt64, last}} {
		err := c.each(`WITH RECURSIVE lane (installation, n) AS (
				SELECT (SELECT installation_id FROM job
					WHERE state = 0 AND priority = $1 AND installation_id > $2 AND installation_id <= $3
					ORDER BY installation_id LIMIT 1), 1
			UNION ALL
				SELECT (SELECT installation_id FROM job
					WHERE state = 0 AND priority = $1 AND installation_id > lane.installation AND installation_id <= $3
					ORDER BY installation_id LIMIT 1), n + 1
				FROM lane WHERE lane.installation IS NOT NULL AND n < $4)
			SELECT installation FROM lane WHERE installation IS NOT NULL`,
			[]any{priority, bounds[0], bounds[1], c.left - len(lanes)},
			func(rows *sql.Rows) error {
				l := lane{due: math.MinInt64}
				err := rows.Scan(&l.installation)
				lanes = append(lanes, l)
				return err
			})
		if err != nil {
			return nil, fmt.Errorf("finding lanes of priority %d: %w", priority, err)
		}
		if len(lanes) >= c.left {
			break
		}
	}
	return lanes, nil
}

// keyIsFree is written so that it costs one step in the index per job. As NOT EXISTS it makes
// PostgreSQL read all of that index, with the many entries of jobs that have ended.
const keyIsFree = `(SELECT r.id FROM job r WHERE r.state = 2 AND r.key = job.key LIMIT 1) IS NULL`

// pick picks up to n jobs of a lane whose keys are free, in order of due time.
func (c *claiming) pick(priority int, l *lane, n int) error {
	found := 0
	err := c.each(`SELECT id, key, due FROM job
		WHERE state = 0 AND priority = $1 AND installation_id = $2 AND (due, id) > ($3, $4)
			AND `+keyIsFree+`
		ORDER BY due, id LIMIT $5`+c.db.skipLocked(),
		[]any{priority, l.installation, l.due, l.id, n},
		func(rows *sql.Rows) error {
			found++
			var key string
			if err := rows.Scan(&l.id, &key, &l.due); err != nil || c.keys[key] {
				return err
			}
			c.keys[key] = true
			c.ids = append(c.ids, l.id)
			c.left--
			c.turn[priority] = l.installation
			return nil
		})
	if err != nil {
		return fmt.Errorf("looking at jobs of installation %d: %w", l.installation, err)
	}
	l.empty = found < n
	return nil
}

// take gives the picked jobs their lease and returns them in the order they were picked.
func (c *claiming) take(worker string, lease time.Duration) ([]Job, error) {
	place := make(map[int64]int, len(c.ids))
	jobs := make([]Job, len(c.ids))
	token := rand.Text()
	err := c.batches(len(c.ids), 1, func(from, to int) error {
		args := []any{token, text(worker), micros(c.now.Add(lease))}
		for i, id := range c.ids[from:to] {
			place[id] = from + i
			args = append(args, id)
		}
		if err := c.lockKeys(args[3:]); err != nil {
			return err
		}
		return c.each(`UPDATE job SET state = 2, attempts = attempts + 1, token = $1, worker = $2, lease_until = $3
			WHERE id IN `+listOf(to-from, 4)+c.whereFree()+` RETURNING `+jobColumns, args,
			func(rows *sql.Rows) error {
				j, err := scanJob(rows)
				jobs[place[j.ID]] = j
				return err
			})
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(jobs, func(j Job) bool { return j.ID == 0 }), nil
}

// lockKeys keeps other processes on PostgreSQL from starting jobs with the keys of these ones.
// It replaces the ids of those that may not start by 0.
//
// Two processes may have picked different jobs with one key at the same moment. Each tries a
// lock on the hash of the key, which is held to the end of the transaction; who fails passes
// the job over. Who succeeds looks once more whether the key runs by now: whereFree.
func (c *claiming) lockKeys(ids []any) error {
	if c.db.engine != onPostgres {
		return nil
	}
	locked := make(map[int64]bool, len(ids))
	err := c.each(`WITH picked AS MATERIALIZED (SELECT id, key FROM job WHERE id IN `+listOf(len(ids), 1)+`)
		SELECT id FROM picked WHERE pg_try_advisory_xact_lock(hashtextextended(key, 0))`, ids,
		func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			locked[id] = true
			return err
		})
	if err != nil {
		return fmt.Errorf("locking keys: %w", err)
	}
	for i, id := range ids {
		if !locked[id.(int64)] {
			ids[i] = int64(0)
		}
	}
	return nil
}

// whereFree is the second look after lockKeys; a new statement sees what was committed since.
func (c *claiming) whereFree() string {
	if c.db.engine != onPostgres {
		return ""
	}
	return " AND " + keyIsFree
}

const jobColumns = `id, step, key, generation, cause, priority, installation_id, due, attempts, args, created, last_error, token, lease_until`

func scanJob(rows *sql.Rows) (Job, error) {
	var j Job
	var due, created, lease int64
	var args string
	err := rows.Scan(&j.ID, &j.Step, &j.Key, &j.Generation, &j.Cause, &j.Priority, &j.InstallationID,
		&due, &j.Attempts, &args, &created, &j.LastError, &j.Token, &lease)
	j.Due, j.Created, j.LeaseUntil = fromMicros(due), fromMicros(created), fromMicros(lease)
	if args != "" {
		j.Args = []byte(args)
	}
	return j, err
}
