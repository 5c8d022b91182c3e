package app

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/landwaiter/landwaiter/store"
)

// handler turns a delivery into jobs. It does no I/O: payload in, jobs out. An error means
// that the payload cannot be understood; the route job is then buried and the delivery kept.
type handler func(a *App, d store.Delivery) ([]store.Job, error)

// event is one row of the table of events.
type event struct {
	name     string
	actions  []string // "" stands for an event without actions
	priority int      // of the route job, one of the priorities below
	handle   handler
	// needs are the permissions without which GitHub does not send the event, or which its
	// handling asks for.
	needs permissions
	// concerns reports whether a payload can lead to anything; nil: it can. What cannot is not
	// even stored.
	concerns func(p payload) bool
	// unasked marks events that every App gets; the manifest must not list them.
	unasked bool
}

// The priorities of jobs, most urgent first (GITHUB.md section 4, queue order).
const (
	priorityGate     = 10
	priorityGroup    = 20
	priorityPull     = 30
	priorityRelease  = 40
	priorityIssue    = 50
	priorityBackfill = 60
)

// events is the table of events. Anything else is answered 202 and dropped.
//
// To add one: write its handler in a file named after it, add a row, run
// `landwaiter manifest > app.yml`.
var events = []event{
	{
		name: "pull_request", priority: priorityPull, handle: (*App).onPullRequest,
		actions: []string{"opened", "synchronize", "reopened", "ready_for_review", "edited", "closed"},
		needs:   permissions{"pull_requests": "read", "contents": "read", "checks": "write"},
	},
	{
		name: "merge_group", priority: priorityGroup, handle: (*App).onMergeGroup,
		actions: []string{"checks_requested", "destroyed"},
		needs:   permissions{"merge_queues": "read", "contents": "read", "checks": "write"},
	},
	{
		name: "check_run", priority: priorityPull, handle: (*App).onCheckRun,
		actions: []string{"rerequested", "requested_action"},
		needs:   permissions{"checks": "write"},
	},
	{
		name: "check_suite", priority: priorityPull, handle: (*App).onCheckSuite,
		actions: []string{"rerequested"},
		needs:   permissions{"checks": "write"},
	},
	{
		name: "installation", priority: priorityGate, handle: (*App).onInstallation,
		actions: []string{"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"}, unasked: true,
	},
	{
		name: "installation_repositories", priority: priorityGate, handle: (*App).onInstallationRepositories,
		actions: []string{"added", "removed"}, unasked: true,
	},
	{
		name: "repository", priority: priorityGate, handle: (*App).onRepository,
		actions: []string{"renamed", "transferred", "archived", "unarchived", "privatized", "publicized", "deleted"},
		needs:   permissions{"metadata": "read"},
	},
	{
		name: "release", priority: priorityRelease, handle: (*App).onRelease,
		actions: []string{"published", "released", "prereleased", "edited", "created", "deleted", "unpublished"},
		needs:   permissions{"contents": "write", "attestations": "read", "actions": "read", "issues": "write", "checks": "write"},
	},
	{
		name: "push", priority: priorityRelease, handle: (*App).onPush,
		actions: []string{""}, concerns: payload.pushed,
		needs: permissions{"contents": "read", "pull_requests": "read", "checks": "write"},
	},
	{
		name: "issue_comment", priority: priorityIssue, handle: (*App).onComment,
		actions: []string{"created", "edited", "deleted"}, concerns: payload.commanded,
		needs: permissions{"issues": "write", "contents": "read"},
	},
	{
		name: "membership", priority: priorityGate, handle: (*App).onMemberRemoved,
		actions: []string{"removed"}, needs: permissions{"members": "read"},
	},
	{
		name: "organization", priority: priorityGate, handle: (*App).onMemberRemoved,
		actions: []string{"member_removed"}, needs: permissions{"members": "read"},
	},
	{
		name: "deployment_protection_rule", priority: priorityGate, handle: (*App).onDeployment,
		actions: []string{"requested"},
		needs:   toGateDeployments,
	},
}

// eventNamed returns the row of the event with that name.
func eventNamed(name string) (event, bool) {
	i := slices.IndexFunc(events, func(e event) bool { return e.name == name })
	if i < 0 {
		return event{}, false
	}
	return events[i], true
}

// has reports whether the row names the action.
func (e event) has(action string) bool { return slices.Contains(e.actions, action) }

// eventLabel returns name when the table knows it and "other" when not, so that a stranger
// cannot make up metric labels.
func eventLabel(name string) string {
	if _, ok := eventNamed(name); ok {
		return name
	}
	return "other"
}

// payload is what handlers read of a webhook; everything else in it is ignored. Fields that
// an event does not send are zero. A payload is a hint: what is judged is read again.
type payload struct {
	Action  string `json:"action"`
	Ref     string `json:"ref"`   // push: "refs/heads/main", "refs/tags/v1"
	After   string `json:"after"` // push: what Ref points at now
	Forced  bool   `json:"forced"`
	Deleted bool   `json:"deleted"` // push: the branch is gone
	Commits []struct {
		Added    []string `json:"added"`
		Modified []string `json:"modified"`
		Removed  []string `json:"removed"`
	} `json:"commits"`
	Number       int    `json:"number"`
	Before       string `json:"before"` // pull_request.synchronize: the head before the push
	Installation struct {
		ID int64 `json:"id"`
	} `json:"installation"`
	Repository  payloadRepository `json:"repository"`
	PullRequest *payloadPull      `json:"pull_request"`
	Changes     struct {
		Base jsontext.Value `json:"base"` // pull_request.edited: set when the base branch changed
		Body struct {
			From string `json:"from"` // issue_comment.edited: what it said before
		} `json:"body"`
	} `json:"changes"`
	CheckRun   *payloadCheckRun   `json:"check_run"`
	CheckSuite *payloadCheckSuite `json:"check_suite"`
	MergeGroup *payloadMergeGroup `json:"merge_group"`
	Release    *payloadRelease    `json:"release"`
	Comment    *payloadComment    `json:"comment"`
	Issue      *payloadIssue      `json:"issue"`
	Member     payloadMember      `json:"member"` // membership
	Membership struct {           // organization
		User payloadMember `json:"user"`
	} `json:"membership"`
	// The fields of deployment_protection_rule.
	Environment string             `json:"environment"`
	CallbackURL string             `json:"deployment_callback_url"`
	Deployment  *payloadDeployment `json:"deployment"`
	Sender      struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"sender"`
	RequestedAction struct {
		Identifier string `json:"identifier"`
	} `json:"requested_action"`
	Repositories      []payloadRepository `json:"repositories"`
	RepositoriesAdded []payloadRepository `json:"repositories_added"`

	RepositoriesRemoved []payloadRepository `json:"repositories_removed"`
}

type payloadRepository struct {
	ID       int64  `json:"id"`
	FullName string `json:"full_name"`
	// DefaultBranch is not sent with every event.
	DefaultBranch string `json:"default_branch"`
}

type payloadPull struct {
	Number int    `json:"number"`
	State  string `json:"state"`
	Head   struct {
		SHA string `json:"sha"`
	} `json:"head"`
	Base struct {
		SHA string `json:"sha"`
		Ref string `json:"ref"`
	} `json:"base"`
}

type payloadApp struct {
	ID int64 `json:"id"`
}

type payloadCheckRun struct {
	Name       string     `json:"name"`
	HeadSHA    string     `json:"head_sha"`
	ExternalID string     `json:"external_id"`
	App        payloadApp `json:"app"`
}

type payloadCheckSuite struct {
	ID      int64      `json:"id"`
	HeadSHA string     `json:"head_sha"`
	App     payloadApp `json:"app"`
}

type payloadMergeGroup struct {
	HeadSHA string `json:"head_sha"`
	HeadRef string `json:"head_ref"`
	BaseSHA string `json:"base_sha"`
	BaseRef string `json:"base_ref"`
}

// parsePayload decodes the body of a webhook, which it does twice, in a sixth of encoding/json's time. Like
// that it takes invalid UTF-8 and names that are there twice, since a body that it refuses is buried.
func parsePayload(body []byte) (payload, error) {
	var p payload
	err := jsonv2.Unmarshal(body, &p, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	return p, err
}

// readPayload decodes the body of d.
func readPayload(d store.Delivery) (payload, error) {
	p, err := parsePayload(d.Body)
	if err != nil {
		return payload{}, fmt.Errorf("reading the body of %s %s: %w", d.Event, d.GUID, err)
	}
	return p, nil
}

// readPayloadOf decodes the body of d, which is about a repository.
func readPayloadOf(d store.Delivery) (payload, repo, error) {
	p, err := readPayload(d)
	if err != nil {
		return payload{}, repo{}, err
	}
	r, err := p.repo()
	return p, r, err
}

// The forms of names that go into the paths of requests. Payloads are signed but still only
// a hint, and go-github does not escape owner and repository (THREATS G18).
var (
	nameForm   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`) })
	commitForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`) })
)

// repo returns the repository that the payload is about.
func (p payload) repo() (repo, error) { return newRepo(p.Installation.ID, p.Repository) }

// newRepo checks what a payload says of a repository.
func newRepo(installation int64, r payloadRepository) (repo, error) {
	owner, name, _ := strings.Cut(r.FullName, "/")
	named := repo{InstallationID: installation, ID: r.ID, Owner: owner, Name: name}
	if installation <= 0 || r.ID <= 0 || !nameForm().MatchString(owner) || !nameForm().MatchString(name) {
		return repo{}, fmt.Errorf("the payload names no usable repository: installation %d, id %d, name %q", installation, r.ID, r.FullName)
	}
	if strings.Trim(name, ".") == "" || strings.Trim(owner, ".") == "" {
		return repo{}, fmt.Errorf("the payload's repository has the name %q", r.FullName)
	}
	return named, nil
}

// commit checks that sha is a full object name.
func commit(sha string) (string, error) {
	if !commitForm().MatchString(sha) {
		return "", fmt.Errorf("%q is not a full commit name", sha)
	}
	return sha, nil
}
