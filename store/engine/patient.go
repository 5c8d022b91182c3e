package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// busyTimeout is how long a statement, or the opening of a connection, waits for another
// process that holds the lock, such as a backup.
const busyTimeout = 10 * time.Second

// busyPause lies between two attempts at opening a connection.
const busyPause = 5 * time.Millisecond

// patient opens connections to the SQLite file named by dsn. SQLite's own busy timeout does not
// cover what opening does: when another process is turning the file into WAL mode, recovering the
// WAL, or removing it as the last to close, the answer is "database is locked" at once. So we wait.
type patient struct {
	dsn    string
	driver sqlite.Driver
}

// Connect returns a connection, or what the last of busyTimeout's attempts said.
func (p *patient) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	for {
		conn, err := p.driver.Open(p.dsn)
		if !isBusy(err) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(busyPause):
		}
	}
}

// Driver implements driver.Connector.
func (p *patient) Driver() driver.Driver { return &p.driver }

// isBusy reports whether err says that somebody else holds a lock. The low byte is the code, the
// others say which lock.
func isBusy(err error) bool {
	var fault *sqlite.Error
	if !errors.As(err, &fault) {
		return false
	}
	code := fault.Code() & 0xff
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}
