package output_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

var (
	now    = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	commit = strings.Repeat("c", 40)
	sum    = strings.Repeat("a1", 32)
)

const actions = "https://token.actions.githubusercontent.com"

// policy parses a policy file for a test.
func policy(t testing.TB, file string) *checks.Policy {
	t.Helper()
	p, err := checks.ParsePolicy([]byte("version: 1\n"+file), ".github/landwaiter.yml@"+commit)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pkg(name, version string, line int) checks.Package {
	return checks.Package{PURL: "pkg:golang/" + name + "@" + version, Ecosystem: "Go", Name: name, Version: version, Line: line,
		Scope: checks.ScopeRuntime, Relation: checks.Direct, Manager: "go"}
}

// hit is a match in go.mod, of the head when no side is given.
func hit(p checks.Package, id string, s checks.Severity, cure string, side ...checks.Side) checks.Match {
	return checks.Match{Side: append(side, checks.Head)[0], Path: "go.mod", Package: p, Advisory: checks.Advisory{ID: id, Severity: s, Cure: cure, Summary: "a problem of " + p.Name}}
}

// pull judges a pull request that changes go.mod from base to head.
func pull(p *checks.Policy, base, head []checks.Package, matches ...checks.Match) checks.Report {
	m := &checks.Material{
		Subject:  checks.Subject{Kind: checks.KindPullRequest, Repository: "acme/app", Ref: "refs/pull/7/head", Commit: commit, Number: 7},
		Compared: true,
		Base:     checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{{Path: "go.mod", Digest: "b", Packages: base}}}},
		Head:     checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{{Path: "go.mod", Digest: "h", Packages: head}}}},
	}
	e := checks.Evidence{Scanner: "osv", Complete: true, DataTime: now.Add(-20 * time.Minute), ExploitedTime: now, EPSSTime: now, Matches: matches}
	return checks.Judge(m, p, []checks.Evidence{e}, now)
}

// attested is an attestation of the named file by acme/app's release workflow.
func attested(name, digest, signer string) checks.Attestation {
	b := checks.Build{Repository: "https://github.com/acme/app", Ref: "refs/tags/v2.4.0", Commit: commit, Runner: "github-hosted", Trigger: "push", BuilderID: signer}
	return checks.Attestation{
		Bundle: "attestation 1", Origin: checks.OriginAttestationAPI, Kind: checks.AttestationProvenance, PredicateType: "https://slsa.dev/provenance/v1",
		Subjects: []checks.AttestedSubject{{Name: name, Digest: map[string]string{"sha256": digest}}},
		Signer:   checks.Signer{Issuer: actions, Identity: signer}, Certificate: b, Claim: b,
	}
}

const ownWorkflow = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v2.4.0"

// digestOf gives each file of a test its own digest.
func digestOf(i int) string { return fmt.Sprintf("%064x", i+1) }

// release judges v2.4.0 with the named assets and attestations.
func release(p *checks.Policy, names []string, attestations ...checks.Attestation) checks.Report {
	r := &checks.Release{ID: 1, Tag: "v2.4.0", TagRef: "refs/tags/v2.4.0", Commit: commit, DefaultBranch: "main"}
	for i, n := range names {
		r.Assets = append(r.Assets, checks.Asset{Name: n, SHA256: digestOf(i)})
	}
	m := &checks.Material{Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/app", Ref: "refs/tags/v2.4.0", Commit: commit, ReleaseID: 1}, Release: r}
	return checks.Judge(m, p, []checks.Evidence{{Scanner: "sigstore", Complete: true, Attestations: attestations}}, now)
}
