package differential_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/scanners/osv"
	"github.com/landwaiter/landwaiter/scanners/osv/osvtest"
)

// BenchmarkGoal6Beside compiles the whole npm database beside one scan of OSV-Scanner with
// it, of 1,500 packages (docs/performance.md, goal 6): at most 1/2.5 of its time.
func BenchmarkGoal6Beside(b *testing.B) {
	local, locks, empty := b.TempDir(), b.TempDir(), filepath.Join(b.TempDir(), "osv-scanner.toml")
	if _, err := osvtest.WriteDatabase(filepath.Join(local, "osv-scalibr"), osvtest.Vulnerable, osvtest.Malware); err != nil {
		b.Fatal(err)
	}
	for path, data := range map[string][]byte{empty: nil, filepath.Join(locks, "package-lock.json"): osvtest.PackageLock(1500)} {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	o := &oracle{local: local, empty: empty}
	var theirs, ours time.Duration
	for b.Loop() {
		start := time.Now()
		if found := o.offline(b, locks); len(found) != 1500 {
			b.Fatalf("OSV-Scanner read %d packages", len(found))
		}
		theirs += time.Since(start)
		x, err := osv.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		start = time.Now()
		if _, err := x.Import(b.Context(), local, osv.ImportOptions{}); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(start)
		x.Close()
	}
	b.ReportMetric(float64(theirs)/float64(ours), "x-faster")
	b.ReportMetric(theirs.Seconds()/float64(b.N), "theirs-s")
	b.ReportMetric(ours.Seconds()/float64(b.N), "ours-s")
}
