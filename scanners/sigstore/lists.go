package sigstore

import (
	"errors"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/checksums"
)

// lists reads the lists of checksums among the assets. A list is told by its name.
func lists(shelf *shelf) []checks.ChecksumList {
	var found []checks.ChecksumList
	for i := range shelf.assets {
		if of, ok := checks.ChecksumFile(shelf.assets[i].Name); ok {
			found = append(found, shelf.list(i, of))
		}
	}
	return found
}

// list reads asset i as a list, which stands beside the asset called of when that is there.
func (s *shelf) list(i int, of string) (l checks.ChecksumList) {
	a := &s.assets[i]
	l = checks.ChecksumList{Asset: a.Name, SHA256: a.SHA256}
	defer func() {
		if r := recover(); r != nil {
			l.Entries, l.Problem = nil, fault("reading a list of checksums", r)
		}
	}()
	if l.Problem = s.unusable(i); l.Problem != nil {
		return l
	}
	if a.Data == nil {
		l.Problem = because(checks.CodeTooLarge, "The list of checksums is too large to be held: at most 8 MiB are read. Publish a shorter one.")
		return l
	}
	if _, ok := s.byName[of]; !ok {
		of = ""
	}
	read, err := checksums.Parse(a.Data, of)
	switch {
	case errors.Is(err, checksums.ErrTooLarge):
		l.Problem = because(checks.CodeTooLarge, "The list of checksums cannot be read safely: %s. Publish a shorter one.", cut(err.Error()))
	case err != nil:
		l.Problem = notReadable("It has the name of a list of checksums, but it is " + cut(err.Error()) + ".")
	}
	l.Entries, l.Refused = read.Entries, read.Refused
	return l
}
