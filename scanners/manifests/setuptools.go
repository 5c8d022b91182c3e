package manifests

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// wantsSetupCfg reads what a setup.cfg of setuptools requires: install_requires of [options] and
// the extras. Source: https://setuptools.pypa.io/en/latest/userguide/declarative_config.html.
func wantsSetupCfg(text string) ([]want, error) {
	var wants []want
	section, key, number := "", "", 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, " \t\r\n")
		held := strings.TrimSpace(line)
		if held == "" || held[0] == '#' || held[0] == ';' {
			continue
		}
		if line[0] == '[' {
			section, key = strings.Trim(held, "[]"), ""
			continue
		}
		if line[0] != ' ' && line[0] != '\t' { // a key; what is further in continues it
			name, value, ok := strings.Cut(line, "=")
			if !ok {
				name, value, _ = strings.Cut(line, ":")
			}
			key, held = strings.TrimSpace(name), strings.TrimSpace(value)
		}
		scope := inventory.ScopeRuntime
		switch {
		case section == "options" && key == "install_requires":
		case section == "options.extras_require":
			scope = inventory.ScopeOptional
		default:
			continue
		}
		for part := range strings.SplitSeq(held, ";;") {
			wants = appendRequirement(wants, part, scope, number)
		}
	}
	return wants, nil
}

// appendRequirement adds a requirement as pip writes it, if it is one.
func appendRequirement(wants []want, text string, scope inventory.Scope, line int) []want {
	name, spec, ok := splitRequirement(strings.TrimSpace(text))
	if !ok || len(text) > maxMatched || strings.HasPrefix(spec, "file:") {
		return wants
	}
	name = pypiName(name)
	return append(wants, want{key: name, name: name, constraint: spec, exact: pinOf(spec), scope: scope, line: line})
}

var (
	setupRequires = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\binstall_requires\s*=\s*\[`) })
	setupQuoted   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"([^"\n]*)"|'([^'\n]*)'`) })
)

// wantsSetup finds the list of requirements in a setup.py that is written out there. It is a
// program: what it requires in another way is not seen.
func wantsSetup(text string) ([]want, error) {
	at := setupRequires().FindStringIndex(text)
	if at == nil {
		return nil, nil
	}
	var wants []want
	number := strings.Count(text[:at[1]], "\n")
	for line := range strings.Lines(text[at[1]:]) {
		number++
		code := line
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		if len(code) > maxLine {
			return nil, fmt.Errorf("is not read: line %d is longer than %d bytes", number, maxLine)
		}
		for _, m := range setupQuoted().FindAllStringSubmatch(code, -1) {
			wants = appendRequirement(wants, m[1]+m[2], inventory.ScopeRuntime, number)
		}
		if strings.Contains(setupQuoted().ReplaceAllString(code, ""), "]") {
			break
		}
	}
	return wants, nil
}
