package checks

import (
	"cmp"
	"slices"
	"strings"
)

// cured returns the known vulnerabilities of the base that the change takes away, the worst
// first. What is still anywhere in the head is not among them, and neither is what the head or
// the scanner could not show whole: nothing is praised that was not seen.
func (c *comparison) cured(j *judgment) []Cured {
	if !c.compared || len(j.m.Head.Gaps) > 0 || slices.ContainsFunc(j.evidence, Evidence.blind) {
		return nil
	}
	unseen := map[string]bool{}
	for _, m := range j.m.Head.Inventory.Manifests {
		unseen[m.Path] = unseen[m.Path] || m.Gap != ""
	}
	for _, e := range j.evidence {
		for _, g := range e.Gaps {
			unseen[g.Path] = true
		}
	}
	left := map[place]map[string]bool{} // identifiers that the head has, by place
	kept := map[key]bool{}
	for _, e := range j.evidence {
		for _, m := range e.Matches {
			if m.Side != Base {
				at := c.headPlace(m.Path, &m.Package)
				for _, id := range advisoryIDs(m.Advisory) {
					add(left, at, id)
				}
				kept[key{m.Package.Ecosystem, m.Package.Name, m.Package.Version, m.Advisory.ID}] = true
			}
		}
	}
	next := c.replacements(j)
	found := map[key]Cured{}
	for _, e := range j.evidence {
		for _, m := range e.Matches {
			k := key{m.Package.Ecosystem, m.Package.Name, m.Package.Version, m.Advisory.ID}
			at := c.basePlace(m.Path, &m.Package)
			if m.Side != Base || kept[k] || !c.touchedAt(m.Path) || unseen[m.Path] || next[at].unsure ||
				slices.ContainsFunc(advisoryIDs(m.Advisory), func(id string) bool { return left[at][id] }) {
				continue
			}
			found[k] = Cured{
				Advisory: m.Advisory.ID, Aliases: append([]string{}, m.Advisory.Aliases...), Severity: m.Advisory.Severity,
				Package: FindingPackage{PURL: m.Package.PURL, Ecosystem: m.Package.Ecosystem, Name: m.Package.Name, Version: m.Package.Version},
				To:      next[at].version, Malware: m.Advisory.Malware, Exploited: m.Advisory.Exploited,
			}
		}
	}
	var list []Cured
	for _, v := range found {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b Cured) int {
		return cmp.Or(boolOrder(b.Malware, a.Malware), boolOrder(b.Exploited, a.Exploited), int(b.Severity-a.Severity),
			strings.Compare(a.Package.Name, b.Package.Name), strings.Compare(a.Package.PURL, b.Package.PURL), strings.Compare(a.Advisory, b.Advisory))
	})
	return list
}

// touchedAt reports whether the change edits, removes or moves the base's manifest at path.
func (c *comparison) touchedAt(path string) bool {
	b := c.base[path]
	return b != nil && !c.untouched[path] && !(c.head[path] == nil && c.movedAway(b))
}

// replacement is what the head has of a package at a place of the base.
type replacement struct {
	version string // the highest; "" when the head has none
	unsure  bool   // the head has the package there without an exact version, or in a manifest not read whole
}

func (c *comparison) replacements(j *judgment) map[place]replacement {
	next := map[place]replacement{}
	for _, m := range j.m.Head.Inventory.Manifests {
		for i := range m.Packages {
			p := &m.Packages[i]
			at := c.headPlace(m.Path, p)
			r := next[at]
			r.unsure = r.unsure || p.Version == "" || m.Gap != ""
			if r.version == "" || byVersion(r.version, p.Version) < 0 {
				r.version = p.Version
			}
			next[at] = r
		}
	}
	return next
}
