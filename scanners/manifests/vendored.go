package manifests

import (
	"fmt"
	"strings"
)

// readVendorModules reads vendor/modules.txt, the modules whose source lies in the vendor
// folder:
//
//	# example.com/a v1.2.0 => example.com/b v1.3.0
//	## explicit; go 1.21
//	example.com/a/pkg
//
// A module without packages is not in the folder. Where go.mod says another version, Go does
// not build; both versions are packages here, so neither is missed.
// Source: golang/go:src/cmd/go/internal/modcmd/vendor.go.
func readVendorModules(s *source) error {
	name, version, number, line, added := "", "", 0, 0, false
	for text := range strings.Lines(s.text) {
		number++
		text = strings.TrimSpace(text)
		words := strings.Fields(strings.TrimPrefix(text, "#"))
		switch {
		case text == "" || strings.HasPrefix(text, "## "):
		case strings.HasPrefix(text, "# ") && len(words) > 1:
			name, version = vendored(words)
			line, added = number, false
		case line == 0 || len(words) != 1:
			return fmt.Errorf("is not valid as vendor/modules.txt: line %d: expected a module", number)
		case !added && name != "":
			s.add(name, strings.TrimPrefix(version, "v"), line)
			added = true
		}
	}
	return nil
}

// vendored returns the module that a line gives the source of: what replaces another, or the
// module itself. A folder has no name.
func vendored(words []string) (name, version string) {
	for i, w := range words {
		if w != "=>" {
			continue
		}
		if len(words) == i+3 {
			return words[i+1], words[i+2]
		}
		return "", ""
	}
	if len(words) < 2 {
		return "", ""
	}
	return words[0], words[1]
}
