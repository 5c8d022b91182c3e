// Package scanners holds the table of scanners: the engines that look at Material and say
// what they saw as Evidence. Each engine lives in a folder of its own because it cages a
// heavy dependency. A scanner never reaches GitHub or the database and never forms a Verdict.
package scanners

import (
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/lookalike"
	"github.com/landwaiter/landwaiter/scanners/osv"
	"github.com/landwaiter/landwaiter/scanners/registry"
	"github.com/landwaiter/landwaiter/scanners/sigstore"
)

// Config is what the scanners need.
type Config struct {
	Advisories *osv.Index
	OSV        osv.Options
	Registry   registry.Options
	Sigstore   sigstore.Config
	// Signatures is used in place of a scanner made from Sigstore, when it is not nil.
	Signatures checks.Scanner
}

// All returns every scanner. To add one: a folder here, and a line below.
func All(c Config) ([]checks.Scanner, error) {
	signatures := c.Signatures
	if signatures == nil {
		var err error
		if signatures, err = sigstore.New(c.Sigstore); err != nil {
			return nil, err
		}
	}
	registries, err := registry.New(c.Registry)
	if err != nil {
		return nil, err
	}
	return []checks.Scanner{
		osv.New(c.Advisories, c.OSV),
		registries,
		lookalike.New(),
		signatures,
	}, nil
}
