package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/manifests"
	"github.com/landwaiter/landwaiter/scanners/osv"
	"github.com/landwaiter/landwaiter/scanners/sigstore"
)

// npmLock returns a package-lock.json of n packages, some of them vulnerable.
func npmLock(n int) []byte {
	var b strings.Builder
	b.WriteString("{\n  \"name\": \"bench\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": {\"dependencies\": {\"lodash\": \"^4.17.20\"}},\n")
	b.WriteString("    \"node_modules/lodash\": {\n      \"version\": \"4.17.20\"\n    }")
	for i := range n - 1 {
		fmt.Fprintf(&b, ",\n    \"node_modules/package-%d\": {\n      \"version\": \"%d.%d.0\",\n      \"resolved\": \"https://npm.example/package-%d.tgz\",\n"+
			"      \"integrity\": \"sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\",\n"+
			"      \"license\": \"MIT\",\n      \"dependencies\": {\"lodash\": \"^4.0.0\"}\n    }", i, i%9+1, i%13, i)
	}
	b.WriteString("\n  }\n}\n")
	return []byte(b.String())
}

// BenchmarkScan reads and matches an npm lock file, as a warm server does for one side of
// a pull request.
func BenchmarkScan(b *testing.B) {
	dir := b.TempDir()
	index, err := osv.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer index.Close()
	if _, err := index.Import(b.Context(), filepath.Join("demodata", "advisories"), osv.ImportOptions{}); err != nil {
		b.Fatal(err)
	}
	scanner := osv.New(index, osv.Options{})
	for _, n := range []int{1500, 6000} {
		lock := npmLock(n)
		b.Run(fmt.Sprintf("%d packages", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m := &checks.Material{Subject: checks.Subject{Kind: checks.KindTree}}
				m.Head.Inventory = manifests.Read(b.Context(), []checks.File{{Path: "package-lock.json", Data: lock}})
				e, err := scanner.Scan(b.Context(), m)
				if err != nil || len(e.Matches) == 0 {
					b.Fatalf("%d matches, %v", len(e.Matches), err)
				}
			}
		})
	}
}

// BenchmarkVerify verifies one keyless bundle and judges it.
func BenchmarkVerify(b *testing.B) {
	scanner, err := sigstore.New(sigstore.Config{Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	bundle, err := os.ReadFile(filepath.Join("demodata", "releases", "artifact.sigstore.json"))
	if err != nil {
		b.Fatal(err)
	}
	m := &checks.Material{
		Subject: checks.Subject{Kind: checks.KindArtifact, Repository: "too-legit/attest"},
		Release: &checks.Release{
			Assets:  []checks.Asset{{Name: "artifact", SHA256: "afa27b44d43b02a9fea41d13cedc2e4016cfcf87c5dbf990e593669aa8ce286d"}},
			Bundles: []checks.Bundle{{Name: "artifact.sigstore.json", Data: bundle}},
			Roots:   []string{checks.RootPublicGood},
		},
	}
	for b.Loop() {
		e, err := scanner.Scan(b.Context(), m)
		if err != nil || len(e.Attestations) != 1 || e.Attestations[0].Problem != nil {
			b.Fatalf("%+v, %v", e.Attestations, err)
		}
	}
}
