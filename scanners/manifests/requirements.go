package manifests

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks"
)

// readRequirements reads a requirements file of pip, its hashes and the comments in which
// pip-compile and uv say what brought a package in.
//
// Files named by -r that are manifests themselves are only looked for; others are read as
// part of this one. A file named by -c gives versions to what has none. Environment markers
// are not judged: what some machine installs counts.
// Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/.
func readRequirements(s *source) error {
	r := &requirements{s: s, pins: map[string]string{}, via: map[string][]string{}, visited: map[string]bool{s.path: true}}
	r.file(s.path, s.text, 0)
	for i := range s.packages {
		p := &s.packages[i]
		if pin := r.pins[p.Name]; p.Version == "" && pin != "" && p.Commit == "" && !strings.Contains(p.Constraint, "://") {
			s.name(i, p.Name, pin)
			p.Constraint = ""
		}
	}
	r.relate()
	return r.err
}

// requirements is a requirements file while it is read.
type requirements struct {
	s       *source
	pins    map[string]string   // versions that constraint files give
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
	case constraint:
		for _, p := range readPins(text) {
			r.pins[p[0]] = p[1]
		}
	case !r.visited[target] && !r.s.tree.wanted(target):
		r.visited[target] = true
		r.file(target, text, number)
	}
}

var (
	perRequirement = regexp.MustCompile(`\s(?:--|-C\s).*$`) // hashes and other options of one requirement
	wheel          = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._]*)-([0-9][^-]*)(?:-[^-]+)?-[^-]+-[^-]+-[^-]+\.whl$`)
)

// withoutOptions cuts off the options of one requirement.
func withoutOptions(line string) string {
	if !strings.Contains(line, "-") { // the expression is slow, and most lines have none
		return line
	}
	if at := strings.Index(line, " --"); at >= 0 {
		line = line[:at]
	}
	return perRequirement.ReplaceAllString(line, "")
}

// requirement adds one requirement.
func (r *requirements) requirement(req string, number int) {
	if isPythonFolder(req) {
		return
	}
	name, spec, ok := splitRequirement(req)
	if !ok {
		r.fail(number, "%q names no package", cut(req, 80))
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

// isPythonFolder reports whether a requirement is a folder or file of the repository.
func isPythonFolder(req string) bool {
	bare, _, _ := strings.Cut(req, "[")
	return bare == "." || strings.HasPrefix(bare, "./") || strings.HasPrefix(bare, "../") || strings.HasPrefix(bare, "file:")
}

// splitRequirement cuts "a[extra]>=1; marker", "a @ https://…" and "git+https://…#egg=a" into
// the name and the rest.
func splitRequirement(req string) (name, spec string, ok bool) {
	if strings.Contains(req, "://") && !strings.Contains(strings.SplitN(req, "://", 2)[0], "@") {
		return splitAddress(req)
	}
	name, spec = splitName(req)
	if address, direct := strings.CutPrefix(spec, "@"); direct {
		address, _, _ = strings.Cut(strings.TrimSpace(address), " ;")
		return name, address, name != ""
	}
	spec, _, _ = strings.Cut(spec, ";")
	spec = strings.Trim(strings.TrimSpace(spec), "()")
	return name, spec, name != "" && (spec == "" || strings.IndexByte("=~!<>", spec[0]) >= 0)
}

// splitName cuts "name[extra] range" into the name and the range. The name is empty where req
// does not begin with one.
func splitName(req string) (name, spec string) {
	end := 0
	for end < len(req) && isPythonName(req[end]) {
		end++
	}
	name, spec = req[:end], strings.TrimLeft(req[end:], " \t")
	if name == "" || strings.IndexByte("._-", name[0]) >= 0 || strings.IndexByte("._-", name[end-1]) >= 0 {
		return "", ""
	}
	if extras, rest, ok := strings.Cut(spec, "]"); ok && strings.HasPrefix(extras, "[") {
		spec = rest
	}
	return name, strings.TrimSpace(spec)
}

func isPythonName(c byte) bool {
	return c-'a' <= 'z'-'a' || c-'A' <= 'Z'-'A' || c-'0' <= 9 || c == '.' || c == '_' || c == '-'
}

// splitAddress finds the name in an address: its egg, or the file name of a wheel.
func splitAddress(req string) (name, spec string, ok bool) {
	req, _, _ = strings.Cut(req, " ")
	u, err := url.Parse(req)
	if err != nil {
		return "", "", false
	}
	if values, err := url.ParseQuery(u.Fragment); err == nil && values.Get("egg") != "" {
		name, _, _ := strings.Cut(values.Get("egg"), "[")
		return name, req, true
	}
	if m := wheel.FindStringSubmatch(path.Base(u.Path)); m != nil {
		return m[1], "==" + m[2], true
	}
	return "", "", false
}

// pinOf is the version that a range allows alone, "" when it allows several.
func pinOf(spec string) string {
	for part := range strings.SplitSeq(spec, ",") {
		version, exact := strings.CutPrefix(strings.TrimSpace(part), "==")
		version = strings.TrimSpace(strings.TrimPrefix(version, "="))
		if exact && version != "" && strings.TrimFunc(version, isPythonVersion) == "" && strings.IndexByte(".+!_-", version[0]) < 0 && !strings.HasSuffix(version, ".") {
			return version
		}
	}
	return ""
}

func isPythonVersion(r rune) bool {
	return r < utf8.RuneSelf && (isPythonName(byte(r)) || r == '+' || r == '!')
}

// readPins returns names and versions of a constraints file.
func readPins(text string) [][2]string {
	var pins [][2]string
	for line := range strings.Lines(text) {
		held, _ := cutComment(strings.TrimRight(line, "\r\n"))
		held = withoutOptions(held)
		if name, spec, ok := splitRequirement(strings.TrimSpace(strings.TrimSuffix(held, `\`))); ok {
			if v := pinOf(spec); v != "" {
				pins = append(pins, [2]string{pypiName(name), v})
			}
		}
	}
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
				g.direct(to, checks.ScopeRuntime)
			}
		}
	}
	g.apply(r.s.packages)
	for i := range r.s.packages {
		r.s.packages[i].Scope = ""
	}
}
