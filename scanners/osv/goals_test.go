package osv

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagelockjson"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/manifests"
	"github.com/landwaiter/landwaiter/scanners/osv/osvtest"
)

// The benchmarks below are named by the goals of docs/performance.md. Each reports the ratio
// that its goal speaks of, taken in one run.

// libraryInventory reads a package-lock.json with osv-scalibr's extractor.
func libraryInventory(b *testing.B, lock []byte) checks.Inventory {
	b.Helper()
	e, err := packagelockjson.New(&config_go_proto.PluginConfig{})
	if err != nil {
		b.Fatal(err)
	}
	files := fstest.MapFS{"package-lock.json": {Data: lock}}
	info, err := files.Stat("package-lock.json")
	if err != nil {
		b.Fatal(err)
	}
	got, err := e.Extract(b.Context(), &filesystem.ScanInput{FS: files, Path: "package-lock.json", Info: info, Reader: bytes.NewReader(lock)})
	if err != nil {
		b.Fatal(err)
	}
	m := checks.Manifest{Path: "package-lock.json"}
	for _, p := range got.Packages {
		m.Packages = append(m.Packages, checks.Package{Ecosystem: "npm", Name: p.Name, Version: p.Version})
	}
	return checks.Inventory{Manifests: []checks.Manifest{m}}
}

// matched are the findings of an inventory: "name version id".
func matched(b *testing.B, s *Scanner, inv checks.Inventory) []string {
	b.Helper()
	e, err := s.Scan(b.Context(), &checks.Material{Head: checks.Tree{Inventory: inv}})
	if err != nil || !e.Complete {
		b.Fatal(err, e.Gaps)
	}
	var found []string
	for _, m := range e.Matches {
		found = append(found, m.Package.Name+" "+m.Package.Version+" "+m.Advisory.ID)
	}
	slices.Sort(found)
	return found
}

// BenchmarkGoal4Scan reads and matches a package-lock.json beside osv-scalibr's extractor with
// the same index: a sixtieth of the time, with equal findings. Time must grow as n does.
func BenchmarkGoal4Scan(b *testing.B) {
	x, err := Open(syntheticIndex(b))
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	s := New(x, Options{})
	for _, n := range []int{1500, 6000} {
		lock := osvtest.PackageLock(n)
		read := func() checks.Inventory {
			return manifests.Read(b.Context(), []checks.File{{Path: "package-lock.json", Data: lock}})
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			start := time.Now()
			want := matched(b, s, libraryInventory(b, lock))
			theirs := time.Since(start)
			if got := matched(b, s, read()); !slices.Equal(got, want) || len(got) == 0 {
				b.Fatalf("%d findings, %d with the library", len(got), len(want))
			}
			b.ReportAllocs()
			for b.Loop() {
				if e, err := s.Scan(b.Context(), &checks.Material{Head: checks.Tree{Inventory: read()}}); err != nil || !e.Complete {
					b.Fatal(err, e.Gaps)
				}
			}
			b.ReportMetric(float64(theirs)/(float64(b.Elapsed())/float64(b.N)), "x-faster")
		})
	}
}

// BenchmarkGoal7Meanwhile scans while an update runs: the 99th percentile of the scans may be
// one and a half times that of an idle index.
func BenchmarkGoal7Meanwhile(b *testing.B) {
	dir := b.TempDir()
	if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join(syntheticIndex(b), folder))); err != nil {
		b.Fatal(err)
	}
	x, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	bucket := &fakeBucket{}
	server := httptest.NewServer(bucket)
	defer server.Close()
	m := &checks.Material{Head: checks.Tree{Inventory: osvtest.Inventory(1500)}}
	s := New(x, Options{})
	scans := func(until <-chan error) (times []time.Duration, err error) {
		for {
			start := time.Now()
			if _, err := s.Scan(b.Context(), m); err != nil {
				b.Fatal(err)
			}
			times = append(times, time.Since(start))
			select {
			case err := <-until:
				return times, err
			default:
			}
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	var idle, busy []time.Duration
	round := 0
	for b.Loop() {
		bucket.change(r, 1000, round)
		round++
		done := make(chan error, 1)
		start := time.Now()
		go func() {
			_, err := x.Update(b.Context(), UpdateOptions{URL: server.URL, Ecosystems: []string{"npm"}})
			done <- err
		}()
		times, err := scans(done)
		if err != nil {
			b.Fatal(err)
		}
		busy = append(busy, times...)
		quiet := make(chan error, 1)
		time.AfterFunc(time.Since(start), func() { quiet <- nil }) // as long without an update
		times, _ = scans(quiet)
		idle = append(idle, times...)
	}
	p99 := func(times []time.Duration) float64 {
		slices.Sort(times)
		return float64(times[len(times)*99/100])
	}
	b.ReportMetric(cmp.Or(p99(busy)/p99(idle), 0), "p99-ratio")
	b.ReportMetric(p99(busy)/1e6, "p99-busy-ms")
}

// memoryOf says to the test binary that it is the process whose memory is measured.
const memoryOf = "LANDWAITER_TEST_MEMORY_OF"

// BenchmarkGoal8Memory is the memory of a process that has the whole index open and has
// scanned with it: at most 80 MiB, the pages of the file included.
func BenchmarkGoal8Memory(b *testing.B) {
	dir := syntheticIndex(b)
	for b.Loop() {
		c := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "^TestGoal8Process$", "-test.v")
		c.Env = append(os.Environ(), memoryOf+"="+dir)
		out, err := c.CombinedOutput()
		if err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		for line := range strings.SplitSeq(string(out), "\n") {
			if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "memory" {
				for i, name := range []string{"peak-MiB", "idle-MiB"} {
					v, err := strconv.ParseFloat(fields[i+1], 64)
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(v, name)
				}
			}
		}
	}
}

// TestGoal8Process is the other side of BenchmarkGoal8Memory.
func TestGoal8Process(t *testing.T) {
	dir := os.Getenv(memoryOf)
	if dir == "" {
		return // nobody measures
	}
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	m := &checks.Material{Head: checks.Tree{Inventory: osvtest.Inventory(1500)}}
	for range 20 {
		if _, err := New(x, Options{}).Scan(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	m = nil
	debug.FreeOSMemory()
	fmt.Printf("memory %.1f %.1f\n", memoryMiB(t, "VmHWM"), memoryMiB(t, "VmRSS"))
	runtime.KeepAlive(x)
}
