package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/sums"
)

// maxBundle is the largest evidence file that is read, in bytes; THREATS V60.
const maxBundle = 8 << 20

// sidecarSuffixes are the names under which evidence stands beside an artifact.
var sidecarSuffixes = []string{".sigstore.json", ".sigstore", ".intoto.jsonl", ".build.slsa", ".jsonl", ".bundle", ".sig", ".asc", ".minisig"}

// signatureSuffixes are those of them that are signatures and nothing else.
var signatureSuffixes = []string{".sig", ".asc", ".minisig"}

// hashFile hashes one local file in a stream, with a buffer of 1 MiB, by SHA-256 and what else
// is wanted. The bytes are held only where wanted, and up to the size of evidence.
func hashFile(path string, w sums.Wanted, p *progress) (checks.Asset, error) {
	f, err := os.Open(path)
	if err != nil {
		return checks.Asset{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return checks.Asset{}, err
	}
	if st.IsDir() {
		return checks.Asset{}, fmt.Errorf("%s is a folder; name the files to verify", path)
	}
	h := sums.New(w)
	a := checks.Asset{Name: filepath.Base(path), Size: st.Size()}
	var held bytes.Buffer
	buf := make([]byte, 1<<20)
	for {
		n, err := f.Read(buf)
		_, _ = h.Write(buf[:n]) // a hash never fails
		if w.Bytes && a.Read <= maxBundle {
			held.Write(buf[:n])
		}
		a.Read += int64(n)
		p.say("hashing %s: %d of %d MiB", a.Name, a.Read>>20, a.Size>>20)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return checks.Asset{}, fmt.Errorf("reading %s: %w", path, err)
		}
	}
	a.Size = a.Read
	a.SetSums(h.Sums())
	if w.Bytes && a.Read <= maxBundle {
		a.Data = held.Bytes()
	}
	return a, nil
}

// needed returns what evidence needs of the artifact called name.
func needed(bundles []checks.Bundle, lists []checks.Asset, name string) sums.Wanted {
	w := sums.Wanted{SHA512: namesSHA512(bundles)}
	for _, b := range bundles {
		if b.For == name {
			w = w.Or(sums.For(b.Signature)).Or(sums.For(b.Data))
		}
	}
	for _, l := range lists {
		w = w.Or(sums.ForList(l.Data))
	}
	return w
}

// namesSHA512 reports whether evidence may hold a SHA-512 digest: by name in plain text, or
// in base64 at any of the three alignments, as payloads of envelopes are.
func namesSHA512(bundles []checks.Bundle) bool {
	marks := [][]byte{[]byte("sha512"), []byte("SHA2_512")}
	for lead := range 3 {
		text := base64.StdEncoding.EncodeToString(append(make([]byte, lead), "sha512"...))
		// The first and last characters also hold bits of what stands beside the word.
		from := (lead*8 + 5) / 6
		to := (lead + len("sha512")) * 8 / 6
		marks = append(marks, []byte(text[from:to]))
	}
	for _, b := range bundles {
		for _, m := range marks {
			if bytes.Contains(b.Data, m) {
				return true
			}
		}
	}
	return false
}

// readBundle reads one evidence file whole. Too large a file is a Problem, not an error:
// other evidence may do.
func readBundle(path, subject string) (checks.Bundle, error) {
	b := checks.Bundle{Name: filepath.Base(path), Origin: checks.OriginFile, For: subject}
	f, err := os.Open(path)
	if err != nil {
		return b, err
	}
	defer f.Close()
	b.Data, err = io.ReadAll(io.LimitReader(f, maxBundle+1))
	if err != nil {
		return b, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(b.Data) > maxBundle {
		b.Data = nil
		b.Problem = &checks.Reason{Code: checks.CodeTooLarge,
			Message: fmt.Sprintf("%s is larger than %d MiB, the most that is read of one piece of evidence", b.Name, maxBundle>>20)}
	}
	return b, nil
}

// sidecars reads the evidence beside path.
func sidecars(path, subject string) ([]checks.Bundle, error) {
	var found []checks.Bundle
	for _, suffix := range sidecarSuffixes {
		b, err := readBundle(path+suffix, subject)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		b.Origin = checks.OriginSidecar
		if slices.Contains(signatureSuffixes, suffix) {
			b.Signature, b.Data = b.Data, nil
		}
		if suffix == ".sig" {
			b.Certificate, err = firstOf(path+".pem", path+".crt", path+".cert")
			if err != nil {
				return nil, err
			}
		}
		found = append(found, b)
	}
	return found, nil
}

// firstOf returns the content of the first of names that exists, nil when none does.
func firstOf(names ...string) ([]byte, error) {
	for _, name := range names {
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return data, err
	}
	return nil, nil
}
