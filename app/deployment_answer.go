package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/landwaiter/landwaiter/checks/output"
)

// answering is an answer to a deployment on its way.
type answering struct {
	*App
	c          *installation
	args       publishArgs // of the job
	generation int64
	next       ruling // answerApproving or answerRejecting
	comment    string
}

// send tells GitHub the answer, once for each attempt at the run.
//
// The intention is kept before. GitHub may refuse an answer that comes too early, and refuses
// one that it has already: whether the deployment still waits tells them apart. It is tried
// until the longest wait is over, and then rejected.
func (w answering) send(ctx context.Context) error {
	s := w.args.Subject
	if _, err := w.c.facts(ctx); err != nil { // a write does not follow a renamed repository
		return err
	}
	run, err := w.c.deployRun(ctx, s)
	if errors.Is(err, errRunOver) {
		return nil
	}
	if err != nil {
		return err
	}
	known, err := w.answerKnown(ctx, s.key())
	switch {
	case err != nil:
		return err
	case known.Attempt == run.Attempt && known.ended():
		return nil
	case w.next.Attempt == 0:
		w.next.Attempt = run.Attempt
	case w.next.Attempt != run.Attempt:
		return w.judgeAgain(ctx, s, "the run was started again")
	}
	w.next.Received = known.Received
	here, err := w.c.waits(ctx, s.RunID, s.Environment)
	if err != nil {
		return err
	}
	if !here {
		return w.notWaiting(ctx, known)
	}
	if err := w.keep(ctx, w.next.State); err != nil {
		return err
	}
	switch err := w.say(ctx, w.comment); {
	case denied(err):
		return w.later(ctx, err)
	case err != nil:
		return err
	}
	return w.keep(ctx, outcome(w.next.State))
}

// outcome is the state that an answer leads to.
func outcome(state string) string {
	if state == answerApproving {
		return answerApproved
	}
	return answerRejected
}

// say sends the answer to the address that the run has at our API.
func (w answering) say(ctx context.Context, comment string) error {
	state := output.DeploymentRejected
	if w.next.State == answerApproving {
		state = output.DeploymentApproved
	}
	s := w.args.Subject
	if err := w.c.review(ctx, s, review{Environment: s.Environment, State: state, Comment: comment}); err != nil {
		return fmt.Errorf("answering run %d of %s: %w", s.RunID, w.c.Repo, err)
	}
	return nil
}

// keep stores how far the answer is.
func (w answering) keep(ctx context.Context, state string) error {
	w.next.State = state
	return w.saveAnswer(ctx, w.args.Subject, w.generation, w.next)
}

// notWaiting keeps how a deployment came to wait no more: by the answer of ours whose outcome
// was not known, or by somebody else.
func (w answering) notWaiting(ctx context.Context, known ruling) error {
	if known.Attempt == w.next.Attempt && known.State != "" {
		return w.keep(ctx, outcome(known.State))
	}
	return w.keep(ctx, answerElsewhere)
}

// usualWait is the longest wait where the policy has no rule for an environment.
const usualWait = 30 * time.Minute

// later asks for the answer to be sent again after a refusal. After the longest wait an approval
// that GitHub never took becomes a rejection, and a rejection ends in a log entry: the
// deployment then waits for an administrator.
func (w answering) later(ctx context.Context, refusal error) error {
	s, now := w.args.Subject, w.now()
	since, err := w.awaited(ctx, s, w.next.Attempt)
	if err != nil {
		return err
	}
	t, err := w.trunk(ctx, w.c)
	if err != nil {
		return err
	}
	longest := usualWait
	if rule, ok := t.Policy.Environments[s.Environment]; ok {
		longest = rule.MaxWait
	}
	if waited := now.Sub(since); waited < longest {
		again := w.publishJob(surfaceDeployment, w.args, "GitHub did not take the answer")
		again.Due = now.Add(min(max(waited/4, shortestWait), longestWait))
		if err := w.store.Enqueue(ctx, again); err != nil {
			return fmt.Errorf("asking to answer %s later: %w", s.key(), err)
		}
		return nil
	}
	w.log.ErrorContext(ctx, "deployment not answered", "repo", w.c.Repo.String(), "run", s.RunID, "answer", w.next.State, "error", refusal)
	if w.next.State == answerApproving {
		w.next.State = answerRejecting
		err := w.say(ctx, "**Landwaiter: rejected.** GitHub did not take the approval in time; run the deployment again.")
		if err == nil {
			return w.keep(ctx, answerRejected)
		}
		if !denied(err) {
			return err
		}
	}
	return w.keep(ctx, answerRefused)
}
