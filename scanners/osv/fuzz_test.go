package osv

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv/record"
)

// FuzzRecord: any record compiles and is found again, or is refused; nothing panics.
func FuzzRecord(f *testing.F) {
	f.Add(advisory("GHSA-1", "p", below("2.0.0")))
	f.Add(advisory("MAL-1", "p", everyVersion+`,"versions":["1.0.0","1.0.1"]`, `"withdrawn":"2025-01-01T00:00:00Z",`))
	f.Add(advisory("GO-1", "p", `"versions":3`, `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],`))
	f.Fuzz(func(t *testing.T, text string) {
		b := &batch{}
		var r record.Record
		if b.compile(text, &r, "npm") != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("accepted what is not JSON: %q", text)
		}
		entries := append([]keyed(nil), b.entries...)
		out := &build{meta: fileMeta{Ecosystems: []ecosystemMeta{{Name: "npm", Records: 1}}}}
		out.take(b)
		path := filepath.Join(t.TempDir(), "base.index")
		if err := out.write(path); err != nil {
			t.Fatal(err)
		}
		x, err := openFile(path)
		if err != nil {
			t.Fatal(err)
		}
		g, err := newGeneration(x, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer g.release()
		for _, e := range entries {
			for _, v := range []string{"1.0.0", "", "x", "1.0.0-rc.1"} {
				m := &matcher{gen: g}
				if _, err := m.match(&checks.Package{Ecosystem: "npm", Name: e.name, Version: v}); err != nil && !isVersion(err) {
					t.Fatalf("%q %q: %v", e.name, v, err)
				}
			}
		}
	})
}

// FuzzIndex: whatever the bytes of an index file are, it is refused or read within its
// bounds. The checksums are made right, or else nothing would get past them.
func FuzzIndex(f *testing.F) {
	good := indexBytes(f)
	f.Add(0, []byte{})
	for _, at := range []int{12, 70, headerSize, headerSize + 100, len(good) / 2, len(good) - 40} {
		f.Add(at, []byte{0xff, 0xff, 0xff, 0x7f})
		f.Add(at, []byte{0})
	}
	f.Fuzz(func(t *testing.T, at int, patch []byte) {
		data := bytes.Clone(good)
		if at < 0 || at > len(data) {
			return
		}
		copy(data[at:], patch)
		x, err := readFile(viewOf(resealed(data)))
		if err != nil {
			return
		}
		x.users.Store(1)
		g, err := newGeneration(x, nil)
		if err != nil {
			return
		}
		defer g.release()
		m := &matcher{gen: g}
		for _, name := range []string{"p0", "p1", "p2", "absent"} {
			_, _ = m.match(&checks.Package{Ecosystem: "npm", Name: name, Version: "1.0.0"}) // an error is as good as an answer
		}
		_, _, _ = g.find("GHSA-0000-0000-0001", "npm")
		_ = (&build{}).copyFile(x, func(int, *storedRecord) bool { return true })
		_, _ = changedKeys(g, g)
	})
}

// FuzzChange: a line of modified_id.csv is refused, or names a record that can be part of a
// path as it is, and a time.
func FuzzChange(f *testing.F) {
	for _, line := range []string{"2025-05-05T01:02:03.123456789Z,GHSA-0000-0000-0001", "2025-05-05T01:02:03Z,../../secret", "x,GO-1", "2025-05-05T01:02:03+02:00,ASB-A-1", ",", "2025-05-05T01:02:03Z,a%2fb", "2025-05-05T01:02:03Z,USN-1:2~3\r"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, err := parseChange(line)
		if err != nil {
			return
		}
		if c.id == "" || c.id[0] == '.' || strings.ContainsAny(c.id, "/\\%?# \t\r\n") || len(c.id) > record.MaxText {
			t.Fatalf("%q gives the id %q", line, c.id)
		}
		if again, err := parseChange(c.modified.Format(time.RFC3339Nano) + "," + c.id); err != nil || again != c {
			t.Fatalf("%q: %v and %v (%v)", line, c, again, err)
		}
	})
}

// FuzzRepositoryName: the name of a repository is its own name, whatever the address is.
func FuzzRepositoryName(f *testing.F) {
	for _, address := range []string{"https://github.com/O/R.git", "git@github.com:o/r.git", "ssh://git@host:22/o/r/", "", "://", "a:b", "https://u:p@host:443/x", "git://host:9418"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		name := repositoryName(address)
		if again := repositoryName("https://" + name); again != name && !strings.ContainsAny(name, "@: ") && strings.TrimSpace(name) == name {
			t.Fatalf("%q is %q, and that is %q", address, name, again)
		}
	})
}

// indexBytes is a small index file.
func indexBytes(t testing.TB) []byte {
	t.Helper()
	b := &build{meta: fileMeta{Ecosystems: []ecosystemMeta{{Name: "npm", Records: 20}}}}
	x := &batch{}
	var r record.Record
	for _, text := range numbered(20) {
		if err := x.compile(text, &r, "npm"); err != nil {
			t.Fatal(err)
		}
	}
	b.take(x)
	path := filepath.Join(t.TempDir(), "base.index")
	if err := b.write(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// resealed makes the checksums of an index file right.
func resealed(data []byte) []byte {
	binary.LittleEndian.PutUint32(data[24:], crc32.Checksum(data[headerSize:], castagnoli))
	binary.LittleEndian.PutUint32(data[headerSize-4:], crc32.Checksum(data[:headerSize-4], castagnoli))
	return data
}
