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

// readCatalog reads a version catalogue of Gradle, gradle/libs.versions.toml: its libraries and
// plugins with their versions. What has none there, or a range, is unresolved, unless a lock
// file of the build says what it gets.
//
// Source: https://docs.gradle.org/current/userguide/version_catalogs.html.
func readCatalog(s *source) error {
	root, err := syntax.TOML(s.text)
	if err != nil {
		return invalid("TOML", err)
	}
	c := catalog{s: s, versions: map[string]syntax.Node{}}
	known := false
	for _, part := range [...]string{"metadata", "versions", "libraries", "plugins", "bundles"} {
		known = known || root.Get(part).Kind() != syntax.Absent
	}
	if !known {
		return errors.New("has none of the tables of a version catalogue")
	}
	for v := range root.Get("versions").All() {
		c.versions[v.Key()] = v
	}
	for _, dir := range s.tree.holders("gradle.lockfile") {
		if _, below := relative(path.Dir(s.dir()), dir); below {
			c.locked = true
		}
	}
	for l := range root.Get("libraries").All() {
		if err := c.library(l); err != nil {
			return err
		}
	}
	for p := range root.Get("plugins").All() {
		id, version := c.notation(p, "id", 1)
		if id == "" {
			return fmt.Errorf("is not valid as a version catalogue: line %d: the plugin has no id", p.Line())
		}
		c.add(id+":"+id+".gradle.plugin", version, inventory.ScopeDevelopment, p.Line())
	}
	return nil
}

// catalog is a version catalogue while it is read.
type catalog struct {
	s        *source
	versions map[string]syntax.Node
	locked   bool // a lock file of the build says which versions it gets
}

func (c *catalog) library(l syntax.Node) error {
	module, version := c.notation(l, "module", 2)
	if module == "" {
		if group, name := l.String("group"), l.String("name"); group != "" && name != "" {
			module = group + ":" + name
		}
	}
	if strings.Count(module, ":") != 1 {
		return fmt.Errorf("is not valid as a version catalogue: line %d: the library has no group and name", l.Line())
	}
	c.add(module, version, "", l.Line())
	return nil
}

// notation reads "name:version", whose name has the given number of parts, or a table with the
// name under key.
func (c *catalog) notation(n syntax.Node, key string, parts int) (name, version string) {
	if n.Kind() == syntax.Table {
		return n.String(key), c.version(n.Get("version"))
	}
	all := strings.SplitN(n.Text(), ":", parts+1)
	if len(all) > parts {
		version = all[parts]
	}
	return strings.Join(all[:min(parts, len(all))], ":"), version
}

// version reads a version: a text, a reference, or a table that says what is wanted strictly,
// at least, or rather.
func (c *catalog) version(n syntax.Node) string {
	if ref := n.String("ref"); ref != "" {
		if n = c.versions[ref]; n.Get("ref").Kind() != syntax.Absent {
			return ""
		}
	}
	if n.Kind() == syntax.Text {
		return n.Text()
	}
	for _, key := range [...]string{"strictly", "require", "prefer"} {
		if v := n.String(key); v != "" && match(exactGradle, v) != nil {
			return v
		}
	}
	for _, key := range [...]string{"strictly", "require"} { // a range: what is preferred lies in it
		if v := n.String(key); v != "" {
			return v
		}
	}
	return ""
}

// exactGradle is a version that is no range, no "1.+" and no "latest.release".
var exactGradle = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_.-]*$`) })

func isExactGradle(v string) bool {
	return match(exactGradle, v) != nil && !strings.HasPrefix(v, "latest.")
}

func (c *catalog) add(name, version string, scope inventory.Scope, line int) {
	exact := isExactGradle(version)
	if !exact && c.locked {
		return
	}
	i := c.s.add(name, "", line)
	if exact {
		c.s.name(i, name, version)
	} else {
		c.s.packages[i].Constraint = strings.Clone(version)
	}
	c.s.direct(i, scope)
}

var (
	gradleCoordinates = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*([A-Za-z]\w*)\s*[( ]\s*(?:\w*[pP]latform\s*\(\s*)?["']([A-Za-z0-9_.-]+):([A-Za-z0-9_.-]+)(?::([^"':@]*))?[^"']*["']`)
	})
	gradleNamed = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*([A-Za-z]\w*)\s*[( ]\s*group\s*[:=]\s*["']([^"']+)["']\s*,\s*name\s*[:=]\s*["']([^"']+)["'](?:\s*,\s*version\s*[:=]\s*["']?([^"',)\s]+)["']?)?`)
	})
	gradleUse = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(?:implementation|api|compile|compileOnly|runtime|runtimeOnly|annotationProcessor|kapt|ksp|classpath|developmentOnly|provided|providedCompile)$`)
	})
	gradleValue = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*(?:(?:def|val|var|final|String|ext\.)\s*)*([A-Za-z]\w*)\s*(?:by\s+extra\s*\(|=)\s*["']([0-9A-Za-z][0-9A-Za-z_.-]*)["']\)?\s*$`)
	})
	gradleVariable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\$\{?(?:\w+\.)*([A-Za-z]\w*)\}?$`) })
)

// wantsGradle finds the lines of a build.gradle or build.gradle.kts that name a library in the
// plain way, and puts in versions that the file itself gives a name. It is a program: what it
// names in another way is seen only in its lock file.
func wantsGradle(text string) ([]want, error) {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if m := match(gradleValue, strings.TrimRight(line, "\r\n")); m != nil {
			values[m[1]] = m[2]
		}
	}
	var wants []want
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		m := match(gradleCoordinates, line)
		if m == nil {
			m = match(gradleNamed, line)
		}
		if m == nil || !gradleUse().MatchString(m[1]) {
			continue
		}
		name, version := m[2]+":"+m[3], m[4]
		if v := match(gradleVariable, version); v != nil && values[v[1]] != "" {
			version = values[v[1]]
		}
		w := want{key: name, name: name, constraint: version, scope: inventory.ScopeRuntime, line: number}
		if use := strings.ToLower(m[1]); strings.Contains(use, "test") {
			w.scope = inventory.ScopeDevelopment
		}
		if isExactGradle(version) {
			w.exact = version
		}
		wants = append(wants, w)
	}
	return wants, nil
}
