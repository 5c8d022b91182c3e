package main

import (
	"bytes"
	"context"
	"slices"
	"sort"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// submodulesFile names the submodules of a repository, at its root only.
const submodulesFile = ".gitmodules"

// workTreeLinks adds the submodules of the git work tree whose top dir is to the files read from
// it, at the commits of its index. Where dir is no such top there are none to see, and a gap
// says so if .gitmodules names some.
func workTreeLinks(ctx context.Context, dir string, files []checks.File) ([]checks.File, []checks.Gap) {
	if !atTop(ctx, dir) {
		return files, linksUnseen(files, "is no git work tree, or not the top of one")
	}
	listing, err := git(ctx, dir, nil, "ls-files", "--stage", "-z", "--", ".")
	if err != nil {
		return files, linksUnseen(files, "is a git work tree whose index cannot be read")
	}
	seen := map[string]bool{} // an index in a merge has several rows for a path
	for row := range strings.SplitSeq(strings.TrimSuffix(string(listing), "\x00"), "\x00") {
		head, name, found := strings.Cut(row, "\t")
		if fields := strings.Fields(head); found && len(fields) == 3 && fields[0] == modeSubmodule && !seen[name] {
			seen[name] = true
			files = append(files, checks.File{Path: name, Digest: fields[1], Link: fields[1]})
		}
	}
	sort.SliceStable(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files, linksUnnamed(files)
}

// modeSubmodule is git's mode of a submodule.
const modeSubmodule = "160000"

// atTop reports whether dir is the top of a git work tree: only there .gitmodules is what git
// reads. Without git nothing is.
func atTop(ctx context.Context, dir string) bool {
	if !inWorkTree(dir) {
		return false
	}
	answer, err := git(ctx, dir, nil, "rev-parse", "--is-inside-work-tree", "--show-prefix")
	return err == nil && strings.TrimSpace(string(answer)) == "true" // a folder below would follow
}

// linksUnseen returns a gap when .gitmodules names submodules whose commits nothing tells.
func linksUnseen(files []checks.File, why string) []checks.Gap {
	for _, f := range files {
		if f.Path == submodulesFile && bytes.Contains(bytes.ToLower(f.Data), []byte("[submodule")) {
			return []checks.Gap{{Path: submodulesFile, Reason: "which commits the submodules are at is only in git, and the folder " + why + "; scan the top of a git work tree"}}
		}
	}
	return nil
}

// linksUnnamed returns a gap for each submodule of a tree without .gitmodules. The gap holds the
// commit, so that another commit is another gap.
func linksUnnamed(files []checks.File) []checks.Gap {
	var gaps []checks.Gap
	for _, f := range files {
		switch {
		case f.Path == submodulesFile:
			return nil
		case f.Link != "":
			gaps = append(gaps, checks.Gap{Path: f.Path, Reason: "is a submodule at " + f.Link + ", and no " + submodulesFile + " at the root tells where it comes from; add one, or remove it with `git rm --cached`"})
		}
	}
	return gaps
}

// arisen drops the gaps of the head about submodules that stand in the base as well: the change
// does not bring them in.
func arisen(head, base []checks.Gap) []checks.Gap {
	return slices.DeleteFunc(head, func(g checks.Gap) bool { return g.Path != submodulesFile && slices.Contains(base, g) })
}

// withoutLinks drops submodules, which mean something only in the whole tree of a repository.
func withoutLinks(files []checks.File) []checks.File {
	kept := files[:0]
	for _, f := range files {
		if f.Link == "" {
			kept = append(kept, f)
		}
	}
	return kept
}
