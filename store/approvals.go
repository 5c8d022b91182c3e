package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/store/engine"
)

// maxApprovals bounds the approvals that are read at once, the newest first: those who may
// approve are few people.
const maxApprovals = 100

// Approval is the approval of one release by one comment.
type Approval struct {
	InstallationID, RepositoryID int64
	Repository                   string // "owner/name" when the comment was read
	ReleaseID                    int64
	approval.Vote
}

// SaveApproval keeps an approval. A comment is kept once: saving it again changes nothing,
// whatever it says by then. It is durable when SaveApproval returns nil.
func (db *DB) SaveApproval(ctx context.Context, a Approval) error {
	err := db.change(ctx, func(t *tx) error {
		_, err := t.Exec(`INSERT INTO approval (installation_id, repository_id, repository, release_id, revision, comment_id, actor_id, login, reason, time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			a.InstallationID, a.RepositoryID, engine.Text(a.Repository), a.ReleaseID, engine.Text(a.Revision), a.Comment, a.ID,
			engine.Text(a.Login), engine.Text(a.Reason), engine.Micros(a.Time))
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping the approval of release %d by comment %d: %w", a.ReleaseID, a.Comment, err)
	}
	return nil
}

// Approvals returns the approvals of a release, of every revision, the oldest first; of more
// than 100 the newest.
func (db *DB) Approvals(ctx context.Context, repositoryID, releaseID int64) ([]approval.Vote, error) {
	var votes []approval.Vote
	err := db.approvals(ctx, `repository_id = $1 AND release_id = $2`, []any{repositoryID, releaseID}, func(a Approval) { votes = append(votes, a.Vote) })
	return votes, err
}

// ApprovalOf returns what is kept of a comment, or ErrNotFound.
func (db *DB) ApprovalOf(ctx context.Context, repositoryID, commentID int64) (Approval, error) {
	found, err := Approval{}, fmt.Errorf("comment %d of repository %d: %w", commentID, repositoryID, ErrNotFound)
	if failed := db.approvals(ctx, `repository_id = $1 AND comment_id = $2`, []any{repositoryID, commentID}, func(a Approval) { found, err = a, nil }); failed != nil {
		return Approval{}, failed
	}
	return found, err
}

// ApprovalsBy returns the approvals that an account gave in the repositories of an
// installation, the oldest first; of more than 100 the newest.
func (db *DB) ApprovalsBy(ctx context.Context, installationID, actorID int64) ([]Approval, error) {
	var list []Approval
	err := db.approvals(ctx, `installation_id = $1 AND actor_id = $2`, []any{installationID, actorID}, func(a Approval) { list = append(list, a) })
	return list, err
}

// approvals calls each with the newest approvals for which where holds, the oldest first. where
// uses $1 and $2.
func (db *DB) approvals(ctx context.Context, where string, args []any, each func(Approval)) error {
	err := db.reader(ctx).Each(`SELECT installation_id, repository_id, repository, release_id, revision, comment_id, actor_id, login, reason, time FROM (
			SELECT * FROM approval WHERE `+where+` ORDER BY id DESC LIMIT $3) newest ORDER BY id`,
		append(args, maxApprovals), func(rows *sql.Rows) error {
			var a Approval
			var at int64
			if err := rows.Scan(&a.InstallationID, &a.RepositoryID, &a.Repository, &a.ReleaseID, &a.Revision, &a.Comment, &a.ID, &a.Login, &a.Reason, &at); err != nil {
				return err
			}
			a.Time = seconds(at)
			each(a)
			return nil
		})
	if err != nil {
		return fmt.Errorf("reading approvals of releases: %w", err)
	}
	return nil
}
