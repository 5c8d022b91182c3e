package cure

import (
	"path"
	"regexp"
	"strings"
	"sync"
)

// PlainName is the form of the name of a package as registries allow it, and as it may stand in
// a command.
var PlainName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^@?[A-Za-z0-9_][A-Za-z0-9@._/:+-]{0,213}$`) })

// plainName is PlainName, plainVersion and plainFolder the forms of versions and folders. They
// are asked about every finding, and a pattern with such bounds takes longer to compile than
// all of them to be looked at.
func plainName(s string) bool {
	s = strings.TrimPrefix(s, "@")
	return len(s) <= 214 && formed(s, "_", "@._/:+-")
}

func plainVersion(s string) bool { return len(s) <= 100 && formed(s, "", "._+-") }

func plainFolder(s string) bool { return len(s) <= 200 && formed(s, "_.", "._/-") }

// formed reports whether s consists of letters and digits, and of what is in first at its
// beginning and in rest behind it. It is not empty.
func formed(s, first, rest string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i == 0 && strings.IndexByte(first, c) < 0, i > 0 && strings.IndexByte(rest, c) < 0:
			return false
		}
	}
	return s != ""
}

// The forms of what else may stand in a command or between backquotes: nothing that a shell,
// Markdown or a terminal could read as something else. No leading dash, so no option.
var (
	// A range without the signs that redirect or expand: "^1.2.0", "~> 1.0", "=1.0.0", "1.x".
	plainConstraint = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\^|~|=|==|~=|= )?[0-9][A-Za-z0-9._+-]{0,60}$`) })
	plainMaven      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([A-Za-z0-9_.-]+):([A-Za-z0-9_.-]+)$`) })
)

// isSentence tells a sentence from a command: it starts with a capital letter.
func isSentence(text string) bool { return text[0] >= 'A' && text[0] <= 'Z' }

// quoted puts a command between backquotes; a sentence has its own.
func quoted(text string) string {
	if isSentence(text) {
		return text
	}
	return "`" + text + "`"
}

// joinSentences makes one text of several sentences; empty ones are left out.
func joinSentences(parts ...string) string {
	var text []string
	for _, part := range parts {
		if part != "" {
			text = append(text, strings.ToUpper(part[:1])+strings.TrimSuffix(part[1:], ".")+".")
		}
	}
	return strings.Join(text, " ")
}

// comment makes a remark a line for a shell that is safe also where the shell knows no
// comments, as zsh does when a person types: then it is a command of the name # that fails,
// so nothing in it may run, redirect or open a quotation.
func comment(remark string) string {
	if remark == "" {
		return ""
	}
	return "# " + strings.NewReplacer("`", "", ";", ",", "'", "", "\n", " ", "$", "").Replace(strings.TrimSuffix(remark, "."))
}

// fill puts the plain parts of p into a text of the table.
func (p Problem) fill(text string) string {
	version, tag := p.Clean, p.Clean
	if strings.HasPrefix(p.Version, "v") && !strings.HasPrefix(tag, "v") {
		tag = "v" + tag
	}
	if strings.Contains(text, "@v{version}") {
		version = strings.TrimPrefix(version, "v")
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		part, known := p.part(name, version, tag)
		if !known { // a brace of the text itself
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(part)
		text = after
	}
}

// part is what stands for {name} in a text.
func (p Problem) part(name, version, tag string) (string, bool) {
	switch name {
	case "name":
		return p.Name, true
	case "version":
		return version, true
	case "tag":
		return tag, true
	case "via":
		return p.via(), true
	case "entry":
		return p.entry(), true
	case "file":
		if plainFolder(p.File) {
			return "`" + p.File + "`", true
		}
		return "the manifest", true
	case "@from":
		if plainVersion(p.Version) {
			return "@" + p.Version, true
		}
		return "", true
	case "group", "artifact":
		m := plainMaven().FindStringSubmatch(p.Name)
		switch {
		case m == nil && name == "group":
			return "", true
		case m == nil:
			return p.Name, true
		case name == "group":
			return m[1], true
		}
		return m[2], true
	}
	return "", false
}

// inFolder makes a command run in the folder of the manifest. remark is a line to go before it.
func (p Problem) inFolder(command string) (remark, line string) {
	folder := path.Dir(p.File)
	switch {
	case folder == "." || folder == "/":
		return "", command
	case !plainFolder(folder):
		return "# in the folder of the manifest:", command
	default:
		return "", "cd " + folder + " && " + command
	}
}
