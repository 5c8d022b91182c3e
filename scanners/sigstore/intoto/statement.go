// Package intoto reads in-toto statements strictly, and what SLSA provenance claims.
//
// It owns the shape of signed texts: their limits, their spelling, and the meaning of their
// fields. It verifies nothing: whoever calls it proves first or afterwards who signed the
// bytes. Start reading at Parse.
package intoto

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks"
)

// PayloadType is the only type of DSSE payload that holds a statement.
const PayloadType = "application/vnd.in-toto+json"

// What is wrong with a text. Parse and CheckShape wrap one of them with a sentence.
var (
	ErrTooLarge = errors.New("over a limit")           // could not be read safely
	ErrInvalid  = errors.New("invalid statement")      // breaks the rules of statements
	ErrType     = errors.New("not a statement")        // is a text of another kind
	ErrDigest   = errors.New("subject without digest") // names something without saying which bytes
)

// Statement is an in-toto statement.
type Statement struct {
	PredicateType string
	Subjects      []checks.AttestedSubject
	Predicate     json.RawMessage // an object, or nil
}

// Parse reads payload by the rules of in-toto v0.1 and v1, and more strictly: a statement is
// accepted only where no two parsers can differ about it. No key stands twice, none is
// spelled otherwise, none is unknown, at any place that verification looks at. The error is
// one of those above.
// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
func Parse(payload []byte) (*Statement, error) {
	if err := CheckShape(payload); err != nil {
		return nil, err
	}
	if !utf8.Valid(payload) || loneSurrogate(payload) {
		return nil, invalid("it is not valid UTF-8")
	}
	if err := noTwins(payload); err != nil {
		return nil, invalid(err.Error())
	}
	fields, err := object(payload, "the statement", "_type", "subject", "predicateType", "predicate")
	if err != nil {
		return nil, invalid(err.Error())
	}
	var kind string
	st := &Statement{}
	for _, f := range []struct {
		name string
		into *string
	}{{"_type", &kind}, {"predicateType", &st.PredicateType}} {
		if *f.into, err = text(fields, f.name); err != nil {
			return nil, invalid(err.Error())
		}
	}
	if kind != "https://in-toto.io/Statement/v0.1" && kind != "https://in-toto.io/Statement/v1" {
		return nil, fmt.Errorf("%w of version 0.1 or 1", ErrType)
	}
	if st.PredicateType == "" {
		return nil, invalid("it names no predicateType")
	}
	if p := fields["predicate"]; len(p) > 0 && !bytes.Equal(p, []byte("null")) {
		if p[0] != '{' {
			return nil, invalid("its predicate is not an object")
		}
		st.Predicate = p
	}
	if st.Subjects, err = parseSubjects(fields["subject"]); err != nil {
		return nil, err
	}
	return st, nil
}

// invalid says how the rules of statements are broken.
func invalid(how string) error { return fmt.Errorf("%w: %s", ErrInvalid, how) }

// noTwins reports an object with the same key twice, anything after the first value, or a
// number that is out of range, anywhere in data.
func noTwins(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := walk(dec); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows after its end")
	}
	return nil
}

// walk reads one value. The depth limit of CheckShape bounds the recursion.
func walk(dec *json.Decoder) error {
	t, err := dec.Token()
	if err != nil {
		return errors.New("it is not JSON")
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	var seen map[string]bool
	if open == '{' {
		seen = map[string]bool{}
	}
	for dec.More() {
		if seen != nil {
			k, err := dec.Token()
			if err != nil {
				return errors.New("it is not JSON")
			}
			name, ok := k.(string)
			if !ok || seen[name] {
				return fmt.Errorf("the key %q stands twice in one object", name)
			}
			seen[name] = true
		}
		if err := walk(dec); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return errors.New("it is not JSON")
	}
	return nil
}

// object reads raw as an object with none but the allowed keys, spelled exactly so.
func object(raw []byte, what string, allowed ...string) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return nil, fmt.Errorf("%s is not an object", what)
	}
	for name := range fields {
		if !slices.Contains(allowed, name) {
			return nil, fmt.Errorf("%s has the unknown key %q", what, name)
		}
	}
	return fields, nil
}

// text reads a string field that may be absent.
func text(fields map[string]json.RawMessage, name string) (string, error) {
	raw, ok := fields[name]
	if !ok {
		return "", nil
	}
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", fmt.Errorf("its %s is not a text", name)
	}
	return *s, nil
}

// parseSubjects reads the list of things that the statement speaks of.
func parseSubjects(raw json.RawMessage) ([]checks.AttestedSubject, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 {
		return nil, invalid("it names no subject")
	}
	if len(list) > maxSubjects {
		return nil, invalid("it names more than 1,024 subjects")
	}
	subjects := make([]checks.AttestedSubject, len(list))
	for i, r := range list {
		if err := parseSubject(r, &subjects[i]); err != nil {
			return nil, err
		}
	}
	return subjects, nil
}

func parseSubject(raw json.RawMessage, s *checks.AttestedSubject) error {
	fields, err := object(raw, "a subject", "name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations")
	if err != nil {
		return invalid(err.Error())
	}
	for _, f := range []struct {
		name string
		into *string
	}{{"name", &s.Name}, {"uri", &s.URI}, {"downloadLocation", new(string)}, {"mediaType", new(string)}} {
		if *f.into, err = text(fields, f.name); err != nil {
			return invalid(err.Error())
		}
	}
	var content []byte
	if r, ok := fields["content"]; ok && json.Unmarshal(r, &content) != nil {
		return invalid("the content of a subject is not base64")
	}
	if r, ok := fields["annotations"]; ok && !bytes.HasPrefix(r, []byte("{")) {
		return invalid("the annotations of a subject are not an object")
	}
	var digests map[string]*string
	if err := json.Unmarshal(fields["digest"], &digests); err != nil || len(digests) == 0 {
		return fmt.Errorf("%w: it has none", ErrDigest)
	}
	if len(digests) > maxDigests {
		return invalid("a subject has more than 32 digests")
	}
	s.Digest = make(map[string]string, len(digests))
	for algorithm, value := range digests {
		if value == nil || *value == "" {
			return fmt.Errorf("%w: it is empty", ErrDigest)
		}
		if !DigestShape(algorithm, *value) {
			return invalid(fmt.Sprintf("the %q digest of a subject is not hexadecimal of the right length", algorithm))
		}
		s.Digest[algorithm] = strings.ToLower(*value)
	}
	return nil
}

// DigestShape reports whether value can be a digest of that algorithm. Of an algorithm it
// does not know it asks for whole hexadecimal bytes, as the library does.
func DigestShape(algorithm, value string) bool {
	if _, err := hex.DecodeString(value); err != nil {
		return false
	}
	switch algorithm {
	case "sha512":
		return len(value) == 128
	case "sha384":
		return len(value) == 96
	case "sha256":
		return len(value) == 64
	case "sha1":
		return len(value) == 40
	case "md5":
		return len(value) == 32
	case "gitCommit", "gitTree", "gitBlob", "gitTag":
		return len(value) == 40 || len(value) == 64
	}
	return true
}
