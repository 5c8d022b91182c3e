package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/store/engine"
)

// maxApprovals bounds the approvals of one release that are read, the newest first: those who
// may approve are few people.
const maxApprovals = 100

// SaveApproval keeps an approval of a release. A comment is kept once: saving it again changes
// nothing, whatever it says by then. It is durable when SaveApproval returns nil.
func (db *DB) SaveApproval(ctx context.Context, repositoryID, releaseID int64, v approval.Vote) error {
	err := db.change(ctx, func(t *tx) error {
		_, err := t.Exec(`INSERT INTO approval (repository_id, release_id, revision, comment_id, actor_id, login, reason, time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
			repositoryID, releaseID, engine.Text(v.Revision), v.Comment, v.ID, engine.Text(v.Login), engine.Text(v.Reason), engine.Micros(v.Time))
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping the approval of release %d by comment %d: %w", releaseID, v.Comment, err)
	}
	return nil
}

// Approvals returns the approvals of a release, of every revision, the oldest first; of more
// than 100 the newest.
func (db *DB) Approvals(ctx context.Context, repositoryID, releaseID int64) ([]approval.Vote, error) {
	var votes []approval.Vote
	err := db.reader(ctx).Each(`SELECT revision, comment_id, actor_id, login, reason, time FROM (
			SELECT * FROM approval WHERE repository_id = $1 AND release_id = $2 ORDER BY id DESC LIMIT $3) newest ORDER BY id`,
		[]any{repositoryID, releaseID, maxApprovals}, func(rows *sql.Rows) error {
			var v approval.Vote
			var at int64
			if err := rows.Scan(&v.Revision, &v.Comment, &v.ID, &v.Login, &v.Reason, &at); err != nil {
				return err
			}
			v.Time = seconds(at)
			votes = append(votes, v)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("reading the approvals of release %d: %w", releaseID, err)
	}
	return votes, nil
}
