package store_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/storetest"
)

// benchBoth runs a benchmark on both engines, on the wall clock.
func benchBoth(b *testing.B, bench func(b *testing.B, f *fixture)) {
	b.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b, url(b))
			must(b, f.Close())
			f.config.Now = time.Now
			f.DB = f.open(b)
			bench(b, f)
		})
	}
}

// payload is 21 KB that compress like a real pull_request payload, about 9:1.
func payload() []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < 21_000; i++ {
		fmt.Fprintf(&b, `{"url":"https://api.github.com/repos/octo-org/octo-repo/pulls/%d","id":%d,"node_id":"MDExOlB1bGw%x"},`, i, i*7919, i*104729)
	}
	return b.Bytes()
}

// BenchmarkReceive acknowledges deliveries of 21 KB from 64 sides at once, and from one.
func BenchmarkReceive(b *testing.B) {
	for _, sides := range []int{1, 64} {
		b.Run(fmt.Sprintf("sides=%d", sides), func(b *testing.B) {
			benchBoth(b, func(b *testing.B, f *fixture) {
				body := payload()
				var next atomic.Int64
				b.SetParallelism(max(1, sides/2)) // times GOMAXPROCS
				b.ResetTimer()
				receiveOne := func() {
					d := delivery(int(next.Add(1)))
					d.Body = body
					if _, err := receive(b.Context(), f.DB, d); err != nil {
						b.Error(err)
					}
				}
				if sides == 1 {
					for b.Loop() {
						receiveOne()
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							receiveOne()
						}
					})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
			})
		})
	}
}

// BenchmarkQueue claims and ends empty jobs: one by one, and 32 at a time.
func BenchmarkQueue(b *testing.B) {
	for _, size := range []int{1, 32} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			benchBoth(b, func(b *testing.B, f *fixture) {
				fill(b, f, 0, b.N)
				b.ResetTimer()
				for done := 0; done < b.N; {
					jobs, err := f.Claim(b.Context(), "bench", size, time.Minute)
					must(b, err)
					if len(jobs) == 0 {
						b.Fatalf("queue is empty after %d of %d", done, b.N)
					}
					finishAll(b, f, jobs)
					done += len(jobs)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
			})
		})
	}
}

// finishAll ends jobs at the same time, as the workers of a process do.
func finishAll(b *testing.B, f *fixture, jobs []store.Job) {
	b.Helper()
	errs := make(chan error, len(jobs))
	for _, j := range jobs {
		go func() { errs <- f.Finish(b.Context(), j) }()
	}
	for range jobs {
		must(b, <-errs)
	}
}

// fill enqueues n jobs of 50 installations with keys from start on.
func fill(b *testing.B, f *fixture, start, n int) {
	b.Helper()
	for n > 0 {
		jobs := make([]store.Job, 0, 1000)
		for ; n > 0 && len(jobs) < cap(jobs); n-- {
			j := judge(fmt.Sprintf("pr:%d", start))
			j.InstallationID, j.Generation = int64(start%50), 1
			jobs = append(jobs, j)
			start++
		}
		must(b, f.Enqueue(b.Context(), jobs...))
	}
}

// BenchmarkClaim claims 32 of a queue and puts them back, which must not grow with the queue.
// A million jobs need LANDWAITER_BENCH_LONG to be set.
func BenchmarkClaim(b *testing.B) {
	sizes := []int{1_000, 30_000}
	if os.Getenv("LANDWAITER_BENCH_LONG") != "" {
		sizes = []int{1_000, 1_000_000}
	}
	for _, size := range sizes {
		b.Run(fmt.Sprintf("queued=%d", size), func(b *testing.B) {
			benchBoth(b, func(b *testing.B, f *fixture) {
				fill(b, f, 0, size)
				var claiming time.Duration
				for b.Loop() {
					start := time.Now()
					jobs, err := f.Claim(b.Context(), "bench", 32, time.Minute)
					claiming += time.Since(start)
					must(b, err)
					finishAll(b, f, jobs)
					for _, j := range jobs {
						j.Generation = 1
						must(b, f.Enqueue(b.Context(), j))
					}
				}
				b.ReportMetric(float64(claiming.Microseconds())/float64(b.N), "µs/claim")
			})
		})
	}
}

// BenchmarkRecord records an inventory of 1,000 components in ten manifests of which three
// have changed since the last record, and a report of 20 KB.
func BenchmarkRecord(b *testing.B) {
	benchBoth(b, func(b *testing.B, f *fixture) {
		fillText := strings.Repeat("a finding with a sentence about it; ", 550)
		round := 0
		for b.Loop() {
			round++
			r := record(fmt.Sprintf("release:1:%d", round), 1)
			r.Report.Policy.Source = fillText
			r.Head = release(round)
			_, err := f.Record(b.Context(), r)
			must(b, err)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
}

// BenchmarkKnownInventory finds what was read of a lock file of 1,500 packages before: one that
// was asked for lately, and one that only the database has.
func BenchmarkKnownInventory(b *testing.B) {
	f := newFixture(b, storetest.SQLite(b))
	m := checks.Manifest{Path: "package-lock.json", Digest: "b1", Format: "package-lock.json"}
	for p := range 1500 {
		name := fmt.Sprintf("package-%d", p)
		m.Packages = append(m.Packages, checks.Package{PURL: "pkg:npm/" + name + "@1.2.3", Ecosystem: "npm", Name: name, Version: "1.2.3",
			Line: p, Scope: checks.ScopeRuntime, Relation: checks.Transitive, Via: []string{"package-0", name}, Licence: "MIT", Manager: "npm"})
	}
	must(b, f.SaveInventory(b.Context(), m.Digest, "1", m))
	for name, forget := range map[string]func(){"lately/1500": func() {}, "stored/1500": func() { f.ForgetRecent() }} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				forget()
				got, err := f.CachedInventory(b.Context(), m.Digest, "1")
				must(b, err)
				if len(got.Packages) != len(m.Packages) {
					b.Fatalf("%d packages", len(got.Packages))
				}
			}
		})
	}
}

// release returns ten manifests of 100 packages each, three of them with content of this round.
func release(round int) checks.Inventory {
	var all checks.Inventory
	for m := range 10 {
		version := 0
		if m < 3 {
			version = round
		}
		manifest := checks.Manifest{Path: fmt.Sprintf("dir%d/package-lock.json", m), Digest: fmt.Sprintf("%020x%020x", m, version), Format: "package-lock.json"}
		for p := range 100 {
			// A package changes its version every 20 rounds, at a round of its own.
			manifest.Packages = append(manifest.Packages, checks.Package{Ecosystem: "npm", Name: fmt.Sprintf("package-%d-%d", m, p),
				Version: fmt.Sprintf("1.%d.0", (version+p)/20)})
		}
		all.Manifests = append(all.Manifests, manifest)
	}
	return all
}
