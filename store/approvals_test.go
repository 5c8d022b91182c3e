package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/store"
)

// approved is the approval of a release of the shop by a comment.
func approved(release, comment, actor int64) store.Approval {
	return store.Approval{InstallationID: 7, RepositoryID: shop, Repository: "octo-org/shop", ReleaseID: release, Vote: approval.Vote{
		ID: actor, Login: "bo", Comment: comment, Reason: "moved \x00 é", Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Revision: "sha256:aa",
	}}
}

func TestApprovals(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		first, second, other := approved(1, 100, 2), approved(1, 101, 3), approved(2, 102, 2)
		for _, a := range []store.Approval{first, second, other, first} {
			must(t, f.SaveApproval(t.Context(), a))
		}
		again := first
		again.Revision, again.ID = "sha256:bb", 99
		must(t, f.SaveApproval(t.Context(), again)) // a comment is kept as it was first heard

		votes, err := f.Approvals(t.Context(), shop, 1)
		must(t, err)
		kept := first.Vote
		kept.Reason = votes[0].Reason // no database keeps a zero byte
		if d := cmp.Diff([]approval.Vote{kept, second.Vote}, votes, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Reason" }, cmp.Ignore())); d != "" {
			t.Errorf("approvals of release 1 (-want +got):\n%s", d)
		}
		if votes, err := f.Approvals(t.Context(), shop+1, 1); err != nil || len(votes) != 0 {
			t.Errorf("another repository: %v, %v", votes, err)
		}
		found, err := f.ApprovalOf(t.Context(), shop, 102)
		if err != nil || found.ReleaseID != 2 || found.Repository != "octo-org/shop" || found.InstallationID != 7 {
			t.Errorf("comment 102: %+v, %v", found, err)
		}
		if _, err := f.ApprovalOf(t.Context(), shop, 103); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a comment nobody heard: %v, want %v", err, store.ErrNotFound)
		}
		given, err := f.ApprovalsBy(t.Context(), 7, 2)
		must(t, err)
		if len(given) != 2 || given[0].Comment != 100 || given[1].Comment != 102 {
			t.Errorf("by account 2: %+v", given)
		}
		if given, err := f.ApprovalsBy(t.Context(), 8, 2); err != nil || len(given) != 0 {
			t.Errorf("G12 another installation: %+v, %v", given, err)
		}
	})
}

// TestApprovalsAreBounded: of many the newest count.
func TestApprovalsAreBounded(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		for i := range int64(101) {
			must(t, f.SaveApproval(t.Context(), approved(1, 100+i, i)))
		}
		votes, err := f.Approvals(t.Context(), shop, 1)
		if err != nil || len(votes) != 100 || votes[0].Comment != 101 || votes[99].Comment != 200 {
			t.Errorf("%d votes from %d, %v", len(votes), votes[0].Comment, err)
		}
	})
}
