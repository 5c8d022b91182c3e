package output

import (
	"cmp"
	"fmt"
	"strings"
)

// stateRow is what GitHub shows for one State; title and text take from the Detail what they need.
type stateRow struct {
	status, conclusion string
	title              func(Detail) string
	text               func(Detail) string
}

// states is the table of GITHUB.md sections 5 and 7.
var states = map[State]stateRow{
	StateQueued: {"queued", "", fixed("Queued"), fixed("Waiting for a free worker.")},
	StateWorking: {"in_progress", "", func(d Detail) string {
		if d.Name == CheckRelease {
			return "Verifying " + plural(d.Want, "asset")
		}
		return "Comparing dependencies"
	}, fixed("The verdict appears here.")},
	StateWaiting: {"in_progress", "", func(d Detail) string { return fmt.Sprintf("Waiting for assets (%d of %d)", d.Have, d.Want) }, waitingText},
	StateDraft:   {"completed", "skipped", fixed("Draft pull request"), fixed("The policy skips drafts (`pull_request.draft_prs: skip`). It is checked when it is ready for review.")},
	StateSuperseded: {"completed", "cancelled", func(d Detail) string { return "Superseded by " + short(d.Commit) },
		func(d Detail) string {
			return "A newer push is checked instead: " + Escape(short(d.Commit)) + "."
		}},
	StateTimedOut: {"completed", "timed_out", func(d Detail) string {
		if d.Retry {
			return "Timed out, retry scheduled"
		}
		return "Timed out"
	}, func(d Detail) string {
		if d.Retry {
			return "No verdict within the deadline. It is tried again by itself."
		}
		return "No verdict within the deadline. Press Re-check to try again; " + referenceText(d)
	}},
	StatePermission: {"completed", "action_required", func(d Detail) string {
		return fmt.Sprintf("Landwaiter needs %q", Plain(d.Permission, 40))
	}, func(d Detail) string {
		return "The permission " + Escape(d.Permission) + " is missing, so this cannot be judged. An owner of the organisation grants it in the settings of the installed App; then press Re-check."
	}},
	StateFailed: {"completed", "failure", func(d Detail) string { return "Landwaiter failed, ref " + Plain(d.Reference, 20) },
		func(d Detail) string {
			return "The fault is ours, not this change's. Press Re-check to try again; " + referenceText(d)
		}},
	StateDeleted: {"completed", "cancelled", fixed("Gone"), fixed("What was to be judged does not exist any more.")},
}

func fixed(s string) func(Detail) string { return func(Detail) string { return s } }

func short(commit string) string { return cutBytes(Plain(commit, 64), 7) }

func referenceText(d Detail) string {
	return "the operator finds the cause under " + Escape(cmp.Or(d.Reference, "the name of this repository")) + " in the log."
}

func waitingText(d Detail) string {
	if len(d.Missing) == 0 {
		return "Uploads are not finished. The verdict follows when the assets stay unchanged for a while."
	}
	names := make([]string, 0, len(d.Missing))
	for _, m := range d.Missing[:min(len(d.Missing), maxRows)] {
		names = append(names, Escape(m))
	}
	return "Still missing: " + strings.Join(names, ", ") + ". The verdict follows when all are there and stay unchanged for a while."
}

// ForState returns the check run that shows s. When the policy observes, failure, timed_out
// and action_required become neutral, because nothing of ours may then hold anybody up.
func ForState(s State, d Detail) CheckRun {
	row, ok := states[s]
	if !ok {
		row = states[StateFailed]
	}
	run := CheckRun{Name: d.Name, Status: row.status, Conclusion: row.conclusion, Title: cut(row.title(d), maxTitle)}
	if d.Observe && (run.Conclusion == "failure" || run.Conclusion == "timed_out" || run.Conclusion == "action_required") {
		run.Conclusion = "neutral"
		run.Title = cut(row.title(d), maxTitle-len(notEnforced)) + notEnforced
	}
	text := row.text(d)
	if d.Message != "" {
		text += "\n\n" + Prose(d.Message)
	}
	if url := safeURL(d.DetailsURL); url != "" {
		text += "\n\n[Explain this result](" + url + ")"
	}
	run.Summary = Truncate(text+"\n", MaxBody, "**Cut here, because GitHub shows no more.**")
	return run
}
