package osv

import (
	"context"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
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
	if _, err := writeSynthetic(dir, syntheticVulnerable, syntheticMalware); err != nil {
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

// BenchmarkImport compiles the whole npm database (docs/performance.md, goal 6).
func BenchmarkImport(b *testing.B) {
	from := b.TempDir()
	unpacked, err := writeSynthetic(from, syntheticVulnerable, syntheticMalware)
	if err != nil {
		b.Fatal(err)
	}
	zipped, err := os.Stat(filepath.Join(from, "npm", "all.zip"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(unpacked)
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
	b.ReportMetric(peakMiB(b), "peak-MiB")
}

// peakMiB is the largest memory the process had, where the system tells.
func peakMiB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
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

// BenchmarkScan matches one lock file with the large index (goal 4). 5,000 and 20,000
// packages must take the time of 1,500 in proportion.
func BenchmarkScan(b *testing.B) {
	x, err := Open(syntheticIndex(b))
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	for _, n := range []int{1500, 5000, 20000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			m := &checks.Material{Head: checks.Tree{Inventory: syntheticInventory(n)}}
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

// BenchmarkUpdate takes in 1,000 changed records over HTTP (goal 7), and looks each up.
func BenchmarkUpdate(b *testing.B) {
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
	watermark := syntheticVulnerable + syntheticMalware
	round := 0
	for b.Loop() {
		b.StopTimer()
		unlock := bucket.lock()
		bucket.records, bucket.times = make(map[string]string), make(map[string]time.Time)
		bucket.times["MAL-2025-1"] = syntheticTime(0) // the list goes back far enough
		for i := range changed {
			at := syntheticTime(watermark + i + changed*round)
			id, text := syntheticReport(r, syntheticVulnerable+200*i, at)
			bucket.records[id], bucket.times[id] = text, at
		}
		round++
		bucket.sent = 0
		unlock()
		b.StartTimer()
		out, err := x.Update(b.Context(), UpdateOptions{URL: server.URL, Ecosystems: []string{"npm"}})
		if err != nil || out.Ecosystems[0].Changed != changed || out.Ecosystems[0].Full || len(out.Changed) != changed {
			b.Fatal(out.Ecosystems, len(out.Changed), err)
		}
		unlock = bucket.lock()
		b.ReportMetric(float64(bucket.sent), "B-received/op")
		unlock()
	}
}
