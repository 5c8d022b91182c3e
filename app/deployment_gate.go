package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
	"github.com/landwaiter/landwaiter/store"
)

// surfaceDeployment is the answer to a deployment that waits for our rule. Its
// Publication.State is a ruling in JSON, Publication.RemoteID the run.
const surfaceDeployment = "deployment"

// markReceived is the mark of a publish job that says that a deployment was received.
const markReceived = "received"

// ruling is what GitHub was told about a deployment.
type ruling struct {
	Attempt int    `json:"attempt,omitempty"` // at the run
	State   string `json:"state,omitempty"`   // one of the answer constants; "" when there is none
	// Received is the deployment that was said to be received; 1 when it has no number.
	Received int64 `json:"received,omitempty"`
}

// The states of an answer. One that ends in "ing" says that a request was about to be sent
// whose outcome is not known.
const (
	answerApproving = "approving"
	answerRejecting = "rejecting"
	answerApproved  = "approved"
	answerRejected  = "rejected"
	answerElsewhere = "elsewhere" // it does not wait any more, and we did not end that
	answerRefused   = "refused"   // GitHub took no answer until the longest wait was over
)

// ended reports whether nothing is left to be said about the attempt.
func (w ruling) ended() bool {
	return w.State != "" && w.State != answerApproving && w.State != answerRejecting
}

// answerKnown returns what GitHub was told about a deployment; zero when it was nothing.
func (a *App) answerKnown(ctx context.Context, key string) (ruling, error) {
	var known ruling
	p, err := a.store.Publication(ctx, surfaceDeployment, key)
	if errors.Is(err, store.ErrNotFound) {
		return known, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(p.State), &known)
	}
	if err != nil {
		return known, fmt.Errorf("reading what was answered to %s: %w", key, err)
	}
	return known, nil
}

func (a *App) saveAnswer(ctx context.Context, s subjectArgs, generation int64, w ruling) error {
	p := store.Publication{Surface: surfaceDeployment, Key: s.key(), Generation: generation, RemoteID: s.RunID, State: string(encode(w))}
	if err := a.store.SavePublication(ctx, p); err != nil {
		return fmt.Errorf("keeping what is answered to %s: %w", s.key(), err)
	}
	if w.ended() {
		since, err := a.awaited(ctx, s, w.Attempt)
		if err != nil {
			return err
		}
		a.metrics.decided("deployment", w.State, a.now().Sub(since))
	}
	return nil
}

// review is the body of a report on a deployment. Without a state it is a comment alone.
type review struct {
	Environment string `json:"environment_name"`
	State       string `json:"state,omitempty"`
	Comment     string `json:"comment"`
}

// review sends w to the address that the run of s has at our API.
func (c *installation) review(ctx context.Context, s subjectArgs, w review) error {
	_, err := c.ask(ctx, http.MethodPost, fmt.Sprintf("%s/actions/runs/%d/deployment_protection_rule", c.path(), s.RunID), w, nil)
	return err
}

// publishDeploymentState shows what is no verdict: that a deployment was received, or that
// there will be no verdict, which rejects it.
func (a *App) publishDeploymentState(ctx context.Context, j store.Job, args publishArgs) error {
	c := a.installation(args.Subject.Repo, toGateDeployments)
	if args.Shown != nil {
		w := answering{
			App: a, c: c, args: args, generation: j.Generation, next: ruling{State: answerRejecting}, comment: output.DeploymentFailed(*args.Shown),
		}
		return w.send(ctx)
	}
	return a.receipt(ctx, c, args.Subject, j.Generation)
}

// receipt says once that a deployment was received. It is kept before it is sent and never
// sent again: a lost one is missed by nobody, because the answer follows.
func (a *App) receipt(ctx context.Context, c *installation, s subjectArgs, generation int64) error {
	known, err := a.answerKnown(ctx, s.key())
	number := max(s.DeploymentID, 1)
	if err != nil || known.Received == number {
		return err
	}
	known.Received = number
	if err := a.saveAnswer(ctx, s, generation, known); err != nil {
		return err
	}
	err = c.review(ctx, s, review{Environment: s.Environment, Comment: output.DeploymentReceived})
	if denied(err) {
		a.log.WarnContext(ctx, "receipt of a deployment not taken", "repo", c.Repo.String(), "run", s.RunID, "error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("saying that run %d of %s was received: %w", s.RunID, c.Repo, err)
	}
	return nil
}

// publishDeployment answers with the verdict r. What is approved is looked at once more right
// before: a verdict withdrawn meanwhile approves nothing (THREATS G36).
func (a *App) publishDeployment(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) error {
	state, comment := output.ForDeployment(r.Report, output.Options{LedgerIndex: r.LedgerIndex})
	next := ruling{Attempt: r.Report.Subject.RunAttempt, State: answerRejecting}
	if state == output.DeploymentApproved {
		next.State = answerApproving
		holds, err := a.stillPasses(ctx, c, s, r)
		if err != nil || !holds {
			return err
		}
	}
	w := answering{App: a, c: c, args: publishArgs{Subject: s}, generation: r.Generation, next: next, comment: comment}
	return w.send(ctx)
}

// stillPasses reports whether all that the Pass r rests on is as it was: the run, the policy,
// and each release with its verdict. When not, it asks for another judgment.
func (a *App) stillPasses(ctx context.Context, c *installation, s subjectArgs, r store.StoredReport) (bool, error) {
	subject := r.Report.Subject
	run, err := c.deployRun(ctx, s)
	if errors.Is(err, errRunOver) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	t, err := a.trunk(ctx, c)
	if err != nil {
		return false, err
	}
	same := run.HeadSHA == subject.Commit && run.Attempt == subject.RunAttempt && t.Policy.Digest == r.Report.Policy.Digest
	rule := t.Policy.Environments[s.Environment]
	if same && len(rule.Require) > 0 {
		same, err = a.releasesHold(ctx, c, run.HeadSHA)
		if err != nil {
			return false, err
		}
	}
	if same {
		return true, nil
	}
	return false, a.judgeAgain(ctx, s, "what the deployment rests on changed")
}

// releasesHold reports whether the releases at a commit pass, and are on GitHub what was judged.
func (a *App) releasesHold(ctx context.Context, c *installation, sha string) (bool, error) {
	standing, err := a.releasesAt(ctx, c, sha)
	if err != nil || len(standing) == 0 {
		return false, err
	}
	for _, at := range standing {
		if at.Verdict != checks.Pass || at.Pending {
			return false, nil
		}
		release := subjectArgs{Repo: c.Repo, Kind: checks.KindRelease, ReleaseID: at.ID}
		if same, err := a.unchanged(ctx, release, at.report); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}
