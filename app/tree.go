package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-github/v62/github"
	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks"
)

const (
	// maxCompared is where the file list of a comparison ends without saying so
	// (docs.github.com, "Compare two commits": up to 300 files).
	maxCompared = 300
	// maxWalked bounds the directories visited when a listing is cut, on both sides together.
	maxWalked = 600
	// modeLink is git's mode of a symbolic link.
	modeLink = "120000"
	// modeSubmodule is git's mode of a submodule, whose object is a commit elsewhere.
	modeSubmodule = "160000"
)

// entry is one file or submodule of a tree. SHA is the commit of a submodule.
type entry struct {
	SHA  string `json:"sha"`
	Mode string `json:"mode"`
	Size int64  `json:"size"` // bytes
	over bool   // beyond the bounds of a side
}

// problem says why the file is not read, "" when it is.
func (e entry) problem() string {
	switch {
	case e.Mode == modeLink:
		return "is a symbolic link"
	case e.Size > maxFile:
		return fmt.Sprintf("is larger than %d MiB", maxFile>>20)
	case e.over:
		return fmt.Sprintf("is beyond the %d files or %d MiB of manifests that are read of one change", maxFiles, maxBytes>>20)
	}
	return ""
}

// submodule reports whether e is no file.
func (e entry) submodule() bool { return e.Mode == modeSubmodule }

// listing is what we want to know of a tree: its manifests, its submodules and the policy file,
// by path.
type listing map[string]entry

// wanted reports whether a path matters to a judgment at all.
func (a *App) wanted(name string) bool { return name == policyPath || a.cfg.Wanted(name) }

// comparison is what GitHub says of a range of commits.
type comparison struct {
	MergeBase string   `json:"merge_base"`
	Touched   []string `json:"touched"` // wanted paths, and those that may be submodules
	Whole     bool     `json:"whole"`   // no path is missing
}

// compare asks what head changes since it left base. Both are full commit names, so the
// answer never changes and is kept.
func (c *installation) compare(ctx context.Context, base, head string) (comparison, error) {
	name := base + "..." + head + "/" + c.app.cfg.ParserVersion
	var known comparison
	if b, ok := c.app.github.cache.get(ctx, c.Repo, "compare", name); ok && json.Unmarshal(b, &known) == nil {
		return known, nil
	}
	// One commit a page: we need the files, which all come with the first page.
	answer, _, err := c.Repositories.CompareCommits(ctx, c.Repo.Owner, c.Repo.Name, base, head, &github.ListOptions{PerPage: 1})
	if err != nil {
		return comparison{}, fmt.Errorf("comparing %s with %s: %w", base, head, err)
	}
	found := comparison{MergeBase: answer.GetMergeBaseCommit().GetSHA(), Whole: len(answer.Files) < maxCompared}
	if !commitForm().MatchString(found.MergeBase) {
		return comparison{}, fmt.Errorf("comparing %s with %s: the answer names no merge base", base, head)
	}
	for _, f := range answer.Files {
		for _, name := range []string{f.GetFilename(), f.GetPreviousFilename()} {
			if name != "" && (c.app.wanted(name) || c.app.wantsSubmodules() && maybeSubmodule(f)) {
				found.Touched = append(found.Touched, name)
			}
		}
	}
	if b, err := json.Marshal(found); err == nil {
		c.app.github.cache.keep(ctx, c.Repo, "compare", name, b)
	}
	return found, nil
}

// trees lists both sides of a change. Gaps are returned when not all could be listed.
func (c *installation) trees(ctx context.Context, base, head string) (b, h listing, gaps []checks.Gap, err error) {
	var cut [2]bool
	group, ctx2 := errgroup.WithContext(ctx)
	group.Go(func() (err error) { b, cut[0], err = c.tree(ctx2, base); return err })
	group.Go(func() (err error) { h, cut[1], err = c.tree(ctx2, head); return err })
	if err := group.Wait(); err != nil {
		return nil, nil, nil, err
	}
	if !cut[0] && !cut[1] {
		return b, h, nil, nil
	}
	return c.walk(ctx, base, head)
}

// tree lists the wanted files of a commit in one call. cut says that GitHub left some out.
func (c *installation) tree(ctx context.Context, sha string) (found listing, cut bool, err error) {
	name := sha + "/" + c.app.cfg.ParserVersion
	if b, ok := c.app.github.cache.get(ctx, c.Repo, "tree", name); ok && json.Unmarshal(b, &found) == nil {
		return found, false, nil
	}
	answer, _, err := c.Git.GetTree(ctx, c.Repo.Owner, c.Repo.Name, sha, true)
	if err != nil {
		return nil, false, fmt.Errorf("listing tree %s: %w", sha, err)
	}
	if answer.GetTruncated() {
		return nil, true, nil
	}
	found = listing{}
	for _, e := range answer.Entries {
		if c.app.lists(e, e.GetPath()) {
			found[e.GetPath()] = entry{SHA: e.GetSHA(), Mode: e.GetMode(), Size: int64(e.GetSize())}
		}
	}
	if b, err := json.Marshal(found); err == nil {
		c.app.github.cache.keep(ctx, c.Repo, "tree", name, b)
	}
	return found, false, nil
}

// walker lists two trees side by side, directory by directory, and descends only where they
// differ: a change touches few directories even where a listing has too many entries.
type walker struct {
	c *installation

	mu         sync.Mutex
	base, head listing
	visited    int
	gaps       []checks.Gap
}

// pair is one directory on both sides; "" where a side does not have it.
type pair struct{ dir, base, head string }

// walk lists the wanted files that differ between two trees too large for one answer.
func (c *installation) walk(ctx context.Context, base, head string) (listing, listing, []checks.Gap, error) {
	w := &walker{c: c, base: listing{}, head: listing{}}
	level := []pair{{"", base, head}}
	for len(level) > 0 {
		var next []pair
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(blobWidth)
		for _, p := range level {
			group.Go(func() error {
				below, err := w.visit(ctx, p)
				w.mu.Lock()
				defer w.mu.Unlock()
				next = append(next, below...)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, nil, nil, err
		}
		level = next
	}
	slices.SortFunc(w.gaps, func(x, y checks.Gap) int { return strings.Compare(x.Path, y.Path) })
	return w.base, w.head, w.gaps, nil
}

// visit lists one directory and returns those below it that differ.
func (w *walker) visit(ctx context.Context, p pair) ([]pair, error) {
	w.mu.Lock()
	w.visited += 2
	full := w.visited > maxWalked
	w.mu.Unlock()
	if full {
		w.gap(p.dir, "tree is truncated: too many directories differ")
		return nil, nil
	}
	b, err := w.list(ctx, p.dir, p.base, w.base)
	if err != nil {
		return nil, err
	}
	h, err := w.list(ctx, p.dir, p.head, w.head)
	if err != nil {
		return nil, err
	}
	var below []pair
	names := maps.Clone(b)
	maps.Copy(names, h)
	for name := range names {
		if b[name] != h[name] {
			below = append(below, pair{dir: name, base: b[name], head: h[name]})
		}
	}
	return below, nil
}

// list adds the wanted files of one directory to into and returns its directories by path.
func (w *walker) list(ctx context.Context, dir, sha string, into listing) (map[string]string, error) {
	dirs := map[string]string{}
	if sha == "" {
		return dirs, nil
	}
	answer, _, err := w.c.Git.GetTree(ctx, w.c.Repo.Owner, w.c.Repo.Name, sha, false)
	if err != nil {
		return nil, fmt.Errorf("listing directory %q (%s): %w", dir, sha, err)
	}
	if answer.GetTruncated() {
		w.gap(dir, "tree is truncated: too many files in one directory")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range answer.Entries {
		name := path.Join(dir, e.GetPath())
		switch {
		case e.GetType() == "tree":
			dirs[name] = e.GetSHA()
		case w.c.app.lists(e, name):
			into[name] = entry{SHA: e.GetSHA(), Mode: e.GetMode(), Size: int64(e.GetSize())}
		}
	}
	return dirs, nil
}

func (w *walker) gap(dir, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gaps = append(w.gaps, checks.Gap{Path: dir, Reason: reason})
}

// changed returns the wanted paths that differ between two listings, sorted.
func changed(b, h listing) []string {
	all := maps.Clone(b)
	maps.Copy(all, h)
	var paths []string
	for name := range all {
		x, inBase := b[name]
		y, inHead := h[name]
		if inBase != inHead || x.SHA != y.SHA || x.Mode != y.Mode {
			paths = append(paths, name)
		}
	}
	slices.Sort(paths)
	return paths
}
