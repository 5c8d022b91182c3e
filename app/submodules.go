package app

import (
	"slices"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/landwaiter/landwaiter/checks"
)

// submodulesFile names the submodules of a repository; git reads it at the root only. Their
// commits stand in the tree, so it is read together with them.
const submodulesFile = ".gitmodules"

// wantsSubmodules reports whether the reader of inventories knows submodules.
func (a *App) wantsSubmodules() bool { return a.cfg.Wanted(submodulesFile) }

// lists reports whether an entry of a tree belongs into its listing. A submodule in the place of
// the policy file is no policy file.
func (a *App) lists(e *github.TreeEntry, name string) bool {
	switch e.GetType() {
	case "blob":
		return a.wanted(name)
	case "commit":
		return a.wantsSubmodules() && name != policyPath
	}
	return false
}

// maybeSubmodule reports whether a file of a comparison may be a submodule, or have been one. A
// comparison tells no mode. GitHub gives a submodule no blob_url
// (github.com/yanyongyu/githubkit/pull/134, jqlang/jq
// 481167c8f186d534b2cef0e8a7d6a4d6dbc45d6b...092fef740a0d1a0ddf61cf9e7af88915071c0705), and as its
// patch the line that git writes for it, which GitHub leaves out when the whole diff is too
// large. Whatever looks like that costs a look at the trees, which tell.
func maybeSubmodule(f *github.CommitFile) bool {
	if f.GetBlobURL() == "" {
		return true
	}
	if f.GetPatch() == "" {
		return f.GetChanges() > 0 && f.GetAdditions() <= 1 && f.GetDeletions() <= 1
	}
	for line := range strings.SplitSeq(f.GetPatch(), "\n") {
		if strings.HasPrefix(line, "-Subproject commit ") || strings.HasPrefix(line, "+Subproject commit ") {
			return true
		}
	}
	return false
}

// bySubmodules replaces the touched paths of submodules by the file that names them, and keeps
// the order. A touched submodule of a head without that file is a gap: nothing tells where it
// comes from.
func bySubmodules(b, h listing, paths []string) (touched []string, unnamed []checks.Gap) {
	moved := false
	for _, name := range paths {
		x, inBase := b[name]
		y, inHead := h[name]
		if inBase && !x.submodule() || inHead && !y.submodule() {
			touched = append(touched, name)
		}
		if inBase && x.submodule() || inHead && y.submodule() {
			moved = true
		}
		if _, named := h[submodulesFile]; inHead && y.submodule() && !named {
			unnamed = append(unnamed, checks.Gap{Path: name, Reason: "is a submodule, and no " + submodulesFile + " at the root tells where it comes from; add one, or remove it with `git rm --cached`"})
		}
	}
	if moved && !slices.Contains(touched, submodulesFile) {
		touched = append(touched, submodulesFile)
		slices.Sort(touched)
	}
	return touched, unnamed
}
