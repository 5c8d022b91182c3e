package app

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// change is the part of a Material that a range of commits gives.
type change struct {
	base, head   checks.Tree
	policyChange *checks.PolicyChange
	// quiet says that the range touches nothing that names packages.
	quiet bool
}

// change reads what head changes since the merge base found by compare.
//
// Modes, sizes and the digests of the base come from the trees of both sides: a comparison
// alone would not tell a symbolic link from a file.
func (a *App) change(ctx context.Context, c *installation, found comparison, head string) (change, error) {
	if found.Whole && len(found.Touched) == 0 {
		return change{quiet: true}, nil
	}
	b, h, gaps, err := c.trees(ctx, found.MergeBase, head)
	if err != nil {
		return change{}, err
	}
	var ch change
	paths := changed(b, h)
	if i := slices.Index(paths, policyPath); i >= 0 {
		paths = slices.Delete(paths, i, i+1)
		if ch.policyChange, err = c.policyChange(ctx, h, head); err != nil {
			return change{}, err
		}
	}
	paths, unnamed := bySubmodules(b, h, paths)
	ch.base.Gaps, ch.head.Gaps = gaps, append(unnamed, gaps...)
	if len(paths) == 0 {
		ch.quiet = len(ch.head.Gaps) == 0
		return ch, nil
	}
	ch.base.Inventory, ch.head.Inventory, err = a.inventories(ctx, c, readings(b, paths), readings(h, paths))
	if err != nil {
		return change{}, err
	}
	keepTouched(&ch.base.Inventory, paths)
	keepTouched(&ch.head.Inventory, paths)
	return ch, nil
}

// gatherChange gathers all of a change but its Subject.
func (a *App) gatherChange(ctx context.Context, c *installation, found comparison, head string, rules inForce) (gathered, error) {
	ch, err := a.change(ctx, c, found, head)
	if err != nil {
		return gathered{}, err
	}
	m := &checks.Material{Base: ch.base, Head: ch.head, Compared: true, PolicyChange: ch.policyChange, AskRegistry: rules.Policy.AsksRegistry(), AskNewest: rules.Policy.AsksNewest()}
	return gathered{
		Material: m, Policy: rules.Policy, Quiet: ch.quiet, PolicyProblem: rules.Problem, PolicyKept: rules.Kept,
		Then: func(ctx context.Context, evidence []checks.Evidence) error {
			return a.addImports(ctx, c, m, head, evidence)
		},
	}, nil
}

// readings returns the files of one side that must be read to see what was touched: those
// files, and what stands in their folders and above, where locks and the manifests that they
// resolve may be. Lists of requirements may also include others from folders below.
func readings(side listing, touched []string) []reading {
	folders := map[string]bool{}
	for _, name := range touched {
		// What GitHub itself reads in .github stands alone.
		for dir := path.Dir(name); !strings.HasPrefix(name, ".github/"); dir = path.Dir(dir) {
			folders[dir] = true
			if dir == "." {
				break
			}
		}
	}
	var files []reading
	for name, e := range side {
		if e.submodule() {
			if slices.Contains(touched, submodulesFile) {
				files = append(files, reading{name, e})
			}
			continue
		}
		if name != policyPath && (folders[path.Dir(name)] || slices.Contains(touched, name) || included(name, touched)) {
			files = append(files, reading{name, e})
		}
	}
	return files
}

// included reports whether a touched list of requirements may include the file: both are
// plain text, and the file lies somewhere below the folder of the list.
func included(name string, touched []string) bool {
	if path.Ext(name) != ".txt" {
		return false
	}
	return slices.ContainsFunc(touched, func(list string) bool {
		dir := path.Dir(list)
		return path.Ext(list) == ".txt" && (dir == "." || strings.HasPrefix(name, dir+"/"))
	})
}

// keepTouched drops manifests that were read only because another needs them.
func keepTouched(inv *checks.Inventory, touched []string) {
	inv.Manifests = slices.DeleteFunc(inv.Manifests, func(m checks.Manifest) bool { return !slices.Contains(touched, m.Path) })
}

// policyChange reads the policy file that a change proposes. It is validated and shown, and
// never applied to the change itself (THREATS G06).
func (c *installation) policyChange(ctx context.Context, h listing, head string) (*checks.PolicyChange, error) {
	proposed := &checks.PolicyChange{Path: policyPath}
	e, ok := h[policyPath]
	if !ok {
		return proposed, nil
	}
	source := policyPath + "@" + head
	if why := e.problem(); why != "" {
		proposed.Error = &checks.PolicyError{Source: source, Message: "the policy file " + why}
		return proposed, nil
	}
	text, err := c.blob(ctx, e.SHA)
	if err != nil {
		return nil, err
	}
	proposed.Preview, err = checks.ParsePolicy(text, source)
	return proposed, asPolicyError(err, &proposed.Error)
}
