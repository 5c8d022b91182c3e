package invarianttest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// found is I2: every open pull request has a check on its head, and every published release was
// looked at.
func found(_ World, f *facts) []string {
	var wrong []string
	for _, r := range f.repos {
		if r.installation == 0 || r.archived {
			continue
		}
		for _, p := range r.pulls {
			of := func(run githubtest.CheckRun) bool {
				return run.Name == output.CheckPullRequest && run.HeadSHA == p.HeadSHA && strings.HasPrefix(run.ExternalID, fmt.Sprintf("pr:%d:%d:", r.id, p.Number))
			}
			if p.Open && !slices.ContainsFunc(r.runs, of) {
				wrong = append(wrong, fmt.Sprintf("%s#%d has no check on its head %s", r.name, p.Number, p.HeadSHA))
			}
		}
		for i, rel := range r.releases {
			key := fmt.Sprintf("release:%d:%d", r.id, r.releaseIDs[i])
			reported := f.newestReports()[key] != nil
			if rel.Draft || reported || !strings.Contains(policyAt(r, defaultBranch), "releases:") {
				continue
			}
			wrong = append(wrong, fmt.Sprintf("release %s of %s was never judged", rel.Tag, r.name))
		}
	}
	return wrong
}

// defaultBranch and policyPath are those of the worlds that are checked.
const (
	defaultBranch = "main"
	policyPath    = ".github/landwaiter.yml"
)

func policyAt(r repoFacts, ref string) string {
	text, _ := r.repo.FileAt(r.repo.Head("refs/heads/"+ref), policyPath)
	return text
}

// concluded is I3.
func concluded(w World, f *facts) []string {
	var wrong []string
	for _, r := range f.repos {
		if r.installation == 0 {
			continue // nothing may be written there
		}
		for _, run := range r.runs {
			if open := f.now.Sub(run.Started); run.Status != "completed" && (w.OpenFor == 0 || open > w.OpenFor) {
				wrong = append(wrong, fmt.Sprintf("%s on %s of %s is %s since %v: %q", run.Name, run.HeadSHA, r.name, run.Status, open, run.Output.Title))
			}
		}
	}
	return wrong
}

// newestVisible is I4.
func newestVisible(_ World, f *facts) []string {
	var wrong []string
	for _, r := range f.repos {
		seen := map[string]int64{}
		for _, run := range r.runs {
			if other, twice := seen[run.ExternalID]; twice {
				wrong = append(wrong, fmt.Sprintf("runs %d and %d of %s are both %s", other, run.ID, r.name, run.ExternalID))
			}
			seen[run.ExternalID] = run.ID
		}
	}
	for key, report := range f.newestReports() {
		r := f.repoByID(report.Report.Subject.RepositoryID)
		if r == nil || r.installation == 0 || report.Report.Subject.Commit == "" || report.Report.Subject.Kind == checks.KindDeployment {
			continue
		}
		s, ok := f.shown[key]
		visible := newestRun(r.runs, key)
		switch {
		case !ok || visible == nil:
			wrong = append(wrong, fmt.Sprintf("nothing is shown of %s", key))
		case s.Begun:
			wrong = append(wrong, fmt.Sprintf("what is shown of %s is not known", key))
		case s.Generation != f.newest[key]:
			wrong = append(wrong, fmt.Sprintf("generation %d of %s is shown, the newest is %d", s.Generation, key, f.newest[key]))
		case visible.ID != s.RemoteID || visible.ExternalID != s.Run || visible.HeadSHA != s.Head:
			wrong = append(wrong, fmt.Sprintf("run %d (%s) of %s is visible, run %d (%s) is what the store knows", visible.ID, visible.ExternalID, key, s.RemoteID, s.Run))
		case s.Mark == "" && s.Done && shows(*visible) != report.LedgerIndex:
			wrong = append(wrong, fmt.Sprintf("run %d of %s shows entry %d, the newest is %d", visible.ID, key, shows(*visible), report.LedgerIndex))
		}
	}
	return wrong
}

// newestRun returns the newest run of a Subject, which is the one that counts on GitHub; nil when
// there is none.
func newestRun(runs []githubtest.CheckRun, key string) *githubtest.CheckRun {
	for i := len(runs) - 1; i >= 0; i-- {
		if strings.HasPrefix(runs[i].ExternalID, key+":") {
			return &runs[i]
		}
	}
	return nil
}

var entryForm = regexp.MustCompile(`<summary>Ledger entry (\d+)</summary>\n\n` + "```text\n([^`]+)```")

// shows returns the index of the entry that a run names, -1 when it names none.
func shows(run githubtest.CheckRun) int64 {
	m := entryForm.FindStringSubmatch(run.Output.Text)
	if m == nil {
		return -1
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// published is I9: each completed run that shows a verdict is made from the bytes of the entry it
// names, and carries that entry's checkpoint.
func published(_ World, f *facts) []string {
	var wrong []string
	for _, r := range f.repos {
		for _, run := range r.runs {
			index := shows(run)
			if index < 0 {
				continue
			}
			report := f.report(index)
			if report == nil || !strings.HasPrefix(run.ExternalID, report.Key+":") {
				wrong = append(wrong, fmt.Sprintf("run %d (%s) shows entry %d, which is of something else", run.ID, run.ExternalID, index))
				continue
			}
			if what := differs(run, report, f); what != "" {
				wrong = append(wrong, fmt.Sprintf("run %d (%s): %s is not that of entry %d", run.ID, run.ExternalID, what, index))
			}
		}
	}
	return wrong
}

// differs says what of a run is not made from the report: "" when all is.
func differs(run githubtest.CheckRun, report *store.StoredReport, f *facts) string {
	signed := f.checkpoint(report.LedgerIndex + 1)
	if signed == "" || !strings.Contains(run.Output.Text, strings.TrimRight(signed, "\n")) {
		return "the checkpoint"
	}
	want := output.ForCheck(report.Report, output.Options{DetailsURL: run.DetailsURL, LedgerIndex: report.LedgerIndex, Checkpoint: signed})
	held := strings.HasPrefix(run.Output.Title, "Fails for #") && run.Conclusion == "failure"
	cancelled := run.Conclusion == "cancelled" // it gave way to a newer run before it was complete
	switch {
	case cancelled:
		return ""
	case run.Output.Text != want.Text:
		return "the text"
	case held:
		return ""
	case run.Conclusion != want.Conclusion:
		return "the conclusion"
	case run.Output.Title != want.Title:
		return "the title"
	case run.Output.Summary != want.Summary && f.gates[report.Key] != "refused":
		return "the summary"
	case len(run.Annotations) != len(want.Annotations):
		return fmt.Sprintf("the number of annotations (%d, not %d)", len(run.Annotations), len(want.Annotations))
	}
	return ""
}

// success is I5.
func success(w World, f *facts) []string {
	var wrong []string
	for _, r := range f.repos {
		for _, run := range r.runs {
			if run.Status != "completed" || run.Conclusion != "success" {
				continue
			}
			report := f.report(shows(run))
			if report == nil {
				wrong = append(wrong, fmt.Sprintf("run %d (%s) is a success without an entry", run.ID, run.ExternalID))
				continue
			}
			if why := unfounded(w, r, run, report.Report); why != "" {
				wrong = append(wrong, fmt.Sprintf("run %d (%s) is a success, but %s", run.ID, run.ExternalID, why))
			}
		}
	}
	return wrong
}

// unfounded says why a report does not carry a success, "" when it does.
func unfounded(w World, r repoFacts, run githubtest.CheckRun, report checks.Report) string {
	switch {
	case report.Verdict != checks.Pass:
		return "the verdict is " + report.Verdict.String()
	case report.Subject.Commit != run.HeadSHA || report.Subject.RepositoryID != r.id:
		return "the report is on " + report.Subject.Repository + " at " + report.Subject.Commit
	}
	asked := map[string]bool{}
	for _, e := range report.Evidence {
		asked[e.Scanner] = true
		if !e.Complete {
			return "the evidence of " + e.Scanner + " is not complete"
		}
		if e.DataTime != nil && w.MaxAge > 0 && report.Time.Sub(*e.DataTime) > w.MaxAge {
			return "the data of " + e.Scanner + " are of " + e.DataTime.String()
		}
	}
	for _, name := range w.Scanners {
		if report.Subject.Kind == checks.KindPullRequest && report.Coverage.Manifests > 0 && !asked[name] {
			return "there is no evidence of " + name
		}
	}
	return otherPolicy(r, report)
}

// otherPolicy says why the policy of a report is not that of the base, "" when it is.
func otherPolicy(r repoFacts, report checks.Report) string {
	base := defaultBranch
	for _, p := range r.pulls {
		if report.Subject.Kind == checks.KindPullRequest && p.Number == report.Subject.Number {
			base = p.Base
		}
	}
	name, commit, ok := strings.Cut(report.Policy.Source, "@")
	if !ok || name != policyPath {
		if report.Policy.Digest != checks.DefaultPolicy().Digest {
			return "the policy is from " + report.Policy.Source
		}
		return ""
	}
	if !r.repo.OnBranch(base, commit) {
		return "the policy is from " + commit + ", which is not on " + base
	}
	text, _ := r.repo.FileAt(commit, policyPath)
	p, err := checks.ParsePolicy([]byte(text), report.Policy.Source)
	if err != nil || p.Digest != report.Policy.Digest {
		return "the policy is not the one at " + commit
	}
	return ""
}

// asWanted is I17.
func asWanted(w World, f *facts) []string {
	var wrong []string
	conclusions := map[string]string{}
	for _, r := range f.repos {
		for _, run := range r.runs {
			conclusions[Named(run.Name, run.HeadSHA)] = run.Conclusion
		}
	}
	for check, want := range w.Want {
		if got := conclusions[check]; got != want {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %q", check, got, want))
		}
	}
	slices.Sort(wrong)
	return wrong
}
