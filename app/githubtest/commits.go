package githubtest

import (
	"fmt"
	"maps"
	"strings"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

// Files maps paths to contents. Contents made by Deleted, Symlink, Executable and
// Submodule are not written as they are.
type Files map[string]string

// marks that cannot begin a text file in a test by accident
const (
	markDeleted    = "\x00stand-in:deleted"
	markSymlink    = "\x00stand-in:symlink:"
	markExecutable = "\x00stand-in:executable:"
	markSubmodule  = "\x00stand-in:submodule:"
)

// Deleted as a content removes the file.
const Deleted = markDeleted

// Symlink is the content of a symbolic link to target.
func Symlink(target string) string { return markSymlink + target }

// Executable is content in a file with the executable bit.
func Executable(content string) string { return markExecutable + content }

// Submodule is a submodule at a commit of another repository.
func Submodule(sha string) string { return markSubmodule + sha }

// Commit puts a commit on a branch and returns its name. The branch is made when new:
// from the default branch, or from nothing in an empty repository. It counts as a push
// by mona: open pull requests from the branch follow.
func (r *Repo) Commit(branch, message string, files Files) string {
	return r.CommitBy("mona", branch, message, files)
}

// CommitBy is Commit by another user.
func (r *Repo) CommitBy(login, branch, message string, files Files) string {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return r.commitOn(branch, r.g.account(login, "User"), message, "", files)
}

// CommitAs is Commit under a name given in full, such as that of a real commit to which
// recorded attestations bind. The name does not match the content.
func (r *Repo) CommitAs(sha, branch, message string, files Files) string {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return r.commitOn(branch, r.g.account("mona", "User"), message, sha, files)
}

// ForcePush replaces the last commit of a branch by a new one with other files.
func (r *Repo) ForcePush(branch, message string, files Files) string {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	tip := r.mustCommit(r.refs["refs/heads/"+branch])
	by := r.g.account("mona", "User")
	sha := r.objects.PutCommit(r.build(tip.Parents, by, message, files))
	r.push("refs/heads/"+branch, sha, by)
	return sha
}

func (r *Repo) commitOn(branch string, by *account, message, sha string, files Files) string {
	tip := r.refs["refs/heads/"+branch]
	if tip == "" {
		tip = r.refs["refs/heads/"+r.defaultBranch]
	}
	var parents []string
	if tip != "" {
		parents = []string{tip}
	}
	c := r.build(parents, by, message, files)
	if sha == "" {
		sha = r.objects.PutCommit(c)
	} else {
		r.objects.PutCommitAs(sha, c)
	}
	r.push("refs/heads/"+branch, sha, by)
	return sha
}

// build makes a commit whose files are those of the first parent with files laid over them.
func (r *Repo) build(parents []string, by *account, message string, files Files) git.Commit {
	all := map[string]git.Entry{}
	if len(parents) > 0 {
		all = r.filesOf(parents[0])
	}
	for path, content := range files {
		mode := git.ModeFile
		switch {
		case content == markDeleted:
			delete(all, path)
			continue
		case strings.HasPrefix(content, markSymlink):
			mode, content = git.ModeSymlink, strings.TrimPrefix(content, markSymlink)
		case strings.HasPrefix(content, markExecutable):
			mode, content = git.ModeExecutable, strings.TrimPrefix(content, markExecutable)
		case strings.HasPrefix(content, markSubmodule):
			all[path] = git.Entry{Mode: git.ModeSubmodule, SHA: strings.TrimPrefix(content, markSubmodule)}
			continue
		}
		all[path] = git.Entry{Mode: mode, SHA: r.objects.PutBlob([]byte(content))}
	}
	who := git.Signature{Name: by.login, Email: fmt.Sprintf("%d+%s@users.noreply.example", by.id, by.login), When: r.g.now()}
	return git.Commit{Tree: r.objects.PutFiles(all), Parents: parents, Message: message, Author: who, Committer: who}
}

func (r *Repo) filesOf(sha string) map[string]git.Entry {
	files, err := r.objects.Files(r.mustCommit(sha).Tree)
	if err != nil {
		panic(fmt.Sprintf("githubtest: files of %s in %s: %v", sha, r.fullName(), err))
	}
	return maps.Clone(files)
}

// mustCommit is for seeding, where a missing commit is a mistake of the test.
func (r *Repo) mustCommit(sha string) git.Commit {
	c, err := r.objects.Peel(sha)
	if err != nil {
		panic(fmt.Sprintf("githubtest: %s has no commit %q: %v", r.fullName(), sha, err))
	}
	return c
}

// Branch makes or moves a branch to a commit, which counts as a push by mona.
func (r *Repo) Branch(name, sha string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.push("refs/heads/"+name, r.mustCommit(sha).SHA, r.g.account("mona", "User"))
}

// DeleteBranch removes a branch, which counts as a push.
func (r *Repo) DeleteBranch(name string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.push("refs/heads/"+name, "", r.g.account("mona", "User"))
}

// Tag makes or moves a lightweight tag, which counts as a push.
func (r *Repo) Tag(name, sha string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.push("refs/tags/"+name, r.mustCommit(sha).SHA, r.g.account("mona", "User"))
}

// AnnotatedTag makes or moves a tag with an object of its own, whose name it returns. sha is
// a commit, or the object of another tag.
func (r *Repo) AnnotatedTag(name, sha, message string) string {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	by := r.g.account("mona", "User")
	object, kind := r.mustCommit(sha).SHA, "commit"
	if inner, err := r.objects.Tag(sha); err == nil {
		object, kind = inner.SHA, "tag"
	}
	tag := r.objects.PutTag(git.Tag{
		Name: name, Message: message, Object: object, Type: kind,
		Tagger: git.Signature{Name: by.login, Email: by.login + "@users.noreply.example", When: r.g.now()},
	})
	r.push("refs/tags/"+name, tag, by)
	return tag
}

// Head returns the commit at the tip of a branch or tag, or "" when there is none.
func (r *Repo) Head(ref string) string {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	c, err := r.resolve(ref)
	if err != nil {
		return ""
	}
	return c.SHA
}

// resolve finds the commit a client means: a full name of an object, a ref in full or
// without refs/, a branch, then a tag; "HEAD" and "" are the default branch.
func (r *Repo) resolve(ref string) (git.Commit, error) {
	if ref == "" || ref == "HEAD" {
		ref = r.defaultBranch
	}
	for _, full := range []string{ref, "refs/" + ref, "refs/heads/" + ref, "refs/tags/" + ref} {
		if sha, ok := r.refs[full]; ok {
			return r.objects.Peel(sha)
		}
	}
	return r.objects.Peel(ref)
}

// push moves a ref and does what GitHub does then: pull requests follow, a check suite
// is made, webhooks go out. An empty sha deletes the ref.
func (r *Repo) push(ref, sha string, by *account) {
	before := r.refs[ref]
	if before == sha {
		return
	}
	if sha == "" {
		delete(r.refs, ref)
	} else {
		r.refs[ref] = sha
	}
	r.pushed = r.g.now()
	r.g.emit(r.pushEvent(ref, before, sha, by))
	branch, isBranch := strings.CutPrefix(ref, "refs/heads/")
	if !isBranch || sha == "" {
		return
	}
	r.landPushed(branch, before, sha, by)
	if suite, fresh := r.suite(sha, branch); fresh {
		r.g.emit(r.suiteEvent("requested", suite, by))
	}
	for _, other := range r.g.repos {
		for _, p := range other.pulls {
			if p.headRepo == r && p.headRef == branch && p.state == "open" {
				p.follow(sha, by)
			}
		}
	}
}
