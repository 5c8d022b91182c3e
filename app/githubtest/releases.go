package githubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"
)

// releaseState is what a repository publishes.
type releaseState struct {
	releases     []*Release
	burnt        map[string]bool // tags of deleted immutable releases
	attestations map[string][]*attestation
}

// ReleaseOptions describe a new release.
type ReleaseOptions struct {
	// ID is the numeric id; 0 means the next free one.
	ID int64
	// Tag is the tag's name.
	Tag string
	// Commit is a branch or commit to tag when the tag does not exist; "" means the
	// default branch. A draft keeps it as its target and makes no tag.
	Commit string
	// Name and Body are texts; an empty Name is the tag.
	Name, Body string
	// Assets are uploaded in the order of their names.
	Assets map[string][]byte
	// Draft, Prerelease and Immutable set its kind. A draft is not immutable until published.
	Draft, Prerelease, Immutable bool
	// Author is the user who makes it; "" means mona.
	Author string
	// Attestations are bundles in JSON, each attached to the digest of the asset it is
	// listed under, by "user".
	Attestations map[string][]byte
}

// Release is a release.
type Release struct {
	g *GitHub
	r *Repo
	// ID is the numeric id, the only lasting name of a draft.
	ID int64

	tag        string
	target     string
	name       string
	body       string
	draft      bool
	prerelease bool
	immutable  bool // becomes effective when published
	author     *account
	created    time.Time
	updated    time.Time
	published  time.Time
	assets     []*asset
}

// asset is one file of a release.
type asset struct {
	id          int64
	rel         *Release
	name        string
	label       string
	contentType string
	state       string // "uploaded" or "starter"
	content     []byte
	size        int
	digest      string
	created     time.Time
	updated     time.Time
	uploader    *account
	downloads   int
}

// Asset is a file of a release as a person sees it, a copy.
type Asset struct {
	ID      int64
	Name    string
	State   string
	Digest  string
	Size    int
	Content []byte
}

// AssetOptions make an asset lie about itself or be unfinished. Zero fields are the truth.
type AssetOptions struct {
	// State is "uploaded" when empty; "starter" is an upload that did not finish.
	State string
	// Size is what the API says, in bytes.
	Size int
	// Digest is what the API says, "sha256:" and hexadecimal; "none" leaves it out, as for
	// assets from before 2025.
	Digest string
}

// Release makes a release and, unless it is a draft, its tag.
func (r *Repo) Release(o ReleaseOptions) *Release {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	if o.Author == "" {
		o.Author = "mona"
	}
	if o.Commit == "" {
		o.Commit = r.defaultBranch
	}
	if o.Name == "" {
		o.Name = o.Tag
	}
	if o.ID == 0 {
		o.ID = r.g.id()
	}
	author := r.g.account(o.Author, "User")
	rel := &Release{
		g: r.g, r: r, ID: o.ID, tag: o.Tag, target: o.Commit, name: o.Name, body: o.Body,
		draft: true, prerelease: o.Prerelease, immutable: o.Immutable, author: author,
		created: r.g.now(), updated: r.g.now(),
	}
	r.releases = append(r.releases, rel)
	for _, name := range slices.Sorted(maps.Keys(o.Assets)) {
		rel.addAsset(name, o.Assets[name], author, AssetOptions{})
	}
	for _, name := range slices.Sorted(maps.Keys(o.Attestations)) {
		r.attest(SHA256(o.Assets[name]), o.Attestations[name], "user")
	}
	r.g.emit(rel.event("created", author, nil))
	if !o.Draft {
		rel.publish(author)
	}
	return rel
}

// SHA256 returns the digest of content as GitHub writes it: "sha256:" and hexadecimal.
func SHA256(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (rel *Release) addAsset(name string, content []byte, by *account, o AssetOptions) *asset {
	a := &asset{
		id: rel.g.id(), rel: rel, name: name, contentType: "application/octet-stream", state: "uploaded",
		content: slices.Clone(content), size: len(content), digest: SHA256(content),
		created: rel.g.now(), updated: rel.g.now(), uploader: by,
	}
	if o.State != "" {
		a.state = o.State
	}
	if o.Size != 0 {
		a.size = o.Size
	}
	if o.Digest != "" {
		a.digest = o.Digest
	}
	rel.assets = append(rel.assets, a)
	rel.updated = rel.g.now()
	rel.g.uploads[a.id] = a
	return a
}

// AddAsset uploads a file, even to an immutable release. GitHub sends no webhook for it.
func (rel *Release) AddAsset(name string, content []byte, options ...AssetOptions) {
	rel.g.mu.Lock()
	defer rel.g.mu.Unlock()
	var o AssetOptions
	if len(options) > 0 {
		o = options[0]
	}
	rel.addAsset(name, content, rel.author, o)
}

// ReplaceAsset deletes a file and uploads another under its name, with a new id.
func (rel *Release) ReplaceAsset(name string, content []byte, options ...AssetOptions) {
	rel.RemoveAsset(name)
	rel.AddAsset(name, content, options...)
}

// RemoveAsset deletes a file; one that is not there is not missed.
func (rel *Release) RemoveAsset(name string) {
	rel.g.mu.Lock()
	defer rel.g.mu.Unlock()
	rel.assets = slices.DeleteFunc(rel.assets, func(a *asset) bool { return a.name == name })
}

// FinishAsset turns a "starter" asset into an uploaded one with this content.
func (rel *Release) FinishAsset(name string, content []byte) {
	rel.g.mu.Lock()
	defer rel.g.mu.Unlock()
	for _, a := range rel.assets {
		if a.name == name {
			a.state, a.content, a.size, a.digest = "uploaded", slices.Clone(content), len(content), SHA256(content)
			a.updated = rel.g.now()
		}
	}
}

// publish makes a draft public and the tag, when it does not exist. A target that is no
// commit leaves the release without a tag.
func (rel *Release) publish(by *account) {
	rel.draft = false
	rel.published = rel.g.now()
	if rel.r.refs["refs/tags/"+rel.tag] == "" {
		if c, err := rel.r.resolve(rel.target); err == nil {
			rel.r.push("refs/tags/"+rel.tag, c.SHA, by)
		}
	}
	rel.g.emit(rel.event("published", by, nil))
	action := "released"
	if rel.prerelease {
		action = "prereleased"
	}
	rel.g.emit(rel.event(action, by, nil))
}

func (rel *Release) unpublish(by *account) {
	rel.draft = true
	rel.g.emit(rel.event("unpublished", by, nil))
}

// Publish publishes a draft as its author; a published release stays as it is.
func (rel *Release) Publish() {
	rel.g.mu.Lock()
	defer rel.g.mu.Unlock()
	if rel.draft {
		rel.publish(rel.author)
	}
}

// Retag gives a draft another tag as the author. No tag is made or moved, and no webhook sent.
func (rel *Release) Retag(tag string) {
	rel.g.mu.Lock()
	defer rel.g.mu.Unlock()
	rel.tag, rel.updated = tag, rel.g.now()
}

// Unpublish makes a published release a draft again as its author; its tag stays.
func (rel *Release) Unpublish() {
	rel.g.mu.Lock()
	defer rel.g.mu.Unlock()
	if !rel.draft {
		rel.unpublish(rel.author)
	}
}

// Edit changes the notes as the author, which sends "edited".
func (rel *Release) Edit(body string) {
	rel.g.mu.Lock()
	defer rel.g.mu.Unlock()
	changes := object{"body": object{"from": rel.body}}
	rel.body, rel.updated = body, rel.g.now()
	rel.g.emit(rel.event("edited", rel.author, object{"changes": changes}))
}

// Delete deletes the release and not its tag. The tag of an immutable release can
// never carry a release again.
func (rel *Release) Delete() {
	rel.g.mu.Lock()
	defer rel.g.mu.Unlock()
	rel.remove(rel.author)
}

func (rel *Release) remove(by *account) {
	if rel.frozen() {
		rel.r.burnt[rel.tag] = true
	}
	rel.r.releases = slices.DeleteFunc(rel.r.releases, func(x *Release) bool { return x == rel })
	rel.g.emit(rel.event("deleted", by, nil))
}

// frozen says that neither the tag nor the assets may change.
func (rel *Release) frozen() bool { return rel.immutable && !rel.draft }

// untagged is the name GitHub shows in place of the tag of a draft.
func (rel *Release) untagged() string { return fmt.Sprintf("untagged-%020x", rel.ID) }
