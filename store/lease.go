package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/engine"
)

// Renew extends the lease of j to lease from now. ErrLeaseLost means: stop the work.
func (db *DB) Renew(ctx context.Context, j Job, lease time.Duration) error {
	err := db.changeAtOnce(ctx, func(t *tx) error {
		crash.Before(crash.LeaseRenewal)
		return t.leased("renewing", j, `UPDATE job SET lease_until = $3 WHERE id = $1 AND token = $2 AND state = 2`,
			engine.Micros(db.now().Add(lease)))
	})
	crash.After(crash.LeaseRenewal)
	return err
}

// leased runs a statement on the job with id $1, token $2 and state 2. When there is none the
// lease is lost, and the statement has changed nothing: it must be the first of its write.
func (t *tx) leased(doing string, j Job, query string, more ...any) error {
	n, err := t.Exec(query, append([]any{j.ID, j.Token}, more...)...)
	if err != nil {
		return fmt.Errorf("%s job %d: %w", doing, j.ID, err)
	}
	if n == 0 {
		return engine.Unchanged(fmt.Errorf("%s job %d (%s of %s): %w", doing, j.ID, j.Step, j.Key, ErrLeaseLost))
	}
	return nil
}

// endTime bounds the wait for a commit that ends a job.
const endTime = 30 * time.Second

// ending returns the context of a write that ends a job. Once begun it is waited for even when ctx ends: a
// heartbeat that had to wait for this very commit finds no job behind it and ends the work, whose outcome
// would then not be known. The write itself asks whether the lease is held.
func ending(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	return ctx, cancel, nil
}

// Finish ends j and enqueues then, in one transaction. It also clears a buried job with the
// same Step and Key, which j has made good. ErrLeaseLost means that nothing was enqueued.
func (db *DB) Finish(ctx context.Context, j Job, then ...Job) error {
	rows, err := newJobRows(ctx, then, db.now())
	if err != nil {
		return err
	}
	ctx, cancel, err := ending(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	if len(rows) == 0 {
		err = db.changeAtOnce(ctx, func(t *tx) error {
			crash.Before(crash.JobEnd)
			return t.end(j, "finishing")
		})
	} else {
		err = db.change(ctx, func(t *tx) error {
			if err := t.end(j, "finishing"); err != nil {
				return err
			}
			err := t.enqueue(rows)
			crash.Before(crash.JobEnd)
			return err
		})
	}
	if err != nil {
		return err
	}
	crash.After(crash.JobEnd)
	db.engine.Signal() // the next job with this key may start
	return nil
}

// end removes the running job j and what was buried under its step and key: on PostgreSQL, where each
// statement is a round trip, with one.
func (t *tx) end(j Job, doing string) error {
	if t.Postgres() {
		return t.leased(doing, j, `WITH ended AS (DELETE FROM job WHERE id = $1 AND token = $2 AND state = 2 RETURNING id),
			cleared AS (DELETE FROM job WHERE state = 3 AND step = $3 AND key = $4 AND EXISTS (SELECT 1 FROM ended))
			SELECT id FROM ended`, engine.Text(j.Step), engine.Text(j.Key))
	}
	if err := t.leased(doing, j, `DELETE FROM job WHERE id = $1 AND token = $2 AND state = 2`); err != nil {
		return err
	}
	if _, err := t.Exec(`DELETE FROM job WHERE state = 3 AND step = $1 AND key = $2`, engine.Text(j.Step), engine.Text(j.Key)); err != nil {
		return fmt.Errorf("%s job %d: %w", doing, j.ID, err)
	}
	return nil
}

// Retry puts j back to wait until due and keeps cause as its LastError. If a job with its
// Step and Key already waits, j ends in favour of that one.
func (db *DB) Retry(ctx context.Context, j Job, due time.Time, cause string) error {
	err := db.change(ctx, func(t *tx) error {
		err := t.putBack(j, due, cause, "retrying")
		crash.Before(crash.JobRetry)
		return err
	})
	if err != nil {
		return err
	}
	crash.After(crash.JobRetry)
	db.engine.Signal()
	return nil
}

// putBack makes the running job j wait again. A job with its step and key that waits already
// is of the same or a newer generation and takes its place; should it be of an older one, it
// inherits j's generation, args and cause.
func (t *tx) putBack(j Job, due time.Time, cause, doing string) error {
	var twin int64
	err := t.One(`SELECT id FROM job WHERE state < 2 AND step = $1 AND key = $2`, []any{engine.Text(j.Step), engine.Text(j.Key)}, &twin)
	if errors.Is(err, ErrNotFound) {
		state := jobReady
		if due.After(t.db.now()) {
			state = jobLater
		} else {
			t.Wake()
		}
		return t.leased(doing, j, `UPDATE job SET state = $3, due = $4, last_error = $5, worker = '', token = '', lease_until = 0
			WHERE id = $1 AND token = $2 AND state = 2`, state, engine.Micros(due), cut(cause))
	}
	if err != nil {
		return fmt.Errorf("%s job %d: %w", doing, j.ID, err)
	}
	if err := t.leased(doing, j, `DELETE FROM job WHERE id = $1 AND token = $2 AND state = 2`); err != nil {
		return err
	}
	if _, err := t.Exec(`UPDATE job SET generation = $2, args = $3, cause = $4 WHERE id = $1 AND generation < $2`,
		twin, j.Generation, string(j.Args), cut(j.Cause)); err != nil {
		return fmt.Errorf("%s job %d: %w", doing, j.ID, err)
	}
	return nil
}

// Bury sets j aside with cause until somebody revives it. An older buried job with the same
// Step and Key is replaced.
func (db *DB) Bury(ctx context.Context, j Job, cause string) error {
	err := db.change(ctx, func(t *tx) error {
		// The lease first: when it is lost nothing else may change.
		if err := t.leased("burying", j, `UPDATE job SET worker = '' WHERE id = $1 AND token = $2 AND state = 2`); err != nil {
			return err
		}
		if _, err := t.Exec(`DELETE FROM job WHERE state = 3 AND step = $1 AND key = $2`, engine.Text(j.Step), engine.Text(j.Key)); err != nil {
			return fmt.Errorf("burying job %d: %w", j.ID, err)
		}
		// due becomes the time of burial, which is what lists are sorted by.
		_, err := t.Exec(`UPDATE job SET state = 3, due = $2, last_error = $3, token = '', lease_until = 0 WHERE id = $1`,
			j.ID, engine.Micros(db.now()), cut(cause))
		if err != nil {
			return fmt.Errorf("burying job %d: %w", j.ID, err)
		}
		crash.Before(crash.JobBurial)
		return nil
	})
	if err != nil {
		return err
	}
	crash.After(crash.JobBurial)
	db.engine.Signal()
	return nil
}

// Buried returns up to limit buried jobs, the latest buried first. Their Due is the time they
// were buried.
func (db *DB) Buried(ctx context.Context, limit int) ([]Job, error) {
	var list []Job
	err := db.reader(ctx).Each(`SELECT `+jobColumns+` FROM job WHERE state = 3 ORDER BY due DESC, id DESC LIMIT $1`, []any{limit},
		func(rows *sql.Rows) error {
			j, err := scanJob(rows)
			list = append(list, j)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("listing buried jobs: %w", err)
	}
	return list, nil
}

// Revive makes the buried job with that id wait again, due now, with its attempts at 0. It
// keeps its generation; if a job with its Step and Key already waits, that one is enough. It
// returns ErrNotFound when no such job is buried.
func (db *DB) Revive(ctx context.Context, id int64) error {
	return db.change(ctx, func(t *tx) error {
		var twin int64
		err := t.One(`SELECT (SELECT count(*) FROM job w WHERE w.state < 2 AND w.step = b.step AND w.key = b.key)
			FROM job b WHERE b.id = $1 AND b.state = 3`, []any{id}, &twin)
		if errors.Is(err, ErrNotFound) {
			return engine.Unchanged(fmt.Errorf("reviving job %d: %w", id, ErrNotFound))
		}
		if err != nil {
			return fmt.Errorf("reviving job %d: %w", id, err)
		}
		query, args := `UPDATE job SET state = 0, due = $2, attempts = 0 WHERE id = $1 AND state = 3`, []any{id, engine.Micros(db.now())}
		if twin > 0 {
			query, args = `DELETE FROM job WHERE id = $1 AND state = 3`, []any{id}
		}
		t.Wake()
		if _, err = t.Exec(query, args...); err != nil {
			return fmt.Errorf("reviving job %d: %w", id, err)
		}
		return nil
	})
}

// HasJob reports whether a job with that Step and Key waits, runs or is buried, or any job with
// that Key runs.
func (db *DB) HasJob(ctx context.Context, step, key string) (bool, error) {
	var found int64
	err := db.reader(ctx).One(`SELECT (SELECT count(*) FROM job w WHERE w.state < 2 AND w.step = $1 AND w.key = $2)
		+ (SELECT count(*) FROM job r WHERE r.state = 2 AND r.key = $2)
		+ (SELECT count(*) FROM job b WHERE b.state = 3 AND b.step = $1 AND b.key = $2)`,
		[]any{engine.Text(step), engine.Text(key)}, &found)
	if err != nil {
		return false, fmt.Errorf("looking for job %s of %s: %w", step, key, err)
	}
	return found > 0, nil
}

// DropJobsWith removes the waiting and buried jobs of an installation whose Key holds one of parts
// that ends in a colon, or ends with one that does not, and returns how many. What DropJobs says of
// running jobs and route jobs is true here as well. parts hold letters, digits and colons, and there
// are at most 16.
func (db *DB) DropJobsWith(ctx context.Context, installationID int64, parts ...string) (int64, error) {
	if len(parts) == 0 || len(parts) > 16 {
		return 0, fmt.Errorf("dropping jobs by %d parts of their keys", len(parts))
	}
	args := []any{installationID}
	var held []string
	for _, part := range parts {
		if strings.HasSuffix(part, ":") {
			part += "%"
		}
		args = append(args, "%"+part)
		held = append(held, fmt.Sprintf("key LIKE $%d", len(args)))
	}
	var dropped int64
	err := db.change(ctx, func(t *tx) error {
		var err error
		dropped, err = t.Exec(`DELETE FROM job WHERE installation_id = $1 AND state <> 2 AND step <> 'route' AND (`+
			strings.Join(held, " OR ")+`)`, args...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("dropping jobs of installation %d: %w", installationID, err)
	}
	return dropped, nil
}

// DropJobs removes the waiting and buried jobs of an installation that was suspended or
// removed, and returns how many. Running jobs keep their lease, and route jobs stay: what
// arrived is still read, since it may say that the installation is back.
func (db *DB) DropJobs(ctx context.Context, installationID int64) (int64, error) {
	var dropped int64
	err := db.change(ctx, func(t *tx) error {
		var err error
		dropped, err = t.Exec(`DELETE FROM job WHERE installation_id = $1 AND state <> 2 AND step <> 'route'`, installationID)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("dropping the jobs of installation %d: %w", installationID, err)
	}
	return dropped, nil
}
