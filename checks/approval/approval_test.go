package approval_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/approval"
	"github.com/landwaiter/landwaiter/checks/duties"
)

var (
	ann   = duties.Person{ID: 1, Login: "ann"}
	dee   = duties.Person{ID: 4, Login: "dee"}
	robot = duties.Person{ID: 5, Login: "robot[bot]", Bot: true}
)

const (
	now   = "sha256:aaaa"
	other = "it was for other assets, another commit or another way of signing"
)

func vote(id int64, login string) approval.Vote {
	return approval.Vote{ID: id, Login: login, Comment: 100 + id, Reason: "we moved", Revision: now, Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
}

// scene is a release of dee, built by ann, that bo and cy approved: two of two.
type scene struct {
	f     *approval.Facts
	about []string
	r     approval.Rules
	b     duties.Builders
}

func inOrder() *scene {
	return &scene{
		f: &approval.Facts{Revision: now, Releaser: dee, Votes: []approval.Vote{vote(2, "bo"), vote(3, "cy")}},
		r: approval.Rules{Teams: []string{"acme/release"}, Count: 2},
		b: duties.Builders{People: []duties.Person{ann, ann}},
	}
}

// TestJudge changes one thing about a release that is approved, and asserts why it is not.
func TestJudge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		change  func(*scene)
		counted int
		problem string
		void    []string // of the votes, in order
	}{
		{"baseline", func(*scene) {}, 2, "", []string{"", ""}},
		{"nobody asked GitHub", func(s *scene) { s.f = nil }, 0, "nobody asked GitHub who approved", nil},
		{"no vote", func(s *scene) { s.f.Votes = nil }, 0, "", nil},
		{"one vote", func(s *scene) { s.f.Votes = s.f.Votes[:1] }, 1, "", []string{""}},
		{"no approvers", func(s *scene) { s.f.Problem = "too few" }, 2, "too few", []string{"", ""}},
		{"the same person twice", func(s *scene) { s.f.Votes[1] = vote(2, "bo-renamed") }, 1, "", []string{"", "one person counts once"}},
		{"G24 another revision", func(s *scene) { s.f.Votes[1].Revision = "sha256:bbbb" }, 1, "", []string{"", other}},
		{"G24 signed in another way since", func(s *scene) { s.about = []string{"sha256:drift"} }, 0, "", []string{other, other}},
		{"no revision at all", func(s *scene) { s.f.Revision = ""; s.f.Votes[0].Revision = "" }, 0, "", []string{other, other}},
		{"G35 comment edited", func(s *scene) { s.f.Votes[0].Void = "its comment was edited" }, 1, "", []string{"its comment was edited", ""}},
		{"nobody's vote", func(s *scene) { s.f.Votes[0].ID = 0 }, 1, "", []string{"nobody knows whose it is", ""}},
		{"A01 by the releaser", func(s *scene) { s.f.Votes[0] = vote(4, "dee") }, 1, "", []string{"who made or built a release cannot approve it", ""}},
		{"A01 by who started the build", func(s *scene) { s.f.Votes[0] = vote(1, "ann") }, 1, "", []string{"who made or built a release cannot approve it", ""}},
		{"builder not known", func(s *scene) { s.b = duties.Builders{Problem: "the run is gone"} }, 2, "the run is gone", []string{"", ""}},
		{"built by no run, such as with a key", func(s *scene) { s.b = duties.Builders{} }, 2, "", []string{"", ""}},
		{"releaser's account deleted", func(s *scene) { s.f.Releaser = duties.Person{} }, 2, "who made the release is not known, because the account is gone", []string{"", ""}},
		{"released by a bot whose run ann started", func(s *scene) { s.f.Releaser = robot }, 2, "", []string{"", ""}},
		{"released by a bot that nobody is behind", func(s *scene) { s.f.Releaser, s.b = robot, duties.Builders{} }, 2, "who made the release is not known: it was robot[bot], and no run of a person built it", []string{"", ""}},
		{"released by a bot, built by a bot", func(s *scene) { s.f.Releaser, s.b.People = robot, []duties.Person{robot} }, 2, "who made the release is not known: it was robot[bot], and no run of a person built it", []string{"", ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := inOrder()
			tt.change(s)
			got := approval.Judge(s.f, s.about, s.r, s.b)
			var void []string
			for _, v := range got.Votes {
				void = append(void, v.Void)
			}
			if d := cmp.Diff(tt.void, void); d != "" {
				t.Errorf("void (-want +got):\n%s", d)
			}
			if got.Counted != tt.counted || got.Problem != tt.problem || got.Needed != 2 {
				t.Errorf("counted %d of %d, problem %q, want %d of 2, %q", got.Counted, got.Needed, got.Problem, tt.counted, tt.problem)
			}
			if got.Met() != (tt.counted == 2 && tt.problem == "") {
				t.Errorf("met %v", got.Met())
			}
		})
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	var none *approval.Summary
	if none.Met() || none.Approvers() != nil {
		t.Error("nil counts as approved")
	}
	s := inOrder()
	s.f.Votes[0].Void = "its comment was deleted"
	if d := cmp.Diff([]string{"cy"}, approval.Judge(s.f, s.about, s.r, s.b).Approvers()); d != "" {
		t.Errorf("approvers (-want +got):\n%s", d)
	}
	r := approval.Rules{Teams: []string{"acme/release"}, Users: []string{"ann"}}
	if d := cmp.Diff([]string{"@acme/release", "@ann"}, r.People()); d != "" || !r.Named() || (approval.Rules{}).Named() {
		t.Errorf("people (-want +got):\n%s", d)
	}
	if got := approval.Judge(s.f, nil, r, s.b); got.Needed != 1 {
		t.Errorf("without a count %d are needed, want 1", got.Needed)
	}
}

// TestRevision: what is said about a release is a part of what is approved, in any order.
func TestRevision(t *testing.T) {
	t.Parallel()
	s := inOrder()
	s.about = []string{"sha256:one", "sha256:two"}
	shown := approval.Judge(s.f, s.about, s.r, s.b).Revision
	for i := range s.f.Votes {
		s.f.Votes[i].Revision = shown
	}
	s.about = []string{"sha256:two", "sha256:one"}
	if got := approval.Judge(s.f, s.about, s.r, s.b); !got.Met() || !approval.IsOf(shown, now) || approval.IsOf(shown, "sha256:bbbb") || shown == now {
		t.Errorf("revision %q, %+v", shown, got)
	}
	s.about = s.about[:1]
	if got := approval.Judge(s.f, s.about, s.r, s.b); got.Counted != 0 {
		t.Errorf("one deviation less: %+v", got)
	}
}
