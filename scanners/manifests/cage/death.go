package cage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// The remedies. A person can do something about a file, not about a reader.
const (
	splitIt  = "; split the project, or remove the file from the repository"
	againIt  = "; run the check again"
	reportIt = "; remove the file from the repository, and please report it to Landwaiter's maintainers"
)

// causeOfDeath says in words why a child that was waited for has ended, and what to do. It
// shows nothing that a file or a child says.
func causeOfDeath(child *process, why cause, c Config) string {
	switch why {
	case causeAnswer:
		return "its reader gave no valid answer" + reportIt
	case causeFile:
		return fmt.Sprintf("it took more than %v", round(c.file)) + splitIt
	case causeWall:
		return fmt.Sprintf("the manifests of the change took more than %v", round(c.wall)) + splitIt
	case causeContext:
		return "it was not read in time" + againIt
	case causeClosed:
		return "the service is stopping" + againIt
	}
	printed := child.stderr.String()
	switch {
	case child.state.ExitCode() == exitProcessor || endedByProcessor(child.state):
		return fmt.Sprintf("it took more than %d s of processor time", maxProcessor) + splitIt
	case containsAny(printed, "out of memory", "cannot allocate memory", "stack exceeds",
		"pthread_create failed: Resource temporarily unavailable", "failed to create new OS thread"): // no room for its stack
		return fmt.Sprintf("it needed more than %d MiB of memory", maxMemory>>20) + splitIt
	case !child.state.Exited():
		return "the system ended its reader, perhaps for lack of memory" + againIt
	case containsAny(printed, "panic:", "fatal error:"):
		return "its reader stopped" + reportIt
	}
	return "its reader gave no valid answer" + againIt
}

func containsAny(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}

// whyNot says why there is no child to read with.
func whyNot(err error) string {
	switch {
	case errors.Is(err, errClosed):
		return "the service is stopping"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "there was no time left"
	}
	return "the process that reads manifests could not be started"
}

// round drops what nobody wants to read.
func round(d time.Duration) time.Duration { return d.Round(min(d, time.Second)) }

func sortByPath(list []inventory.Manifest) {
	slices.SortFunc(list, func(a, b inventory.Manifest) int { return cmp.Compare(a.Path, b.Path) })
}
