package manifests

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readCabal reads cabal.project.freeze:
//
//	constraints: any.aeson ==2.2.0.0,
//	             aeson -cffi,
//	index-state: 2024-01-01T00:00:00Z
//
// Source: https://cabal.readthedocs.io/en/stable/cabal-project-description-file.html.
func readCabal(s *source) error {
	number, inside, constraints := 0, false, false
	for line := range strings.Lines(s.text) {
		number++
		line = strings.TrimRight(line, " \t\r\n")
		held := strings.TrimLeft(line, " \t")
		if held == "" || strings.HasPrefix(held, "--") {
			continue
		}
		if len(held) == len(line) { // a field begins
			field, rest, ok := strings.Cut(line, ":")
			if !ok || strings.ContainsAny(field, " \t,") {
				return fmt.Errorf("is not valid as cabal.project.freeze: line %d: expected a field", number)
			}
			inside, held = strings.EqualFold(field, "constraints"), rest
			constraints = constraints || inside
		}
		if !inside {
			continue
		}
		for c := range strings.SplitSeq(held, ",") {
			addCabal(s, strings.TrimSpace(c), number)
		}
	}
	if !constraints {
		return errors.New("has no constraints, so it pins no package")
	}
	return nil
}

// cutCabal cuts a constraint into its package and what it says of it: "any.aeson ==2.2" or
// "happy:setup.Cabal (>=3)". Before the package may stand the part of the build that it is for.
func cutCabal(constraint string) (name, says string, ok bool) {
	n := haskellName(constraint)
	if part, after := constraint[:n], constraint[n:]; n > 0 && after != "" {
		switch {
		case after[0] == '.' && isLower(part):
			constraint = after[1:]
		case after[0] == ':':
			constraint = strings.TrimPrefix(after[1:], "setup.")
		}
		n = haskellName(constraint)
	}
	if n == 0 {
		return "", "", false
	}
	says = strings.TrimLeft(constraint[n:], haskellSpace)
	if inner := strings.TrimLeft(strings.TrimPrefix(says, "("), haskellSpace); inner != "" {
		says = inner
	}
	if says == "" || !strings.ContainsRune("<>=^&|(", rune(says[0])) && !strings.HasPrefix(says, "installed") {
		return "", "", false
	}
	return constraint[:n], says, true
}

const haskellSpace = " \t\f\r\n"

// haskellName is the length of the name that text begins with.
func haskellName(text string) int {
	for i := range len(text) {
		if c := text[i]; c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return i
		}
	}
	return len(text)
}

func isLower(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < 'a' || r > 'z' }) < 0
}

// exactHaskell returns the version where only one satisfies: "==1.2.3", maybe before a ")".
func exactHaskell(says string) (version string, ok bool) {
	rest, ok := strings.CutPrefix(says, "==")
	if !ok {
		return "", false
	}
	rest = strings.TrimRight(strings.TrimSuffix(strings.Trim(rest, haskellSpace), ")"), haskellSpace)
	digit := false
	for i := range len(rest) {
		switch c := rest[i]; {
		case c >= '0' && c <= '9':
			digit = true
		case c == '.' && digit:
			digit = false
		default:
			return "", false
		}
	}
	if !digit {
		return "", false
	}
	return rest, true
}

// addCabal adds what one constraint pins. Flags and the like name no version.
func addCabal(s *source, constraint string, line int) {
	name, says, ok := cutCabal(constraint)
	if !ok || says == "installed" { // a package of the compiler
		return
	}
	version, exact := exactHaskell(says)
	if i := s.add(name, version, line); !exact {
		s.packages[i].Constraint = strings.Clone(says)
	}
}

// readStack reads stack.yaml.lock: what a project needs beside its snapshot, which is a list
// of packages that the file does not hold.
// Source: https://docs.haskellstack.org/en/stable/topics/lock_files/.
func readStack(s *source) error {
	root, err := oneDocument(s.text)
	if err != nil {
		return err
	}
	packages := root.Get("packages")
	if packages.Kind() != syntax.List || packages.Empty() {
		return errors.New("names no package; those of a snapshot are not in the file")
	}
	for p := range packages.All() {
		if err := addStack(s, p.Get("completed"), p.Line()); err != nil {
			return err
		}
	}
	return nil
}

// stackPackage is "name-version@sha256:sum,size" or "name-version@rev:number".
var stackPackage = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([A-Za-z0-9-]+)-([0-9]+(?:\.[0-9]+)*)(?:@\S*)?$`) })

// addStack adds one package of Hackage, of a repository or of an archive.
func addStack(s *source, p syntax.Node, line int) error {
	name, version, at := p.String("name"), p.Get("version").Text(), p.Get("name").Line()
	if hackage := p.Get("hackage"); hackage.Kind() != syntax.Absent {
		m := match(stackPackage, hackage.Text())
		if m == nil {
			return fmt.Errorf("is not valid as stack.yaml.lock: line %d: expected name-version", hackage.Line())
		}
		name, version, at = m[1], m[2], hackage.Line()
	}
	if name == "" {
		return fmt.Errorf("is not valid as stack.yaml.lock: line %d: the package has no name", line)
	}
	i := s.add(name, version, at)
	if commit := p.String("commit"); isCommit(commit) {
		s.packages[i].Commit = strings.Clone(commit)
	}
	return nil
}

// cabalNamed is a dependency: a package, maybe with a part of it, and a range.
var cabalNamed = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*)(?::\S+)?\s*(.*)$`) })

// haskellLibraries come with the compiler: no file pins them, and Stack and Cabal take those
// that are there.
var haskellLibraries = map[string]bool{
	"base": true, "ghc-prim": true, "ghc": true, "rts": true, "ghc-bignum": true, "integer-gmp": true, "template-haskell": true,
}

// wantsCabal reads the build-depends of a .cabal file.
//
// Source: https://cabal.readthedocs.io/en/stable/cabal-package-description-file.html.
func wantsCabal(text string) ([]want, error) {
	var wants []want
	own, number, in := "", 0, -1
	scope := inventory.ScopeRuntime
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, " \t\r\n")
		held := strings.TrimLeft(line, " \t")
		if held == "" || strings.HasPrefix(held, "--") {
			continue
		}
		indent := len(line) - len(held)
		if name, ok := cutField(held, "name"); ok && indent == 0 {
			own = name
		}
		if indent == 0 {
			scope = cabalScope(held)
		}
		if in >= 0 && indent <= in {
			in = -1
		}
		if rest, ok := cutField(held, "build-depends"); ok {
			in, held = indent, rest
		}
		if in < 0 {
			continue
		}
		for d := range strings.SplitSeq(held, ",") {
			m := match(cabalNamed, strings.TrimSpace(d))
			if m == nil || m[1] == own || haskellLibraries[m[1]] {
				continue
			}
			w := want{key: m[1], name: m[1], constraint: m[2], scope: scope, line: number}
			w.exact, _ = exactHaskell(m[2])
			wants = append(wants, w)
		}
	}
	if own == "" {
		return nil, errors.New("names no package, so it is no Cabal file")
	}
	return wants, nil
}

// cutField returns the value of a field, whose name is of any case.
func cutField(line, name string) (string, bool) {
	field, value, ok := strings.Cut(line, ":")
	return strings.TrimSpace(value), ok && strings.EqualFold(strings.TrimSpace(field), name)
}

// cabalScope is what the part of a .cabal file is for that begins with line.
func cabalScope(line string) inventory.Scope {
	switch kind, _, _ := strings.Cut(strings.ToLower(line), " "); kind {
	case "test-suite", "benchmark":
		return inventory.ScopeDevelopment
	}
	return inventory.ScopeRuntime
}

// wantsHpack reads the dependencies of a package.yaml, from which hpack writes a .cabal file.
// Source: https://github.com/sol/hpack.
func wantsHpack(text string) ([]want, error) {
	root, err := oneDocument(text)
	if err != nil {
		return nil, err
	}
	var w hpackWants
	w.own = root.String("name")
	w.list(root.Get("dependencies"), inventory.ScopeRuntime)
	for _, part := range [...]string{"library", "executable", "internal-libraries", "executables"} {
		w.parts(root.Get(part), inventory.ScopeRuntime)
	}
	for _, part := range [...]string{"tests", "benchmarks"} {
		w.parts(root.Get(part), inventory.ScopeDevelopment)
	}
	return w.wants, nil
}

type hpackWants struct {
	own   string
	wants []want
}

// parts adds what one part of the package needs, or each of several.
func (w *hpackWants) parts(n syntax.Node, scope inventory.Scope) {
	w.list(n.Get("dependencies"), scope)
	for part := range n.All() {
		w.list(part.Get("dependencies"), scope)
	}
}

// list adds dependencies written as a list of texts or as a table.
func (w *hpackWants) list(n syntax.Node, scope inventory.Scope) {
	for d := range n.All() {
		text := d.Text()
		if d.Key() != "" {
			text = d.Key() + " " + text
		}
		m := match(cabalNamed, text)
		if m == nil || m[1] == w.own || haskellLibraries[m[1]] {
			continue
		}
		found := want{key: m[1], name: m[1], constraint: strings.TrimSpace(m[2]), scope: scope, line: d.Line()}
		found.exact, _ = exactHaskell(found.constraint)
		w.wants = append(w.wants, found)
	}
}
