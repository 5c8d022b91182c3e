package manifests

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// submodulesFile is where git looks for the addresses of submodules: at the root only.
const submodulesFile = ".gitmodules"

// submodule is what .gitmodules says of one.
type submodule struct {
	name      string
	path, url string
	line      int // of the address; of the path when there is none
}

// readSubmodules gives a package for each submodule of the tree, at the commit that the tree
// has it at. .gitmodules tells where it comes from; what it names and the tree does not have is
// no package, and what the tree has and it does not name, or without an address, is a Gap.
//
// Source: https://git-scm.com/docs/gitmodules.
func readSubmodules(s *source) error {
	settings, err := gitConfig(s.text)
	if err != nil {
		return err
	}
	named, err := submodules(settings)
	if err != nil {
		return err
	}
	byPath := make(map[string]*submodule, len(named))
	for _, m := range named {
		if other := byPath[m.path]; other != nil && m.path != "" && other.url != m.url {
			return fmt.Errorf("line %d: the submodule at %q is named twice", m.line, cut(m.path, maxShown))
		}
		byPath[m.path] = m
	}
	links := slices.Clone(s.tree.links)
	slices.SortFunc(links, func(a, b *inventory.File) int { return cmp.Compare(a.Path, b.Path) })
	var unnamed []*inventory.File
	for _, link := range links {
		if m := byPath[link.Path]; m != nil && m.url != "" && link.Problem == "" && isCommit(link.Link) {
			s.addSubmodule(m, link.Link)
			continue
		}
		unnamed = append(unnamed, link)
	}
	slices.SortStableFunc(s.packages, func(a, b inventory.Package) int { return a.Line - b.Line })
	if len(unnamed) == 0 {
		return nil
	}
	return unnamedGap(unnamed)
}

// unnamedGap says which submodules nobody knows the origin of. It names the commit of the first, so
// that another one there is another Gap.
func unnamedGap(links []*inventory.File) error {
	first := links[0]
	if first.Problem != "" {
		return gap{what: fmt.Sprintf("has a submodule at %q that %s", cut(first.Path, maxShown), first.Problem), todo: "split the project", partial: true}
	}
	what := fmt.Sprintf("does not tell the address of the submodule at %q, commit %.12s", cut(first.Path, maxShown), first.Link)
	if n := len(links) - 1; n > 0 {
		what += fmt.Sprintf(", and of %d more", n)
	}
	return gap{what: what, todo: "name it there, or remove it with `git rm --cached`", partial: true}
}

// submodules gathers the settings of each submodule. Which of two values for one key counts
// depends on who asks git, so they are an error.
func submodules(settings []setting) ([]*submodule, error) {
	byName := map[string]*submodule{}
	var list []*submodule
	for _, s := range settings {
		if s.section != "submodule" || s.subsection == "" || s.key != "path" && s.key != "url" {
			continue
		}
		m := byName[s.subsection]
		if m == nil {
			m = &submodule{name: s.subsection}
			byName[s.subsection], list = m, append(list, m)
		}
		field, value := &m.url, s.value
		if s.key == "path" {
			field, value = &m.path, path.Clean(s.value)
		}
		if *field != "" && *field != value {
			return nil, fmt.Errorf("line %d: %s of the submodule %q is there twice", s.line, s.key, cut(m.name, maxShown))
		}
		if *field = value; s.key == "url" || m.line == 0 {
			m.line = s.line
		}
	}
	return list, nil
}

// addSubmodule adds the package of a submodule at a commit.
func (s *source) addSubmodule(m *submodule, commit string) {
	if len(m.url) > maxMatched {
		s.add(cut(m.url, maxShown), "", m.line)
		return
	}
	name := repositoryAddress(m.url)
	i := s.add(name, "", m.line)
	p := &s.packages[i]
	p.Commit = strings.ToLower(commit)
	p.PURL = submodulePURL(p.Name, p.Commit)
	s.direct(i, "")
}

// repositoryAddress writes the address of a repository in the one way in which advisories do:
// https, host and path in lower case, without user, password, the scheme's own port and ".git". One
// that is relative, or of a folder of a machine, begins with a dot or a slash.
func repositoryAddress(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	switch {
	case ok && strings.EqualFold(scheme, "file"):
		return "/" + strings.TrimLeft(rest, "/")
	case ok && rest != "":
	case strings.HasPrefix(address, ".") || strings.HasPrefix(address, "/"):
		return address
	default: // git@host:path
		host, repository, ok := strings.Cut(address, ":")
		if !ok || host == "" || strings.Contains(host, "/") {
			return "./" + address
		}
		scheme, rest = "ssh", host+"/"+strings.TrimLeft(repository, "/")
	}
	host, repository, _ := strings.Cut(rest, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	if port, known := defaultPorts[strings.ToLower(scheme)]; known {
		host = strings.TrimSuffix(host, port)
	}
	repository = strings.TrimSuffix(strings.Trim(repository, "/"), ".git")
	if host == "" || repository == "" {
		return "./" + repository
	}
	return strings.ToLower("https://" + host + "/" + repository)
}

// defaultPorts are the ports that an address need not name.
var defaultPorts = map[string]string{"https": ":443", "http": ":80", "ssh": ":22", "git": ":9418"}

// submodulePURL returns the package URL of a repository at a commit.
// Source: the types github and generic of the purl specification, and its qualifier vcs_url.
func submodulePURL(name, commit string) string {
	rest, ok := strings.CutPrefix(name, "https://")
	owner, repository, _ := strings.Cut(strings.TrimPrefix(rest, "github.com/"), "/")
	switch {
	case ok && strings.HasPrefix(rest, "github.com/") && repository != "" && !strings.Contains(repository, "/"):
		return packageurl.NewPackageURL(packageurl.TypeGithub, owner, repository, commit, nil, "").ToString()
	case ok:
		where := packageurl.Qualifiers{{Key: "vcs_url", Value: "git+" + name + "@" + commit}}
		return packageurl.NewPackageURL(packageurl.TypeGeneric, "", path.Base(rest), commit, where, "").ToString()
	}
	return packageurl.NewPackageURL(packageurl.TypeGeneric, "", name, commit, nil, "").ToString()
}
