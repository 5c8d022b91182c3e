package githubtest

import (
	"maps"
	"slices"
	"time"
)

// InstallOptions describe an installation. The zero value is every repository with every
// permission in AllPermissions.
type InstallOptions struct {
	// ID is the numeric id; 0 means the next free one.
	ID int64
	// Permissions are what the owner granted: name -> "read" or "write".
	Permissions map[string]string
	// Repositories are names without owner; none means all, now and later.
	Repositories []string
}

// Installation is the App on one account.
type Installation struct {
	g *GitHub
	// ID is the numeric id.
	ID int64

	account     *account
	permissions map[string]string
	all         bool
	repos       map[int64]bool
	suspended   time.Time
	created     time.Time
	updated     time.Time
	deleted     bool
	rate        Rate
}

// AllPermissions returns the permissions of every feature Landwaiter has. Change the copy
// to install with fewer.
func AllPermissions() map[string]string {
	return map[string]string{
		"metadata": "read", "contents": "write", "pull_requests": "read", "checks": "write",
		"merge_queues": "read", "statuses": "write", "issues": "write", "members": "read",
		"attestations": "read", "deployments": "write", "actions": "read", "security_events": "write",
		"administration": "read",
	}
}

// Install installs the App on an account.
func (g *GitHub) Install(login string, options ...InstallOptions) *Installation {
	g.mu.Lock()
	defer g.mu.Unlock()
	var o InstallOptions
	if len(options) > 0 {
		o = options[0]
	}
	if o.ID == 0 {
		o.ID = g.id()
	}
	if o.Permissions == nil {
		o.Permissions = AllPermissions()
	}
	i := &Installation{
		g: g, ID: o.ID, account: g.account(login, "Organization"), permissions: maps.Clone(o.Permissions),
		all: len(o.Repositories) == 0, repos: map[int64]bool{}, created: g.now(), updated: g.now(), rate: g.rate,
	}
	for _, name := range o.Repositories {
		if r := g.find(login, name); r != nil {
			i.repos[r.id] = true
		}
	}
	g.installations[i.ID] = i
	g.emit(i.event("installation", "created", object{"repositories": i.brief(i.repositories()), "requester": nil}))
	return i
}

// Grant changes a permission; "" withdraws it. Tokens follow at once.
func (i *Installation) Grant(permission, level string) {
	i.g.mu.Lock()
	defer i.g.mu.Unlock()
	i.permissions[permission] = level
	if level == "" {
		delete(i.permissions, permission)
	}
	i.updated = i.g.now()
	i.g.emit(i.event("installation", "new_permissions_accepted", nil))
}

// Add gives the App repositories, by name without owner, when it has not all of them.
func (i *Installation) Add(names ...string) {
	i.g.mu.Lock()
	defer i.g.mu.Unlock()
	i.change("added", names)
}

// Remove takes repositories away, by name without owner.
func (i *Installation) Remove(names ...string) {
	i.g.mu.Lock()
	defer i.g.mu.Unlock()
	i.change("removed", names)
}

func (i *Installation) change(action string, names []string) {
	if i.all {
		for _, r := range i.repositories() {
			i.repos[r.id] = true
		}
		i.all = false
	}
	changed := []*Repo{}
	for _, name := range names {
		if r := i.g.find(i.account.login, name); r != nil {
			changed = append(changed, r)
			i.repos[r.id] = action == "added"
		}
	}
	parts := object{
		"repository_selection": "selected", "requester": nil,
		"repositories_added": []object{}, "repositories_removed": []object{},
	}
	parts["repositories_"+action] = i.brief(changed)
	i.g.emit(i.event("installation_repositories", action, parts))
}

// Suspend stops the App on the account: tokens answer 403 and no webhooks come but this.
func (i *Installation) Suspend() {
	i.g.mu.Lock()
	defer i.g.mu.Unlock()
	i.suspended = i.g.now()
	i.g.emit(i.event("installation", "suspend", nil))
}

// Unsuspend undoes Suspend.
func (i *Installation) Unsuspend() {
	i.g.mu.Lock()
	defer i.g.mu.Unlock()
	i.suspended = time.Time{}
	i.g.emit(i.event("installation", "unsuspend", nil))
}

// Uninstall removes the App from the account.
func (i *Installation) Uninstall() {
	i.g.mu.Lock()
	defer i.g.mu.Unlock()
	i.g.emit(i.event("installation", "deleted", object{"repositories": i.brief(i.repositories())}))
	i.deleted = true
	delete(i.g.installations, i.ID)
}

// has says whether the App may see the repository.
func (i *Installation) has(r *Repo) bool {
	return r.owner == i.account && (i.all || i.repos[r.id])
}

// repositories lists what the App may see, by id.
func (i *Installation) repositories() []*Repo {
	var list []*Repo
	for _, id := range slices.Sorted(maps.Keys(i.g.repos)) {
		if r := i.g.repos[id]; i.has(r) {
			list = append(list, r)
		}
	}
	return list
}

// installationOf finds the installation that covers a repository, or nil.
func (g *GitHub) installationOf(r *Repo) *Installation {
	for _, i := range g.installations {
		if i.has(r) {
			return i
		}
	}
	return nil
}
