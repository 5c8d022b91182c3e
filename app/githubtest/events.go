package githubtest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Event is one webhook before it is sent. Make one with the Event methods of what it is about.
type Event struct {
	// Name is the value of X-GitHub-Event; Action the payload's action, "" for push and ping.
	Name, Action string
	// InstallationID and RepositoryID are 0 when the payload has none.
	InstallationID, RepositoryID int64

	body object
}

// Body is the payload in JSON.
func (e Event) Body() []byte { return mustJSON(e.body) }

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("githubtest: encoding %T: %v", v, err))
	}
	return b
}

// rawJSON passes through JSON that somebody seeded; text that is none becomes a string.
func rawJSON(b []byte) any {
	if json.Valid(b) {
		return json.RawMessage(b)
	}
	return string(b)
}

// event lays parts over what every event of a repository carries.
func (r *Repo) event(name, action string, sender *account, parts object) Event {
	e := Event{Name: name, Action: action, RepositoryID: r.id}
	e.body = with(object{"repository": r.object(), "sender": r.g.simpleUser(sender)}, parts)
	if action != "" {
		e.body["action"] = action
	}
	if r.owner.kind == "Organization" {
		e.body["organization"] = r.g.simpleOrg(r.owner)
	}
	if i := r.g.installationOf(r); i != nil {
		e.InstallationID = i.ID
		e.body["installation"] = object{"id": i.ID, "node_id": nodeID("Installation", i.ID)}
	}
	return e
}

// event lays parts over what every event of an installation carries.
func (i *Installation) event(name, action string, parts object) Event {
	return Event{Name: name, Action: action, InstallationID: i.ID, body: with(object{
		"action": action, "installation": i.object(), "sender": i.g.simpleUser(i.g.account("mona", "User")),
	}, parts)}
}

const zeroSHA = "0000000000000000000000000000000000000000"

func (r *Repo) pushEvent(ref, before, after string, by *account) Event {
	base, head := before, after
	commits := []object{}
	if after != "" {
		log := r.objects.Log(before, after)
		if before == "" && len(log) > 20 {
			log = log[:20]
		}
		for i := len(log) - 1; i >= 0; i-- {
			commits = append(commits, r.pushCommit(log[i]))
		}
	}
	if base == "" {
		base = zeroSHA
	}
	if head == "" {
		head = zeroSHA
	}
	var headCommit any
	if len(commits) > 0 {
		headCommit = commits[len(commits)-1]
	} else if c, err := r.objects.Peel(after); err == nil {
		headCommit = r.pushCommit(c)
	}
	forced := false
	if before != "" && after != "" && strings.HasPrefix(ref, "refs/heads/") {
		merge, err := r.objects.MergeBase(before, after)
		forced = err != nil || merge != before
	}
	e := r.event("push", "", by, object{
		"ref": ref, "before": base, "after": head, "base_ref": nil, "created": before == "", "deleted": after == "",
		"forced": forced, "compare": r.html() + "/compare/" + base + "..." + head, "commits": commits, "head_commit": headCommit,
		"pusher": object{"name": by.login, "email": by.login + "@users.noreply.example"},
	})
	// A push names its repository's times in seconds since 1970 and the owner with a name.
	owner := with(r.g.simpleUser(r.owner), object{"name": r.owner.login, "email": nil})
	e.body["repository"] = with(r.object(), object{
		"created_at": r.created.Unix(), "pushed_at": r.pushed.Unix(), "owner": owner, "stargazers": 0, "master_branch": r.defaultBranch,
	})
	return e
}

func (p *Pull) event(action string, by *account, parts object) Event {
	all := object{"number": p.Number, "pull_request": p.full()}
	return p.r.event("pull_request", action, by, with(all, parts))
}

func (m *MergeGroup) event(action string) Event {
	return m.r.event("merge_group", action, m.r.g.account("github-merge-queue[bot]", "Bot"), object{"merge_group": object{
		"head_sha": m.HeadSHA, "head_ref": m.HeadRef, "base_sha": m.BaseSHA, "base_ref": m.BaseRef,
		"head_commit": m.r.simpleCommit(m.HeadSHA),
	}})
}

func (r *Repo) runEvent(action string, c *run, by *account, parts object) Event {
	shown := r.checkRun(c)
	suite := r.suiteObject(c.suite)
	delete(suite, "repository")
	shown["check_suite"] = suite
	return r.event("check_run", action, by, with(object{"check_run": shown}, parts))
}

func (r *Repo) suiteEvent(action string, s *suite, by *account) Event {
	shown := r.suiteObject(s)
	delete(shown, "repository")
	// The schema's list of events the App may name is older than merge_group.
	delete(shown["app"].(object), "events")
	return r.event("check_suite", action, by, object{"check_suite": shown})
}

func (r *Repo) issueEvent(action string, i *Issue, by *account, parts object) Event {
	return r.event("issues", action, by, with(object{"issue": viaNamed(r.issue(i))}, parts))
}

func (r *Repo) commentEvent(action string, i *Issue, c *Comment, by *account) Event {
	return r.event("issue_comment", action, by, object{"issue": viaNamed(r.issueOrPull(i)), "comment": r.commentObject(i.Number, c)})
}

// viaNamed leaves out the events of the App that wrote what is shown, as suiteEvent does.
func viaNamed(shown object) object {
	if via, ok := shown["performed_via_github_app"].(object); ok {
		delete(via, "events")
	}
	return shown
}

// issueOrPull renders what comments hang on.
func (r *Repo) issueOrPull(i *Issue) object {
	if p := r.pulls[i.Number]; p != nil {
		return r.pullIssue(p)
	}
	return r.issue(i)
}

func (rel *Release) event(action string, by *account, parts object) Event {
	return rel.r.event("release", action, by, with(object{"release": rel.object()}, parts))
}

func (d *Deployment) event() Event {
	pulls := []object{}
	for _, p := range d.r.orderedPulls() {
		if p.headSHA == d.run.sha {
			pulls = append(pulls, p.full())
		}
	}
	return d.r.event("deployment_protection_rule", "requested", d.r.g.account("mona", "User"), object{
		"environment": d.Environment, "event": d.run.event, "deployment": d.object(), "pull_requests": pulls,
		"sha": d.run.sha, "ref": d.run.branch,
		"deployment_callback_url": fmt.Sprintf("%s/actions/runs/%d/deployment_protection_rule", d.r.url(), d.run.ID),
	})
}
