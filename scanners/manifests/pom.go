package manifests

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// The limits of property expansion. A property may name others twice each, so without them
// thirty lines are a gigabyte.
const (
	maxExpansion = 1024    // bytes of one value
	maxSteps     = 20      // of properties that name properties
	maxExpanded  = 8 << 20 // bytes of all values
	maxParents   = 20
)

// readPom reads pom.xml: the dependencies that it names, with the versions that it, its
// profiles, or its parents among the given files say. A version that comes from elsewhere, or
// a range, is a Constraint; pom.xml is no lock file. What a parent names stands in the
// parent's own Manifest, and dependencyManagement alone brings nothing in.
//
// The library's reader is not used: it leaves out dependencies whose properties it cannot
// resolve, takes the lower end of a range for the version, and expands without a bound.
// Source: https://maven.apache.org/pom.html.
func readPom(s *source) error {
	root, err := syntax.XML(s.text)
	if err != nil {
		return invalid("XML", err)
	}
	if root.Key() != "project" {
		return errors.New("is no pom.xml: its root element is not <project>")
	}
	p := &pom{s: s, properties: map[string]string{}, managed: map[string]string{}}
	p.inherit(root, s.path)
	lists := []syntax.Node{root.Get("dependencies")}
	for profile := range root.Get("profiles").All() {
		lists = append(lists, profile.Get("dependencies"))
	}
	for _, list := range lists {
		for d := range list.All() {
			if d.Key() != "dependency" {
				continue
			}
			if d.Get("groupId").Text() == "" || d.Get("artifactId").Text() == "" {
				return fmt.Errorf("is not valid as pom.xml: line %d: the dependency lacks groupId or artifactId", d.Line())
			}
			p.add(d)
		}
	}
	if p.nameless > 0 {
		return gap{
			what: fmt.Sprintf("names the dependency in line %d by properties that neither it nor its parents here define", p.nameless),
			todo: "write groupId and artifactId out", partial: true,
		}
	}
	return nil
}

// pom is a pom.xml while it is read.
type pom struct {
	s          *source
	properties map[string]string // the nearest definition of each
	managed    map[string]string // versions of dependencyManagement by group:artifact
	expanded   int               // bytes so far
	nameless   int               // line of the first dependency whose name stays unknown; 0 when none
}

// inherit collects properties and managed versions from the project and its parents, nearest
// first.
func (p *pom) inherit(project syntax.Node, file string) {
	for range maxParents {
		p.collect(project)
		parent := project.Get("parent")
		if parent.Kind() == syntax.Absent {
			return
		}
		relative := "../pom.xml"
		if r := parent.Get("relativePath"); r.Kind() != syntax.Absent {
			if relative = r.Text(); relative == "" {
				return // the parent is only in a repository
			}
		}
		file = path.Join(path.Dir(file), relative)
		if path.Ext(file) != ".xml" {
			file = path.Join(file, "pom.xml")
		}
		root := p.s.tree.xml(file)
		if root.Key() != "project" || root.Get("artifactId").Text() != parent.Get("artifactId").Text() {
			return
		}
		project = root
	}
}

// collect takes in what one project defines and nothing nearer does.
func (p *pom) collect(project syntax.Node) {
	parent := project.Get("parent")
	for _, field := range [...]string{"groupId", "artifactId", "version"} {
		value := project.Get(field).Text()
		if value == "" {
			value = parent.Get(field).Text()
		}
		for _, prefix := range [...]string{"project.", "pom.", ""} {
			p.define(prefix+field, value)
		}
		p.define("project.parent."+field, parent.Get(field).Text())
		p.define("parent."+field, parent.Get(field).Text())
	}
	holders := []syntax.Node{project}
	for profile := range project.Get("profiles").All() {
		holders = append(holders, profile)
	}
	for _, h := range holders {
		for property := range h.Get("properties").All() {
			p.define(property.Key(), property.Text())
		}
		for d := range h.Get("dependencyManagement").Get("dependencies").All() {
			key := p.name(d)
			if _, ok := p.managed[key]; !ok {
				p.managed[key] = d.Get("version").Text()
			}
		}
	}
}

func (p *pom) define(key, value string) {
	if _, ok := p.properties[key]; !ok && value != "" {
		p.properties[key] = value
	}
}

func (p *pom) name(d syntax.Node) string {
	return p.expand(d.Get("groupId").Text()) + ":" + p.expand(d.Get("artifactId").Text())
}

// expand puts the values of properties in place of ${names}. What is unknown, or grows past
// the limits, stays as it is written.
func (p *pom) expand(text string) string {
	for range maxSteps {
		start := strings.Index(text, "${")
		if start < 0 || len(text) > maxExpansion || p.expanded > maxExpanded {
			break
		}
		var b strings.Builder
		changed := false
		for rest := text; ; {
			before, after, open := strings.Cut(rest, "${")
			b.WriteString(before)
			if !open {
				break
			}
			name, tail, closed := strings.Cut(after, "}")
			value, known := p.properties[name]
			if !closed || !known {
				b.WriteString("${")
				rest = after
				continue
			}
			b.WriteString(value)
			changed, rest = true, tail
			if b.Len() > maxExpansion {
				return text
			}
		}
		if !changed {
			break
		}
		text = b.String()
		p.expanded += len(text)
	}
	return text
}

var (
	exactMaven = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^\[\](),\s$]+$`) })
	onlyMaven  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\[([^\[\](),\s$]+)\]$`) })
)

// add adds one dependency of the project or of a profile.
func (p *pom) add(d syntax.Node) {
	name := p.name(d)
	if strings.Contains(name, "${") {
		if p.nameless == 0 {
			p.nameless = d.Line()
		}
		return
	}
	written := d.Get("version").Text()
	if written == "" {
		written = p.managed[name]
	}
	version := p.expand(written)
	if m := match(onlyMaven, version); m != nil {
		version = m[1]
	}
	constraint := ""
	if match(exactMaven, version) == nil || version == "LATEST" || version == "RELEASE" {
		version, constraint = "", written
	}
	i := p.s.add(name, version, d.Line())
	pkg := &p.s.packages[i]
	pkg.Constraint = strings.Clone(constraint)
	pkg.Relation, pkg.Via, pkg.Scope = inventory.Direct, []string{pkg.Name}, inventory.ScopeRuntime
	if d.Get("scope").Text() == "test" {
		pkg.Scope = inventory.ScopeDevelopment
	}
}
