package checks

import "slices"

// check is one row of the table of checks.
type check struct {
	kinds []Kind
	// scanner is the scanner without whose Evidence there is no Pass.
	scanner string
	// beside are other scanners whose Evidence is for this check alone.
	beside []string
	judge  func(*judgment)
}

// registryScanner is the scanner that asks registries. What it could not see matters only to
// rules that need its Facts, and those say so themselves.
const registryScanner = "registry"

// all is the table of checks. To add one: a file with its judgment, its rules as one field
// of Policy, and a row here.
func all() []check {
	return []check{
		{[]Kind{KindPullRequest, KindMergeGroup, KindTree}, "osv", []string{registryScanner, "lookalike"}, judgeDependencies},
		{[]Kind{KindRelease, KindArtifact}, "sigstore", nil, judgeRelease},
		{[]Kind{KindDeployment}, "osv", []string{registryScanner, "lookalike"}, judgeDeployment},
		{[]Kind{KindCommit}, "osv", []string{registryScanner, "lookalike"}, judgeCommit},
	}
}

func checkFor(k Kind) (check, bool) {
	table := all()
	i := slices.IndexFunc(table, func(c check) bool { return slices.Contains(c.kinds, k) })
	if i < 0 {
		return check{}, false
	}
	return table[i], true
}

// evidence returns what this check looks at: Evidence of its own scanner, in failed form when
// there is none, and of scanners that no other check claims.
func (c check) evidence(found []Evidence) []Evidence {
	var own []Evidence
	for _, e := range found {
		others := slices.ContainsFunc(all(), func(o check) bool { return o.scanner != c.scanner && o.claims(e.Scanner) })
		if !others {
			own = append(own, e)
		}
	}
	if !slices.ContainsFunc(own, func(e Evidence) bool { return e.Scanner == c.scanner }) {
		own = append(own, failed(c.scanner, "the scanner did not run"))
	}
	return own
}

func (c check) claims(scanner string) bool {
	return c.scanner == scanner || slices.Contains(c.beside, scanner)
}
