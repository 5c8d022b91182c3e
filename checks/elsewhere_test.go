package checks_test

import (
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// elsewhere is a release that publishes a container image and a package, both attested.
func elsewhere(t *testing.T) *relCase {
	t.Helper()
	c := genuine(t)
	c.policy.Releases.Images = []string{"ghcr.io/acme/app"}
	long := strings.Repeat("b2", 64)
	c.release().Assets = []checks.Asset{
		{Name: "ghcr.io/acme/app@sha256:" + sumApp, Kind: checks.AssetImage, SHA256: sumApp},
		{Name: "pkg:npm/%40acme/app@1.2.0", Kind: checks.AssetPackage, SHA512: long},
	}
	pkg := provenance("pkg:npm/%40acme/app@1.2.0", "")
	pkg.Subjects[0].Digest = map[string]string{"sha512": long}
	c.evidence.Attestations = []checks.Attestation{provenance("ghcr.io/acme/app", sumApp), pkg}
	return c
}

// TestElsewhere changes one thing of a release that passes.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*relCase)
		code   string // of the first reason, "" when it passes
	}{
		{"baseline", func(*relCase) {}, ""},
		{"subject without a name", func(c *relCase) { c.attestation().Subjects[0].Name = "" }, ""},
		{"checksums are not asked of images", func(c *relCase) {
			c.policy.Releases.Assets[0].Require = []string{checks.RequireChecksum, checks.RequireProvenance}
		}, ""},
		{"V08 another image", func(c *relCase) { c.attestation().Subjects[0].Name = "ghcr.io/acme/other" }, checks.CodeNameMismatch},
		{"V08 the same name in another registry", func(c *relCase) { c.attestation().Subjects[0].Name = "docker.example/acme/app" }, checks.CodeNameMismatch},
		{"V08 another package", func(c *relCase) { c.evidence.Attestations[1].Subjects[0].Name = "pkg:npm/app@1.2.0" }, checks.CodeNameMismatch},
		{"V08 another version", func(c *relCase) { c.evidence.Attestations[1].Subjects[0].Name = "pkg:npm/%40acme/app@1.2.1" }, checks.CodeNameMismatch},
		{"V55 image of another commit", func(c *relCase) { c.attestation().Certificate.Commit = strings.Repeat("d", 40) }, checks.CodeCommitMismatch},
		{"image of another repository", func(c *relCase) { c.attestation().Certificate.Repository = "https://github.com/evil/app" }, checks.CodeSourceMismatch},
		{"registry does not answer", func(c *relCase) {
			c.release().Assets[0].SHA256, c.release().Assets[0].Problem = "", &checks.Reason{Code: checks.CodeNotReadable, Message: "HTTP 500"}
		}, checks.CodeNotReadable},
		{"not attested", func(c *relCase) { c.evidence.Attestations = c.evidence.Attestations[1:] }, checks.CodeAssetUnproven},
		{"not in the notes", func(c *relCase) { c.release().Assets = c.release().Assets[1:] }, checks.CodeAssetsMissing},
		{"a longer name is another image", func(c *relCase) { c.policy.Releases.Images = []string{"ghcr.io/acme/ap"} }, checks.CodeAssetsMissing},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rel := elsewhere(t)
			c.change(rel)
			r := rel.judge()
			got := ""
			if len(r.Reasons) > 0 {
				got = r.Reasons[0].Code
			}
			if got != c.code || (r.Verdict == checks.Pass) != (c.code == "") {
				t.Errorf("got %v, %q, want %q: %v", r.Verdict, got, c.code, r.Reasons)
			}
		})
	}
}
