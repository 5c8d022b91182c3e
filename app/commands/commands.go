// Package commands reads what people write to Landwaiter in comments.
//
// A command is the first line of a comment and begins with "/landwaiter". The package knows
// texts only: who wrote one, and whether they may, is for others to find out. Start reading at
// Parse.
package commands

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Prefix is how the first line of a comment with a command begins.
const Prefix = "/landwaiter"

const (
	// maxLine bounds the first line, in bytes; a comment may have 65,536 characters.
	maxLine = 2000
	// maxReason bounds the reason, in characters. Our choice.
	maxReason = 500
)

// Approve asks to let the release with a tag through.
type Approve struct {
	Tag    string
	Reason string // not empty, without control characters
}

// Addressed reports whether body speaks to Landwaiter: anything else is none of its business.
func Addressed(body string) bool {
	first, _ := firstLine(body)
	word, _, _ := strings.Cut(first, " ")
	return word == Prefix
}

// Parse reads the command in body. problem says what is wrong with one that cannot be read,
// "" when it can.
func Parse(body string) (c Approve, problem string) {
	first, whole := firstLine(body)
	if !whole || !utf8.ValidString(first) {
		return c, "the command is too long"
	}
	words := strings.Fields(first)
	switch {
	case len(words) < 3 || words[0] != Prefix || words[1] != "release" || words[2] != "approve":
		return c, "there is no such command"
	case len(words) < 6 || words[4] != "because":
		return c, "the command needs a tag and a reason"
	}
	c = Approve{Tag: words[3], Reason: strings.Join(words[5:], " ")}
	switch {
	case strings.ContainsFunc(c.Reason, unicode.IsControl):
		return Approve{}, "the reason has characters that cannot be shown"
	case utf8.RuneCountInString(c.Reason) > maxReason:
		return Approve{}, "the reason is longer than 500 characters"
	}
	return c, ""
}

// firstLine returns the first line of body, cut after maxLine bytes; then whole is false.
func firstLine(body string) (line string, whole bool) {
	if len(body) > maxLine {
		body, whole = body[:maxLine], false
	} else {
		whole = true
	}
	line, _, cut := strings.Cut(body, "\n")
	return strings.TrimRight(line, "\r \t"), whole || cut
}
