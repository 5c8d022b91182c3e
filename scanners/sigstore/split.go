package sigstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/intoto"
)

// form says what a piece of evidence is written as.
type form int

// The forms.
const (
	formBundle   form = iota // a Sigstore bundle of any version
	formEnvelope             // a DSSE envelope alone, as slsa-github-generator wrote it until v1
	formCosign               // the JSON that `cosign sign-blob --bundle` wrote until v2
	formDetached             // a signature file, with or without a certificate file
	formPlain                // a signature file of OpenPGP, minisign, signify or SSH
	formNothing              // nothing could be cut out; problem says why
)

// piece is one signed thing cut out of a checks.Bundle, not yet parsed.
type piece struct {
	bundle  *checks.Bundle
	form    form
	data    []byte // the JSON text; nil for formDetached without a log entry
	entry   int    // one-based place in the file
	problem *checks.Reason
}

// sha256 is the digest of the piece as it was found, in hexadecimal: of its JSON text, or of
// the signature file. It is "" when there is nothing.
func (p piece) sha256() string {
	found := p.data
	if p.form == formDetached || p.form == formPlain || len(found) == 0 {
		found = p.bundle.Signature
	}
	if len(found) == 0 {
		return ""
	}
	sum := sha256.Sum256(found)
	return hex.EncodeToString(sum[:])
}

// split cuts a file of evidence into pieces: a bundle, several on lines of their own, a
// JSON array, an answer of the attestation API, a DSSE envelope, an old cosign bundle, or a
// signature file of any tool. What cannot be cut becomes one piece with a problem, so that nothing
// found disappears.
func split(b *checks.Bundle) []piece {
	if b.Problem != nil {
		return []piece{{bundle: b, form: formNothing, problem: b.Problem}}
	}
	if len(b.Signature) == 0 && (plainText(b.Data) || strings.HasSuffix(b.Name, ".sig") && !bytes.HasPrefix(bytes.TrimSpace(b.Data), []byte("{"))) {
		// A signature file that was given as evidence by its own name.
		b = &checks.Bundle{Name: b.Name, Origin: b.Origin, For: b.For, Signature: b.Data, Certificate: b.Certificate}
	}
	if err := intoto.CheckShape(b.Data); err != nil {
		return []piece{{bundle: b, form: formNothing, problem: badStatement(err)}}
	}
	if len(b.Signature) > maxPair || len(b.Certificate) > maxPair {
		return []piece{{bundle: b, form: formNothing, problem: tooLarge("A signature or certificate file is larger than 1 MiB.")}}
	}
	if plainText(b.Signature) {
		return []piece{{bundle: b, form: formPlain, entry: 1}}
	}
	pieces, err := texts(b)
	switch {
	case err != nil:
		pieces = append(pieces, piece{bundle: b, form: formNothing, problem: notJSON(b.Data, err)})
	case len(b.Signature) > 0 && !(len(pieces) == 1 && pieces[0].form == formCosign):
		pieces = append(pieces, piece{bundle: b, form: formDetached})
	case len(pieces) == 0:
		pieces = append(pieces, piece{bundle: b, form: formNothing, problem: notReadable("It is empty.")})
	}
	for i := range pieces {
		pieces[i].entry = i + 1
	}
	return pieces
}

// texts cuts the JSON texts of b apart. On an error it returns what came before. Most files
// are one text, which is read without looking for where it ends.
func texts(b *checks.Bundle) ([]piece, error) {
	if one := bytes.TrimSpace(b.Data); json.Valid(one) {
		return unwrap(b, one)
	}
	var pieces []piece
	dec := json.NewDecoder(bytes.NewReader(b.Data))
	for {
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return pieces, nil
		}
		if err != nil {
			return pieces, err
		}
		more, err := unwrap(b, raw)
		pieces = append(pieces, more...)
		if err != nil {
			return pieces, err
		}
	}
}

// wrapping is what the outermost object of a JSON text can be told by.
type wrapping struct {
	MediaType    string            `json:"mediaType"`
	Attestations []json.RawMessage `json:"attestations"`
	Bundle       json.RawMessage   `json:"bundle"`
	BundleURL    *string           `json:"bundle_url"`
	PayloadType  *string           `json:"payloadType"`
	Signature    *string           `json:"base64Signature"`
	Promise      *string           `json:"SignedEntryTimestamp"`
}

// errUnknownShape says that a text is JSON but nothing that signs.
var errUnknownShape = errors.New("it is JSON, but neither a Sigstore bundle, an attestation, nor a DSSE envelope")

// unwrap turns one JSON text into pieces, opening arrays and answers of the API. The depth
// limit of CheckShape bounds the recursion.
func unwrap(b *checks.Bundle, raw json.RawMessage) ([]piece, error) {
	if bytes.HasPrefix(raw, []byte("[")) {
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		return unwrapAll(b, list)
	}
	var w wrapping
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, err
	}
	absent := len(w.Bundle) == 0 || bytes.Equal(w.Bundle, []byte("null"))
	switch {
	case strings.HasPrefix(w.MediaType, "application/vnd.dev.sigstore.bundle"):
		return []piece{{bundle: b, form: formBundle, data: raw}}, nil
	case w.Attestations != nil:
		return unwrapAll(b, w.Attestations)
	case !absent:
		return unwrap(b, w.Bundle)
	case len(w.Bundle) > 0 || w.BundleURL != nil:
		return []piece{{bundle: b, form: formNothing, problem: notReadable(
			"GitHub's answer lists the attestation without its bundle, and the bundle was not fetched from its address.")}}, nil
	case w.PayloadType != nil:
		return []piece{{bundle: b, form: formEnvelope, data: raw}}, nil
	case w.Signature != nil, w.Promise != nil:
		return []piece{{bundle: b, form: formCosign, data: raw}}, nil
	}
	return nil, errUnknownShape
}

func unwrapAll(b *checks.Bundle, list []json.RawMessage) ([]piece, error) {
	pieces := make([]piece, 0, len(list))
	for _, raw := range list {
		more, err := unwrap(b, raw)
		pieces = append(pieces, more...)
		if err != nil {
			return pieces, err
		}
	}
	return pieces, nil
}
