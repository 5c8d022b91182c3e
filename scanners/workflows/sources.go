package workflows

import (
	"slices"
	"strings"
)

// source is a value that somebody else chooses.
type source struct {
	path string // "github.event.issue.title", "inputs.name"; of toJSON the whole: "github.event"
	part string // the part of the event that it comes from: "issue"; "" for an input
	// via is the name that it goes by where it is used, when that is another: "env.TITLE".
	via      string
	variable string // of an environment variable its name, as written
	input    *input // nil for what strangers write
}

// hunt is a kind of source that a rule looks for.
type hunt struct {
	paths []sourcePath
	// outputs are those of known actions, "owner/name" in lower case to output names in lower case.
	outputs map[string]sourceOutputs
	// marks are texts in a script that tell that what it outputs is of this kind.
	marks  []string
	inputs bool // inputs are of this kind too
}

// sourcePath is one path of the github context. An element "*" is any.
type sourcePath struct {
	part string
	path []string
}

type sourceOutputs struct {
	part  string
	names []string
}

func paths(part string, dotted ...string) []sourcePath {
	all := make([]sourcePath, 0, len(dotted))
	for _, d := range dotted {
		all = append(all, sourcePath{part, strings.Split(d, ".")})
	}
	return all
}

// words are texts that strangers write.
//
// Sources: https://docs.github.com/actions/concepts/security/script-injections names the kinds;
// the fields are those of https://docs.github.com/webhooks/webhook-events-and-payloads that hold
// free text or a branch name. Logins, numbers and commits are left out: their alphabet is safe.
var words = hunt{
	paths: slices.Concat(
		paths("issue", "github.event.issue.title", "github.event.issue.body"),
		paths("pull_request",
			"github.event.pull_request.title", "github.event.pull_request.body",
			"github.event.pull_request.head.ref", "github.event.pull_request.head.label",
			"github.event.pull_request.head.repo.default_branch", "github.event.pull_request.head.repo.description",
			"github.event.pull_request.head.repo.homepage", "github.head_ref"),
		paths("comment", "github.event.comment.body"),
		paths("review", "github.event.review.body"),
		paths("review_comment", "github.event.review_comment.body"),
		paths("discussion", "github.event.discussion.title", "github.event.discussion.body"),
		paths("changes", "github.event.changes.title.from", "github.event.changes.body.from"),
		paths("pages", "github.event.pages.*.page_name", "github.event.pages.*.title", "github.event.pages.*.summary"),
		paths("commits",
			"github.event.commits.*.message", "github.event.commits.*.author.email", "github.event.commits.*.author.name",
			"github.event.commits.*.committer.email", "github.event.commits.*.committer.name"),
		paths("head_commit",
			"github.event.head_commit.message", "github.event.head_commit.author.email", "github.event.head_commit.author.name",
			"github.event.head_commit.committer.email", "github.event.head_commit.committer.name"),
		paths("workflow_run",
			"github.event.workflow_run.head_branch", "github.event.workflow_run.display_title",
			"github.event.workflow_run.head_commit.message",
			"github.event.workflow_run.head_commit.author.email", "github.event.workflow_run.head_commit.author.name",
			"github.event.workflow_run.head_commit.committer.email", "github.event.workflow_run.head_commit.committer.name",
			"github.event.workflow_run.pull_requests.*.head.ref", "github.event.workflow_run.head_repository.description"),
		paths("client_payload", "github.event.client_payload.*", "github.event.client_payload.*.*", "github.event.client_payload.*.*.*"),
	),
	outputs: map[string]sourceOutputs{
		"xt0rted/pull-request-comment-branch":   {"issue", []string{"head_ref"}},
		"alessbell/pull-request-comment-branch": {"issue", []string{"head_ref"}},
		"gotson/pull-request-comment-branch":    {"issue", []string{"head_ref"}},
		"eficode/resolve-pr-refs":               {"issue", []string{"head_ref"}},
		"potiuk/get-workflow-origin":            {"workflow_run", []string{"sourceheadbranch"}},
		"peter-evans/find-comment":              {"comment", []string{"comment-body"}},
		"jitterbit/get-changed-files":           {"pull_request", []string{"all", "added", "modified", "removed", "renamed", "added_modified", "deleted"}},
		"ana06/get-changed-files":               {"pull_request", []string{"all", "added", "modified", "removed", "renamed", "added_modified", "added_modified_renamed", "deleted"}},
		"trilom/file-changes-action":            {"pull_request", []string{"files", "files_added", "files_modified", "files_removed"}},
	},
	inputs: true,
}

// heads are names for the code of a stranger's pull request.
var heads = hunt{
	paths: slices.Concat(
		paths("pull_request",
			"github.event.pull_request.head.sha", "github.event.pull_request.head.ref", "github.event.pull_request.head.label",
			"github.event.pull_request.merge_commit_sha", "github.head_ref",
			"github.event.pull_request.head.repo.full_name", "github.event.pull_request.head.repo.clone_url",
			"github.event.pull_request.head.repo.git_url", "github.event.pull_request.head.repo.ssh_url",
			"github.event.pull_request.head.repo.html_url", "github.event.pull_request.head.user.login",
			"github.event.pull_request.head.repo.owner.login"),
		paths("workflow_run",
			"github.event.workflow_run.head_sha", "github.event.workflow_run.head_branch", "github.event.workflow_run.head_commit.id",
			"github.event.workflow_run.head_repository.full_name", "github.event.workflow_run.head_repository.clone_url",
			"github.event.workflow_run.head_repository.owner.login", "github.event.workflow_run.head_repository.html_url",
			"github.event.workflow_run.pull_requests.*.head.sha", "github.event.workflow_run.pull_requests.*.head.ref"),
	),
	outputs: map[string]sourceOutputs{
		"xt0rted/pull-request-comment-branch":   {"issue", []string{"head_ref", "head_sha"}},
		"alessbell/pull-request-comment-branch": {"issue", []string{"head_ref", "head_sha"}},
		"gotson/pull-request-comment-branch":    {"issue", []string{"head_ref", "head_sha"}},
		"eficode/resolve-pr-refs":               {"issue", []string{"head_ref", "head_sha"}},
		"potiuk/get-workflow-origin":            {"workflow_run", []string{"sourceheadbranch", "sourceheadsha", "sourceheadrepo", "mergecommitsha"}},
	},
	marks: []string{".head.sha", ".head.ref", "headRefOid", "headRefName"},
}

// numbers are names for the number of a stranger's pull request, which under refs/pull/ names
// its code.
var numbers = hunt{
	paths: slices.Concat(
		paths("pull_request", "github.event.number", "github.event.pull_request.number"),
		paths("issue", "github.event.issue.number"),
		paths("workflow_run", "github.event.workflow_run.pull_requests.*.number"),
	),
}

// matches reports whether a path is p, or, when whole values count, holds it.
func (p sourcePath) matches(path []string, whole bool) bool {
	if len(path) != len(p.path) && !(whole && len(path) < len(p.path)) {
		return false
	}
	for i, name := range path {
		if name != p.path[i] && name != "*" && p.path[i] != "*" {
			return false
		}
	}
	return true
}

// supplied reports whether an event carries a part. The event of a caller may carry any.
func supplied(part, event string) bool {
	switch {
	case event == "":
		return part != "client_payload"
	case part == "pull_request" && event == "workflow_run":
		return false
	}
	return slices.Contains(partEvents[part], event)
}

// sceneOf is what the stranger who chose a source has written.
func (s source) sceneOf(event string) scene {
	c := scene{event: event}
	switch s.part {
	case "":
	case "pull_request", "issue":
		c.authored = []string{s.part}
		if event == "issue_comment" { // a pull request is an issue there
			c.authored = []string{"pull_request", "issue"}
		}
	default:
		c.authored = []string{s.part}
	}
	return c
}
