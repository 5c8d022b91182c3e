package store

import (
	"context"
	"time"
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

// DeliveryKey returns the Key of the route job of the delivery with that GUID. Its GUID is
// what follows "delivery:".
func DeliveryKey(guid string) string { return "delivery:" + guid }

// Receive keeps d and enqueues route, its first job, in one transaction. Concurrent calls
// share a commit, so a burst costs few of them. When Receive returns nil the delivery may be
// acknowledged.
//
// A GUID that is already kept changes nothing: fresh is false, the stored body and job stay
// as they are. route.Key is set to DeliveryKey(d.GUID) and its generation to 1; Newest does
// not know route jobs. A zero d.Received is set to now.
//
// It returns ErrTooLarge when d.Body is over MaxBody.
func (db *DB) Receive(ctx context.Context, d Delivery, route Job) (fresh bool, err error) {
	return false, errUnbuilt
}

// Delivery returns the delivery with that GUID, or ErrNotFound.
func (db *DB) Delivery(ctx context.Context, guid string) (Delivery, error) {
	return Delivery{}, errUnbuilt
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

// Deliveries returns up to limit deliveries with an ID below before, newest first; before 0
// means from the newest on.
func (db *DB) Deliveries(ctx context.Context, before int64, limit int) ([]DeliverySummary, error) {
	return nil, errUnbuilt
}

// Unprocessed returns up to limit deliveries whose route job was buried, newest first.
func (db *DB) Unprocessed(ctx context.Context, limit int) ([]DeliverySummary, error) {
	return nil, errUnbuilt
}

// PruneDeliveries removes routed deliveries received before then and returns how many.
// A pruned GUID counts as new when it arrives again, so then should be at least 7 days ago,
// the longest time GitHub offers redelivery (GITHUB.md section 2).
func (db *DB) PruneDeliveries(ctx context.Context, then time.Time) (int64, error) {
	return 0, errUnbuilt
}
