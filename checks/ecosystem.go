package checks

import "slices"

// Unadvised reports whether no database of advisories covers an ecosystem by its nature: an
// image is made of packages that only a look inside tells, and OSV has no ecosystem for pods and
// for packages of JSR. Its packages are inventoried and judged by what files and names tell, and
// a missing version makes nothing unresolved, because there is nothing to compare it with.
// Source: https://ossf.github.io/osv-schema/#defined-ecosystems.
func Unadvised(ecosystem string) bool {
	switch ecosystem {
	case "Docker", "CocoaPods", "JSR":
		return true
	}
	return false
}

// unadvised counts the package versions that the change brings in and that nobody can compare
// with advisories.
func (j *judgment) countUnadvised(c *comparison) int {
	n := 0
	for _, change := range j.r.Changes {
		if change.Type != "removed" && j.unadvised(change.Ecosystem) {
			n++
		}
	}
	if !c.compared {
		for _, f := range j.m.Head.Inventory.Manifests {
			for _, p := range f.Packages {
				if j.unadvised(p.Ecosystem) {
					n++
				}
			}
		}
	}
	return n
}

// unadvised reports whether nobody can compare packages of an ecosystem with advisories: there
// are none by its nature, or the operator keeps none and need not.
func (j *judgment) unadvised(ecosystem string) bool {
	return Unadvised(ecosystem) || slices.ContainsFunc(j.evidence, func(e Evidence) bool { return slices.Contains(e.Unheld, ecosystem) })
}

// unheld adds a notice for each ecosystem of which the operator keeps no advisories, when the
// change brings packages of it in.
func (j *judgment) unheld(c *comparison) {
	told := map[string]bool{}
	for _, e := range j.evidence {
		for _, ecosystem := range e.Unheld {
			n := j.brought(c, ecosystem)
			if n == 0 || told[ecosystem] {
				continue
			}
			told[ecosystem] = true
			j.notice(RuleComplete, CodeUnheld, "packages of the ecosystem %s (%d here, submodules among them) were not compared with advisories, because this installation keeps none of it; `landwaiter advisories update --ecosystem %s` fetches them",
				ecosystem, n, ecosystem)
		}
	}
}

// brought counts the package versions of an ecosystem that the change brings in; without a base
// all of them.
func (j *judgment) brought(c *comparison, ecosystem string) int {
	n := 0
	for _, change := range j.r.Changes {
		if change.Type != "removed" && change.Ecosystem == ecosystem {
			n++
		}
	}
	if c.compared {
		return n
	}
	for _, f := range j.m.Head.Inventory.Manifests {
		for _, p := range f.Packages {
			if p.Ecosystem == ecosystem {
				n++
			}
		}
	}
	return n
}
