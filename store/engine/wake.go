package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// wakeChannel is the name of the PostgreSQL notification. It carries no text.
	wakeChannel = "landwaiter_wake"
	// Notify is an SQL expression of PostgreSQL that makes Wake of other processes receive after the
	// commit, for statements that are not in a transaction of Change. It is an empty text.
	Notify = "pg_notify('" + wakeChannel + "', '')::text"
	// pollEvery is how often Wake receives without a notification, since a notification
	// is lost when the connection was down. Also the pause before connecting again.
	pollEvery = 5 * time.Second
)

// Wake returns a channel that receives when Tx.Wake was called in a transaction that is
// committed, by this process or on PostgreSQL by any; there also every few seconds, in case a
// notification was lost. It holds at most one value.
func (db *DB) Wake() <-chan struct{} { return db.wake }

// Signal puts a value into the channel unless one is there already.
func (db *DB) Signal() {
	select {
	case db.wake <- struct{}{}:
	default:
	}
}

// listen starts the goroutines that pass on wake-ups of other processes. SQLite has none.
func (db *DB) listen() error {
	if !db.postgres {
		return nil
	}
	config, err := pgx.ParseConfig(db.config.URL)
	if err != nil {
		return fmt.Errorf("reading the PostgreSQL URL: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	db.stop = cancel
	db.finished.Go(func() {
		for pause(ctx) {
			db.Signal()
		}
	})
	db.finished.Go(func() {
		for {
			err := db.listenOnce(ctx, config)
			if ctx.Err() != nil {
				return
			}
			db.config.Log.Warn("listening for jobs stopped, polling until it works again", "error", err)
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
		db.Signal() // what happened before LISTEN, then for each notification
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
