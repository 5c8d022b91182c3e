package githubtest

import "strings"

// Leave takes a user out of the team, and tells the App.
func (t *Team) Leave(login string) {
	t.g.mu.Lock()
	defer t.g.mu.Unlock()
	delete(t.members, strings.ToLower(login))
	if e, ok := t.event("removed", login); ok {
		t.g.emit(e)
	}
}

// Event makes a membership event, "added" or "removed", about a user.
func (t *Team) Event(action, login string) Event {
	t.g.mu.Lock()
	defer t.g.mu.Unlock()
	e, _ := t.event(action, login)
	return e
}

func (t *Team) event(action, login string) (Event, bool) {
	return t.org.event(t.g, "membership", action, object{
		"scope": "team", "member": t.g.simpleUser(t.g.account(login, "User")), "team": t.g.teamObject(t, "pull"),
	})
}

// Leave takes a user out of the organisation and its teams, and tells the App.
func (o *Org) Leave(login string) {
	o.g.mu.Lock()
	defer o.g.mu.Unlock()
	key := strings.ToLower(login)
	role := o.a.members[key]
	delete(o.a.members, key)
	for _, t := range o.a.teams {
		delete(t.members, key)
	}
	if e, ok := o.event("member_removed", login, role); ok {
		o.g.emit(e)
	}
}

// Event makes an organization event, "member_added" or "member_removed", about a user.
func (o *Org) Event(action, login string) Event {
	o.g.mu.Lock()
	defer o.g.mu.Unlock()
	e, _ := o.event(action, login, "member")
	return e
}

func (o *Org) event(action, login, role string) (Event, bool) {
	url := o.g.apiRoot() + "/orgs/" + o.a.login
	return o.a.event(o.g, "organization", action, object{"membership": object{
		"url": url + "/memberships/" + login, "organization_url": url, "role": role, "state": "active", "direct_membership": true,
		"user": o.g.simpleUser(o.g.account(login, "User")),
	}})
}

// event lays parts over what every event of an organisation carries; ok is false when the App is
// not installed there. The caller holds the lock.
func (a *account) event(g *GitHub, name, action string, parts object) (e Event, ok bool) {
	e = Event{Name: name, Action: action, body: with(object{
		"action": action, "organization": g.simpleOrg(a), "sender": g.simpleUser(g.account("mona", "User")),
	}, parts)}
	for _, i := range g.installations {
		if i.account == a {
			e.InstallationID = i.ID
			e.body["installation"] = object{"id": i.ID, "node_id": nodeID("Installation", i.ID)}
			return e, true
		}
	}
	return e, false
}
