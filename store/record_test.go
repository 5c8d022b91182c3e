package store_test

import (
	"fmt"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/store"
)

// record returns a small record of a key and generation.
func record(key string, generation int64) store.Record {
	return store.Record{
		Key: key, Generation: generation, Parser: "1",
		Report: checks.Report{
			Subject: checks.Subject{Kind: checks.KindPullRequest, Repository: "octo-org/octo-repo", RepositoryID: 42,
				Ref: "refs/pull/7/head", Commit: fmt.Sprintf("%040x", generation), Number: 7},
			Verdict: checks.Fail,
			Reasons: []checks.Reason{}, Findings: []checks.Finding{}, Assets: []checks.AssetReport{}, Evidence: []checks.EvidenceSummary{},
			Policy: checks.PolicyRef{Digest: "sha256:0f", Source: "landwaiter:recommended@1"},
			Time:   time.Date(2026, 11, 23, 8, 59, 0, 0, time.UTC),
		},
		Head: inventory("b1", "lodash 4.17.20", "left-pad 1.3.0"),
	}
}

// inventory returns one manifest with packages given as "name version".
func inventory(digest string, packages ...string) checks.Inventory {
	m := checks.Manifest{Path: "package-lock.json", Digest: digest, Format: "package-lock.json"}
	for i, p := range packages {
		var name, version string
		if _, err := fmt.Sscan(p, &name, &version); err != nil {
			panic(err)
		}
		m.Packages = append(m.Packages, checks.Package{Ecosystem: "npm", Name: name, Version: version, Line: i + 1})
	}
	return checks.Inventory{Manifests: []checks.Manifest{m}}
}
