package workflows

import (
	"fmt"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// power is what the token of a job may do.
type power uint8

const (
	powerUnsaid power = iota // no permissions are written: the repository's setting decides
	powerRead
	powerWrite
)

// powerOf reads `permissions:`, of the job or else of the workflow.
func (w *workflow) powerOf(j *job) power {
	n := j.node.Get("permissions")
	if n.Kind() == syntax.Absent {
		n = w.permissions
	}
	switch n.Kind() {
	case syntax.Absent:
		return powerUnsaid
	case syntax.Text:
		if n.Text() == "write-all" {
			return powerWrite
		}
	case syntax.Table:
		for scope := range n.All() {
			if scope.Text() == "write" {
				return powerWrite
			}
		}
	}
	return powerRead
}

// writeAll tells of `permissions: write-all`. A workflow without permissions is not told of: what
// its token may do is a setting of the repository, which the file does not show, and since
// February 2023 the default of new ones is to read
// (https://github.blog/changelog/2023-02-02-github-actions-updating-the-default-github_token-permissions-to-read-only/).
func (a *analysis) writeAll() {
	own := 0
	for _, j := range a.w.order {
		n := j.node.Get("permissions")
		if n.Kind() != syntax.Absent {
			own++
		}
		a.writeAllAt(n, j.label, "this job", inventory.SeverityMedium)
	}
	severity := inventory.SeverityMedium
	if own > 0 && own == len(a.w.order) {
		severity = inventory.SeverityLow // each job has its own: it counts for jobs to come
	}
	a.writeAllAt(a.w.permissions, "workflow", "each job without permissions of its own", severity)
}

func (a *analysis) writeAllAt(n syntax.Node, subject, who string, severity inventory.Severity) {
	if n.Kind() != syntax.Text || n.Text() != "write-all" {
		return
	}
	a.add(inventory.Observation{
		Rule: inventory.RuleWriteAll, Severity: severity, Line: n.Line(), Subject: subject,
		Message: fmt.Sprintf("permissions: write-all gives %s a token that may change everything in the repository: code that slips in through a dependency or an action can push commits, publish releases and approve pull requests", who),
		Remedy:  "permissions:\n  contents: read # and of each further scope only what the steps use",
	})
}
