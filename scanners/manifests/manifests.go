// Package manifests reads the files that name packages: lock files and manifests.
package manifests

import (
	"context"

	"github.com/landwaiter/landwaiter/checks"
)

// ParserVersion names the behaviour of this package. A stored Inventory is valid only for the
// version that made it; every change that can alter an Inventory raises it.
const ParserVersion = "1"

// Format is one row of docs/formats.md.
type Format struct {
	Name      string   // "package-lock.json"
	Files     []string // patterns of paths
	Ecosystem string   // the OSV name: "npm"
	Manager   string   // the tool that edits the file: "npm"
	Tier      int      // 1: the ecosystems promised in full; 2: read through the library
}

// Wanted reports whether path is a manifest, or a companion needed to read one.
func Wanted(path string) bool { return false }

// Formats returns the table of formats.
func Formats() []Format { return nil }

// Read returns the packages that files name.
func Read(ctx context.Context, files []checks.File) checks.Inventory {
	return checks.Inventory{}
}
