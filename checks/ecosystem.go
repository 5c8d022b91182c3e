package checks

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
func (c *comparison) unadvised(m *Material, changes []Change) int {
	n := 0
	for _, change := range changes {
		if change.Type != "removed" && Unadvised(change.Ecosystem) {
			n++
		}
	}
	if !c.compared {
		for _, f := range m.Head.Inventory.Manifests {
			for _, p := range f.Packages {
				if Unadvised(p.Ecosystem) {
					n++
				}
			}
		}
	}
	return n
}
