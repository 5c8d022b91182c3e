package unzip

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// zipped is a zip file with three deflated entries and a stored one.
func zipped(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range 4 {
		method := zip.Deflate
		if i == 3 {
			method = zip.Store
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("GHSA-%d.json", i), Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, strings.Repeat(fmt.Sprintf("content %d ", i), 100*i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "all.zip")
	if err := os.WriteFile(path, zipped(t), 0o644); err != nil {
		t.Fatal(err)
	}
	z, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.Entries) != 4 {
		t.Fatalf("%d entries", len(z.Entries))
	}
	var r Reader
	for i := range z.Entries {
		got, err := r.Read(z, &z.Entries[i])
		want := strings.Repeat(fmt.Sprintf("content %d ", i), 100*i)
		if err != nil || got != want || z.Entries[i].Name != fmt.Sprintf("GHSA-%d.json", i) {
			t.Errorf("entry %d: %q of %d bytes, %v", i, z.Entries[i].Name, len(got), err)
		}
	}
}

// FuzzZip: what our reader of zip files reads, archive/zip reads alike.
func FuzzZip(f *testing.F) {
	good := zipped(f)
	f.Add(0, []byte{}, len(good))
	f.Add(len(good)-12, []byte{0xff, 0xff}, len(good))
	f.Add(20, []byte{9}, len(good)-5)
	f.Fuzz(func(t *testing.T, at int, patch []byte, size int) {
		data := bytes.Clone(good)
		if at < 0 || at > len(data) || size < 0 || size > len(data) {
			return
		}
		copy(data[at:], patch)
		data = data[:size]
		path := filepath.Join(t.TempDir(), "all.zip")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		z, err := Open(path)
		if err != nil {
			return
		}
		defer z.Close()
		var u Reader
		for i := range z.Entries {
			e := &z.Entries[i]
			if e.Unpacked > 1<<20 {
				continue
			}
			got, err := u.Read(z, e)
			if err != nil {
				continue
			}
			if want, ok := stdRead(data, e); ok && got != want {
				t.Fatalf("%q: read %q, want %q", e.Name, got, want)
			}
		}
	})
}

// stdRead reads the entry that starts where e does with archive/zip, if it can.
func stdRead(data []byte, e *Entry) (string, bool) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", false
	}
	for _, f := range z.File {
		if f.Name != e.Name || f.CRC32 != e.crc {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return "", false
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		return string(b), err == nil
	}
	return "", false
}
