package output

import (
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// What a deployment protection rule answers (docs.github.com, "Review custom deployment
// protection rules for a workflow run").
const (
	DeploymentApproved = "approved"
	DeploymentRejected = "rejected"
)

// maxDeploymentText bounds the comment of an answer, in bytes. GitHub takes 1,024 characters.
const maxDeploymentText = 1000

// DeploymentReceived is the comment that says that a deployment is being looked at.
const DeploymentReceived = "Landwaiter looks at this deployment and answers when the verdict stands in its ledger."

// ForDeployment returns the answer to a waiting deployment: approved for a Pass and nothing
// else (THREATS I18), with the reasons as a comment.
func ForDeployment(r checks.Report, o Options) (state, comment string) {
	var b strings.Builder
	state = DeploymentRejected
	if r.Verdict == checks.Pass {
		state = DeploymentApproved
	}
	fmt.Fprintf(&b, "**Landwaiter: %s** for %s at commit %s (policy %s, ledger entry %d)\n", state,
		Escape(r.Subject.Environment), Escape(short(r.Subject.Commit)), Escape(policyName(r.Policy.Source)), o.LedgerIndex)
	for i, reason := range r.Reasons {
		if i == maxReasons {
			fmt.Fprintf(&b, "- and %d more\n", len(r.Reasons)-maxReasons)
			break
		}
		fmt.Fprintf(&b, "- %s\n", Prose(reason.Message))
	}
	return state, Truncate(b.String(), maxDeploymentText, "and more")
}

// DeploymentFailed is the comment of a rejection without a verdict: the state of a check run
// says why there is none.
func DeploymentFailed(run CheckRun) string {
	return Truncate("**Landwaiter: rejected, because there is no verdict.** "+Prose(run.Title)+"\n"+run.Summary, maxDeploymentText, "and more")
}
