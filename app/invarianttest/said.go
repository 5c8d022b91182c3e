package invarianttest

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
)

// oneIssue is I6.
func oneIssue(_ World, f *facts) []string {
	var wrong []string
	for _, r := range f.repos {
		open := map[string]int{}
		for _, issue := range r.issues {
			mark, ok := output.ParseMarker(issue.Body)
			if !ok || issue.State != "open" || !strings.HasSuffix(issue.Author, "[bot]") {
				continue
			}
			if first, twice := open[mark.Key]; twice {
				wrong = append(wrong, fmt.Sprintf("issues %d and %d of %s are both on %s", first, issue.Number, r.name, mark.Key))
			}
			open[mark.Key] = issue.Number
		}
	}
	return wrong
}

// ownToken is I11.
func ownToken(_ World, f *facts) []string {
	var wrong []string
	for _, c := range f.calls {
		if c.Foreign {
			wrong = append(wrong, fmt.Sprintf("%s %s with a token of installation %d", c.Method, c.Path, c.InstallationID))
		}
	}
	return wrong
}

// fair is I12: of two lanes with work, each gets a turn. Between the first and the last judgment
// of the few, no more of the many are judged than of the few, and the slack.
func fair(w World, f *facts) []string {
	var wrong []string
	for _, flood := range w.Floods {
		few, many := 0, 0
		judged := map[string]bool{} // a subject that is judged again, as the sweep may ask, waited once
		for _, r := range f.reports {
			if judged[r.Key] {
				continue
			}
			judged[r.Key] = true
			repo := f.repoByID(r.Report.Subject.RepositoryID)
			switch {
			case repo == nil:
			case repo.installation == flood.FewInstallation:
				few++
				if many > few+flood.Slack {
					wrong = append(wrong, fmt.Sprintf("%d judgments of installation %d came before number %d of installation %d", many, flood.ManyInstallation, few, flood.FewInstallation))
				}
			case repo.installation == flood.ManyInstallation:
				many++
			}
		}
	}
	return wrong
}

// The limits of GitHub (GITHUB.md section 2). A lane has 16 calls under way, which a limit finds.
const (
	maxOutput   = 65535 // bytes
	maxIssue    = 65536 // characters
	maxUnderWay = 16
)

// limits is I13.
func limits(w World, f *facts) []string {
	wrong := append([]string(nil), f.violations...)
	for _, r := range f.repos {
		for _, run := range r.runs {
			if len(run.Output.Summary) > maxOutput || len(run.Output.Text) > maxOutput {
				wrong = append(wrong, fmt.Sprintf("run %d of %s is larger than %d bytes", run.ID, r.name, maxOutput))
			}
		}
		for _, issue := range r.issues {
			if utf8.RuneCountInString(issue.Body) > maxIssue {
				wrong = append(wrong, fmt.Sprintf("issue %d of %s is longer than %d characters", issue.Number, r.name, maxIssue))
			}
		}
	}
	return append(wrong, afterLimit(w, f.calls)...)
}

// afterLimit lists the installations that went on asking after they were told to wait. The times of
// answers are whole seconds, so the first and the last second do not count.
func afterLimit(w World, calls []githubtest.Call) []string {
	var wrong []string
	for i, limited := range calls {
		if !limited.Limited || limited.Until.IsZero() {
			continue
		}
		n := 0
		for _, c := range calls[i+1:] {
			if c.InstallationID == limited.InstallationID && c.Began.After(limited.Time.Add(time.Second)) && c.Began.Before(limited.Until.Add(-time.Second)) {
				n++
			}
		}
		if n > w.Restarts*maxUnderWay {
			wrong = append(wrong, fmt.Sprintf("%d calls of installation %d while it had to wait until %s", n, limited.InstallationID, limited.Until.Format(time.RFC3339)))
		}
	}
	return wrong
}

// noCanary is I15.
func noCanary(w World, f *facts) []string {
	var wrong []string
	look := func(where, text string) {
		for i, canary := range w.Canaries {
			if canary != "" && strings.Contains(text, canary) {
				// The canary itself is not shown: it may be a real secret.
				wrong = append(wrong, fmt.Sprintf("canary %d is in %s", i, where))
			}
		}
	}
	for i, text := range w.Texts {
		look(fmt.Sprintf("text %d", i), text)
	}
	for _, r := range f.repos {
		for _, run := range r.runs {
			look(fmt.Sprintf("run %d of %s", run.ID, r.name), run.Output.Title+run.Output.Summary+run.Output.Text+run.DetailsURL)
		}
		for _, issue := range r.issues {
			text := issue.Title + issue.Body
			for _, c := range issue.Comments {
				text += c.Body
			}
			look(fmt.Sprintf("issue %d of %s", issue.Number, r.name), text)
		}
	}
	for _, report := range f.reports {
		look("the report on "+report.Key, string(report.JSON))
	}
	return wrong
}

// approvals is I18.
func approvals(_ World, f *facts) []string {
	passed := map[string]bool{}
	for _, r := range f.reports {
		if r.Report.Verdict == checks.Pass && r.Report.Subject.Kind == checks.KindDeployment {
			passed[fmt.Sprint(r.Report.Subject.RepositoryID, " ", r.Report.Subject.Commit)] = true
		}
	}
	var wrong []string
	for _, r := range f.repos {
		for _, d := range r.deployments {
			approved := 0
			for _, said := range d.reports {
				if said.State != "approved" {
					continue
				}
				approved++
				if !passed[fmt.Sprint(r.id, " ", d.sha)] {
					wrong = append(wrong, fmt.Sprintf("deployment %d of %s at %s was approved without a Pass", d.id, r.name, d.sha))
				}
			}
			if approved > 1 {
				wrong = append(wrong, fmt.Sprintf("deployment %d of %s was approved %d times", d.id, r.name, approved))
			}
		}
	}
	return wrong
}
