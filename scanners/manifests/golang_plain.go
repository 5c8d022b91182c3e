package manifests

import (
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// goFile is what a go.mod says that is of use here.
type goFile struct {
	named    bool   // has a module line
	language string // of the go line, "" without one
	requires []goRequire
	replaces []*modfile.Replace
	excludes []*modfile.Exclude
}

// goRequire is a module that a go.mod requires, in its canonical version.
type goRequire struct {
	mod      module.Version
	line     int // one-based
	indirect bool
}

// parseGoMod parses a go.mod: what is plain with plainGoMod, all else with the library, which
// takes three times as long.
func parseGoMod(path, text string) (goFile, error) {
	if plain, ok := plainGoMod(text); ok {
		return plain, nil
	}
	return libraryGoMod(path, text)
}

// libraryGoMod parses a go.mod with the library of the Go project.
func libraryGoMod(path, text string) (goFile, error) {
	file, err := modfile.Parse(path, []byte(text), nil)
	if err != nil {
		return goFile{}, err
	}
	f := goFile{named: file.Module != nil, replaces: file.Replace, excludes: file.Exclude}
	if file.Go != nil {
		f.language = file.Go.Version
	}
	for _, r := range file.Require {
		f.requires = append(f.requires, goRequire{r.Mod, r.Syntax.Start.Line, r.Indirect})
	}
	return f, nil
}

// plainGoMod parses a go.mod of lines that need no thought: module, go, toolchain, require, blocks
// of require, comments. It is false for anything else, valid or not: the library has the
// last word on that. FuzzPlainGoMod holds it to what the library reads.
func plainGoMod(text string) (goFile, bool) {
	p := goPlain{}
	for line := range strings.Lines(text) {
		p.number++
		words, comment, ok := goWords(line)
		if !ok || !p.statement(words, comment) {
			return goFile{}, false
		}
	}
	return p.file, p.file.named && !p.block
}

// goPlain is a plain go.mod while it is read.
type goPlain struct {
	file      goFile
	number    int  // of the line, one-based
	block     bool // inside of "require ("
	toolchain bool // has a toolchain line
}

// statement takes in the words of a line, false when the library has to read them.
func (p *goPlain) statement(w [3]string, comment string) bool {
	switch {
	case w[0] == "":
		return true
	case p.block && w[0] == ")" && w[1] == "":
		p.block = false
		return true
	case p.block:
		return w[2] == "" && p.require(w[0], w[1], comment)
	case w[0] == "require" && w[1] == "(" && w[2] == "":
		p.block = true
		return true
	case w[0] == "require":
		return p.require(w[1], w[2], comment)
	}
	return w[2] == "" && p.once(w[0], w[1])
}

// once takes in one of the lines that a go.mod has once.
func (p *goPlain) once(verb, value string) bool {
	switch {
	case value == "" || value == "(" || value == ")":
		return false
	case verb == "module" && !p.file.named:
		p.file.named = true
	case verb == "go" && p.file.language == "" && modfile.GoVersionRE.MatchString(value):
		p.file.language = value
	case verb == "toolchain" && !p.toolchain && modfile.ToolchainRE.MatchString(value):
		p.toolchain = true
	default:
		return false
	}
	return true
}

// require takes in a requirement, after the checks that the library makes.
func (p *goPlain) require(path, version, comment string) bool {
	if path == "" || path == "(" || path == ")" {
		return false
	}
	canonical := module.CanonicalVersion(version)
	_, major, ok := module.SplitPathVersion(path)
	if !ok || canonical == "" || module.CheckPathMajor(canonical, major) != nil {
		return false
	}
	p.file.requires = append(p.file.requires, goRequire{module.Version{Path: path, Version: canonical}, p.number, goIndirect(comment)})
	return true
}

// goIndirect reports whether a comment says that the main module does not import the module.
// Source: https://go.dev/ref/mod#go-mod-file-require.
func goIndirect(comment string) bool {
	if comment == "" || comment == " indirect" {
		return comment != ""
	}
	words := strings.Fields(comment)
	return len(words) == 1 && words[0] == "indirect" || len(words) > 1 && words[0] == "indirect;"
}

// goWords are the words of a line, at most three, and its comment without the slashes. It is
// false for a line with more words, or with any mark that may be more than a part of a word.
func goWords(line string) (words [3]string, comment string, ok bool) {
	line, comment, _ = strings.Cut(strings.TrimSuffix(line, "\n"), "//")
	n := 0
	for line = strings.TrimLeft(line, goSpace); line != ""; line = strings.TrimLeft(line, goSpace) {
		end := goWord(line)
		if end == 0 || n == len(words) || end < len(line) && !strings.Contains(goSpace, line[end:end+1]) {
			return words, "", false
		}
		words[n], line = line[:end], line[end:]
		n++
	}
	return words, comment, true
}

// goSpace is what stands between the words of a line. The library takes "\r" as well.
const goSpace = " \t"

// goWord is the length of the word that line begins with: a name or version, or a bracket.
func goWord(line string) int {
	for i := range len(line) {
		switch c := line[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '-' && c <= '9', c == '_', c == '~', c == '+':
		case i == 0 && (c == '(' || c == ')'):
			return 1
		default:
			return i
		}
	}
	return len(line)
}
