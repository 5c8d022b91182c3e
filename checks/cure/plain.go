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

// The forms of what else may stand in a command or between backquotes: nothing that a shell,
// Markdown or a terminal could read as something else. No leading dash, so no option.
var (
	plainVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`) })
	plainFolder  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9._/-]{0,199}$`) })
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
	file := "the manifest"
	if plainFolder().MatchString(p.File) {
		file = "`" + p.File + "`"
	}
	group, artifact := "", p.Name
	if m := plainMaven().FindStringSubmatch(p.Name); m != nil {
		group, artifact = m[1], m[2]
	}
	from := ""
	if plainVersion().MatchString(p.Version) {
		from = "@" + p.Version
	}
	return strings.NewReplacer("{name}", p.Name, "{@from}", from, "{version}", version, "{tag}", tag, "{file}", file,
		"{group}", group, "{artifact}", artifact, "{via}", p.via(), "{entry}", p.entry()).Replace(text)
}

// inFolder makes a command run in the folder of the manifest. remark is a line to go before it.
func (p Problem) inFolder(command string) (remark, line string) {
	folder := path.Dir(p.File)
	switch {
	case folder == "." || folder == "/":
		return "", command
	case !plainFolder().MatchString(folder):
		return "# in the folder of the manifest:", command
	default:
		return "", "cd " + folder + " && " + command
	}
}
