package manifests

import (
	"errors"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// The files of MSBuild that hold for all projects in their folder and below. MSBuild takes the
// nearest of each name.
const (
	centralPackages = "Directory.Packages.props"
	buildProps      = "Directory.Build.props"
	buildTargets    = "Directory.Build.targets"
)

// exactNuGet is a version as MSBuild files give it: without brackets it is the lowest one,
// which is what NuGet takes.
var exactNuGet = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\[?\s*([0-9]+(?:\.[0-9]+){0,3}(?:[-+][0-9A-Za-z.+-]+)?)\s*\]?$`)
})

// readProject reads a project of .NET (*.csproj, *.vbproj, *.fsproj): the packages that it
// names, with versions that it or the files above it say. Conditions are not judged: what some
// target gets counts. A packages.lock.json beside it resolves the project.
//
// Source: https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files.
func readProject(s *source) error {
	m, err := newMSBuild(s)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(path.Base(s.path), path.Ext(s.path))
	for _, lock := range [...]string{"packages.lock.json", "packages." + name + ".lock.json"} {
		if _, ok := s.tree.files[path.Join(s.dir(), lock)]; ok {
			return nil
		}
	}
	m.add("PackageReference")
	return nil
}

// readBuildFile reads Directory.Build.props and Directory.Build.targets, the packages that all
// projects below get.
// Source: https://learn.microsoft.com/visualstudio/msbuild/customize-by-directory.
func readBuildFile(s *source) error {
	m, err := newMSBuild(s)
	if err == nil {
		m.add("PackageReference")
	}
	return err
}

// readCentralPackages reads Directory.Packages.props, the versions that all projects below it
// share. Source: https://learn.microsoft.com/nuget/consume-packages/central-package-management.
func readCentralPackages(s *source) error {
	m, err := newMSBuild(s)
	if err == nil {
		m.add("PackageVersion", "GlobalPackageReference", "PackageReference")
	}
	return err
}

// msbuild is a file of MSBuild while it is read.
type msbuild struct {
	s     *source
	root  syntax.Node
	files []*msbuildFile // itself and those above it, nearest first
	base  string         // its file name
}

// msbuildFile is what one file defines.
type msbuildFile struct {
	// properties are the values of each by its name in lower case: several, each under a
	// condition.
	properties map[string][]string
	versions   map[string][]string // of PackageVersion elements, by lower-case name
	imports    bool                // it may hand on the file of that name above it
}

func newMSBuild(s *source) (*msbuild, error) {
	root, err := syntax.XML(s.text)
	if err != nil {
		return nil, invalid("XML", err)
	}
	if root.Key() != "Project" {
		return nil, errors.New("is no MSBuild file: its root element is not <Project>")
	}
	m := &msbuild{s: s, root: root, base: path.Base(s.path), files: []*msbuildFile{newMSBuildFile(root)}}
	for _, name := range [...]string{buildProps, centralPackages, buildTargets} {
		m.above(name)
	}
	return m, nil
}

// above adds the nearest file of that name, and those above it that it imports.
func (m *msbuild) above(name string) {
	for dir := m.s.dir(); ; dir = path.Dir(dir) {
		file := path.Join(dir, name)
		if f := m.s.tree.msbuildFile(file); f != nil && file != m.s.path {
			if m.files = append(m.files, f); !f.imports {
				return
			}
		}
		if dir == "." || dir == "/" {
			return
		}
	}
}

// msbuildFile returns what a file that was given defines, nil when there is none or it cannot
// be read; its own Manifest tells that.
func (t *tree) msbuildFile(file string) *msbuildFile {
	if f, ok := t.msbuild[file]; ok {
		return f
	}
	var f *msbuildFile
	if root := t.xml(file); root.Key() == "Project" {
		f = newMSBuildFile(root)
	}
	t.msbuild[file] = f
	return f
}

func newMSBuildFile(root syntax.Node) *msbuildFile {
	f := &msbuildFile{properties: map[string][]string{}, versions: map[string][]string{}, imports: root.Get("Import").Kind() != syntax.Absent}
	for p := range elements(root, "PropertyGroup") {
		key := strings.ToLower(p.Key())
		if len(f.properties[key]) <= maxVariants {
			f.properties[key] = append(f.properties[key], p.Text())
		}
	}
	for p := range elements(root, "ItemGroup") {
		key := strings.ToLower(p.String("@Include") + p.String("@Update"))
		if version := fieldOf(p, "Version"); p.Key() == "PackageVersion" && version != "" && len(f.versions[key]) < maxVariants {
			f.versions[key] = append(f.versions[key], version)
		}
	}
	return f
}

// elements yields what lies in the groups of that name, also in those that are a choice.
func elements(n syntax.Node, group string) func(yield func(syntax.Node) bool) {
	return func(yield func(syntax.Node) bool) { inGroups(n, group, yield) }
}

func inGroups(n syntax.Node, group string, yield func(syntax.Node) bool) bool {
	for c := range n.All() {
		switch c.Key() {
		case group:
			for p := range c.All() {
				if p.Kind() == syntax.Table && !yield(p) {
					return false
				}
			}
		case "Choose", "When", "Otherwise", "Target":
			if !inGroups(c, group, yield) {
				return false
			}
		}
	}
	return true
}

// fieldOf is an attribute of an element, or the element in it that says the same.
func fieldOf(p syntax.Node, name string) string {
	if v := p.String("@" + name); v != "" {
		return v
	}
	return p.Get(name).Text()
}

// add adds the packages of the elements with one of the names.
func (m *msbuild) add(names ...string) {
	for p := range elements(m.root, "ItemGroup") {
		for _, name := range names {
			if p.Key() == name {
				m.element(p)
			}
		}
	}
}

// element adds what one element names. A reference without a version anywhere is a package
// whose version is unknown; other elements without one leave it to another file.
func (m *msbuild) element(p syntax.Node) {
	included := p.String("@Include")
	for name := range strings.SplitSeq(included+p.String("@Update"), ";") {
		name = strings.TrimSpace(name)
		if name == "" || strings.ContainsAny(name, "$*@") {
			continue
		}
		written := fieldOf(p, "VersionOverride")
		if written == "" {
			written = fieldOf(p, "Version")
		}
		versions := []string{written}
		if written == "" {
			versions = m.central(name)
		}
		if len(versions) == 0 && included != "" && p.Key() == "PackageReference" && m.base != centralPackages {
			versions = []string{""}
		}
		for _, v := range versions {
			for _, value := range m.expand(v) {
				m.version(name, value, p.Line())
			}
		}
	}
}

// central returns the versions that the files above give to a package.
func (m *msbuild) central(name string) []string {
	if m.base == centralPackages {
		return nil
	}
	for _, f := range m.files {
		if v := f.versions[strings.ToLower(name)]; len(v) > 0 {
			return v
		}
	}
	return nil
}

func (m *msbuild) version(name, version string, line int) {
	i := m.s.add(name, "", line)
	if v := match(exactNuGet, version); v != nil {
		m.s.name(i, name, v[1])
	} else {
		m.s.packages[i].Constraint = strings.Clone(version)
	}
	m.s.direct(i, "")
}

// expand puts properties in the place of their names: a whole property with several values
// gives each, one with a single value may be a part. What is unknown stays as it is written.
func (m *msbuild) expand(text string) []string {
	for range maxSteps {
		before, rest, open := strings.Cut(text, "$(")
		name, after, closed := strings.Cut(rest, ")")
		if !open || !closed {
			break
		}
		values := m.property(name)
		switch {
		case len(values) == 1 && len(before)+len(values[0])+len(after) <= maxExpansion:
			text = before + values[0] + after
		case len(values) > 1 && len(values) <= maxVariants && before == "" && after == "":
			return values
		default:
			return []string{text}
		}
	}
	return []string{text}
}

func (m *msbuild) property(name string) []string {
	for _, f := range m.files {
		if v := f.properties[strings.ToLower(strings.TrimSpace(name))]; len(v) > 0 {
			return v
		}
	}
	return nil
}
