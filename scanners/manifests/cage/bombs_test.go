package cage

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// bombs are the files of THREATS.md G20, as large as a file may be.
func bombs(t testing.TB) []struct {
	name string
	file inventory.File
	want string // in the Gap
} {
	t.Helper()
	many := func(n int, line func(int) string) []byte {
		var b bytes.Buffer
		for i := range n {
			b.WriteString(line(i))
		}
		return b.Bytes()
	}
	around := func(before string, middle []byte, after string) []byte {
		return append(append([]byte(before), middle...), after...)
	}
	return []struct {
		name string
		file inventory.File
		want string
	}{
		{"a lock file of 300,000 packages", inventory.File{Path: "package-lock.json", Data: around(`{"lockfileVersion":3,"packages":{"":{}`, many(300_000, func(i int) string {
			return fmt.Sprintf(`,"node_modules/p%d":{"version":"1.0.0","dependencies":{"p%d":"*"}}`, i, i+1)
		}), "}}")}, ""},
		{"XML properties that double", inventory.File{Path: "pom.xml", Data: around("<project><properties>", many(200, func(i int) string {
			return fmt.Sprintf("<p%d>${p%d}${p%d}</p%d>", i, i+1, i+1, i)
		}), "</properties><dependencies>"+strings.Repeat("<dependency><groupId>${p0}</groupId><artifactId>${p1}</artifactId><version>${p2}</version></dependency>", 2000)+"</dependencies></project>")}, ""},
		{"YAML aliases that double", inventory.File{Path: "pnpm-lock.yaml", Data: around("lockfileVersion: '9.0'\na0: &a0 [x, x]\n", many(100, func(i int) string {
			return fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
		}), "packages: *a100\n")}, ""},
		{"a zip of a gigabyte of zeros", inventory.File{Path: "poetry.lock", Data: zipBomb(t)}, ""},
		{"8 MiB of brackets", inventory.File{Path: "composer.lock", Data: []byte(strings.Repeat("[", 8<<20))}, ""},
	}
}

// zipBomb is a zip of one file, a gigabyte of zeros, made of the same compressed megabyte again
// and again.
func zipBomb(t testing.TB) []byte {
	t.Helper()
	const times = 1 << 10
	zeros := make([]byte, 1<<20)
	var megabyte, b bytes.Buffer
	deflater, err := flate.NewWriter(&megabyte, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = deflater.Write(zeros)
	if err := errors.Join(err, deflater.Flush()); err != nil {
		t.Fatal(err)
	}
	const last = "\x03\x00" // an empty final block
	sum := uint32(0)
	for range times {
		sum = crc32.Update(sum, crc32.IEEETable, zeros)
	}
	z := zip.NewWriter(&b)
	w, err := z.CreateRaw(&zip.FileHeader{Name: "poetry.lock", Method: zip.Deflate, CRC32: sum,
		UncompressedSize64: times * uint64(len(zeros)), CompressedSize64: uint64(times*megabyte.Len() + len(last))})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(append(bytes.Repeat(megabyte.Bytes(), times), last...))
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestZipBomb: it is the zip that it is meant to be.
func TestZipBomb(t *testing.T) {
	t.Parallel()
	data := zipBomb(t)
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, f, 3<<20); n != 3<<20 || err != nil || len(data) > 8<<20 || z.File[0].UncompressedSize64 != 1<<30 {
		t.Errorf("%d bytes of %d in %d: %v", n, z.File[0].UncompressedSize64, len(data), err)
	}
}

// TestG20Bombs: each bomb ends as a Gap, which makes the verdict unknown, within 35 seconds;
// the memory of the parent stays as it was; the next job goes well.
func TestG20Bombs(t *testing.T) {
	// Not parallel: it looks at the memory of the process.
	all := bombs(t)
	p := open(t, Config{})
	wantWell(t, p)
	for _, b := range all {
		t.Run(b.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			started := time.Now()
			m := readOne(t, p, b.file)
			took := time.Since(started)
			runtime.ReadMemStats(&after)
			t.Logf("%d bytes: %v, %s", len(b.file.Data), took, m.Gap)
			if m.Gap == "" || !strings.Contains(m.Gap, b.want) || len(m.Packages) > 0 {
				t.Errorf("gap %q with %d packages, want one about %q", m.Gap, len(m.Packages), b.want)
			}
			if took > 35*time.Second {
				t.Errorf("took %v", took)
			}
			if grown := int64(after.Sys) - int64(before.Sys); grown > 16<<20 {
				t.Errorf("the parent grew by %d bytes", grown)
			}
			wantWell(t, p)
		})
	}
}

// TestG20BombsAtOnce reads all bombs beside a good file, which comes out whole.
func TestG20BombsAtOnce(t *testing.T) {
	t.Parallel()
	var files []inventory.File
	for i, b := range bombs(t) {
		b.file.Path = fmt.Sprintf("%d/%s", i, b.file.Path)
		files = append(files, b.file)
	}
	p := open(t, Config{file: time.Minute, wall: 2 * time.Minute})
	inv := p.Read(t.Context(), append(files, file("well")))
	for i, m := range inv.Manifests {
		if bad := i < len(files); bad != (m.Gap != "") || bad != (len(m.Packages) == 0) {
			t.Errorf("%s: gap %q and %d packages", m.Path, m.Gap, len(m.Packages))
		}
	}
}
