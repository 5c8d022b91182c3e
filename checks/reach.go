package checks

// AsksImports reports whether a judgment of m can use what its Go source imports: the change
// brings in a package with an advisory that names the packages which hold the problem.
func AsksImports(m *Material, evidence []Evidence) bool {
	if m.Head.Imports != nil {
		return false
	}
	var c *comparison
	for _, e := range evidence {
		for _, match := range e.Matches {
			if match.Side == Base || match.Package.Ecosystem != "Go" || len(match.Advisory.Imports) == 0 {
				continue
			}
			if c == nil {
				c = newComparison(m, evidence)
			}
			if c.introduced(match) {
				return true
			}
		}
	}
	return false
}
