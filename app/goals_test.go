package app

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// BenchmarkGoal5Known reads base and head of a lock file that an earlier change had: no blob
// may be fetched, and the goal is a twentieth of the first time, of a stand-in that takes 50 ms
// a call as in BenchmarkPullRequest. What is left of it is decoding what the store has kept.
func BenchmarkGoal5Known(b *testing.B) {
	rec := newRecorder()
	w := newWorld(b, githubtest.Options{Contract: githubtest.Off, Latency: 50 * time.Millisecond}, func(c *Config) { c.Transport, c.Now = rec, time.Now })
	var packages []string
	for i := range 1500 {
		packages = append(packages, fmt.Sprintf("package-%d@1.0.%d", i, i))
	}
	r := w.github.Repo("acme", "shop", githubtest.RepoOptions{Private: true})
	inst := w.github.Install("acme")
	c := w.app.installation(repo{InstallationID: inst.ID, ID: r.ID(), Owner: "acme", Name: "shop"}, permissions{"contents": "read"})
	side := func(round string) []reading {
		text := lock(append(packages, round+"@1.0.0")...)
		r.Commit("main", round, githubtest.Files{"package-lock.json": text})
		sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text))
		return []reading{{"package-lock.json", entry{SHA: hex.EncodeToString(sum[:]), Mode: "100644", Size: int64(len(text))}}}
	}
	inventories := func(base, head []reading) time.Duration {
		start := time.Now()
		b0, h, err := w.app.inventories(b.Context(), c, base, head)
		if err != nil || len(b0.Manifests) != 1 || len(h.Manifests) != 1 || len(h.Manifests[0].Packages) != len(packages)+1 {
			b.Fatalf("%d and %d manifests, %v", len(b0.Manifests), len(h.Manifests), err)
		}
		return time.Since(start)
	}
	w.settle()
	inventories(side("warm"), side("warm-too")) // takes the token
	var first, known time.Duration
	n := 0
	for b.Loop() {
		base, head := side(fmt.Sprintf("base-%d", n)), side(fmt.Sprintf("head-%d", n))
		rec.take()
		first += inventories(base, head)
		if calls, _ := rec.take(); calls != 2 {
			b.Fatalf("%d calls the first time", calls)
		}
		w.app.github.cache.flush(b.Context())
		known += inventories(base, head)
		if calls, _ := rec.take(); calls != 0 {
			b.Fatalf("%d blobs were fetched again", calls)
		}
		n++
	}
	b.ReportMetric(float64(first)/float64(known), "x-faster")
	b.ReportMetric(float64(known.Microseconds())/float64(n)/1000, "known-ms")
}
