package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/store/engine"
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
func (db *DB) Stats(ctx context.Context) (Stats, error) {
	t := db.reader(ctx)
	s := Stats{CheckpointBehind: db.ledger.Behind()}
	var err error
	if s.Queue, err = t.queueStats(math.MaxInt64); err != nil {
		return Stats{}, fmt.Errorf("counting jobs: %w", err)
	}
	err = t.One(`SELECT (SELECT count(*) FROM delivery), (SELECT count(*) FROM report),
		(SELECT COALESCE(max(size), 0) FROM ledger_checkpoint), (SELECT COALESCE(sum(size), 0) FROM cache)`, nil,
		&s.Deliveries, &s.Reports, &s.LedgerSize, &s.CacheBytes)
	if err != nil {
		return Stats{}, fmt.Errorf("counting rows: %w", err)
	}
	return s, nil
}

// queueStats counts at most limit jobs.
func (t *tx) queueStats(limit int64) ([]QueueStats, error) {
	steps := make(map[string]*QueueStats)
	err := t.Each(`SELECT step, state, count(*), min(due) FROM (SELECT step, state, due FROM job LIMIT $1) AS part GROUP BY step, state`, []any{limit}, func(rows *sql.Rows) error {
		var step string
		var state jobState
		var n, due int64
		if err := rows.Scan(&step, &state, &n, &due); err != nil {
			return err
		}
		q, ok := steps[step]
		if !ok {
			q = &QueueStats{Step: step}
			steps[step] = q
		}
		switch state {
		case jobReady:
			q.Ready, q.OldestDue = n, engine.FromMicros(due)
		case jobLater:
			q.Later = n
		case jobRunning:
			q.Running = n
		case jobBuried:
			q.Buried = n
		}
		return nil
	})
	list := make([]QueueStats, 0, len(steps))
	for _, q := range steps {
		list = append(list, *q)
	}
	slices.SortFunc(list, func(a, b QueueStats) int { return strings.Compare(a.Step, b.Step) })
	return list, err
}
