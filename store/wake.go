package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// wakeChannel is the name of the PostgreSQL notification. It carries no text.
	wakeChannel = "landwaiter_wake"
	// pollEvery is how often the workers look without having been woken, since a notification
	// is lost when the connection was down. Also the pause before connecting again.
	pollEvery = 5 * time.Second
)

// Wake returns a channel that receives when a job may have become ready: after a commit in
// this process, after one in another process on PostgreSQL, and every few seconds there in
// case a notification was lost. It holds at most one value and has one reader: read, then
// Claim until it returns fewer than asked. Use NextDue for jobs that become due by time.
func (db *DB) Wake() <-chan struct{} { return db.wake }

// signal puts a value into the channel unless one is there already.
func (db *DB) signal() {
	select {
	case db.wake <- struct{}{}:
	default:
	}
}

// listen starts the goroutines that pass on wake-ups of other processes. SQLite has none.
func (db *DB) listen(dsn string) error {
	if db.engine != onPostgres {
		return nil
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("reading the PostgreSQL URL: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	db.stop = cancel
	db.finished.Go(func() {
		for pause(ctx) {
			db.signal()
		}
	})
	db.finished.Go(func() {
		for {
			err := db.listenOnce(ctx, config)
			if ctx.Err() != nil {
				return
			}
			db.log.Warn("listening for jobs stopped, polling until it works again", "error", err)
			if !pause(ctx) {
				return
			}
		}
	})
	return nil
}

// listenOnce connects and passes on notifications until the connection or ctx ends.
func (db *DB) listenOnce(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	// Closing tells the server goodbye; a connection that is dead needs no goodbye.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+wakeChannel); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	for {
		db.signal() // what happened before LISTEN, then for each notification
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return fmt.Errorf("waiting for a notification: %w", err)
		}
	}
}

// pause waits pollEvery and reports false when ctx ended first.
func pause(ctx context.Context) bool {
	timer := time.NewTimer(pollEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
