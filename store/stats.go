package store

import (
	"context"
	"time"
)

// QueueStats counts the jobs of one step.
type QueueStats struct {
	Step    string
	Ready   int64 // due, or behind a running key
	Later   int64 // due in the future
	Running int64
	Buried  int64
	// OldestDue is the earliest due time among ready jobs; zero when there is none.
	OldestDue time.Time
}

// Stats is what metrics show of the store.
type Stats struct {
	Queue      []QueueStats // sorted by Step
	Deliveries int64
	Reports    int64
	LedgerSize int64 // entries
	CacheBytes int64
	// CheckpointBehind is how many entries the checkpoint file is behind the ledger because it
	// could not be written; 0 when all is well or there is no file.
	CheckpointBehind int64
}

// Stats counts. It reads every queued job, so it is for a metrics scrape, not for a request.
func (db *DB) Stats(ctx context.Context) (Stats, error) { return Stats{}, errUnbuilt }
