package history

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// hub is a repository as GitHub would tell of it, linear but for what tests put in.
type hub struct {
	t *testing.T

	mu       sync.Mutex
	calls    []string
	commits  map[string]commit
	branches []branch
	releases []release
	pulls    map[string][]pull // by commit
	reviews  map[int][]review
	runs     string // the answer for every head, a checkRuns
	people   map[string]permission
	refuse   map[string]error // by start of the path
	past     map[int64]Past
	tags     map[string]string
	passed   bool
}

const (
	repoID = 77
	appID  = 42
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// sha is the full name of commit n.
func sha(n int) string { return fmt.Sprintf("%040x", n) }

// newHub has commits 1 to n in a line, each but the first by a pull request of its own number
// with the head 1000 and that number.
func newHub(t *testing.T, n int) *hub {
	h := &hub{t: t, commits: map[string]commit{}, pulls: map[string][]pull{}, reviews: map[int][]review{}, people: map[string]permission{},
		refuse: map[string]error{}, past: map[int64]Past{}, tags: map[string]string{}, runs: `{"check_runs":[]}`}
	for i := 1; i <= n; i++ {
		h.commit(i, i-1)
		if i > 1 {
			h.pulls[sha(i)] = []pull{h.pull(i, "main")}
			h.reviews[i] = []review{{User: &account{2, "bo", "User"}, State: "APPROVED", CommitID: sha(1000 + i)}}
		}
	}
	h.people["bo"] = permission{"write", &account{2, "bo", "User"}}
	h.branches = []branch{h.branch("main", n)}
	return h
}

func (h *hub) commit(n int, parents ...int) {
	c := commit{SHA: sha(n)}
	c.Commit.Verification.Verified = true
	for _, p := range parents {
		if p > 0 {
			c.Parents = append(c.Parents, struct {
				SHA string `json:"sha"`
			}{sha(p)})
		}
	}
	h.commits[c.SHA] = c
}

func (h *hub) branch(name string, n int) branch {
	b := branch{Name: name, Protected: true}
	b.Commit.SHA = sha(n)
	return b
}

func (h *hub) pull(number int, onto string) pull {
	p := pull{Number: number, User: &account{1, "ann", "User"}, MergedAt: &now}
	p.Head.SHA, p.Base.Ref, p.Base.Repo.ID = sha(1000+number), onto, repoID
	return p
}

// log lists what is reachable from head and not from base.
func (h *hub) log(base, head string) []commit {
	known := map[string]bool{}
	if base != "" {
		for _, c := range h.log("", base) {
			known[c.SHA] = true
		}
	}
	var list []commit
	for queue := []string{head}; len(queue) > 0; queue = queue[1:] {
		c, ok := h.commits[queue[0]]
		if !ok || known[c.SHA] {
			continue
		}
		known[c.SHA] = true
		list = append(list, c)
		for _, p := range c.Parents {
			queue = append(queue, p.SHA)
		}
	}
	return list
}

// get is Reader.Get.
func (h *hub) get(_ context.Context, path string, v any) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, path)
	for start, err := range h.refuse {
		if strings.HasPrefix(path, start) {
			return false, err
		}
	}
	where, err := url.Parse(path)
	if err != nil {
		h.t.Fatal(err)
	}
	size, page := 100, 1
	fmt.Sscan(where.Query().Get("per_page"), &size)
	fmt.Sscan(where.Query().Get("page"), &page)
	parts := strings.Split(where.Path, "/")
	switch {
	case parts[0] == "compare":
		base, head, _ := strings.Cut(parts[1], "...")
		if _, ok := h.commits[base]; !ok {
			return false, fmt.Errorf("compare: %w", ErrMissing)
		}
		ahead, behind := h.log(base, head), h.log(head, base)
		slices.Reverse(ahead)
		status := map[[2]bool]string{{true, true}: "diverged", {true, false}: "ahead", {false, true}: "behind", {false, false}: "identical"}
		part, more := cut(ahead, size, page)
		return more, h.answer(comparison{Status: status[[2]bool{len(ahead) > 0, len(behind) > 0}], Total: len(ahead), Commits: part}, v)
	case parts[0] == "commits" && len(parts) == 1:
		part, more := cut(h.log("", where.Query().Get("sha")), size, page)
		return more, h.answer(part, v)
	case parts[0] == "commits" && parts[2] == "pulls":
		part, more := cut(h.pulls[parts[1]], size, page)
		return more, h.answer(part, v)
	case parts[0] == "commits":
		return false, json.Unmarshal([]byte(strings.ReplaceAll(h.runs, "HEAD", parts[1])), v)
	case parts[0] == "pulls":
		n := 0
		fmt.Sscan(parts[1], &n)
		part, more := cut(h.reviews[n], size, page)
		return more, h.answer(part, v)
	case parts[0] == "branches":
		part, more := cut(h.branches, size, page)
		return more, h.answer(part, v)
	case parts[0] == "releases":
		return false, h.answer(h.releases, v)
	case parts[0] == "collaborators":
		p, ok := h.people[parts[1]]
		if !ok {
			return false, ErrMissing
		}
		return false, h.answer(p, v)
	}
	h.t.Fatalf("no such path %s", path)
	return false, nil
}

func (h *hub) answer(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

func cut[T any](list []T, size, page int) ([]T, bool) {
	from := min((page-1)*size, len(list))
	to := min(from+size, len(list))
	return list[from:to], to < len(list)
}

// read reads about a release of commit n.
func (h *hub) read(n int, rules duties.Rules) (*duties.Facts, error) {
	r := Reader{
		Get: h.get, Rules: rules, Now: now, AppID: appID, RepositoryID: repoID, DefaultBranch: "main",
		TagCommit: func(_ context.Context, tag string) (string, error) { return h.tags[tag], nil },
		Judged:    func(_ context.Context, id int64) (Past, error) { return h.past[id], nil },
		Passed:    func(context.Context, int, string) (bool, error) { return h.passed, nil },
		RunOf: func(id, _ string) (int, bool) {
			number, ok := 0, strings.HasPrefix(id, "pr:")
			fmt.Sscan(strings.TrimPrefix(id, "pr:"), &number)
			return number, ok
		},
	}
	return r.Read(h.t.Context(), Release{ID: 9000, Tag: "v2.0.0", Commit: sha(n), Published: now, Releaser: duties.Person{ID: 4, Login: "dee"}})
}

func (h *hub) mustRead(n int, rules duties.Rules) *duties.Facts {
	h.t.Helper()
	f, err := h.read(n, rules)
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

// count counts the calls whose path starts so.
func (h *hub) count(start string) (n int) {
	for _, c := range h.calls {
		if strings.HasPrefix(c, start) {
			n++
		}
	}
	return n
}

var (
	allRules   = duties.Rules{Branch: duties.Block, Pulls: duties.Block, Checked: duties.Block, Commits: duties.Block, Approvals: duties.Approvals{Level: duties.Block}}
	pullsAlone = duties.Rules{Pulls: duties.Block}
)

// since returns rules that begin at commit n.
func since(r duties.Rules, n int) duties.Rules {
	r.Since = []string{sha(n)}
	return r
}

// TestBounds: what is beyond a bound is a problem that says so, and costs no more calls.
func TestBounds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		commits int
		since   int // 0: the first release
		rules   duties.Rules
		want    string // of any problem; "" for none
		calls   int    // at most
	}{
		{"1,000 commits", 1001, 1, duties.Rules{Commits: duties.Block}, "", 13},
		{"1,001 commits", 1002, 1, duties.Rules{Commits: duties.Block}, "at most 1000", 3},
		{"a history of 1,000", 1000, 0, duties.Rules{Commits: duties.Block}, "", 13},
		{"a history of 1,001", 1001, 0, duties.Rules{Commits: duties.Block}, "more than 1000 commits", 13},
		{"150 pull requests", 151, 1, allRules, "", 5 + 150*3 + 1},
		{"151 pull requests", 152, 1, allRules, "at most 150", 5 + 151},
		{"301 commits to ask about", 302, 1, pullsAlone, "at most", 6 + 300},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, tt.commits)
			rules := tt.rules
			if tt.since > 0 {
				rules = since(rules, tt.since)
			}
			f := h.mustRead(tt.commits, rules)
			problems := f.Problem
			for _, c := range f.Commits {
				problems += c.Problem
			}
			if (tt.want == "") != (problems == "") || !strings.Contains(problems, tt.want) {
				t.Errorf("problems %.200q, want %q", problems, tt.want)
			}
			if len(h.calls) > tt.calls {
				t.Errorf("%d calls, want at most %d", len(h.calls), tt.calls)
			}
			if tt.want == "" && len(f.Commits) != tt.commits-tt.since {
				t.Errorf("%d commits, want %d", len(f.Commits), tt.commits-tt.since)
			}
		})
	}
}

// TestManyReviewers: the role of the 51st person is not asked, and that is told.
func TestManyReviewers(t *testing.T) {
	t.Parallel()
	h := newHub(t, 2)
	h.reviews[2] = nil
	for i := range 51 {
		login := fmt.Sprintf("p%d", i)
		h.reviews[2] = append(h.reviews[2], review{User: &account{int64(100 + i), login, "User"}, State: "APPROVED", CommitID: sha(1002)})
		h.people[login] = permission{"write", &account{int64(100 + i), login, "User"}}
	}
	f := h.mustRead(2, allRules)
	problems := 0
	for _, v := range f.Pulls[0].Reviews {
		if v.RoleProblem != "" {
			problems++
		}
	}
	if problems != 1 || h.count("collaborators/") != 50 {
		t.Errorf("%d without a role, %d calls", problems, h.count("collaborators/"))
	}
}

// TestSince finds where the commits of a release begin.
func TestSince(t *testing.T) {
	t.Parallel()
	old := now.Add(-48 * time.Hour)
	rel := func(id int64, tag string, at time.Time) release { return release{ID: id, Tag: tag, Published: at} }
	tests := []struct {
		name  string
		make  func(h *hub)
		since []string
		want  duties.Start
	}{
		{"no release before", func(*hub) {}, nil, duties.Start{}},
		{"judged before", func(h *hub) { h.releases = []release{rel(1, "v1.0.0", old)}; h.past[1] = Past{Commit: sha(5)} }, nil, duties.Start{Ref: "v1.0.0", Commit: sha(5)}},
		{"judged, tag moved since", func(h *hub) {
			h.releases = []release{rel(1, "v1.0.0", old)}
			h.past[1], h.tags["v1.0.0"] = Past{Commit: sha(5)}, sha(9)
		}, nil, duties.Start{Ref: "v1.0.0", Commit: sha(5)}},
		{"judged and open", func(h *hub) {
			h.releases = []release{rel(1, "v1.0.0", old), rel(2, "v1.1.0", old)}
			h.past[1], h.past[2] = Past{Commit: sha(3)}, Past{Commit: sha(5), Open: true}
		}, nil, duties.Start{Ref: "v1.0.0", Commit: sha(3)}},
		{"never judged, old", func(h *hub) { h.releases = []release{rel(1, "v1.0.0", old)}; h.tags["v1.0.0"] = sha(4) }, nil, duties.Start{Ref: "v1.0.0", Commit: sha(4)}},
		{"never judged, young", func(h *hub) {
			h.releases = []release{rel(1, "v1.0.0", now.Add(-time.Hour))}
			h.tags["v1.0.0"] = sha(4)
		}, nil, duties.Start{}},
		{"never judged beside one on record", func(h *hub) {
			h.releases = []release{rel(1, "v1.9.0", old), rel(2, "v1.0.0", old)}
			h.tags["v1.9.0"], h.past[2] = sha(9), Past{Commit: sha(2)}
		}, nil, duties.Start{Ref: "v1.0.0", Commit: sha(2)}},
		{"never judged beside since", func(h *hub) { h.releases = []release{rel(1, "v1.9.0", old)}; h.tags["v1.9.0"] = sha(9) }, []string{sha(2)}, duties.Start{Commit: sha(2)}},
		{"since nearer than the release before", func(h *hub) { h.releases = []release{rel(1, "v1.0.0", old)}; h.past[1] = Past{Commit: sha(3)} }, []string{sha(1), sha(6)}, duties.Start{Commit: sha(6)}},
		{"release before nearer than since", func(h *hub) { h.releases = []release{rel(1, "v1.0.0", old)}; h.past[1] = Past{Commit: sha(8)} }, []string{sha(6)}, duties.Start{Ref: "v1.0.0", Commit: sha(8)}},
		{"published later", func(h *hub) {
			h.releases = []release{rel(1, "v1.0.0", now)}
			h.past[1] = Past{Commit: sha(5)}
		}, nil, duties.Start{}},
		{"draft", func(h *hub) {
			h.releases = []release{{ID: 1, Tag: "v1.0.0", Published: old, Draft: true}}
			h.past[1] = Past{Commit: sha(5)}
		}, nil, duties.Start{}},
		{"contains this one", func(h *hub) {
			h.commit(11, 10)
			h.releases = []release{rel(1, "v3.0.0", old), rel(2, "v1.0.0", old)}
			h.past[1], h.past[2] = Past{Commit: sha(11)}, Past{Commit: sha(5)}
		}, nil, duties.Start{Ref: "v1.0.0", Commit: sha(5)}},
		{"backport branch beside", func(h *hub) {
			h.commit(20, 3) // v1.0.1 on a branch of its own
			h.releases = []release{rel(1, "v1.0.1", old), rel(2, "v1.5.0", old.Add(-time.Hour))}
			h.past[1], h.past[2] = Past{Commit: sha(20)}, Past{Commit: sha(7)}
		}, nil, duties.Start{Ref: "v1.5.0", Commit: sha(7)}},
		{"only a backport branch", func(h *hub) {
			h.commit(20, 3)
			h.releases = []release{rel(1, "v1.0.1", old)}
			h.past[1] = Past{Commit: sha(20)}
		}, nil, duties.Start{Ref: "v1.0.1", Commit: sha(20)}},
		{"history replaced", func(h *hub) {
			h.releases = []release{rel(1, "v1.0.0", old), rel(2, "v0.9.0", old)}
			h.past[1], h.past[2] = Past{Commit: sha(999)}, Past{Commit: sha(2)}
		}, nil, duties.Start{Ref: "v0.9.0", Commit: sha(2)}},
		{"other family of tags", func(h *hub) {
			h.releases = []release{rel(1, "web/v9", old), rel(2, "v1.0.0", old)}
			h.past[1], h.past[2] = Past{Commit: sha(9)}, Past{Commit: sha(4)}
		}, nil, duties.Start{Ref: "v1.0.0", Commit: sha(4)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, 10)
			tt.make(h)
			f := h.mustRead(10, duties.Rules{Commits: duties.Block, Since: tt.since})
			if f.Since != tt.want || f.Problem != "" {
				t.Errorf("since %+v, want %+v; problem %q", f.Since, tt.want, f.Problem)
			}
		})
	}
	h := newHub(t, 10)
	if f := h.mustRead(10, duties.Rules{Commits: duties.Block, Since: []string{sha(999)}}); !strings.Contains(f.Problem, "releases.duties.since") {
		t.Errorf("since without common history: %q", f.Problem)
	}
}

// TestWalk attributes commits to pull requests.
func TestWalk(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(h *hub) (head int)
		want string // "commit:pull" of all after 1, short ones first
	}{
		{"squashed", func(*hub) int { return 4 }, "2:2 3:3 4:4"},
		{"merge of the pull request's head", func(h *hub) int {
			h.commit(1030, 2)
			h.commit(5, 3, 1030)
			h.pulls[sha(5)] = []pull{h.pull(30, "main")}
			return 5
		}, "2:2 3:3 5:30 1030:30"},
		{"merge of something else", func(h *hub) int {
			h.commit(50, 2)
			h.commit(5, 3, 50)
			h.pulls[sha(5)] = []pull{h.pull(30, "main")}
			return 5
		}, "2:2 3:3 50:0 5:30"},
		{"octopus of a head and something else", func(h *hub) int {
			h.commit(1030, 2)
			h.commit(50, 2)
			h.commit(5, 3, 1030, 50)
			h.pulls[sha(5)] = []pull{h.pull(30, "main")}
			return 5
		}, "2:2 3:3 50:0 5:30 1030:30"},
		{"main merged into the branch, then fast-forwarded", func(h *hub) int {
			h.commit(60, 2)
			h.commit(1031, 60, 4)
			h.pulls[sha(60)], h.pulls[sha(1031)] = []pull{h.pull(31, "main")}, []pull{h.pull(31, "main")}
			return 1031
		}, "2:2 3:3 4:4 60:31 1031:31"},
		{"not merged, elsewhere, foreign", func(h *hub) int {
			open, foreign := h.pull(2, "main"), h.pull(4, "main")
			open.MergedAt, foreign.Base.Repo.ID = nil, 5
			h.pulls[sha(2)], h.pulls[sha(3)], h.pulls[sha(4)] = []pull{open}, []pull{h.pull(3, "side")}, []pull{foreign}
			return 4
		}, "2:0 3:0 4:0"},
		{"of several the one into the branch of the release", func(h *hub) int {
			h.branches = []branch{h.branch("main", 2), h.branch("release/1", 4)}
			h.pulls[sha(4)] = []pull{h.pull(8, "main"), h.pull(9, "release/1"), h.pull(10, "release/1")}
			return 4
		}, "2:2 3:3 4:9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, 4)
			f := h.mustRead(tt.make(h), since(pullsAlone, 1))
			var got []string
			for _, c := range f.Commits {
				n := 0
				fmt.Sscanf(c.SHA, "%x", &n)
				got = append(got, fmt.Sprintf("%d:%d", n, c.Pull))
				if c.Problem != "" {
					t.Errorf("%s: %s", c.SHA, c.Problem)
				}
			}
			slices.SortFunc(got, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}

// TestHostileGraph: what GitHub says of parents may be anything; the walk ends, and what it did
// not reach is not known.
func TestHostileGraph(t *testing.T) {
	t.Parallel()
	h := newHub(t, 3)
	h.commit(3, 2, 3)
	h.commit(2, 3)
	var list []commit
	for _, c := range h.commits {
		list = append(list, c)
	}
	w := newWalk(append(list, list...))
	r := Reader{Get: h.get, DefaultBranch: "main", RepositoryID: repoID}
	if err := r.attribute(t.Context(), w, sha(3), map[string]bool{"main": true}, "main"); err != nil {
		t.Fatal(err)
	}
	commits, pulls := w.facts()
	unknown := 0
	for _, c := range commits {
		if c.Problem != "" {
			unknown++
		}
	}
	if len(commits) != 3 || len(pulls) != 2 || unknown != 1 {
		t.Errorf("%d commits, %d pull requests, %d not known", len(commits), len(pulls), unknown)
	}
}

// TestHostileNames: only names of commits go into the path of a request.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	const bad = "../../../user?x="
	h := newHub(t, 3)
	c := h.commits[sha(2)]
	delete(h.commits, sha(2))
	c.SHA = bad
	h.commits[bad] = c
	top := h.commits[sha(3)]
	top.Parents[0].SHA = bad
	h.pulls[sha(3)][0].Head.SHA = bad
	h.branches[0].Commit.SHA = bad
	f := h.mustRead(3, since(allRules, 1))
	if f.Branch.Problem == "" || f.Branch.Name != "" || len(f.Pulls) != 0 || len(f.Commits) != 2 || !strings.Contains(f.Commits[0].Problem, "no name of a commit") {
		t.Errorf("got %+v", f)
	}
	if i := slices.IndexFunc(h.calls, func(path string) bool {
		return strings.Contains(path, "..") && !strings.Contains(path, "...") || strings.Contains(path, "user?")
	}); i >= 0 {
		t.Errorf("asked for %s", h.calls[i])
	}
}

// TestCheck takes the newest run of our own App for the pull request.
func TestCheck(t *testing.T) {
	t.Parallel()
	run := func(id, app int, external, name, status, conclusion string) string {
		return fmt.Sprintf(`{"id":%d,"name":%q,"head_sha":"HEAD","external_id":%q,"status":%q,"conclusion":%q,"app":{"id":%d}}`, id, name, external, status, conclusion, app)
	}
	tests := []struct {
		name string
		runs []string
		pass bool // of the record
		want duties.Check
	}{
		{"none", nil, false, duties.Check{}},
		{"success", []string{run(1, appID, "pr:2", checkName, "completed", "success")}, false, duties.Check{Conclusion: "success"}},
		{"newest counts", []string{run(2, appID, "pr:2", checkName, "completed", "failure"), run(1, appID, "pr:2", checkName, "completed", "success")}, false, duties.Check{Conclusion: "failure"}},
		{"runs again", []string{run(1, appID, "pr:2", checkName, "completed", "success"), run(2, appID, "pr:2", checkName, "in_progress", "")}, false, duties.Check{Conclusion: "in_progress"}},
		{"other App", []string{run(1, 7, "pr:2", checkName, "completed", "success")}, false, duties.Check{}},
		{"other pull request with that head", []string{run(1, appID, "pr:3", checkName, "completed", "success")}, false, duties.Check{}},
		{"other check", []string{run(1, appID, "pr:2", "landwaiter/release", "completed", "success")}, false, duties.Check{}},
		{"not by us", []string{run(1, appID, "mine", checkName, "completed", "success")}, false, duties.Check{}},
		{"neutral", []string{run(1, appID, "pr:2", checkName, "completed", "neutral")}, false, duties.Check{Conclusion: "neutral"}},
		{"neutral, recorded as Pass", []string{run(1, appID, "pr:2", checkName, "completed", "neutral")}, true, duties.Check{Conclusion: "neutral", Passed: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, 2)
			h.runs, h.passed = `{"check_runs":[`+strings.Join(tt.runs, ",")+`]}`, tt.pass
			f := h.mustRead(2, since(duties.Rules{Checked: duties.Block}, 1))
			if got := f.Pulls[0].Check; got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestLoginTakenOver: a login that another account has now says nothing of who approved.
func TestLoginTakenOver(t *testing.T) {
	t.Parallel()
	h := newHub(t, 2)
	h.people["bo"] = permission{"admin", &account{999, "bo", "User"}}
	f := h.mustRead(2, allRules)
	if v := f.Pulls[0].Reviews[0]; v.Role != "" || !strings.Contains(v.RoleProblem, "another account") {
		t.Errorf("got %+v", v)
	}
}

// TestMissing: what GitHub does not have or show is a problem of the facts, and anything else an
// error, so that it is tried again.
func TestMissing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"branches", "releases", "compare/", "commits/", "pulls/", "collaborators/"} {
		for _, tt := range []struct {
			name string
			err  error
			ends bool
		}{
			{"404", fmt.Errorf("x: %w", ErrMissing), false},
			{"refused", &Refused{"Landwaiter needs it"}, false},
			{"broken", errors.New("broken"), true},
		} {
			t.Run(path+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				h := newHub(t, 3)
				h.refuse[path] = tt.err
				f, err := h.read(3, since(allRules, 1))
				if (err != nil) != tt.ends {
					t.Fatalf("error %v", err)
				}
				if tt.ends {
					return
				}
				problems, _ := duties.Judge(f, allRules, duties.Builders{})
				if !slices.ContainsFunc(problems, duties.Problem.Unknown) {
					t.Errorf("nothing is unknown: %v of %+v", problems, f)
				}
			})
		}
	}
}

// TestAsksNothing: without rules, or without a commit, GitHub is not asked.
func TestAsksNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t, 3)
	if _, err := h.read(3, duties.Rules{}); err != nil || len(h.calls) != 0 {
		t.Errorf("%v, calls %v", err, h.calls)
	}
	r := Reader{Get: h.get, Rules: allRules}
	f, err := r.Read(t.Context(), Release{ID: 1})
	if err != nil || f.Problem == "" || f.Branch.Problem == "" || len(h.calls) != 0 {
		t.Errorf("without a commit: %v, %+v, calls %v", err, f, h.calls)
	}
	h.mustRead(3, since(duties.Rules{Branch: duties.Block}, 1))
	if len(h.calls) != 1 {
		t.Errorf("for the branch alone: %v", h.calls)
	}
}
