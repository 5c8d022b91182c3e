package invarianttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// The parts of the healthy world that plants change.
func (f *facts) shop() *repoFacts { return &f.repos[0] }

// run returns the newest run of a check with that conclusion.
func (f *facts) run(check, conclusion string) *githubtest.CheckRun {
	runs := f.shop().runs
	for i := len(runs) - 1; i >= 0; i-- {
		if runs[i].Name == check && runs[i].Conclusion == conclusion {
			return &runs[i]
		}
	}
	panic("the baseline has no such run")
}

// passed returns the newest Pass, which is the one that is shown.
func (f *facts) passed() *store.StoredReport {
	for i := len(f.reports) - 1; i >= 0; i-- {
		if f.reports[i].Report.Verdict == checks.Pass {
			return &f.reports[i]
		}
	}
	panic("the baseline has no Pass")
}

// guid returns a delivery that was kept.
func (f *facts) guid() string {
	for _, d := range f.sent {
		if d.Event == "pull_request" {
			return d.GUID
		}
	}
	panic("the baseline has no delivery")
}

// plants is one violation a row, or several ways to the same. Others lists the invariants that
// the same plant breaks as well.
var plants = []struct {
	name      string
	invariant string
	others    string
	plant     func(w *World, f *facts)
}{
	{"an acknowledged delivery is not kept", "I1", "", func(_ *World, f *facts) { delete(f.kept, f.guid()) }},
	{"an acknowledged delivery waits for ever", "I1", "", func(_ *World, f *facts) {
		f.kept[f.guid()] = store.DeliverySummary{GUID: f.guid(), State: store.DeliveryWaiting}
	}},
	{"a delivery is buried without a cause", "I1", "", func(_ *World, f *facts) {
		f.kept[f.guid()] = store.DeliverySummary{GUID: f.guid(), State: store.DeliveryBuried}
	}},
	{"an open pull request has no check", "I2", "", func(_ *World, f *facts) {
		f.shop().pulls = append(f.shop().pulls, githubtest.PullView{Number: 99, Open: true, HeadSHA: strings.Repeat("a", 40), Base: "main"})
	}},
	{"a published release was never judged", "I2", "", func(_ *World, f *facts) {
		f.shop().releases = append(f.shop().releases, githubtest.ReleaseView{Tag: "v9"})
		f.shop().releaseIDs = append(f.shop().releaseIDs, 99)
	}},
	{"a run is open for too long", "I3", "I17", func(w *World, f *facts) {
		w.OpenFor = 6 * time.Minute
		run := f.run("landwaiter/pr", "failure")
		run.Status, run.Conclusion, run.Started = "in_progress", "", f.now.Add(-7*time.Minute)
		run.Output.Text = ""
		s := f.shown[keyOf(run.ExternalID)]
		s.Done = false
		f.shown[keyOf(run.ExternalID)] = s
	}},
	{"an older generation is visible", "I4", "", func(_ *World, f *facts) {
		key := f.passed().Key
		s := f.shown[key]
		f.newest[key] = s.Generation + 1
	}},
	{"what is visible is another run than the store knows", "I4", "", func(_ *World, f *facts) {
		again := *f.run("landwaiter/pr", "success")
		again.ID, again.ExternalID = again.ID+1000, keyOf(again.ExternalID)+":ffffffffffff"
		f.shop().runs = append(f.shop().runs, again)
	}},
	{"one run was created twice", "I4", "", func(_ *World, f *facts) {
		again := *f.run("landwaiter/pr", "failure")
		again.ID++
		f.shop().runs = slices.Insert(f.shop().runs, 0, again)
	}},
	{"success of incomplete evidence", "I5", "", func(_ *World, f *facts) { f.passed().Report.Evidence[0].Complete = false }},
	{"success without the scanner", "I5", "I9", func(_ *World, f *facts) { f.passed().Report.Evidence = nil }},
	{"success of old data", "I5", "I9", func(_ *World, f *facts) {
		old := f.passed().Report.Time.Add(-2 * time.Hour)
		f.passed().Report.Evidence[0].DataTime = &old
	}},
	{"success for another commit", "I5", "", func(_ *World, f *facts) { f.passed().Report.Subject.Commit = strings.Repeat("b", 40) }},
	{"success under another policy than the base's", "I5", "", func(_ *World, f *facts) {
		f.passed().Report.Policy.Digest = checks.DefaultPolicy().Digest
	}},
	{"success under the policy of the head", "I5", "I9", func(_ *World, f *facts) {
		f.passed().Report.Policy.Source = policyPath + "@" + f.passed().Report.Subject.Commit
	}},
	{"success of a verdict that is none", "I5", "I9", func(_ *World, f *facts) { f.passed().Report.Verdict = checks.Unknown }},
	{"two open issues on one finding", "I6", "", func(_ *World, f *facts) {
		again := f.shop().issues[0]
		again.Number++
		f.shop().issues = append(f.shop().issues, again)
	}},
	{"a revision is in the ledger twice", "I7", "", func(_ *World, f *facts) { f.leaves = append(f.leaves, f.leaves[0]) }},
	{"a row was changed", "I7", "", func(_ *World, f *facts) { f.tampered = errors.New("ledger entry 1: its report is missing") }},
	{"two roots for one size", "I8", "", func(w *World, f *facts) {
		other := f.head
		other.Root[0] ^= 1
		w.Watcher.seen[other.Size] = other
	}},
	{"a tree that does not continue an older one", "I8", "", func(w *World, f *facts) {
		w.Watcher.seen[1] = ledger.Checkpoint{Origin: f.head.Origin, Size: 1}
	}},
	{"an older copy of the ledger", "I8", "", func(w *World, f *facts) {
		w.Watcher.seen[f.head.Size+5] = ledger.Checkpoint{Origin: f.head.Origin, Size: f.head.Size + 5}
	}},
	{"a conclusion that the entry does not have", "I9", "I5 I17", func(_ *World, f *facts) { f.run("landwaiter/pr", "failure").Conclusion = "success" }},
	{"a word that the entry does not have", "I9", "", func(_ *World, f *facts) { f.run("landwaiter/pr", "failure").Output.Summary += "!" }},
	{"annotations twice", "I9", "", func(_ *World, f *facts) {
		run := f.run("landwaiter/pr", "failure")
		run.Annotations = append(run.Annotations, run.Annotations...)
	}},
	{"the checkpoint of another entry", "I9", "", func(_ *World, f *facts) {
		run := f.run("landwaiter/pr", "failure")
		run.Output.Text = strings.Replace(run.Output.Text, f.checkpoint(shows(*run)+1), f.checkpoint(0), 1)
	}},
	{"PASSED signed for what failed", "I10", "", func(_ *World, f *facts) {
		for _, r := range f.reports {
			if r.Report.Verdict == checks.Fail {
				f.leaves = append(f.leaves, store.Leaf{Key: r.Key, Generation: r.Generation, Summarises: &r.LedgerIndex})
				return
			}
		}
	}},
	{"PASSED signed for another generation", "I10", "", func(_ *World, f *facts) {
		r := f.passed()
		f.leaves = append(f.leaves, store.Leaf{Key: r.Key, Generation: r.Generation + 1, Summarises: &r.LedgerIndex})
	}},
	{"PASSED signed for what is not in the ledger", "I10", "", func(_ *World, f *facts) {
		nowhere := f.head.Size + 7
		f.leaves = append(f.leaves, store.Leaf{Key: "release:1:1", Generation: 1, Summarises: &nowhere})
	}},
	{"a token of another installation", "I11", "", func(_ *World, f *facts) { f.calls[len(f.calls)-1].Foreign = true }},
	{"one installation waits for the flood of another", "I12", "", func(w *World, f *facts) {
		few := *f.shop()
		few.id, few.installation, few.runs, few.pulls, few.releases, few.releaseIDs = 77, 78, nil, nil, nil, nil
		f.repos = append(f.repos, few)
		w.Floods = []Flood{{ManyInstallation: f.shop().installation, FewInstallation: 78, Slack: 1}}
		last := f.reports[len(f.reports)-1]
		last.Report.Subject.RepositoryID, last.Report.Subject.Commit = 77, ""
		last.Key, last.LedgerIndex, last.Generation = "pr:77:1:x", last.LedgerIndex+1, 1
		f.newest[last.Key] = 1
		f.reports, f.leaves = append(f.reports, last), append(f.leaves, store.Leaf{Key: last.Key, Generation: 1})
	}},
	{"calls while the limit lasts", "I13", "", func(w *World, f *facts) {
		at := f.now
		f.calls = append(f.calls, githubtest.Call{InstallationID: 5, Time: at, Limited: true, Until: at.Add(time.Minute)})
		for i := range 3 {
			f.calls = append(f.calls, githubtest.Call{InstallationID: 5, Began: at.Add(time.Duration(10+i) * time.Second)})
		}
	}},
	{"a text that is too long", "I13", "I9", func(_ *World, f *facts) {
		f.run("landwaiter/pr", "failure").Output.Summary = strings.Repeat("x", maxOutput+1)
	}},
	{"a breach of the contract", "I13", "", func(_ *World, f *facts) { f.violations = []string{"POST /nothing: no such route"} }},
	// Where that generation was recorded in its time too, it is in the ledger twice.
	{"an older generation was recorded after a newer", "I14", "I7", func(_ *World, f *facts) {
		late := *f.passed()
		late.LedgerIndex, late.Generation = f.head.Size, late.Generation-1
		f.reports, f.leaves = append(f.reports, late), append(f.leaves, store.Leaf{Key: late.Key, Generation: late.Generation})
	}},
	{"a generation that nobody raised", "I14", "I4", func(_ *World, f *facts) {
		s := f.shown[f.passed().Key]
		s.Generation++
		f.shown[f.passed().Key] = s
	}},
	{"a secret in the log", "I15", "", func(w *World, _ *facts) { w.Texts = []string{"level=INFO secret=" + w.Canaries[0]} }},
	{"a secret in an issue", "I15", "", func(w *World, f *facts) { f.shop().issues[0].Title += w.Canaries[0] }},
	{"a job is left", "I16", "", func(_ *World, f *facts) { f.queue = append(f.queue, store.QueueStats{Step: "judge", Later: 1}) }},
	{"a job was buried", "I16", "", func(_ *World, f *facts) {
		f.buried = append(f.buried, store.Job{Step: "judge", Key: "pr:1:1:x", LastError: "no"})
	}},
	{"another conclusion than wanted", "I17", "", func(w *World, _ *facts) { w.Want[Named("landwaiter/pr", "nowhere")] = "success" }},
	{"approved without a Pass", "I18", "", func(_ *World, f *facts) {
		f.shop().deployments = []deployment{{id: 1, sha: strings.Repeat("c", 40), reports: []githubtest.DeploymentReport{{State: "approved"}}}}
	}},
	{"approved by the Pass of a pull request", "I18", "", func(_ *World, f *facts) {
		f.shop().deployments = []deployment{{id: 1, sha: f.passed().Report.Subject.Commit, reports: []githubtest.DeploymentReport{{State: "approved"}}}}
	}},
	{"approved twice", "I18", "I5", func(_ *World, f *facts) {
		f.passed().Report.Subject.Kind = checks.KindDeployment
		f.shop().deployments = []deployment{{id: 1, sha: f.passed().Report.Subject.Commit, reports: []githubtest.DeploymentReport{{State: "approved"}, {State: "approved"}}}}
	}},
}

func keyOf(externalID string) string { return externalID[:strings.LastIndex(externalID, ":")] }

// TestPlantedViolations takes a healthy world, breaks one thing, and wants the invariant that
// forbids it to say so, and no other.
func TestPlantedViolations(t *testing.T) {
	t.Parallel()
	w := healthy(t)
	seen := map[string]bool{}
	for _, p := range plants {
		seen[p.invariant] = true
		t.Run(p.invariant+" "+p.name, func(t *testing.T) {
			mine := w
			mine.Watcher, mine.Want = &Watcher{}, map[string]string{}
			f, err := collect(t.Context(), mine)
			if err != nil {
				t.Fatal(err)
			}
			if got := judge(mine, f); len(got) > 0 {
				t.Fatalf("before the plant:\n%s", List(got))
			}
			for named, conclusion := range w.Want {
				mine.Want[named] = conclusion
			}
			p.plant(&mine, f)
			caught := map[string]bool{}
			got := judge(mine, f)
			for _, b := range got {
				caught[b.Invariant] = true
				if b.Invariant != p.invariant && !slices.Contains(strings.Fields(p.others), b.Invariant) {
					t.Errorf("not planted: %s", b)
				}
			}
			if !caught[p.invariant] {
				t.Errorf("%s was not caught; what was: %s", p.invariant, List(got))
			}
		})
	}
	for _, i := range Invariants() {
		if !seen[i.Name] {
			t.Errorf("no violation of %s is planted", i.Name)
		}
	}
}

// TestI08WatcherRemembers: what was seen once must be continued for ever.
func TestI08WatcherRemembers(t *testing.T) {
	t.Parallel()
	w := healthy(t)
	for range 2 {
		if got, err := Check(t.Context(), w); err != nil || len(got) > 0 {
			t.Fatalf("%v\n%s", err, List(got))
		}
	}
	if n := len(w.Watcher.seen); n == 0 {
		t.Fatal("the watcher has seen nothing")
	}
	f, err := collect(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	f.head.Root[5] ^= 1
	got := judge(w, f)
	if !slices.ContainsFunc(got, func(b Breach) bool { return b.Invariant == "I8" }) {
		t.Errorf("another root of the same size was not caught: %s", List(got))
	}
}

// TestInvariantsAreAll: the table has the eighteen of THREATS.md in order.
func TestInvariantsAreAll(t *testing.T) {
	t.Parallel()
	for n, i := range Invariants() {
		if want := fmt.Sprintf("I%d", n+1); i.Name != want || i.Text == "" {
			t.Errorf("row %d is %s %q, want %s", n, i.Name, i.Text, want)
		}
	}
	if n := len(Invariants()); n != 18 {
		t.Errorf("%d invariants, want 18", n)
	}
}
