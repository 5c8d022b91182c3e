package store

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/landwaiter/landwaiter/store/engine"
)

const (
	// expiredAtOnce and dueAtOnce bound what one Claim moves back into the queue; the next
	// one goes on.
	expiredAtOnce = 64
	dueAtOnce     = 1000
)

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
		err := c.One(`SELECT priority FROM job WHERE state = 0 AND priority > $1 ORDER BY priority LIMIT 1`, []any{after}, &after)
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
	err := c.Each(`SELECT `+jobColumns+` FROM job WHERE state = 2 AND lease_until <= $1
		ORDER BY lease_until LIMIT $2`+c.SkipLocked(), []any{engine.Micros(c.now), expiredAtOnce},
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
	_, err := c.Exec(`UPDATE job SET state = 0 WHERE id IN (
		SELECT id FROM job WHERE state = 1 AND due <= $1 ORDER BY due LIMIT $2`+c.SkipLocked()+`)`,
		engine.Micros(c.now), dueAtOnce)
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

// collectPriority picks the first of each lane of a priority, and then from the lanes in turn, as
// many from each as would share the rest out evenly, until enough are picked or all lanes are empty.
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
// served last and going round, and picks the first job of each. A lane costs two steps in the index.
func (c *claiming) lanes(priority int) ([]lane, error) {
	last, served := c.turn[priority]
	if !served {
		last = math.MaxInt64
	}
	var lanes []lane
	for _, bounds := range [][2]int64{{last, math.MaxInt64}, {math.MinInt64, last}} {
		if c.left == 0 {
			break
		}
		err := c.Each(`WITH RECURSIVE lane (installation, n) AS (
				SELECT (SELECT installation_id FROM job
					WHERE state = 0 AND priority = $1 AND installation_id > $2 AND installation_id <= $3
					ORDER BY installation_id LIMIT 1), 1
			UNION ALL
				SELECT (SELECT installation_id FROM job
					WHERE state = 0 AND priority = $1 AND installation_id > lane.installation AND installation_id <= $3
					ORDER BY installation_id LIMIT 1), n + 1
				FROM lane WHERE lane.installation IS NOT NULL AND n < $4)
			SELECT lane.installation, first.id, first.key, first.due FROM lane LEFT JOIN `+c.firstOfLane()+`
			WHERE lane.installation IS NOT NULL ORDER BY lane.n`,
			[]any{priority, bounds[0], bounds[1], c.left},
			func(rows *sql.Rows) error {
				var l lane
				var id, due sql.NullInt64
				var key sql.NullString
				if err := rows.Scan(&l.installation, &id, &key, &due); err != nil {
					return err
				}
				l.id, l.due, l.empty = id.Int64, due.Int64, !id.Valid
				if id.Valid {
					c.choose(priority, &l, key.String)
				}
				lanes = append(lanes, l)
				return nil
			})
		if err != nil {
			return nil, fmt.Errorf("finding lanes of priority %d: %w", priority, err)
		}
	}
	return lanes, nil
}

// firstOfLane joins the job that is the first of its lane, of those whose keys are free. SQLite knows
// no LATERAL, and PostgreSQL locks a row only where it is read.
func (c *claiming) firstOfLane() string {
	const first = ` FROM job WHERE state = 0 AND priority = $1 AND installation_id = lane.installation AND ` + keyIsFree + ` ORDER BY due, id LIMIT 1`
	if c.Postgres() {
		return `LATERAL (SELECT id, key, due` + first + c.SkipLocked() + `) first ON true`
	}
	return `job first ON first.id = (SELECT id` + first + `)`
}

// choose picks the job that l stands at, unless one with its key was picked before.
func (c *claiming) choose(priority int, l *lane, key string) {
	if c.keys[key] {
		return
	}
	c.keys[key] = true
	c.ids = append(c.ids, l.id)
	c.left--
	c.turn[priority] = l.installation
}

// keyIsFree is written so that it costs one step in the index per job. As NOT EXISTS it makes
// PostgreSQL read all of that index, with the many entries of jobs that have ended.
const keyIsFree = `(SELECT r.id FROM job r WHERE r.state = 2 AND r.key = job.key LIMIT 1) IS NULL`

// pick picks up to n jobs of a lane whose keys are free, in order of due time.
func (c *claiming) pick(priority int, l *lane, n int) error {
	found := 0
	err := c.Each(`SELECT id, key, due FROM job
		WHERE state = 0 AND priority = $1 AND installation_id = $2 AND (due, id) > ($3, $4)
			AND `+keyIsFree+`
		ORDER BY due, id LIMIT $5`+c.SkipLocked(),
		[]any{priority, l.installation, l.due, l.id, n},
		func(rows *sql.Rows) error {
			found++
			var key string
			if err := rows.Scan(&l.id, &key, &l.due); err != nil {
				return err
			}
			c.choose(priority, l, key)
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
	err := c.Batches(len(c.ids), 1, func(from, to int) error {
		args := []any{token, engine.Text(worker), engine.Micros(c.now.Add(lease))}
		for i, id := range c.ids[from:to] {
			place[id] = from + i
			args = append(args, id)
		}
		if err := c.lockKeys(args[3:]); err != nil {
			return err
		}
		return c.Each(`UPDATE `+c.orRollback()+`job SET state = 2, attempts = attempts + 1, token = $1, worker = $2, lease_until = $3
			WHERE id IN `+engine.List(to-from, 4)+c.whereFree()+` RETURNING `+jobColumns, args,
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

// orRollback has SQLite undo the whole transaction should the statement break a rule, instead of the
// statement alone, for which it copies each page before it changes it. Either way the error undoes all.
func (c *claiming) orRollback() string {
	if c.Postgres() {
		return ""
	}
	return "OR ROLLBACK "
}

// lockKeys keeps other processes on PostgreSQL from starting jobs with the keys of these ones.
// It replaces the ids of those that may not start by 0.
//
// Two processes may have picked different jobs with one key at the same moment. Each tries a
// lock on the hash of the key, which is held to the end of the transaction; who fails passes
// the job over. Who succeeds looks once more whether the key runs by now: whereFree.
func (c *claiming) lockKeys(ids []any) error {
	if !c.Postgres() {
		return nil
	}
	locked := make(map[int64]bool, len(ids))
	err := c.Each(`WITH picked AS MATERIALIZED (SELECT id, key FROM job WHERE id IN `+engine.List(len(ids), 1)+`)
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
	if !c.Postgres() {
		return ""
	}
	return " AND " + keyIsFree
}
