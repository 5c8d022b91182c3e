// Package checksums reads lists of checksums, as sha256sum, its BSD relatives, openssl and
// release tools write them.
//
// It owns the format and nothing else: who signed the list, and whether it fits the files,
// is for others to say. Lists are hostile. Start reading at Parse.
package checksums

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks"
)

const (
	maxBytes   = 8 << 20
	maxEntries = 10_000
	maxLine    = 4 << 10 // bytes of one line
)

var (
	// ErrTooLarge says that a list is over a limit.
	ErrTooLarge = errors.New("too large")
	// ErrFormat says that a text is no list of checksums.
	ErrFormat = errors.New("not a list of checksums")
)

// lengths are the algorithms that lists name, by the hexadecimal length of their digests.
// SHA-512/256 and BLAKE2 share lengths with others and are read only where a line names its
// algorithm, and then as unknown.
var lengths = map[int]string{32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}

// List is what a list says.
type List struct {
	Entries []checks.Checksum
	// Refused counts lines that name a file by a path, with control characters, or by an
	// algorithm that is not known here.
	Refused int
}

// Parse reads a list. only is the file that the list stands beside ("app.tar.gz" for
// "app.tar.gz.sha256"), or "": then a line may not leave the name out. Its error is
// ErrTooLarge or ErrFormat.
func Parse(data []byte, only string) (List, error) {
	var l List
	if len(data) > maxBytes {
		return l, fmt.Errorf("%w: it is larger than 8 MiB", ErrTooLarge)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return l, fmt.Errorf("%w: it is not UTF-8", ErrFormat)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if len(line) > maxLine {
			return List{}, fmt.Errorf("%w: line %d is longer than 4 KiB", ErrTooLarge, n)
		}
		line = strings.TrimRight(line, "\r\n")
		if text := strings.TrimSpace(line); text == "" || strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
			continue
		}
		name, algorithm, digest, ok := readLine(line, only)
		if !ok {
			return List{}, fmt.Errorf("%w: line %d is no digest with the name of a file", ErrFormat, n)
		}
		if name, ok = plain(name); !ok || algorithm == "" {
			l.Refused++
		} else {
			l.Entries = append(l.Entries, checks.Checksum{Name: name, Algorithm: algorithm, Digest: strings.ToLower(digest), Line: n})
		}
		if len(l.Entries)+l.Refused > maxEntries {
			return List{}, fmt.Errorf("%w: it has more than %d lines", ErrTooLarge, maxEntries)
		}
	}
	if len(l.Entries)+l.Refused == 0 {
		return List{}, fmt.Errorf("%w: it is empty", ErrFormat)
	}
	return l, nil
}

var (
	// tagged is the form of BSD and openssl: "SHA256 (name) = digest", "SHA2-256(name)= digest".
	tagged = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(\\?)([A-Za-z0-9/-]{2,16}) ?\((.+)\) ?= ?([0-9a-fA-F]{32,128})$`)
	})
	// bare is the form of coreutils: "digest  name", "digest *name".
	bare = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\\?)([0-9a-fA-F]{32,128})(?: \*|[ \t]+)(.+)$`) })
	// alone is a digest without a name.
	alone = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-fA-F]{32,128}$`) })
)

// readLine takes one line apart. algorithm is "" when it is not known here; ok is false when
// the line is of no known form.
func readLine(line, only string) (name, algorithm, digest string, ok bool) {
	if m := tagged().FindStringSubmatch(line); m != nil {
		name, ok = unescape(m[3], m[1] != "")
		algorithm, digest = algorithmOf(m[2]), m[4]
		return name, algorithm, digest, ok && (algorithm == "" || lengths[len(digest)] == algorithm)
	}
	if text := strings.TrimSpace(line); only != "" && alone().MatchString(text) {
		return only, lengths[len(text)], text, lengths[len(text)] != ""
	}
	m := bare().FindStringSubmatch(line)
	if m == nil || lengths[len(m[2])] == "" {
		return "", "", "", false
	}
	name, ok = unescape(m[3], m[1] != "")
	return name, lengths[len(m[2])], m[2], ok
}

// algorithmOf spells the name of an algorithm as checks.Checksum does, "" for an unknown one.
func algorithmOf(name string) string {
	name = strings.ToLower(name)
	name = strings.TrimPrefix(strings.ReplaceAll(strings.ReplaceAll(name, "sha2-", "sha"), "sha-", "sha"), "sha2/")
	for _, known := range lengths {
		if name == known {
			return known
		}
	}
	return ""
}

// unescape undoes what coreutils does to names with a backslash or a line break in them: the
// line begins with a backslash, and \\, \n and \r stand for one character each.
func unescape(name string, escaped bool) (string, bool) {
	if !escaped {
		return name, true
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '\\' {
			b.WriteByte(name[i])
			continue
		}
		if i++; i == len(name) {
			return "", false
		}
		c, ok := map[byte]byte{'\\': '\\', 'n': '\n', 'r': '\r'}[name[i]]
		if !ok {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// plain returns the name of a file without "./" before it, and whether it is one: a name with
// folders could be of another file than the asset that is called like its last part.
func plain(name string) (string, bool) {
	name = strings.TrimPrefix(name, "./")
	return name, name != "" && name != "." && name != ".." && !strings.ContainsFunc(name, func(r rune) bool {
		return r == '/' || r == '\\' || r < 0x20 || r == 0x7f
	})
}
