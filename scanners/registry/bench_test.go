package registry_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/landwaiter/landwaiter/scanners/registry"
	"github.com/landwaiter/landwaiter/scanners/registry/registrytest"
)

// BenchmarkScan asks about 1,500 packages: of a stand-in without delay, and of the cache.
func BenchmarkScan(b *testing.B) {
	var packages []string
	for i := range 1500 {
		packages = append(packages, fmt.Sprintf("npm package-%d 1.0.0", i))
	}
	m := brings(packages...)
	server := httptest.NewServer(registrytest.New())
	b.Cleanup(server.Close)
	run := func(b *testing.B, s *registry.Scanner) {
		e, err := s.Scan(context.Background(), m)
		if err != nil || !e.Complete || len(e.Facts) != len(packages) {
			b.Fatalf("%v, %d facts, %v", err, len(e.Facts), e.Gaps)
		}
	}
	fresh := func(b *testing.B, dir string) *registry.Scanner {
		s, err := registry.New(registry.Options{URL: server.URL, Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	b.Run("asked", func(b *testing.B) {
		for b.Loop() {
			run(b, fresh(b, ""))
		}
	})
	b.Run("cached", func(b *testing.B) {
		s := fresh(b, "")
		run(b, s)
		for b.Loop() {
			run(b, s)
		}
	})
	b.Run("read from disk", func(b *testing.B) {
		dir := b.TempDir()
		run(b, fresh(b, dir))
		for b.Loop() {
			run(b, fresh(b, dir))
		}
	})
}
