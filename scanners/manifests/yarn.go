package manifests

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// readYarn reads yarn.lock: version 1 (classic), or the YAML of later versions (berry).
func readYarn(s *source) error {
	if strings.HasPrefix(s.text, "__metadata:") || strings.Contains(s.text, "\n__metadata:") {
		return readBerry(s)
	}
	return readYarn1(s)
}

// yarnLock is a yarn.lock of either kind while it is read.
type yarnLock struct {
	s *source
	// byPattern finds the package that a dependency "name@range" got, byName the only one
	// with a name, -1 when there are several.
	byPattern, byName map[string]int
	needs             []yarnNeed
}

type yarnNeed struct {
	from      int
	key, spec string
	optional  bool
}

func newYarnLock(s *source) *yarnLock {
	return &yarnLock{s: s, byPattern: map[string]int{}, byName: map[string]int{}}
}

// add adds a package that resolves the given patterns.
func (l *yarnLock) add(name, version string, line int, patterns []string) int {
	i := l.s.add(name, version, line)
	for _, p := range patterns {
		l.byPattern[p] = i
		key, _ := splitAt(p)
		if other, ok := l.byName[key]; ok && other != i {
			l.byName[key] = -1
		} else {
			l.byName[key] = i
		}
	}
	return i
}

// find returns the package that a dependency got. Later versions write the registry into
// their patterns where a package.json does not; a range that a resolution of the project
// replaces is nowhere, but then the name is often there only once.
func (l *yarnLock) find(key, spec string) (int, bool) {
	for _, p := range [...]string{key + "@" + spec, key + "@npm:" + spec} {
		if i, ok := l.byPattern[p]; ok {
			return i, true
		}
	}
	i, ok := l.byName[key]
	return i, ok && i >= 0
}

// readYarn1 reads version 1: entries whose first line names the ranges that they resolve,
//
//	"@a/b@^1.0.0", "@a/b@^1.2.0":
//	  version "1.2.3"
//	  dependencies:
//	    c "^2.0.0"
//
// Source: the format has no specification; yarnpkg/yarn:src/lockfile/parse.js reads it.
func readYarn1(s *source) error {
	l := newYarnLock(s)
	if strings.Contains(s.text, "yarn lockfile v") && !strings.Contains(s.text, "yarn lockfile v1\n") && !strings.Contains(s.text, "yarn lockfile v1\r\n") {
		return errors.New("has a version that is not known; known are 1 and those with __metadata")
	}
	e, number := (*yarnEntry)(nil), 0
	for line := range strings.Lines(s.text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		held := strings.TrimLeft(line, " ")
		if held == "" || held[0] == '#' {
			continue
		}
		var err error
		switch indent := len(line) - len(held); {
		case indent == 0:
			l.close(e)
			e = &yarnEntry{line: number}
			e.patterns, err = yarnPatterns(held)
		case e == nil:
			err = errors.New("a property comes before the first package")
		case indent == 2:
			err = e.property(held)
		case indent == 4 && e.block != "":
			err = e.member(held)
		default:
			err = errors.New("the indentation means nothing")
		}
		if err != nil {
			return fmt.Errorf("is not valid as yarn.lock: line %d: %w", number, err)
		}
	}
	l.close(e)
	if len(l.byPattern) == 0 && !strings.Contains(s.text, "yarn lockfile v1") {
		return errors.New("names no version and no packages")
	}
	dirs := s.workspaces(s.beside("package.json"))
	s.resolves(dirs...)
	l.finish(dirs)
	return nil
}

// yarnEntry is one entry of version 1.
type yarnEntry struct {
	line              int
	patterns          []string
	version, resolved string
	block             string // the block that lines in column 4 belong to
	needs             []yarnNeed
}

// yarnPatterns cuts the first line of an entry into its patterns.
func yarnPatterns(line string) ([]string, error) {
	rest, ok := strings.CutSuffix(line, ":")
	if !ok {
		return nil, errors.New("a package does not end with a colon")
	}
	var patterns []string
	for {
		p, after, err := yarnWord(rest, ",")
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, p)
		if after == "" {
			return patterns, nil
		}
		if rest, ok = strings.CutPrefix(after, ", "); !ok {
			return nil, errors.New("expected a comma between two patterns")
		}
	}
}

// yarnWord reads a word in quotes, or one that ends before the mark, and returns what follows.
func yarnWord(s, mark string) (word, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s[1:], '"')
		if end < 0 || strings.Contains(s[1:end+1], `\`) {
			return "", "", errors.New("a quoted word does not end")
		}
		return s[1 : end+1], s[end+2:], nil
	}
	word, _, _ = strings.Cut(s, mark)
	if word == "" || strings.Contains(word, `"`) {
		return "", "", errors.New("expected a word")
	}
	return word, s[len(word):], nil
}

// property reads a line in column 2: "key value" or "block:".
func (e *yarnEntry) property(line string) error {
	e.block = ""
	if block, ok := strings.CutSuffix(line, ":"); ok && !strings.Contains(block, " ") {
		e.block = block
		return nil
	}
	key, value, err := yarnPair(line)
	switch key {
	case "version":
		e.version = value
	case "resolved":
		e.resolved = value
	}
	return err
}

// member reads a line in column 4: the name and range of a dependency.
func (e *yarnEntry) member(line string) error {
	name, spec, err := yarnPair(line)
	if e.block == "dependencies" || e.block == "optionalDependencies" {
		e.needs = append(e.needs, yarnNeed{key: name, spec: spec, optional: e.block == "optionalDependencies"})
	}
	return err
}

func yarnPair(line string) (key, value string, err error) {
	key, rest, err := yarnWord(line, " ")
	if err != nil {
		return "", "", err
	}
	rest, ok := strings.CutPrefix(rest, " ")
	if !ok {
		return "", "", errors.New("expected a value behind a key")
	}
	value, rest, err = yarnWord(rest, "\n")
	if err == nil && rest != "" {
		err = errors.New("something follows the value")
	}
	return key, value, err
}

// close adds the package of an entry that has been read.
func (l *yarnLock) close(e *yarnEntry) {
	if e == nil {
		return
	}
	name, spec := splitAt(e.patterns[0])
	if isFolder(spec) {
		return
	}
	if real, alias := strings.CutPrefix(spec, "npm:"); alias {
		name, _ = splitAt(real)
	}
	i := l.add(name, e.version, e.line, e.patterns)
	l.s.packages[i].Commit = gitCommit(e.resolved)
	for _, n := range e.needs {
		n.from = i
		l.needs = append(l.needs, n)
	}
}

// finish tells the packages what brings them in. dirs are the folders of the project's own
// package.json files, relative to that of the lock file.
func (l *yarnLock) finish(dirs []string) {
	g := graph{edges: make([]edge, 0, len(l.needs))}
	for _, n := range l.needs {
		if to, ok := l.find(n.key, n.spec); ok {
			g.needRange(n.from, to, n.optional, n.spec)
		}
	}
	for _, dir := range dirs {
		for _, w := range l.s.wantsBeside(path.Join(dir, "package.json"), wantsPackageJSON) {
			if to, ok := l.find(w.key, w.spec); ok {
				g.directRange(to, w.scope, w.spec)
			}
		}
	}
	g.apply(l.s.packages)
}
