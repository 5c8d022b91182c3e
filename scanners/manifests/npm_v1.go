package manifests

import (
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// tree reads the "dependencies" of a folder in a version 1 file, where packages lie inside
// each other as their folders do.
func (l *npmLock) tree(at int32) {
	l.r.Object(func(name string) {
		line := l.r.Line()
		if name == "" {
			l.nameless = line
		}
		i := l.s.add("", "", line)
		place := l.places.below(at, name)
		l.places.fill(place, i)
		var version, resolved string
		var dev, optional bool
		l.r.Object(func(key string) {
			switch key {
			case "version":
				version = l.r.TextOr()
			case "resolved":
				resolved = l.r.TextOr()
			case "dev":
				dev = l.r.True()
			case "optional":
				optional = l.r.True()
			case "requires":
				l.entry.place = place
				first := len(l.needs)
				l.readNeeds(inventory.ScopeRuntime)
				l.own(l.needs[first:], int32(i))
			case "dependencies":
				l.tree(place)
			default:
				l.r.Skip()
			}
		})
		l.s.packages[i].Scope = flagged(dev, optional)
		l.nameByVersion(i, name, version, resolved)
	})
}

// nameByVersion names package i. The version field of a version 1 file also holds aliases,
// files, git and web addresses. A folder is part of the repository and keeps no name.
func (l *npmLock) nameByVersion(i int, name, version, resolved string) {
	if real, alias := strings.CutPrefix(version, "npm:"); alias {
		if at := strings.LastIndexByte(real, '@'); at > 0 {
			name, version = real[:at], real[at+1:]
		}
	}
	if isFolder(version) {
		return
	}
	p := &l.s.packages[i]
	if version == "" {
		p.Constraint = strings.Clone(resolved)
	} else if strings.ContainsAny(version, ":/") {
		p.Constraint, version = strings.Clone(version), ""
	}
	l.s.name(i, name, version)
	if p.Commit = gitCommit(p.Constraint); p.Commit == "" {
		p.Commit = gitCommit(resolved)
	}
}

// isFolder reports whether an npm range names a folder of the repository.
func isFolder(spec string) bool {
	for _, local := range [...]string{"link:", "workspace:", "portal:"} {
		if strings.HasPrefix(spec, local) {
			return true
		}
	}
	return strings.HasPrefix(spec, "file:") && !strings.HasSuffix(spec, ".tgz") && !strings.HasSuffix(spec, ".tar.gz")
}

// commits finds the commit that tools write behind the address of a git repository, and in
// that of an archive of one: "…#<commit>", "…#commit=<commit>", "…/tar.gz/<commit>", "…?ref=<commit>".
var commits = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:#|#commit=|/tar\.gz/|/tarball/|/archive/|[?&]ref=|[?&]sha=)([0-9a-f]{40})(?:\.tar\.gz|\.zip|&.*)?$`)
})

// gitCommit returns the commit that an address is pinned to, "" when it is to none.
func gitCommit(address string) string {
	// Nearly all addresses are archives of a registry, maybe with the hash of the archive
	// behind them; the expression is slow for so many.
	if strings.Contains(address, ".tgz") || !strings.Contains(address, ":") || len(address) > 4096 {
		return ""
	}
	m := commits().FindStringSubmatchIndex(address)
	if m == nil || strings.HasSuffix(address[:m[0]], ".tar.gz") && address[m[0]] == '#' {
		return ""
	}
	return strings.Clone(address[m[2]:m[3]])
}

// isCommit reports whether s is the full name of a git commit.
func isCommit(s string) bool {
	return len(s) == 40 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
