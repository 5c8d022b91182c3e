package osv

import (
	"context"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv/osvtest"
)

// syntheticIndex makes the large index once for all benchmarks of a run.
func syntheticIndex(b *testing.B) string {
	b.Helper()
	dir, err := largeIndex()
	if err != nil {
		b.Fatal(err)
	}
	return dir
}

// largeDir is where largeIndex put its index; TestMain removes it.
var largeDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if largeDir != "" {
		_ = os.RemoveAll(largeDir) // the system clears its temporary folder anyway
	}
	os.Exit(code)
}

var largeIndex = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "landwaiter-osv")
	if err != nil {
		return "", err
	}
	largeDir = dir
	if _, err := osvtest.WriteDatabase(dir, osvtest.Vulnerable, osvtest.Malware); err != nil {
		return "", err
	}
	x, err := Open(dir)
	if err != nil {
		return "", err
	}
	defer x.Close()
	_, err = x.Import(context.Background(), dir, ImportOptions{})
	return dir, err
})

// BenchmarkGoal6Build compiles the whole npm database: at most 256 MiB, and a file of at most
// a fifth of the zip (docs/performance.md). BenchmarkGoal6Beside compares the time.
func BenchmarkGoal6Build(b *testing.B) {
	from := b.TempDir()
	unpacked, err := osvtest.WriteDatabase(from, osvtest.Vulnerable, osvtest.Malware)
	if err != nil {
		b.Fatal(err)
	}
	zipped, err := os.Stat(filepath.Join(from, "npm", "all.zip"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(unpacked)
	debug.FreeOSMemory()
	forgetPeak(b)
	before := peakMiB(b)
	for b.Loop() {
		to := b.TempDir()
		x, err := Open(to)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := x.Import(b.Context(), from, ImportOptions{}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(x.Status().Bytes)/float64(zipped.Size()), "file/zip")
		x.Close()
	}
	b.ReportMetric(before, "before-MiB")
	b.ReportMetric(peakMiB(b), "peak-MiB")
}

// forgetPeak makes peakMiB start again from now on (proc(5), clear_refs). Where that is not
// allowed the peak includes what was before, and a goal is missed rather than met by mistake.
func forgetPeak(b *testing.B) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Logf("the peak includes what was before: %v", err)
	}
}

// peakMiB is the largest memory the process had, where the system tells.
func peakMiB(b *testing.B) float64 { return memoryMiB(b, "VmHWM") }

// memoryMiB is one line of /proc/self/status, 0 where there is no such file.
func memoryMiB(t testing.TB, name string) float64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return float64(kib) / 1024
		}
	}
	return 0
}

// BenchmarkOpen opens the large index, checksum included.
func BenchmarkOpen(b *testing.B) {
	dir := syntheticIndex(b)
	for b.Loop() {
		x, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		x.Close()
	}
}

// BenchmarkGoal4Match matches one lock file with the large index, without reading it. 5,000 and 20,000
// packages must take the time of 1,500 in proportion.
func BenchmarkGoal4Match(b *testing.B) {
	x, err := Open(syntheticIndex(b))
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	for _, n := range []int{1500, 5000, 20000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			m := &checks.Material{Head: checks.Tree{Inventory: osvtest.Inventory(n)}}
			s := New(x, Options{})
			b.ReportAllocs()
			var e checks.Evidence
			for b.Loop() {
				if e, err = s.Scan(b.Context(), m); err != nil || !e.Complete {
					b.Fatal(err, e.Gaps)
				}
			}
			b.ReportMetric(float64(len(e.Matches)), "matches")
		})
	}
	runtime.KeepAlive(x)
}

// BenchmarkGoal7Update takes in 1,000 changed records over HTTP: a fifteenth of the time of a
// full build and a fiftieth of its bytes (docs/performance.md).
func BenchmarkGoal7Update(b *testing.B) {
	const changed = 1000
	dir := b.TempDir()
	if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join(syntheticIndex(b), folder))); err != nil {
		b.Fatal(err)
	}
	x, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	r := rand.New(rand.NewPCG(3, 4))
	bucket := &fakeBucket{records: make(map[string]string), times: make(map[string]time.Time)}
	server := httptest.NewServer(bucket)
	defer server.Close()
	round := 0
	for b.Loop() {
		b.StopTimer()
		bucket.change(r, changed, round)
		round++
		b.StartTimer()
		out, err := x.Update(b.Context(), UpdateOptions{URL: server.URL, Ecosystems: []string{"npm"}})
		if err != nil || out.Ecosystems[0].Changed != changed || out.Ecosystems[0].Full || len(out.Changed) != changed {
			b.Fatal(out.Ecosystems, len(out.Changed), err)
		}
		unlock := bucket.lock()
		b.ReportMetric(float64(bucket.sent), "B-received/op")
		unlock()
	}
}

// change puts n changed reports into the bucket, newer than those of the rounds before.
func (b *fakeBucket) change(r *rand.Rand, n, round int) {
	defer b.lock()()
	b.records, b.times, b.sent = make(map[string]string), make(map[string]time.Time), 0
	b.times["MAL-2025-1"] = osvtest.Time(0) // the list goes back far enough
	for i := range n {
		at := osvtest.Time(osvtest.Vulnerable + osvtest.Malware + i + n*round)
		id, text := osvtest.Report(r, osvtest.Vulnerable+200*i, at)
		b.records[id], b.times[id] = text, at
	}
}
