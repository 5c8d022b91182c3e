package main

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"io/fs"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// demoFiles is what the demo judges; demodata/README.md says where each file is from.
//
//go:embed demodata
var demoFiles embed.FS

// demoAdvisories returns the advisories in the layout of the OSV bucket.
func demoAdvisories() fs.FS {
	sub, err := fs.Sub(demoFiles, "demodata/advisories")
	if err != nil {
		panic(err) // the path is a constant and embedded
	}
	return sub
}

// demoFile returns one embedded file, unpacked when its name ends in .gz.
func demoFile(name string) (string, error) {
	data, err := demoFiles.ReadFile("demodata/" + name)
	if err != nil {
		return "", err
	}
	if len(name) < 3 || name[len(name)-3:] != ".gz" {
		return string(data), nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("unpacking %s: %w", name, err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		return "", fmt.Errorf("unpacking %s: %w", name, err)
	}
	return string(plain), nil
}

// demoRepos are the repositories of the story.
type demoRepos struct {
	shop      *githubtest.Repo // a small npm project
	cli       *githubtest.Repo // the real go.mod of cli/cli
	signer    *githubtest.Repo // the real package-lock.json of sigstore-js
	attest    *githubtest.Repo // too-legit/attest: build provenance, custom issuer
	ghCLI     *githubtest.Repo // cli/cli: GitHub's attestation of an immutable release
	rulesLint *githubtest.Repo // aspect-build/rules_lint: reusable workflow
}

// The commits that the real attestations bind to.
const (
	attestCommit    = "283bf967fa3c591925dd25e6a6e8e781542117bf"
	ghCLICommit     = "b300f2ec7ec9dc9addc39b2ad88c54097ded7ca0"
	rulesLintCommit = "8f70009fde0c94ade6ce2a054b94718c819126ec"
)

// The policies of the repositories.
const (
	pullPolicy = `version: 1
extends: [landwaiter:recommended@1]
mode: enforce
`
	attestPolicy = `version: 1
extends: [landwaiter:recommended@1]
mode: enforce
issues: {enabled: true, max_open: 10}
releases:
  gate: reactive
  settle: {window: 1s, max_wait: 1m}
  assets:
    - {match: "*", require: [provenance]}
  trust:
    source_refs: ["refs/heads/main"]
    signers:
      - issuer: "https://token.actions.githubusercontent.com/hammer-time"
        workflow: "too-legit/attest/.github/workflows/integration.yml"
        ref: "refs/heads/main"
`
	ghCLIPolicy = `version: 1
extends: [landwaiter:recommended@1]
mode: enforce
releases:
  gate: report
  settle: {window: 1s, max_wait: 1m}
  assets:
    - {match: "*", require: [release-attestation]}
`
	rulesLintPolicy = `version: 1
extends: [landwaiter:recommended@1]
mode: enforce
issues: {enabled: true, max_open: 10}
releases:
  gate: reactive
  settle: {window: 1s, max_wait: 1m}
  assets:
    - {match: "*", require: [provenance]}
  trust:
    source_refs: ["refs/heads/publish-to-bcr"]
    signers:
      - issuer: "https://token.actions.githubusercontent.com"
        workflow: "bazel-contrib/publish-to-bcr/.github/workflows/publish.yaml"
        ref: "refs/tags/v*"
`
)

const policyPath = ".github/landwaiter.yml"

// demoOwners are the organisations of the story.
var demoOwners = []string{"harbour", "too-legit", "cli", "aspect-build"}

// install installs the App on every organisation.
func (d *demo) install() {
	for _, org := range demoOwners {
		d.github.Install(org)
	}
}

// seed makes the repositories and reads what the steps will need.
func (d *demo) seed() error {
	g := d.github
	var failed error
	file := func(name string) string {
		text, err := demoFile(name)
		if err != nil && failed == nil {
			failed = err
		}
		return text
	}
	var r demoRepos
	owners := "* @mona\n"
	r.shop = g.Repo("harbour", "shop")
	r.shop.Commit("main", "Start", githubtest.Files{
		policyPath: pullPolicy, "CODEOWNERS": owners, "README.md": "# Shop\n",
		"package.json": file("shop/package.json.base"), "package-lock.json": file("shop/package-lock.json.base"),
	})
	r.cli = g.Repo("harbour", "cli")
	r.cli.Commit("main", "Start", githubtest.Files{
		policyPath: pullPolicy, "CODEOWNERS": owners, "README.md": "# A copy of cli/cli\n", "go.mod": file("cli/go.mod.base"),
	})
	r.signer = g.Repo("harbour", "signer")
	r.signer.Commit("main", "Start", githubtest.Files{
		policyPath: pullPolicy, "CODEOWNERS": owners, "package-lock.json": file("sigstore-js/package-lock.json.head.gz"),
	})
	r.attest = g.Repo("too-legit", "attest", githubtest.RepoOptions{ID: 851894824, OwnerID: 180348046})
	r.attest.CommitAs(attestCommit, "main", "Start", githubtest.Files{policyPath: attestPolicy, "CODEOWNERS": owners})
	r.attest.WorkflowRun(githubtest.RunOptions{ID: 10818226125, SHA: attestCommit, Path: ".github/workflows/integration.yml"})
	r.ghCLI = g.Repo("cli", "cli", githubtest.RepoOptions{ID: 212613049, OwnerID: 59704711})
	r.ghCLI.CommitAs(ghCLICommit, "main", "Release", githubtest.Files{policyPath: ghCLIPolicy, "CODEOWNERS": owners})
	r.rulesLint = g.Repo("aspect-build", "rules_lint", githubtest.RepoOptions{ID: 631710741, OwnerID: 60951090})
	r.rulesLint.CommitAs(rulesLintCommit, "main", "Publish", githubtest.Files{policyPath: rulesLintPolicy, "CODEOWNERS": owners})
	r.rulesLint.WorkflowRun(githubtest.RunOptions{ID: 14095611671, SHA: rulesLintCommit, Event: "workflow_dispatch"})
	g.User("mona")
	for _, org := range demoOwners {
		g.Org(org).Member("mona", "admin")
	}
	for _, repo := range []*githubtest.Repo{r.shop, r.cli, r.signer, r.attest, r.ghCLI, r.rulesLint} {
		repo.Collaborator("mona", "admin")
	}
	d.repos, d.files = r, map[string]string{}
	for _, name := range []string{"artifact", "artifact.sigstore.json", "gh_2.96.0_checksums.txt",
		"gh_2.96.0_checksums.txt.bundles.jsonl", "MODULE.bazel", "MODULE.bazel.intoto.jsonl", "MODULE-wrong-signer.bazel.intoto.jsonl"} {
		d.files[name] = file("releases/" + name)
	}
	d.forkLock, d.goMod = file("sigstore-js/package-lock.json.base.gz"), file("cli/go.mod.head")
	d.workflow = file("shop/preview.yml")
	return failed
}
