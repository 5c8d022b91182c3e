package store

import (
	"database/sql"
	"fmt"

	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/engine"
)

// arrival is one delivery on its way through the writer.
type arrival struct {
	delivery Delivery
	job      jobRow
	body     []byte // packed
	fresh    bool   // set by the writer, read after it has answered
}

const deliveryColumns = 7

// receive keeps the deliveries that are new, and their jobs. It gets what Receive added.
func (t *tx) receive(items []any) error {
	arrivals := make([]*arrival, 0, len(items))
	for _, item := range items {
		arrivals = append(arrivals, item.(*arrival))
	}
	if t.Postgres() {
		return t.receiveAtOnce(arrivals)
	}
	var jobs []jobRow
	err := t.Batches(len(arrivals), deliveryColumns, func(from, to int) error {
		fresh, err := t.insertDeliveries(arrivals[from:to])
		if err != nil {
			return fmt.Errorf("inserting deliveries: %w", err)
		}
		for _, a := range arrivals[from:to] {
			// A GUID that is twice in one batch is new once.
			a.fresh = fresh[a.delivery.GUID]
			delete(fresh, a.delivery.GUID)
			if a.fresh {
				jobs = append(jobs, a.job)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = t.Batches(len(jobs), jobInsertColumns, func(from, to int) error { return t.insertJobs(jobs[from:to]) })
	crash.Before(crash.DeliveryCommit)
	return err
}

// insertDeliveries returns the GUIDs that were not kept yet.
func (t *tx) insertDeliveries(arrivals []*arrival) (map[string]bool, error) {
	args := make([]any, 0, len(arrivals)*deliveryColumns)
	for _, a := range arrivals {
		d := &a.delivery
		args = append(args, d.GUID, engine.Text(d.Event), engine.Text(d.Action), d.InstallationID, d.RepositoryID, engine.Micros(d.Received), a.body)
	}
	fresh := make(map[string]bool, len(arrivals))
	err := t.Each(`INSERT INTO delivery (guid, event, action, installation_id, repository_id, received, body)
		VALUES `+engine.Rows(len(arrivals), deliveryColumns)+`
		ON CONFLICT (guid) DO NOTHING RETURNING guid`, args,
		func(rows *sql.Rows) error {
			var guid string
			err := rows.Scan(&guid)
			fresh[guid] = true
			return err
		})
	return fresh, err
}

// receiveAtOnce is receive on PostgreSQL, where each statement is a round trip: it is one for any number.
func (t *tx) receiveAtOnce(arrivals []*arrival) error {
	crash.Before(crash.DeliveryCommit)
	fresh := make(map[string]bool, len(arrivals))
	err := t.Each(receiveStatement, receiveColumns(arrivals), func(rows *sql.Rows) error {
		var guid, nothing string
		err := rows.Scan(&guid, &nothing)
		fresh[guid] = true
		return err
	})
	if err != nil {
		return fmt.Errorf("inserting deliveries: %w", err)
	}
	for _, a := range arrivals {
		a.fresh = fresh[a.delivery.GUID]
		delete(fresh, a.delivery.GUID) // a GUID that is twice in one batch is new once
		if a.fresh {
			t.Wake()
		}
	}
	return nil
}

// receiveStatement takes the arrays of receiveColumns and returns the GUIDs that were not kept yet.
const receiveStatement = `WITH fresh AS (
		INSERT INTO delivery (guid, event, action, installation_id, repository_id, received, body)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[])
		ON CONFLICT (guid) DO NOTHING RETURNING guid),
	added AS (
		INSERT INTO job (state, step, key, generation, cause, priority, installation_id, due, args, created, trace)
		SELECT state, '` + StepRoute + `', key, 1, cause, priority, lane, due, args, created, trace
		FROM unnest($1::text[], $8::bigint[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[], $15::bigint[], $16::text[])
			AS route (guid, state, key, cause, priority, lane, due, args, created, trace) JOIN fresh USING (guid)` + mergeJob + `)
	SELECT guid, ` + engine.Notify + ` FROM fresh`

// receiveColumns returns an array for each parameter of receiveStatement, with each GUID once.
func receiveColumns(arrivals []*arrival) []any {
	seen := make(map[string]bool, len(arrivals))
	var once []*arrival
	for _, a := range arrivals {
		if !seen[a.delivery.GUID] {
			seen[a.delivery.GUID] = true
			once = append(once, a)
		}
	}
	texts := func(of func(d *Delivery, j *jobRow) string) []string {
		column := make([]string, len(once))
		for i, a := range once {
			column[i] = of(&a.delivery, &a.job)
		}
		return column
	}
	numbers := func(of func(d *Delivery, j *jobRow) int64) []int64 {
		column := make([]int64, len(once))
		for i, a := range once {
			column[i] = of(&a.delivery, &a.job)
		}
		return column
	}
	bodies := make([][]byte, len(once))
	for i, a := range once {
		bodies[i] = a.body
	}
	return []any{
		texts(func(d *Delivery, _ *jobRow) string { return d.GUID }),
		texts(func(d *Delivery, _ *jobRow) string { return engine.Text(d.Event) }),
		texts(func(d *Delivery, _ *jobRow) string { return engine.Text(d.Action) }),
		numbers(func(d *Delivery, _ *jobRow) int64 { return d.InstallationID }),
		numbers(func(d *Delivery, _ *jobRow) int64 { return d.RepositoryID }),
		numbers(func(d *Delivery, _ *jobRow) int64 { return engine.Micros(d.Received) }),
		bodies,
		numbers(func(_ *Delivery, j *jobRow) int64 { return int64(j.state) }),
		texts(func(_ *Delivery, j *jobRow) string { return j.Key }),
		texts(func(_ *Delivery, j *jobRow) string { return j.Cause }),
		numbers(func(_ *Delivery, j *jobRow) int64 { return int64(j.Priority) }),
		numbers(func(_ *Delivery, j *jobRow) int64 { return j.InstallationID }),
		numbers(func(_ *Delivery, j *jobRow) int64 { return engine.Micros(j.Due) }),
		texts(func(_ *Delivery, j *jobRow) string { return string(j.Args) }),
		numbers(func(_ *Delivery, j *jobRow) int64 { return engine.Micros(j.now) }),
		texts(func(_ *Delivery, j *jobRow) string { return j.Trace }),
	}
}
