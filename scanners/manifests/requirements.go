package manifests

import (
	"fmt"
	"path"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// readRequirements reads a requirements file of pip, its hashes and the comments in which
// pip-compile and uv say what brought a package in.
//
// Files named by -r that are manifests themselves are only looked for; others are read as
// part of this one. A file named by -c gives versions to what has none. Environment markers
// are not judged: what some machine installs counts.
// Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/.
func readRequirements(s *source) error {
	r := &requirements{s: s, via: map[string][]string{}, visited: map[string]bool{s.path: true}}
	r.file(s.path, s.text, 0)
	r.pin()
	r.relate()
	return r.err
}

// requirements is a requirements file while it is read.
type requirements struct {
	s       *source
	pins    []map[string]string // versions that constraint files give
	via     map[string][]string // what the comments say that a package is needed by; "" is the project
	last    string              // the package that a comment belongs to
	inVia   bool
	visited map[string]bool
	err     error // the first thing that could not be read
}

func (r *requirements) fail(line int, format string, args ...any) {
	if r.err == nil {
		what := fmt.Sprintf("is not read completely: line %d: ", line) + fmt.Sprintf(format, args...)
		r.err = gap{what: what, todo: r.s.format.remedy, partial: true}
	}
}

// file reads text. at is the line of this manifest that includes it, 0 for the manifest.
func (r *requirements) file(name, text string, at int) {
	number, first := 0, 0
	var joined strings.Builder
	flush := func() {
		if joined.Len() > 0 {
			line := first
			if at > 0 {
				line = at
			}
			r.logical(name, strings.TrimSpace(joined.String()), line)
			joined.Reset()
		}
	}
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		held, comment := cutComment(line)
		if joined.Len() == 0 {
			first = number
		}
		if comment != "" && strings.TrimSpace(held) == "" {
			flush()
			r.comment(comment)
			continue
		}
		next, continued := strings.CutSuffix(held, `\`)
		joined.WriteString(next)
		if !continued {
			flush()
			r.comment(comment)
		}
	}
	flush()
}

// cutComment cuts off a comment: a # at the start or behind white space.
func cutComment(line string) (held, comment string) {
	for i := 0; ; i++ {
		next := strings.IndexByte(line[i:], '#')
		if next < 0 {
			return line, ""
		}
		i += next
		if i == 0 || line[i-1] == ' ' || line[i-1] == '\t' {
			return line[:i], line[i:]
		}
	}
}

// comment takes in "# via a, b" and the lines "#   c" that continue it.
func (r *requirements) comment(comment string) {
	words := strings.TrimSpace(strings.TrimPrefix(comment, "#"))
	if rest, ok := strings.CutPrefix(words, "via"); ok && (rest == "" || rest[0] == ' ') {
		r.inVia, words = true, strings.TrimSpace(rest)
	} else if !strings.HasPrefix(comment, "#   ") {
		r.inVia = false
	}
	if !r.inVia || words == "" || r.last == "" {
		return
	}
	for w := range strings.SplitSeq(words, ",") {
		w = strings.TrimSpace(w)
		if strings.HasPrefix(w, "-c") {
			continue
		}
		if strings.HasPrefix(w, "-r") || strings.HasSuffix(w, ")") {
			w = "" // a file, or "project (pyproject.toml)"
		} else {
			w = pypiName(w)
		}
		r.via[r.last] = append(r.via[r.last], w)
	}
}

// logical reads one line whose continuations are joined.
func (r *requirements) logical(file, line string, number int) {
	r.last, r.inVia = "", false
	if line == "" {
		return
	}
	if len(line) > maxLine {
		r.fail(number, "it is longer than %d bytes", maxLine)
		return
	}
	if strings.HasPrefix(line, "-") {
		r.option(file, line, number)
		return
	}
	r.requirement(strings.TrimSpace(withoutOptions(line)), number)
}

// option reads a line that begins with a dash. Only those that bring packages in matter.
func (r *requirements) option(file, line string, number int) {
	for _, o := range []struct{ long, short string }{{"--requirement", "-r"}, {"--constraint", "-c"}, {"--editable", "-e"}} {
		value, ok := strings.CutPrefix(line, o.long)
		if !ok {
			if value, ok = strings.CutPrefix(line, o.short); !ok {
				continue
			}
		}
		value = strings.Trim(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(value), "=")), `"'`)
		if o.short == "-e" {
			r.requirement(value, number)
		} else {
			r.include(file, value, number, o.short == "-c")
		}
		return
	}
}

// include follows -r and -c to another file that was given.
func (r *requirements) include(from, name string, number int, constraint bool) {
	target := path.Join(path.Dir(from), name)
	text, given := r.s.tree.text(target), r.s.tree.files[target] != nil
	switch {
	case strings.Contains(name, "://"):
		r.fail(number, "it includes %s, and nothing is fetched", name)
	case !given:
		r.fail(number, "it includes %s, which is not among the files read", target)
	case r.visited[target]:
	case len(r.visited) > maxIncludes:
		r.fail(number, "it includes more than %d files", maxIncludes)
	case constraint:
		r.visited[target] = true
		r.pins = append(r.pins, r.s.tree.pinsOf(target))
	case !r.s.tree.wanted(target):
		r.visited[target] = true
		r.file(target, text, number)
	}
}

// maxLine is how long a line with its hashes may be, in bytes: a package for many platforms has
// a hundred hashes of a hundred bytes.
const maxLine = 1 << 17

// maxIncludes is how many files one requirements file may include that are no manifests.
const maxIncludes = 20

// pin gives the versions of constraint files to what has none.
func (r *requirements) pin() {
	for i := range r.s.packages {
		p := &r.s.packages[i]
		if p.Version != "" || p.Commit != "" || strings.Contains(p.Constraint, "://") {
			continue
		}
		for _, pins := range r.pins {
			if version := pins[p.Name]; version != "" {
				r.s.name(i, p.Name, version)
				p.Constraint = ""
			}
		}
	}
}

// requirement adds one requirement.
func (r *requirements) requirement(req string, number int) {
	if isPythonFolder(req) {
		return
	}
	name, spec, ok := splitRequirement(req)
	if !ok || len(req) > maxMatched {
		r.fail(number, "%q names no package", cut(req, maxShown))
		return
	}
	version := pinOf(spec)
	i := r.s.add(pypiName(name), version, number)
	p := &r.s.packages[i]
	if version == "" {
		p.Constraint = strings.Clone(spec)
		if strings.HasPrefix(spec, "git+") {
			p.Commit = pythonCommit(spec)
		}
	}
	r.last = p.Name
}

// pinsOf returns the versions of a constraints file by name.
func (t *tree) pinsOf(file string) map[string]string {
	if known, ok := t.pins[file]; ok {
		return known
	}
	pins := map[string]string{}
	for line := range strings.Lines(t.text(file)) {
		held, _ := cutComment(strings.TrimRight(line, "\r\n"))
		held = withoutOptions(held)
		if name, spec, ok := splitRequirement(strings.TrimSpace(strings.TrimSuffix(held, `\`))); ok {
			if v := pinOf(spec); v != "" {
				pins[pypiName(name)] = v
			}
		}
	}
	t.pins[file] = pins
	return pins
}

// wantsConstraints wants nothing: a constraints file says which version to take of what
// requirements files name, and is read with them.
func wantsConstraints(string) ([]want, error) { return nil, nil }

// relate turns the comments into relations and paths.
func (r *requirements) relate() {
	byName := make(map[string]int, len(r.s.packages))
	for i, p := range r.s.packages {
		byName[p.Name] = i
	}
	var g graph
	for to, p := range r.s.packages {
		for _, by := range r.via[p.Name] {
			if from, ok := byName[by]; ok && by != "" {
				g.need(from, to, false)
			} else if by == "" {
				g.direct(to, inventory.ScopeRuntime)
			}
		}
	}
	g.apply(r.s.packages)
	for i := range r.s.packages {
		r.s.packages[i].Scope = ""
	}
}
