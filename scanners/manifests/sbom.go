package manifests

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readSBOM reads a list of components that lies in the repository: CycloneDX in JSON or XML,
// SPDX 2 in JSON, YAML or as tags, SPDX 3 in JSON. What it is, its content says.
//
// Only a package URL tells what a component is; those without one are counted, and make the
// list incomplete, because a name alone may be anything.
func readSBOM(s *source) error {
	b := &sbom{s: s, byRef: map[string]int{}}
	if err := b.read(); err != nil {
		return err
	}
	b.relate()
	return b.nameless.gap()
}

// read finds out which kind of list the text is, and reads it.
func (b *sbom) read() error {
	start := strings.TrimSpace(b.s.text)
	switch ext := path.Ext(b.s.path); {
	case ext == ".xml" || ext == ".rdf" || strings.HasPrefix(start, "<"):
		root, err := syntax.XML(b.s.text)
		if err != nil {
			return invalid("XML", err)
		}
		if root.Key() == "RDF" && root.Get("SpdxDocument").Kind() != syntax.Absent {
			b.spdxRDF(root)
			b.described()
			return nil
		}
		if root.Key() != "bom" {
			return b.another("its root element is not <bom>")
		}
		return b.cycloneXML(root)
	case ext == ".yaml" || ext == ".yml":
		root, err := oneDocument(b.s.text)
		if err != nil {
			return err
		}
		return b.spdx2(root)
	case strings.HasPrefix(start, "{") || strings.HasPrefix(start, "["):
		return b.json()
	case ext == ".json":
		return errors.New("is no JSON object")
	}
	return b.spdxTags()
}

func (b *sbom) json() error {
	root, err := syntax.JSON(b.s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	switch {
	case root.Get("bomFormat").Kind() != syntax.Absent:
		return b.cycloneJSON(root)
	case root.Get("spdxVersion").Kind() != syntax.Absent:
		return b.spdx2(root)
	case root.Get("@graph").Kind() != syntax.Absent:
		return b.spdx3(root)
	}
	return b.another("it is neither CycloneDX nor SPDX")
}

// another is a file whose content says that it is something else. That is fine where the name
// is one that others use too.
func (b *sbom) another(why string) error {
	if base := path.Base(b.s.path); strings.HasSuffix(base, ".bom.json") || strings.HasSuffix(base, ".bom.xml") || base == "bom.json" || base == "bom.xml" {
		return nil
	}
	return errors.New("is no list of components that is known: " + why)
}

// sbom is a list of components while it is read.
type sbom struct {
	s        *source
	byRef    map[string]int // the package of a reference
	roots    []string       // references of what the list is about
	needs    []sbomNeed
	nameless nameless
}

// sbomNeed is a dependency between two references.
type sbomNeed struct {
	from, to string
	scope    inventory.Scope // "" for runtime
}

// nameless counts components that cannot be told.
type nameless struct{ count, line int }

func (n *nameless) add(line int) {
	if n.count++; n.count == 1 {
		n.line = line
	}
}

func (n *nameless) gap() error {
	if n.count == 0 {
		return nil
	}
	first := ""
	if n.line > 0 {
		first = fmt.Sprintf(" (the first in line %d)", n.line)
	}
	return gap{
		what: fmt.Sprintf("names %d components without a package URL of a kind that is known%s, which cannot be compared with advisories", n.count, first),
		todo: "have the tool that writes it give each its purl", partial: true,
	}
}

// component is what a list says of one component.
type component struct {
	ref, purl, licence string
	line               int // of its name; 0 when it has none
	at                 int // where it begins
	scope              inventory.Scope
	code               bool // it is a package by its kind, also without a package URL
}

// add adds the package of a component.
func (b *sbom) add(c component) {
	p, err := packageurl.FromString(c.purl)
	name, ecosystem := "", ""
	if err == nil && len(c.purl) <= maxMatched {
		ecosystem, name = advisedName(p)
	}
	if c.line == 0 {
		c.line = c.at
	}
	if name == "" {
		if c.purl != "" || c.code {
			b.nameless.add(c.line)
		}
		b.byRef[c.ref] = b.s.add("", "", c.line) // what it needs may still lead to others
		return
	}
	version := p.Version
	if ecosystem == "Go" {
		version = strings.TrimPrefix(version, "v")
	}
	i := b.s.add(name, version, c.line)
	pkg := &b.s.packages[i]
	pkg.Ecosystem, pkg.PURL = ecosystem, p.ToString()
	pkg.Scope, pkg.Licence = c.scope, strings.Clone(c.licence)
	switch {
	case ecosystem == "GIT" && isCommit(version), ecosystem == "GitHub Actions" && isCommit(version):
		pkg.Version, pkg.Commit = "", pkg.Version
	case ecosystem == "Docker" && strings.Contains(version, ":"):
		pkg.Version, pkg.Commit = p.Qualifiers.Map()["tag"], pkg.Version
	}
	if c.ref != "" {
		b.byRef[c.ref] = i
	}
}

// relate notes who needs whom. A list in which all dependencies leave the one it is about says
// of none that it is direct.
func (b *sbom) relate() {
	isRoot := map[string]bool{}
	for _, r := range b.roots {
		isRoot[r] = true
	}
	var g graph
	for _, n := range b.needs {
		to, ok := b.byRef[n.to]
		if !ok {
			continue
		}
		if isRoot[n.from] {
			scope := n.scope
			if scope == "" {
				scope = inventory.ScopeRuntime
			}
			g.direct(to, scope)
		} else if from, ok := b.byRef[n.from]; ok {
			g.need(from, to, n.scope == inventory.ScopeOptional)
		}
	}
	if len(g.edges) > 0 {
		g.apply(b.s.packages)
	}
}

// described takes away the package of the project itself, which has no advisories, unless the
// list is about nothing else.
func (b *sbom) described() {
	if len(b.roots) != 1 || len(b.byRef) < 2 {
		return
	}
	if i, ok := b.byRef[b.roots[0]]; ok {
		b.s.packages[i].Name = ""
	}
}

// ecosystems are those of package URL types whose names are not made by purlTypes alone.
var ecosystems = func() map[string]string {
	m := map[string]string{"githubactions": "GitHub Actions", "github": "GIT", "oci": "Docker", "bitnami": "Bitnami", "deb": "Debian", "apk": "Alpine", "alpine": "Alpine"}
	for ecosystem, t := range purlTypes {
		if _, ok := m[t.name]; !ok {
			m[t.name] = ecosystem
		}
	}
	delete(m, packageurl.TypeGeneric) // a name that nobody gives out
	return m
}()

// advisedName returns the ecosystem of a package URL and its name as advisories write it, "" for
// a type that they do not know.
func advisedName(p packageurl.PackageURL) (ecosystem, name string) {
	qualifiers := p.Qualifiers.Map()
	switch ecosystem = ecosystems[p.Type]; ecosystem {
	case "":
		return "", ""
	case "PyPI":
		return ecosystem, pypiName(p.Name)
	case "GIT":
		return ecosystem, "https://github.com/" + p.Namespace + "/" + p.Name
	case "Docker":
		name = strings.TrimSuffix(strings.TrimPrefix(p.Namespace+"/"+p.Name, "/"), "/")
		if host := qualifiers["repository_url"]; host != "" && p.Type == packageurl.TypeOCI {
			name = host
		} else if host != "" {
			name = host + "/" + name
		}
		return ecosystem, imageName(name)
	case "Debian", "Alpine":
		return distribution(p, qualifiers)
	}
	if p.Namespace != "" {
		if mark := purlTypes[ecosystem].split; mark != "" {
			return ecosystem, p.Namespace + mark + p.Name
		}
	}
	return ecosystem, p.Name
}

// distribution names a package of a distribution. Advisories name the source package and the
// release: "Debian:12", "Ubuntu:24.04", "Alpine:v3.20".
func distribution(p packageurl.PackageURL, qualifiers map[string]string) (ecosystem, name string) {
	name = p.Name
	if source, _, _ := strings.Cut(qualifiers["upstream"], "@"); source != "" {
		name = source
	}
	_, release, _ := strings.Cut(qualifiers["distro"], "-")
	switch {
	case p.Type == "apk" && p.Namespace == "alpine", p.Type == "alpine": // the second is an older form
		ecosystem = "Alpine"
		if parts := strings.Split(release, "."); len(parts) > 1 {
			return "Alpine:v" + parts[0] + "." + parts[1], name
		}
		return ecosystem, name
	case p.Type == "deb" && (p.Namespace == "debian" || p.Namespace == "ubuntu"):
		ecosystem = strings.ToUpper(p.Namespace[:1]) + p.Namespace[1:]
	default:
		return "", ""
	}
	if release != "" {
		ecosystem += ":" + release
	}
	return ecosystem, name
}

// licenceOf is a licence unless the list says that it says nothing.
func licenceOf(candidates ...string) string {
	for _, l := range candidates {
		if l != "" && l != "NOASSERTION" && l != "NONE" {
			return l
		}
	}
	return ""
}
