package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/store"
)

// bad brings in a package with a known vulnerability.
var bad = githubtest.Files{"package-lock.json": lock("lodash@4.17.20")}

// shopOf is a repository of another owner, where the App is installed.
func (w *world) shopOf(owner string) (*githubtest.Installation, *githubtest.Repo) {
	w.t.Helper()
	w.github.Org(owner)
	i := w.github.Install(owner)
	r := w.github.Repo(owner, "shop", githubtest.RepoOptions{Private: true})
	r.Commit("main", "first", githubtest.Files{policyPath: enforcing, "package-lock.json": lock()})
	w.settle()
	return i, r
}

// received opens a pull request whose delivery is stored and not worked on yet.
func (w *world) received(r *githubtest.Repo, branch string) *githubtest.Pull {
	w.t.Helper()
	p := r.OpenPull(githubtest.PullOptions{Head: branch, Files: bad})
	w.deliver()
	return p
}

// deliver sends what GitHub has to tell, and runs no job.
func (w *world) deliver() {
	w.t.Helper()
	if err := w.github.Settle(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// send delivers events by hand, in their order, and runs what follows from each.
func (w *world) events(events ...githubtest.Event) {
	w.t.Helper()
	for _, e := range events {
		if _, err := w.github.Deliver(context.Background(), e); err != nil {
			w.t.Fatal(err)
		}
		w.settle()
	}
}

// orders returns all orders of n things.
func orders(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, shorter := range orders(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), at, n-1))
		}
	}
	return all
}

// idle fails the test when anything waits, is due within the hour, or is buried.
func (w *world) idle() {
	w.t.Helper()
	w.rest()
	if next, err := w.db.NextDue(context.Background()); !errors.Is(err, store.ErrNotFound) {
		w.t.Errorf("work is still waiting, due %v (%v)", next, err)
	}
	if got := w.buried(); len(got) > 0 {
		w.t.Errorf("buried: %q", got)
	}
}

func (w *world) said(words string) int { return strings.Count(w.log.String(), words) }

// TestG30SuspendedAndBack suspends the App while work waits. The work ends at once, that is said
// once, and all of it is made up for when the App is back.
func TestG30SuspendedAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	i, r := w.shopOf("other")
	before := w.received(r, "before")
	i.Suspend()
	during := r.OpenPull(githubtest.PullOptions{Head: "during", Files: bad}) // nobody is told
	w.idle()
	w.github.ForgetCalls()
	w.idle()
	if calls := w.github.Calls(); len(calls) > 0 {
		t.Errorf("%d calls for a suspended installation: %v", len(calls), calls)
	}
	if n := w.said("installation is suspended, work for it stopped"); n != 1 {
		t.Errorf("it is said %d times that work stopped, want once", n)
	}
	i.Unsuspend()
	w.idle()
	for _, p := range []*githubtest.Pull{before, during} {
		w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	}
	if n := w.said("installation is back"); n != 1 {
		t.Errorf("it is said %d times that work goes on, want once", n)
	}
}

// TestG30StopsInTheMiddle suspends the App between the steps of one pull request, with tokens at
// hand that were valid until then. Whatever was done, the verdict is shown once the App is back.
func TestG30StopsInTheMiddle(t *testing.T) {
	t.Parallel()
	for steps := range 5 {
		w := newWorld(t, githubtest.Options{}, nil)
		i, r := w.shopOf("other")
		w.concluded(r, w.pull(r, "warm", bad).HeadSHA(), "failure", "1 violation")
		p := w.received(r, "change")
		for range steps {
			jobs, err := w.db.Claim(context.Background(), "test", 1, w.app.limits.lease)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range jobs {
				w.app.work(context.Background(), j)
			}
		}
		i.Suspend()
		w.idle()
		i.Unsuspend()
		w.idle()
		w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	}
}

// TestG30InEachOrder delivers what was told of an installation in each order, late: what counts is
// what it is now.
func TestG30InEachOrder(t *testing.T) {
	t.Parallel()
	for _, order := range orders(3) {
		w := newWorld(t, githubtest.Options{}, nil)
		i, r := w.shopOf("other")
		w.github.SetAutoDeliver(false)
		p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: bad})
		list := []githubtest.Event{p.Event("opened"), i.Event("suspend"), i.Event("unsuspend")}
		for _, n := range order {
			w.events(list[n])
		}
		w.idle()
		w.concluded(r, p.HeadSHA(), "failure", "1 violation")

		// The same when it is suspended by now, and when it is removed.
		for _, what := range []string{"suspended", "removed"} {
			away := map[string]func(){"suspended": i.Suspend, "removed": i.Uninstall}[what]
			p := r.OpenPull(githubtest.PullOptions{Head: what, Files: bad})
			list := []githubtest.Event{p.Event("opened"), i.Event("unsuspend"), i.Event("created")}
			away()
			for _, n := range order {
				w.events(list[n])
			}
			w.idle()
			if runs := r.CheckRuns(p.HeadSHA()); len(runs) > 0 {
				t.Errorf("%s, order %v: a check was written: %+v", what, order, runs)
			}
			if what == "suspended" {
				i.Unsuspend()
				w.events(i.Event("unsuspend"))
			}
		}
	}
}

// TestG31Repositories changes what a repository is while a pull request of it waits, and undoes
// it. The change is told before the pull request, after it, or never.
func TestG31Repositories(t *testing.T) {
	t.Parallel()
	type place struct {
		w *world
		i *githubtest.Installation
		r *githubtest.Repo
	}
	cases := map[string]struct {
		change  func(p place)
		stopped bool // nothing is written
		undo    func(p place)
	}{
		"renamed":                  {func(p place) { p.r.Rename("store") }, false, func(p place) { p.r.Rename("shop") }},
		"made public":              {func(p place) { p.r.SetPrivate(false) }, false, func(p place) { p.r.SetPrivate(true) }},
		"archived":                 {func(p place) { p.r.SetArchived(true) }, true, func(p place) { p.r.SetArchived(false) }},
		"taken from the App":       {func(p place) { p.i.Remove("shop") }, true, func(p place) { p.i.Add("shop") }},
		"transferred, App there":   {func(p place) { p.r.Transfer("acme") }, false, func(p place) { p.r.Transfer("other") }},
		"transferred, App missing": {func(p place) { p.r.Transfer("nobody") }, true, func(p place) { p.r.Transfer("other") }},
	}
	for name, c := range cases {
		for _, order := range []string{"told after", "told before", "never told"} {
			t.Run(name+", "+order, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, githubtest.Options{}, nil)
				w.github.Org("nobody")
				i, r := w.shopOf("other")
				at := place{w, i, r}
				var p *githubtest.Pull
				switch order {
				case "told after":
					p = w.received(r, "change")
					c.change(at)
				case "told before":
					w.github.SetAutoDeliver(false)
					p = r.OpenPull(githubtest.PullOptions{Head: "change", Files: bad})
					opened := p.Event("opened")
					w.github.SetAutoDeliver(true)
					c.change(at)
					w.settle()
					w.events(opened)
				case "never told":
					p = w.received(r, "change")
					w.github.SetAutoDeliver(false)
					c.change(at)
				}
				w.rest()
				if c.stopped {
					if runs := r.CheckRuns(p.HeadSHA()); len(runs) > 0 {
						t.Errorf("a check was written: %+v", runs)
					}
					if got := w.buried(); len(got) > 0 && order == "told after" {
						t.Errorf("buried: %q", got)
					}
				}
				w.github.SetAutoDeliver(true)
				c.undo(at)
				w.rest()
				w.tick()
				w.concluded(r, p.HeadSHA(), "failure", "1 violation")
				if n := len(r.CheckRuns(p.HeadSHA())); n != 1 {
					t.Errorf("%d check runs, want 1: %+v", n, r.CheckRuns(p.HeadSHA()))
				}
			})
		}
	}
}

// TestG31RecreatedUnderTheSameName deletes a repository with work waiting and makes another one of
// the same name: what waited does not reach it.
func TestG31RecreatedUnderTheSameName(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} {
		w := newWorld(t, githubtest.Options{}, nil)
		_, r := w.shopOf("other")
		p := w.received(r, "change")
		w.github.SetAutoDeliver(told)
		r.Delete()
		again := w.github.Repo("other", "shop", githubtest.RepoOptions{Private: true})
		again.Commit("main", "first", githubtest.Files{policyPath: enforcing, "package-lock.json": lock()})
		if again.ID() == r.ID() {
			t.Fatal("the stand-in gave the same number again")
		}
		same := again.OpenPull(githubtest.PullOptions{Head: "change", Files: githubtest.Files{"README.md": "harmless\n"}})
		w.idle()
		if runs := again.CheckRuns(p.HeadSHA()); len(runs) > 0 && p.HeadSHA() != same.HeadSHA() {
			t.Errorf("told %v: work for the old repository reached the new one: %+v", told, runs)
		}
		w.github.SetAutoDeliver(true)
		w.tick()
		w.concluded(again, same.HeadSHA(), "success", "No dependency changes")
		for _, r := range w.reports() {
			if r.Subject.RepositoryID != again.ID() {
				t.Errorf("told %v: a report was recorded on the repository that is gone: %+v", told, r)
			}
		}
	}
}

// TestPolicyPush changes the policy of a branch: open pull requests into it are judged by it, in a
// new run. Nothing else makes a verdict change colour by itself.
func TestPolicyPush(t *testing.T) {
	t.Parallel()
	const observing = "version: 1\nmode: observe\n"
	for _, told := range []string{"by the push", "by the sweep"} {
		w := newWorld(t, githubtest.Options{Events: append(quiet(), "push")}, nil)
		r := w.repo("shop", githubtest.Files{policyPath: observing, "package-lock.json": lock()})
		r.Commit("stable", "stable", githubtest.Files{policyPath: observing})
		p := w.pull(r, "change", bad)
		other := r.OpenPull(githubtest.PullOptions{Head: "backport", Base: "stable", Files: bad})
		w.settle()
		w.concluded(r, p.HeadSHA(), "neutral", "not enforced")
		w.github.ForgetCalls()
		r.Commit("main", "a comment", githubtest.Files{"README.md": "new\n"})
		w.settle()
		if n := w.github.RoundTrips(); n > 0 {
			t.Errorf("%d calls for a push that changes no policy", n)
		}
		r.Commit("main", "only words", githubtest.Files{policyPath: "# now with a comment\n" + observing})
		w.settle()
		if n := len(r.CheckRuns(p.HeadSHA())); n != 1 {
			t.Errorf("%d check runs after the policy's text changed, and not what it says; want one", n)
		}
		if told == "by the sweep" {
			w.github.SetAutoDeliver(false)
		}
		r.Commit("main", "enforce", githubtest.Files{policyPath: enforcing})
		w.settle()
		if told == "by the sweep" {
			w.tick()
		}
		w.concluded(r, p.HeadSHA(), "failure", "1 violation")
		if n := len(r.CheckRuns(p.HeadSHA())); n != 2 {
			t.Errorf("%s: %d check runs, want a new one beside the first", told, n)
		}
		w.concluded(r, other.HeadSHA(), "neutral", "not enforced")
		for range 3 {
			w.clock.Add(sweepEvery)
			w.tick()
		}
		if n := len(r.CheckRuns(p.HeadSHA())); n != 2 {
			t.Errorf("%s: %d check runs after more sweeps, want no more", told, n)
		}
	}
}

// TestRecheckTakesThePolicyInForce merges an exception of nobody's making into the base: GitHub
// still names the old base, and Re-check judges by the newest policy.
func TestRecheckTakesThePolicyInForce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	p := w.pull(r, "change", bad)
	run := w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	w.github.SetAutoDeliver(false)
	r.Commit("main", "observe", githubtest.Files{policyPath: "version: 1\nmode: observe\n"})
	w.github.SetAutoDeliver(true)
	if p.BaseSHA() == r.Head("main") {
		t.Fatal("the stand-in moved the base of the pull request, which GitHub does not")
	}
	r.RerequestRun(run.ID, "mona")
	w.settle()
	w.concluded(r, p.HeadSHA(), "neutral", "not enforced")
}

// TestChangesPolicy decides which pushes are looked at.
func TestChangesPolicy(t *testing.T) {
	t.Parallel()
	const touching = `{"ref":"refs/heads/main","commits":[{"added":[],"modified":["README.md"],"removed":[]},{"modified":[".github/landwaiter.yml"]}]}`
	for name, c := range map[string]struct {
		body string
		want bool
	}{
		"modified":         {touching, true},
		"added":            {strings.Replace(touching, `"modified":[".g`, `"added":[".g`, 1), true},
		"removed":          {strings.Replace(touching, `"modified":[".g`, `"removed":[".g`, 1), true},
		"another file":     {strings.Replace(touching, `.github/landwaiter.yml`, `landwaiter.yml`, 1), false},
		"a tag":            {strings.Replace(touching, `refs/heads/main`, `refs/tags/main`, 1), false},
		"a deleted branch": {strings.Replace(touching, `{"ref"`, `{"deleted":true,"ref"`, 1), false},
		"forced":           {`{"ref":"refs/heads/main","forced":true,"commits":[]}`, true},
		"many commits":     {`{"ref":"refs/heads/main","commits":[` + strings.Repeat(`{},`, 19) + `{}]}`, true},
		"few commits":      {`{"ref":"refs/heads/main","commits":[{}]}`, false},
	} {
		p, err := readPayload(store.Delivery{Body: []byte(c.body)})
		if err != nil {
			t.Fatal(err)
		}
		if got := changesPolicy(p); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestMergeGroupDestroyed takes a group out of the queue before its verdict, after it, and before
// it is heard of.
func TestMergeGroupDestroyed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.shop()
	good := w.pull(r, "good", githubtest.Files{"docs.md": "x\n"})

	queued := r.MergeGroup(good)
	w.deliver()
	w.step() // the event is routed
	w.only("publish:check")
	queued.Destroy("dequeued")
	w.deliver()
	w.rest()
	if run := w.run(r, queued.HeadSHA); run.Status != "completed" {
		t.Errorf("the check of a group that is gone is %s", run.Status)
	}

	r.Commit("main", "moves on", githubtest.Files{"a.md": "a\n"})
	judged := r.MergeGroup(good)
	w.settle()
	before := w.concluded(r, judged.HeadSHA, "success", "No dependency changes")
	judged.Destroy("merged")
	w.settle()
	if after := w.concluded(r, judged.HeadSHA, "success", "No dependency changes"); after.ID != before.ID {
		t.Error("a verdict that stood was shown anew")
	}
	w.idle()
}

// TestSweepFindsDraftsThatBecameReady loses the delivery that says so.
func TestSweepFindsDraftsThatBecameReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.repo("shop", githubtest.Files{policyPath: enforcing + "pull_request: {draft_prs: skip}\n", "package-lock.json": lock()})
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Draft: true, Files: bad})
	w.settle()
	w.concluded(r, p.HeadSHA(), "skipped", "Draft")
	w.tick()
	if n := len(r.CheckRuns(p.HeadSHA())); n != 1 {
		t.Errorf("%d check runs after a sweep, want the skipped one", n)
	}
	w.github.SetAutoDeliver(false)
	p.SetDraft(false)
	w.clock.Add(sweepEvery)
	w.tick()
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
}

// TestPermissionsAccepted sweeps an installation whose payload lists no repositories.
func TestPermissionsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	w.github.SetAutoDeliver(false)
	r := w.github.Repo("late", "shop", githubtest.RepoOptions{})
	r.Commit("main", "first", githubtest.Files{policyPath: enforcing, "package-lock.json": lock()})
	p := r.OpenPull(githubtest.PullOptions{Head: "change", Files: bad})
	i := w.github.Install("late")
	e := i.Event("new_permissions_accepted")
	w.events(e)
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
}

// TestG26FloorsInPractice leaves little of the limit: pull requests are judged, what is found by
// the sweep waits for the reset, and another installation is not held up.
func TestG26FloorsInPractice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	i, r := w.shopOf("other")
	w.github.SetAutoDeliver(false)
	missed := r.OpenPull(githubtest.PullOptions{Head: "missed", Files: bad})
	w.github.SetAutoDeliver(true)
	reset := w.clock.Now().Add(40 * time.Minute)
	i.SetRate(githubtest.Rate{Limit: 5000, Remaining: 990, Reset: reset}) // below 20 %
	p := w.pull(r, "change", bad)                                         // its answers tell of the limit
	w.concluded(r, p.HeadSHA(), "failure", "1 violation")
	w.tick()
	if runs := r.CheckRuns(missed.HeadSHA()); len(runs) > 0 {
		t.Errorf("the sweep spent what is left below a fifth: %+v", runs)
	}
	_, another := w.shopOf("another")
	q := w.pull(another, "change", bad)
	w.concluded(another, q.HeadSHA(), "failure", "1 violation")
	if len(w.buried()) > 0 {
		t.Errorf("buried: %q", w.buried())
	}
	i.SetRate(githubtest.Rate{Limit: 5000, Remaining: 5000, Reset: reset.Add(time.Hour)})
	w.clock.Add(41 * time.Minute)
	w.settle()
	w.concluded(r, missed.HeadSHA(), "failure", "1 violation")
}

// TestG27SecondaryLimitParksOne refuses the calls of one installation: it waits as long as told,
// with all its work and without a call, and the other goes on.
func TestG27SecondaryLimitParksOne(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 429} {
		w := newWorld(t, githubtest.Options{}, nil)
		i, r := w.shopOf("other")
		_, another := w.shopOf("another")
		w.github.Throttle(githubtest.Throttle{Status: status, RetryAfter: 3 * time.Minute, InstallationID: i.ID})
		p, q := w.pull(r, "change", bad), w.pull(another, "change", bad)
		w.concluded(another, q.HeadSHA(), "failure", "1 violation")
		if run, ok := r.CheckRun(p.HeadSHA(), "landwaiter/pr"); ok && run.Status == "completed" {
			t.Errorf("%d: concluded during the pause: %+v", status, run)
		}
		w.github.ForgetCalls()
		w.clock.Add(2 * time.Minute)
		w.settle()
		if n := w.github.RoundTrips(); n > 0 {
			t.Errorf("%d: %d calls during the pause", status, n)
		}
		w.clock.Add(time.Minute + time.Second)
		w.settle()
		w.concluded(r, p.HeadSHA(), "failure", "1 violation")
		if len(w.buried()) > 0 {
			t.Errorf("%d: buried: %q", status, w.buried())
		}
	}
}

// TestG32MadePrivate: links to pages about a repository end when it is made private, whether that
// is told or found by the sweep. One that was private all along keeps its links.
func TestG32MadePrivate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		private bool // from the start
		change  func(w *world, r *githubtest.Repo)
		ends    bool
	}{
		"nothing happens":         {false, func(*world, *githubtest.Repo) {}, false},
		"private all along":       {true, func(*world, *githubtest.Repo) {}, false},
		"made private":            {false, func(_ *world, r *githubtest.Repo) { r.SetPrivate(true) }, true},
		"made private, untold":    {false, func(w *world, r *githubtest.Repo) { w.github.SetAutoDeliver(false); r.SetPrivate(true) }, true},
		"made public":             {true, func(_ *world, r *githubtest.Repo) { r.SetPrivate(false) }, false},
		"made public and private": {true, func(w *world, r *githubtest.Repo) { r.SetPrivate(false); w.settle(); r.SetPrivate(true) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubtest.Options{}, nil)
			r := w.github.Repo("acme", "open", githubtest.RepoOptions{Private: c.private})
			r.Commit("main", "first", githubtest.Files{"README.md": "x\n"})
			w.tick()
			sweeps := func() {
				for range 12 {
					w.clock.Add(time.Minute)
					w.settle()
				}
			}
			sweeps()
			c.change(w, r)
			sweeps()
			since, err := w.db.Setting(t.Context(), store.LinksSetting(r.ID()))
			if ended := err == nil && since != ""; ended != c.ends {
				t.Errorf("links ended: %v (%q, %v), want %v", ended, since, err, c.ends)
			}
		})
	}
}
