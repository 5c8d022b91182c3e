package osv

import "strings"

// gitEcosystem is OSV's name for what is known by its repository and commit alone, such as a
// submodule. Its packages are named by the address of the repository.
const gitEcosystem = "GIT"

const actionsEcosystem = "GitHub Actions"

// splitEcosystem parts an OSV ecosystem such as "Debian:12" into its name and its suffix,
// which is a release or a registry ("" when there is none).
func splitEcosystem(ecosystem string) (name, suffix string) {
	name, suffix, _ = strings.Cut(ecosystem, ":")
	return name, suffix
}

// suffixesMeet says whether an advisory for one suffix of an ecosystem is about a package
// with another: unless both name one, they meet. A lock file rarely names the registry
// that an advisory names.
func suffixesMeet(a, b string) bool { return a == "" || b == "" || a == b }

// normalName returns the form under which the index keys a package name: what the
// registry itself takes for the same name is the same key.
func normalName(ecosystem, name string) string {
	switch ecosystem {
	case "PyPI":
		return pypiName(name)
	case "NuGet", "Packagist", "Pub", "Hex", "GitHub Actions":
		return strings.ToLower(name)
	case gitEcosystem:
		return repositoryName(name)
	case "SwiftURL":
		name = strings.TrimPrefix(strings.ToLower(name), "https://")
		return strings.TrimSuffix(name, ".git")
	}
	return name
}

// pypiName normalises as https://packaging.python.org/en/latest/specifications/name-normalization/
// says: lower case, each run of "-", "_" and "." one "-".
func pypiName(name string) string {
	if normalPyPI(name) {
		return name
	}
	b := make([]byte, 0, len(name))
	run := false
	for i := range len(name) {
		c := name[i]
		if c == '-' || c == '_' || c == '.' {
			run = true
			continue
		}
		if run {
			b, run = append(b, '-'), false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	if run {
		b = append(b, '-')
	}
	return string(b)
}

// normalPyPI spares the usual name its copy.
func normalPyPI(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_', c == '.', c >= 'A' && c <= 'Z':
			return false
		case c == '-' && i+1 < len(name) && name[i+1] == '-':
			return false
		}
	}
	return true
}

// repositoryName returns one name for all addresses of a repository: host and path in lower
// case, without scheme, user, port of the scheme or ".git".
func repositoryName(address string) string {
	s := strings.ToLower(strings.TrimSpace(address))
	scheme, rest, ok := strings.Cut(s, "://")
	if ok {
		s = rest
		if port, known := map[string]string{"https": ":443", "http": ":80", "ssh": ":22", "git": ":9418"}[scheme]; known {
			host, path, _ := strings.Cut(s, "/")
			s = strings.TrimSuffix(host, port) + "/" + path
		}
	} else if host, path, ok := strings.Cut(s, ":"); ok && !strings.Contains(host, "/") {
		s = host + "/" + strings.TrimPrefix(path, "/") // git@host:path
	}
	if host, path, ok := strings.Cut(s, "/"); ok {
		s = host[strings.LastIndexByte(host, '@')+1:] + "/" + path
	}
	return strings.TrimSuffix(strings.TrimRight(s, "/"), ".git")
}

// relative reports whether address names a repository only beside another one, or on one machine.
func relative(address string) bool {
	return strings.HasPrefix(address, ".") || strings.HasPrefix(address, "/")
}

// repositoryOf returns the repository of an action that lies in a folder of it
// ("github/codeql-action/init" -> "github/codeql-action"), which advisories name, or "".
func repositoryOf(ecosystem, name string) string {
	if ecosystem != actionsEcosystem {
		return ""
	}
	parts := strings.SplitN(name, "/", 3)
	if len(parts) < 3 {
		return ""
	}
	return parts[0] + "/" + parts[1]
}

// The known families of advisory ids, best known first. See preferredID.
func idRank(id string, malware bool) int {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "MAL":
		if malware {
			return 0
		}
		return 5
	case "GHSA":
		return 1
	case "GO", "PYSEC", "RUSTSEC", "HSEC", "DRUPAL", "PSF", "RSEC", "BIT", "EEF":
		return 2
	case "CVE":
		return 4
	}
	return 3
}

// idPage returns the page about an advisory, in three parts.
func idPage(id string) (before, itself, after string) {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "GHSA":
		return "https://github.com/advisories/", id, ""
	case "GO":
		return "https://pkg.go.dev/vuln/", id, ""
	case "RUSTSEC":
		return "https://rustsec.org/advisories/", id, ".html"
	}
	return "https://osv.dev/vulnerability/", id, ""
}
