package manifests

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// This file takes one requirement apart, as pip and the tools around it write it.
// Source: https://packaging.python.org/en/latest/specifications/dependency-specifiers/.

var (
	perRequirement = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\s(?:--|-C\s).*$`) }) // hashes and other options of one requirement
	wheel          = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._]*)-([0-9][^-]*)(?:-[^-]+)?-[^-]+-[^-]+-[^-]+\.whl$`)
	})
)

// withoutOptions cuts off the options of one requirement.
func withoutOptions(line string) string {
	if !strings.Contains(line, "-") { // the expression is slow, and most lines have none
		return line
	}
	if at := strings.Index(line, " --"); at >= 0 {
		line = line[:at]
	}
	return perRequirement().ReplaceAllString(line, "")
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
	if m := match(wheel, path.Base(u.Path)); m != nil {
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
