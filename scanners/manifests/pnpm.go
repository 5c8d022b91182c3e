package manifests

import (
	"errors"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readPnpm reads pnpm-lock.yaml, lockfileVersion 5.x, 6.x and 9.x.
//
// Source: https://github.com/pnpm/spec (lockfile/5.2.md, 6.0.md, 9.0.md). pnpm 10 and later
// may put a second document in front, for what pnpm itself is installed from; it is read alike.
func readPnpm(s *source) error {
	docs, err := syntax.YAML(s.text)
	if err != nil {
		return invalid("YAML", err)
	}
	if len(docs) == 0 {
		return errors.New("holds no YAML document")
	}
	for _, root := range docs {
		l := &pnpmLock{s: s, byKey: map[string]int{}}
		if err := l.read(root); err != nil {
			return err
		}
	}
	return nil
}

// pnpmLock is one document of a pnpm-lock.yaml while it is read.
type pnpmLock struct {
	s     *source
	major int
	// byKey finds a package by its key in "packages" or "snapshots", with peers and without.
	byKey map[string]int
	g     graph
}

func (l *pnpmLock) read(root syntax.Node) error {
	version := root.Get("lockfileVersion")
	switch major, _, _ := strings.Cut(version.Text(), "."); {
	case version.Kind() == syntax.Absent:
		return errors.New("names no lockfileVersion, so it says nothing about packages")
	case major == "5" || major == "6" || major == "9":
		l.major = int(major[0] - '0')
	default:
		return fmt.Errorf("has a lockfileVersion (line %d) that is not known; known are 5, 6 and 9", version.Line())
	}
	for p := range root.Get("packages").All() {
		if p.Key() == "" {
			return fmt.Errorf("is not valid as pnpm-lock.yaml: line %d: the package has no name", p.Line())
		}
		l.add(p)
	}
	for p := range root.Get("packages").All() {
		l.needs(p)
	}
	for p := range root.Get("snapshots").All() {
		l.snapshot(p.Key())
	}
	for p := range root.Get("snapshots").All() {
		l.needs(p)
	}
	l.importer(root) // a project without workspaces says its dependencies at the top
	importers := []string{"."}
	for i := range root.Get("importers").All() {
		l.importer(i)
		importers = append(importers, i.Key())
	}
	l.s.resolves(importers...)
	l.g.apply(l.s.packages)
	return nil
}

// add adds the package of one member of "packages". Folders of the repository are left out.
func (l *pnpmLock) add(p syntax.Node) {
	resolution := p.Get("resolution")
	if resolution.String("type") == "directory" || isFolder(p.Key()) && resolution.String("tarball") == "" {
		return
	}
	name, version := l.split(p.Key())
	if n := p.Get("name").Text(); n != "" {
		name = n
	}
	if v := p.Get("version").Text(); v != "" {
		version = v
	}
	constraint := ""
	switch {
	case strings.ContainsAny(version, ":/"):
		constraint, version = version, ""
	case version == "" || version[0]-'0' > 9: // the key is an address of a form that is not known
		name, version, constraint = p.Key(), "", p.Key()
	}
	i := l.s.add(name, version, p.Line())
	pkg := &l.s.packages[i]
	pkg.Constraint, pkg.Deprecated = strings.Clone(constraint), deprecation(p.Get("deprecated"))
	if pkg.Commit = strings.Clone(resolution.Get("commit").Text()); pkg.Commit == "" {
		pkg.Commit = gitCommit(resolution.String("tarball"))
	}
	l.byKey[p.Key()] = i
}

// split takes a key of "packages" apart: "/a/1.0.0_peer@2.0.0" (5), "/a@1.0.0(peer@2.0.0)" (6),
// "a@1.0.0" (9). Keys that are addresses give an empty name where they hold none.
func (l *pnpmLock) split(key string) (name, version string) {
	if l.major == 9 {
		return splitAt(key)
	}
	rest, registry := strings.CutPrefix(key, "/")
	if !registry {
		// "registry.example/a/1.0.0" where the registry is not the default one, or an address.
		if host, path, ok := strings.Cut(key, "/"); ok && strings.ContainsAny(host, ".:") {
			rest = path
		}
	}
	if l.major == 6 {
		name, version = splitAt(rest)
		version, _, _ = strings.Cut(version, "(")
		return name, version
	}
	slash := strings.IndexByte(rest, '/')
	if strings.HasPrefix(rest, "@") && slash >= 0 {
		if second := strings.IndexByte(rest[slash+1:], '/'); second >= 0 {
			slash += 1 + second
		} else {
			slash = -1
		}
	}
	if slash < 0 {
		return rest, ""
	}
	name, version = rest[:slash], rest[slash+1:]
	version, _, _ = strings.Cut(version, "_")
	return name, version
}

// snapshot lets the key of a snapshot, which may name peers, find its package.
func (l *pnpmLock) snapshot(key string) {
	if bare, _, peers := strings.Cut(key, "("); peers {
		if i, ok := l.byKey[bare]; ok {
			l.byKey[key] = i
		}
	}
}

// needs notes what one member of "packages" or "snapshots" needs.
func (l *pnpmLock) needs(p syntax.Node) {
	from, ok := l.byKey[p.Key()]
	if !ok {
		return
	}
	for _, group := range [...]string{"dependencies", "optionalDependencies"} {
		for d := range p.Get(group).All() {
			if to, ok := l.find(d.Key(), d.Text()); ok {
				l.g.need(from, to, group == "optionalDependencies")
			}
		}
	}
}

// find returns the package that a dependency got: ref is a version, with peers, or a whole key
// where the dependency is an alias or comes from an address.
func (l *pnpmLock) find(name, ref string) (int, bool) {
	keys := [...]string{"/" + name + "/" + ref, ref}
	switch l.major {
	case 6:
		keys[0] = "/" + name + "@" + ref
	case 9:
		keys[0] = name + "@" + ref
	}
	for _, key := range keys {
		if i, ok := l.byKey[key]; ok {
			return i, true
		}
	}
	return 0, false
}

// importer notes what one project of the workspace needs itself.
func (l *pnpmLock) importer(p syntax.Node) {
	for _, group := range []struct {
		key   string
		scope inventory.Scope
	}{
		{"dependencies", inventory.ScopeRuntime},
		{"optionalDependencies", inventory.ScopeOptional},
		{"devDependencies", inventory.ScopeDevelopment},
		{"packageManagerDependencies", inventory.ScopeDevelopment},
		{"configDependencies", inventory.ScopeDevelopment},
	} {
		for d := range p.Get(group.key).All() {
			ref := d.Text()
			if d.Kind() == syntax.Table {
				ref = d.Get("version").Text()
			}
			if to, ok := l.find(d.Key(), ref); ok {
				l.g.directRange(to, group.scope, d.String("specifier"))
			}
		}
	}
}
