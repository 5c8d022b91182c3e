package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv"
)

// opinion is one problem as either scanner names it.
type opinion struct {
	name, version string
	ids           []string // advisory and aliases
}

// readOpinions reads a report of osv-scanner in JSON.
func readOpinions(file string) ([]opinion, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, usage("reading --second-opinion: %w", err)
	}
	defer f.Close()
	matches, err := osv.ReadOSVScanner(f)
	if err != nil {
		return nil, usage("--second-opinion %s: %w", file, err)
	}
	var list []opinion
	for _, m := range matches {
		list = append(list, opinion{m.Package.Name, m.Package.Version, append([]string{m.Advisory.ID}, m.Advisory.Aliases...)})
	}
	return list, nil
}

// compareOpinions tells on stderr what only one of the two scanners found. It changes no
// verdict: which of them is right is for a person to see.
func compareOpinions(c *console, theirs []opinion, r checks.Report) {
	var ours []opinion
	for _, f := range r.Findings {
		if f.Advisory == "" {
			continue // no rule that osv-scanner knows
		}
		ours = append(ours, opinion{f.Package.Name, f.Package.Version, append([]string{f.Advisory}, f.Aliases...)})
	}
	differences := 0
	tell := func(who string, list, other []opinion) {
		for _, o := range list {
			if !slices.ContainsFunc(other, o.same) {
				differences++
				fmt.Fprintf(c.err, "landwaiter: only %s found %s in %s %s\n", who, o.ids[0], o.name, o.version)
			}
		}
	}
	tell("osv-scanner", theirs, ours)
	tell("Landwaiter", ours, theirs)
	if differences == 0 && !c.quiet {
		fmt.Fprintf(c.err, "landwaiter: osv-scanner found the same %d problems\n", len(ours))
	}
}

// same reports whether two opinions are about one problem of one package version.
func (o opinion) same(p opinion) bool {
	return o.name == p.name && o.version == p.version && slices.ContainsFunc(o.ids, func(id string) bool { return slices.Contains(p.ids, id) })
}
