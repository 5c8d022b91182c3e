// Package git keeps Git objects in memory under their real SHA-1 names.
//
// The stand-in for GitHub needs blobs, trees, commits and tags whose names a client
// can recompute, a three-way view of history (merge base, ahead, behind) and the
// difference of two trees. Start at Store. A Store is not safe for concurrent use:
// whoever owns it holds a lock. It never touches the disk and runs no program.
package git

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // Git names objects with SHA-1; nothing here relies on its strength.
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// File modes as Git writes them in a tree, gitformat-index(5) and git-fast-import(1).
const (
	ModeFile       = "100644"
	ModeExecutable = "100755"
	ModeSymlink    = "120000"
	ModeTree       = "040000"
	ModeSubmodule  = "160000"
)

// ErrNotFound says that the store holds no object of the wanted kind under a name.
var ErrNotFound = errors.New("git object not found")

// Entry is one line of a tree. Name is a single path segment, or a whole path where a
// function says so.
type Entry struct {
	Mode string
	Name string
	SHA  string
}

// Type is the kind of object the entry points at: "blob", "tree" or "commit".
func (e Entry) Type() string {
	switch e.Mode {
	case ModeTree:
		return "tree"
	case ModeSubmodule:
		return "commit"
	default:
		return "blob"
	}
}

// Signature names who made a commit or tag, and when. Times are written in UTC.
type Signature struct {
	Name  string
	Email string
	When  time.Time
}

func (s Signature) line() string {
	return fmt.Sprintf("%s <%s> %d +0000", s.Name, s.Email, s.When.Unix())
}

// Commit is a commit object. SHA is filled by the store.
type Commit struct {
	SHA       string
	Tree      string
	Parents   []string
	Message   string
	Author    Signature
	Committer Signature
}

// Tag is an annotated tag object. SHA is filled by the store.
type Tag struct {
	SHA     string
	Name    string
	Message string
	Object  string
	Type    string
	Tagger  Signature
}

// Store holds objects by name. Make one with New.
type Store struct {
	blobs   map[string][]byte
	trees   map[string][]Entry
	commits map[string]Commit
	tags    map[string]Tag
}

// New returns an empty Store.
func New() *Store {
	return &Store{
		blobs:   map[string][]byte{},
		trees:   map[string][]Entry{},
		commits: map[string]Commit{},
		tags:    map[string]Tag{},
	}
}

// Name returns the SHA-1 name Git gives to an object of this kind and content.
func Name(kind string, content []byte) string {
	h := sha1.New() //nolint:gosec // see the import
	fmt.Fprintf(h, "%s %d\x00", kind, len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// PutBlob stores content and returns its name.
func (s *Store) PutBlob(content []byte) string {
	sha := Name("blob", content)
	if _, ok := s.blobs[sha]; !ok {
		s.blobs[sha] = slices.Clone(content)
	}
	return sha
}

// Blob returns the content stored under sha, or ErrNotFound. Do not change it.
func (s *Store) Blob(sha string) ([]byte, error) {
	b, ok := s.blobs[sha]
	if !ok {
		return nil, fmt.Errorf("blob %s: %w", sha, ErrNotFound)
	}
	return b, nil
}

// PutTree stores one directory and returns its name. Entries may come in any order.
func (s *Store) PutTree(entries []Entry) string {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(sortKey(a), sortKey(b)) })
	var buf bytes.Buffer
	for _, e := range entries {
		fmt.Fprintf(&buf, "%s %s\x00", strings.TrimLeft(e.Mode, "0"), e.Name)
		raw, err := hex.DecodeString(e.SHA)
		if err != nil {
			panic(fmt.Sprintf("tree entry %s has the name %q, which is not hexadecimal", e.Name, e.SHA))
		}
		buf.Write(raw)
	}
	sha := Name("tree", buf.Bytes())
	s.trees[sha] = entries
	return sha
}

// sortKey orders a directory as if its name ended in a slash, as Git does.
func sortKey(e Entry) string {
	if e.Mode == ModeTree {
		return e.Name + "/"
	}
	return e.Name
}

// Tree returns the entries of one directory, or ErrNotFound. Do not change them.
func (s *Store) Tree(sha string) ([]Entry, error) {
	t, ok := s.trees[sha]
	if !ok {
		return nil, fmt.Errorf("tree %s: %w", sha, ErrNotFound)
	}
	return t, nil
}

// PutCommit stores c under its real name and returns that name.
func (s *Store) PutCommit(c Commit) string {
	var buf bytes.Buffer
	fmt.Fprintf(&buf, "tree %s\n", c.Tree)
	for _, p := range c.Parents {
		fmt.Fprintf(&buf, "parent %s\n", p)
	}
	fmt.Fprintf(&buf, "author %s\ncommitter %s\n\n%s", c.Author.line(), c.Committer.line(), c.Message)
	return s.PutCommitAs(Name("commit", buf.Bytes()), c)
}

// PutCommitAs stores c under the name sha, whatever its content hashes to. Recorded
// attestations bind to real commit names, and the real commits are not at hand.
func (s *Store) PutCommitAs(sha string, c Commit) string {
	c.SHA = sha
	s.commits[sha] = c
	return sha
}

// Commit returns the commit named sha, or ErrNotFound.
func (s *Store) Commit(sha string) (Commit, error) {
	c, ok := s.commits[sha]
	if !ok {
		return Commit{}, fmt.Errorf("commit %s: %w", sha, ErrNotFound)
	}
	return c, nil
}

// PutTag stores an annotated tag and returns its name.
func (s *Store) PutTag(t Tag) string {
	body := fmt.Sprintf("object %s\ntype %s\ntag %s\ntagger %s\n\n%s", t.Object, t.Type, t.Name, t.Tagger.line(), t.Message)
	t.SHA = Name("tag", []byte(body))
	s.tags[t.SHA] = t
	return t.SHA
}

// Tag returns the annotated tag named sha, or ErrNotFound.
func (s *Store) Tag(sha string) (Tag, error) {
	t, ok := s.tags[sha]
	if !ok {
		return Tag{}, fmt.Errorf("tag %s: %w", sha, ErrNotFound)
	}
	return t, nil
}

// Peel follows annotated tags from sha to the commit they name, or returns ErrNotFound.
func (s *Store) Peel(sha string) (Commit, error) {
	for {
		t, ok := s.tags[sha]
		if !ok {
			return s.Commit(sha)
		}
		sha = t.Object
	}
}
