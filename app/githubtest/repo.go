package githubtest

import (
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

// Repo is a repository. Get one with GitHub.Repo or Repo.Fork.
type Repo struct {
	g  *GitHub
	id int64

	owner         *account
	name          string
	private       bool
	archived      bool
	issuesOff     bool
	defaultBranch string
	parent        *Repo
	created       time.Time
	pushed        time.Time
	objects       *git.Store
	refs          map[string]string // full ref name -> object
	scans         []CodeScan        // uploads to code scanning, oldest first
	protected     map[string]bool   // branches that a rule protects
	signed        map[string]bool   // commits whose signature GitHub verified
	treeLimit     int               // entries a recursive tree shows, 0 for all
	collaborators map[string]string // lower-case login -> permission
	teamAccess    map[*Team]string
	tracker
	ciState
	releaseState
}

// tracker is what pull requests and issues share: one row of numbers.
type tracker struct {
	lastNumber int
	pulls      map[int]*Pull
	issues     map[int]*Issue
	labels     map[string]*label
}

// RepoOptions describe a new repository. The zero value is a public one with the
// default branch main.
type RepoOptions struct {
	// ID is the numeric id; 0 means the next free one. Real attestations name theirs.
	ID int64
	// OwnerID is the numeric id of an owner that does not exist yet; 0 means the next free one.
	OwnerID int64
	// Private hides the repository from tokens that were not given it.
	Private bool
	// DefaultBranch is "main" when empty.
	DefaultBranch string
	// UserOwned makes a new owner a user and not an organisation.
	UserOwned bool
}

// Repo returns the repository owner/name, creating it, and its owner, when there is
// none. Options are read only on creation.
func (g *GitHub) Repo(owner, name string, options ...RepoOptions) *Repo {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.find(owner, name); r != nil {
		return r
	}
	var o RepoOptions
	if len(options) > 0 {
		o = options[0]
	}
	kind := "Organization"
	if o.UserOwned {
		kind = "User"
	}
	_, known := g.accounts[strings.ToLower(owner)]
	account := g.account(owner, kind)
	if !known && o.OwnerID != 0 {
		account.id = o.OwnerID
	}
	r := g.newRepo(account, name, o.ID)
	r.private = o.Private
	if o.DefaultBranch != "" {
		r.defaultBranch = o.DefaultBranch
	}
	return r
}

func (g *GitHub) newRepo(owner *account, name string, id int64) *Repo {
	if id == 0 {
		id = g.id()
	}
	r := &Repo{
		g: g, id: id, owner: owner, name: name, defaultBranch: "main",
		created: g.now(), pushed: g.now(), objects: git.New(), refs: map[string]string{},
		protected: map[string]bool{}, signed: map[string]bool{},
		collaborators: map[string]string{}, teamAccess: map[*Team]string{},
		tracker: tracker{pulls: map[int]*Pull{}, issues: map[int]*Issue{}, labels: map[string]*label{}},
	}
	r.attestations = map[string][]*attestation{}
	r.burnt = map[string]bool{}
	g.repos[id] = r
	g.names[r.key()] = id
	return r
}

func (r *Repo) key() string { return strings.ToLower(r.fullName()) }

func (r *Repo) fullName() string { return r.owner.login + "/" + r.name }

// find returns the repository that owns a name now or owned it last, or nil. The
// caller holds the lock.
func (g *GitHub) find(owner, name string) *Repo {
	return g.repos[g.names[strings.ToLower(owner+"/"+name)]]
}

// Fork copies the repository to another owner, a user when new. Both share objects, as
// on GitHub.
func (r *Repo) Fork(owner string) *Repo {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return r.fork(owner)
}

func (r *Repo) fork(owner string) *Repo {
	if f := r.g.find(owner, r.name); f != nil {
		return f
	}
	f := r.g.newRepo(r.g.account(owner, "User"), r.name, 0)
	f.parent, f.objects, f.private, f.defaultBranch = r, r.objects, r.private, r.defaultBranch
	for ref, sha := range r.refs {
		if strings.HasPrefix(ref, "refs/heads/") || strings.HasPrefix(ref, "refs/tags/") {
			f.refs[ref] = sha
		}
	}
	return f
}

// ID is the numeric id, which survives a rename.
func (r *Repo) ID() int64 { return r.id }

// FullName is owner/name as of now.
func (r *Repo) FullName() string {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return r.fullName()
}

// Rename changes the name. Requests for the old one are redirected.
func (r *Repo) Rename(name string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	old := r.name
	r.name = name
	r.g.names[r.key()] = r.id
	r.g.emit(r.event("repository", "renamed", r.owner, object{
		"changes": object{"repository": object{"name": object{"from": old}}},
	}))
}

// Transfer gives the repository to another owner. Requests for the old name are redirected.
func (r *Repo) Transfer(owner string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	old := r.owner
	r.owner = r.g.account(owner, "Organization")
	r.g.names[r.key()] = r.id
	from := object{"organization": r.g.simpleOrg(old)}
	if old.kind == "User" {
		from = object{"user": r.g.simpleUser(old)}
	}
	r.g.emit(r.event("repository", "transferred", r.owner, object{"changes": object{"owner": object{"from": from}}}))
}

// Delete removes the repository. Its name is free again.
func (r *Repo) Delete() {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.g.emit(r.event("repository", "deleted", r.owner, nil))
	delete(r.g.repos, r.id)
	for name, id := range r.g.names {
		if id == r.id {
			delete(r.g.names, name)
		}
	}
}

// SetPrivate hides or shows the repository.
func (r *Repo) SetPrivate(private bool) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.private = private
	action := "publicized"
	if private {
		action = "privatized"
	}
	r.g.emit(r.event("repository", action, r.owner, nil))
}

// SetArchived archives the repository, which makes every write answer 403, or takes it back.
func (r *Repo) SetArchived(archived bool) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.archived = archived
	action := "unarchived"
	if archived {
		action = "archived"
	}
	r.g.emit(r.event("repository", action, r.owner, nil))
}

// SetIssues turns the issue tracker on or off; off answers 410.
func (r *Repo) SetIssues(on bool) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.issuesOff = !on
}

// Protect puts a branch under a rule of GitHub's, or takes it from under it.
func (r *Repo) Protect(branch string, protected bool) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.protected[branch] = protected
}

// SetTreeLimit makes recursive trees show at most n entries and say that they are
// truncated; 0 shows GitHub's 100,000.
func (r *Repo) SetTreeLimit(n int) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.treeLimit = n
}

// Collaborator gives a user a permission: "pull", "triage", "push", "maintain", "admin",
// or "" to take it away.
func (r *Repo) Collaborator(login, permission string) *Repo {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.g.account(login, "User")
	r.collaborators[strings.ToLower(login)] = permission
	if permission == "" {
		delete(r.collaborators, strings.ToLower(login))
	}
	return r
}

// TeamAccess gives a team a permission in the words of Collaborator.
func (r *Repo) TeamAccess(t *Team, permission string) *Repo {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.teamAccess[t] = permission
	return r
}

// roles orders what Collaborator takes, from weak to strong.
var roles = [...]string{"", "pull", "triage", "push", "maintain", "admin"}

// role returns the strongest role a user has in the repository, "" for none.
func (r *Repo) role(login string) string {
	login = strings.ToLower(login)
	best := 0
	raise := func(role string) {
		for i, name := range roles {
			if name == role && i > best {
				best = i
			}
		}
	}
	if strings.ToLower(r.owner.login) == login || r.owner.members[login] == "admin" {
		raise("admin")
	}
	raise(r.collaborators[login])
	for t, permission := range r.teamAccess {
		if t.members[login] != "" {
			raise(permission)
		}
	}
	if !r.private {
		raise("pull")
	}
	return roles[best]
}
