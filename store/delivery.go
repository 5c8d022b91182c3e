package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/landwaiter/landwaiter/store/crash"
	"github.com/landwaiter/landwaiter/store/engine"
)

// MaxBody is the limit of Delivery.Body in bytes. GitHub sends at most 25 MB (GITHUB.md section 2).
const MaxBody = 25 << 20

// Delivery is one webhook as it arrived.
type Delivery struct {
	GUID           string // X-GitHub-Delivery; the same again when GitHub delivers again
	Event          string // X-GitHub-Event
	Action         string // "" when the payload has none
	InstallationID int64  // 0 when the payload has none
	RepositoryID   int64  // 0 when the payload has none
	Body           []byte // the raw payload, at most MaxBody bytes
	Received       time.Time
}

// StepRoute is the Step of the first job of a delivery.
const StepRoute = "route"

// DeliveryKey returns the Key of the route job of the delivery with that GUID. Its GUID is
// what follows "delivery:".
func DeliveryKey(guid string) string { return "delivery:" + guid }

// Receive keeps d and enqueues route, its first job, in one transaction. Concurrent calls
// share a commit, so a burst costs few of them. When Receive returns nil the delivery may be
// acknowledged.
//
// A GUID that is already kept changes nothing: fresh is false, the stored body and job stay
// as they are. route gets the Step StepRoute, the Key DeliveryKey(d.GUID) and generation 1,
// which Newest does not know. A zero d.Received is set to now.
//
// It returns ErrTooLarge when d.Body is over MaxBody.
func (db *DB) Receive(ctx context.Context, d Delivery, route Job) (fresh bool, err error) {
	if len(d.Body) > MaxBody {
		return false, fmt.Errorf("keeping delivery %s of %d bytes: %w", d.GUID, len(d.Body), ErrTooLarge)
	}
	now := db.now()
	if d.Received.IsZero() {
		d.Received = now
	}
	d.GUID = engine.Text(d.GUID)
	route.Step, route.Key, route.Generation = StepRoute, DeliveryKey(d.GUID), 1
	job, err := newJobRow(ctx, route, now)
	if err != nil {
		return false, err
	}
	a := &arrival{delivery: d, job: job, body: db.bodies.Pack(d.Body)}
	done := db.commit(ctx)
	err = db.engine.Add(ctx, a)
	done(err)
	if err != nil {
		return false, fmt.Errorf("keeping delivery %s: %w", d.GUID, err)
	}
	crash.After(crash.DeliveryCommit)
	return a.fresh, nil
}

// Delivery returns the delivery with that GUID, or ErrNotFound.
func (db *DB) Delivery(ctx context.Context, guid string) (Delivery, error) {
	d := Delivery{GUID: guid}
	var received int64
	var frame []byte
	err := db.reader(ctx).One(`SELECT event, action, installation_id, repository_id, received, body
		FROM delivery WHERE guid = $1`, []any{engine.Text(guid)},
		&d.Event, &d.Action, &d.InstallationID, &d.RepositoryID, &received, &frame)
	if err != nil {
		return Delivery{}, fmt.Errorf("reading delivery %s: %w", guid, err)
	}
	d.Received = engine.FromMicros(received)
	if d.Body, err = db.bodies.Unpack(frame); err != nil {
		return Delivery{}, fmt.Errorf("reading delivery %s: %w", guid, err)
	}
	return d, nil
}

// DeliveryState says how far a delivery has come.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryWaiting DeliveryState = "waiting" // its route job waits or runs
	DeliveryBuried  DeliveryState = "buried"  // its route job was buried: it is unprocessed
	DeliveryRouted  DeliveryState = "routed"  // its route job has ended
)

// DeliverySummary is a Delivery without its body, for lists.
type DeliverySummary struct {
	ID             int64
	GUID           string
	Event          string
	Action         string
	InstallationID int64
	RepositoryID   int64
	Received       time.Time
	State          DeliveryState
	JobID          int64  // the route job, 0 when it has ended
	LastError      string // why it was buried or tried again
}

// deliverySummary finds the route job by three lookups, each in the index of its states; one
// condition on the key alone would read the whole queue.
const deliverySummary = `SELECT d.id, d.guid, d.event, d.action, d.installation_id, d.repository_id, d.received,
		COALESCE(j.id, 0), COALESCE(j.state, -1), COALESCE(j.last_error, '')
	FROM delivery d LEFT JOIN job j ON j.id = COALESCE(
		(SELECT w.id FROM job w WHERE w.state < 2 AND w.step = 'route' AND w.key = 'delivery:' || d.guid),
		(SELECT r.id FROM job r WHERE r.state = 2 AND r.key = 'delivery:' || d.guid),
		(SELECT b.id FROM job b WHERE b.state = 3 AND b.step = 'route' AND b.key = 'delivery:' || d.guid)) `

// Deliveries returns up to limit deliveries with an ID below before, newest first; before 0
// means from the newest on.
func (db *DB) Deliveries(ctx context.Context, before int64, limit int) ([]DeliverySummary, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return db.deliveries(ctx, deliverySummary+`WHERE d.id < $1 ORDER BY d.id DESC LIMIT $2`, before, limit)
}

// Unprocessed returns up to limit deliveries whose route job was buried, newest first.
func (db *DB) Unprocessed(ctx context.Context, limit int) ([]DeliverySummary, error) {
	return db.deliveries(ctx, deliverySummary+`WHERE d.guid IN
			(SELECT substr(u.key, 10) FROM job u WHERE u.state = 3 AND u.step = 'route')
		ORDER BY d.id DESC LIMIT $1`, limit)
}

func (db *DB) deliveries(ctx context.Context, query string, args ...any) ([]DeliverySummary, error) {
	var list []DeliverySummary
	err := db.reader(ctx).Each(query, args, func(rows *sql.Rows) error {
		var d DeliverySummary
		var received int64
		var state jobState
		err := rows.Scan(&d.ID, &d.GUID, &d.Event, &d.Action, &d.InstallationID, &d.RepositoryID, &received, &d.JobID, &state, &d.LastError)
		d.Received = engine.FromMicros(received)
		switch {
		case d.JobID == 0:
			d.State = DeliveryRouted
		case state == jobBuried:
			d.State = DeliveryBuried
		default:
			d.State = DeliveryWaiting
		}
		list = append(list, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing deliveries: %w", err)
	}
	return list, nil
}

// pruneWindow is how many deliveries one transaction of PruneDeliveries looks at, so that
// arrivals in the meantime wait for milliseconds only.
const pruneWindow = 1000

// PruneDeliveries removes routed deliveries received before then and returns how many.
// A pruned GUID counts as new when it arrives again, so then should be at least 7 days ago,
// the longest time GitHub offers redelivery (GITHUB.md section 2).
func (db *DB) PruneDeliveries(ctx context.Context, then time.Time) (int64, error) {
	var total int64
	for last := int64(0); ; {
		var old, next int64
		err := db.reader(ctx).One(`SELECT COALESCE(max(id), 0), COALESCE(sum(CASE WHEN received < $2 THEN 1 ELSE 0 END), 0)
			FROM (SELECT id, received FROM delivery WHERE id > $1 ORDER BY id LIMIT $3) AS w`,
			[]any{last, engine.Micros(then), pruneWindow}, &next, &old)
		// Ids rise with time of arrival, so a window without an old one is the end.
		if err == nil && old == 0 {
			return total, nil
		}
		var pruned int64
		if err == nil {
			pruned, err = db.pruneBetween(ctx, last, next, then)
		}
		if err != nil {
			return total, fmt.Errorf("removing deliveries before %s: %w", then.Format(time.RFC3339), err)
		}
		total += pruned
		last = next
	}
}

func (db *DB) pruneBetween(ctx context.Context, after, last int64, then time.Time) (int64, error) {
	var pruned int64
	err := db.change(ctx, func(t *tx) error {
		var err error
		pruned, err = t.Exec(`DELETE FROM delivery WHERE id > $1 AND id <= $2 AND received < $3
			AND NOT EXISTS (SELECT 1 FROM job w WHERE w.state < 2 AND w.step = 'route' AND w.key = 'delivery:' || delivery.guid)
			AND NOT EXISTS (SELECT 1 FROM job r WHERE r.state = 2 AND r.key = 'delivery:' || delivery.guid)
			AND NOT EXISTS (SELECT 1 FROM job b WHERE b.state = 3 AND b.step = 'route' AND b.key = 'delivery:' || delivery.guid)`,
			after, last, engine.Micros(then))
		return err
	})
	if err != nil {
		return 0, err
	}
	return pruned, nil
}
