package main

import (
	"context"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// steps is the story, in order. Steps share the pull requests and releases that earlier
// ones made.
func (d *demo) steps() []step {
	return append(d.pullSteps(), append(d.releaseSteps(), d.engineSteps()...)...)
}

// shopFiles returns the package files of harbour/shop in one of their states.
func shopFiles(state string) githubtest.Files {
	lock, err := demoFile("shop/package-lock.json." + state)
	if err != nil {
		panic(err) // embedded under a constant name
	}
	pkg, err := demoFile("shop/package.json." + state)
	if err != nil {
		panic(err)
	}
	return githubtest.Files{"package-lock.json": lock, "package.json": pkg}
}

// pullSteps are the steps about pull requests.
func (d *demo) pullSteps() []step {
	r := d.repos
	open := func(repo *githubtest.Repo, o githubtest.PullOptions, into **githubtest.Pull) func(context.Context) error {
		return func(ctx context.Context) error {
			*into = repo.OpenPull(o)
			return d.answered(ctx)
		}
	}
	headOf := func(p **githubtest.Pull) func() string { return func() string { return (*p).HeadSHA() } }
	loosened := shopFiles("vulnerable")
	loosened[policyPath] = "version: 1\nextends: [landwaiter:recommended@1]\nmode: observe\n"
	return []step{
		{
			name: "A pull request adds lodash 4.17.20, which has known vulnerabilities", event: "pull_request.opened",
			repo: r.shop, check: pullCheck, sha: headOf(&d.pulls.adds), full: true,
			act:  open(r.shop, githubtest.PullOptions{Head: "add-lodash", Title: "Add lodash", Files: shopFiles("vulnerable")}, &d.pulls.adds),
			want: want{conclusion: "failure", title: "violation", text: "lodash@4.17.21", annotation: "lodash"},
		},
		{
			name: "A push takes the version that cures it", event: "pull_request.synchronize",
			repo: r.shop, check: pullCheck, sha: headOf(&d.pulls.adds),
			act: func(ctx context.Context) error {
				d.pulls.adds.Push(shopFiles("cured"))
				return d.answered(ctx)
			},
			want: want{conclusion: "success", title: "no violations"},
		},
		{
			name: "A pull request touches no manifest", event: "pull_request.opened",
			repo: r.cli, check: pullCheck, sha: headOf(&d.pulls.readme),
			act:  open(r.cli, githubtest.PullOptions{Head: "readme", Title: "Explain", Files: githubtest.Files{"README.md": "# More\n"}}, &d.pulls.readme),
			want: want{conclusion: "success", title: "No dependency changes"},
		},
		{
			name: "A pull request raises debug to 4.4.2, a version with malware in it", event: "pull_request.opened",
			repo: r.shop, check: pullCheck, sha: headOf(&d.pulls.malware), full: true,
			act:  open(r.shop, githubtest.PullOptions{Head: "raise-debug", Title: "Raise debug", Files: shopFiles("malware")}, &d.pulls.malware),
			want: want{conclusion: "failure", title: "violation", annotation: "debug"},
		},
		{
			name: "A pull request from a fork puts an old braces back into a lock file of 600 packages", event: "pull_request.opened",
			repo: r.signer, check: pullCheck, sha: headOf(&d.pulls.fork),
			act: open(r.signer, githubtest.PullOptions{
				Head: "patch-1", Fork: "stranger", Author: "stranger", Title: "Patch", Files: githubtest.Files{"package-lock.json": d.forkLock},
			}, &d.pulls.fork),
			want: want{conclusion: "failure", title: "violation", text: "braces", annotation: "braces"},
		},
		{
			name: "A pull request edits the policy to let itself pass", event: "pull_request.opened",
			repo: r.shop, check: pullCheck, sha: headOf(&d.pulls.policy),
			act:  open(r.shop, githubtest.PullOptions{Head: "loosen", Title: "Relax", Files: loosened}, &d.pulls.policy),
			want: want{conclusion: "failure", title: "violation", text: "edits the policy", annotation: "lodash"},
		},
		{
			name: "A pull request adds a workflow that runs strangers' code with secrets at hand", event: "pull_request.opened",
			repo: r.shop, check: pullCheck, sha: headOf(&d.pulls.workflow), full: true,
			act: open(r.shop, githubtest.PullOptions{
				Head: "preview", Title: "Preview", Files: githubtest.Files{".github/workflows/preview.yml": d.workflow},
			}, &d.pulls.workflow),
			want: want{conclusion: "failure", title: "1 violation", text: "checks out the code of a pull request", annotation: "pull_request_target"},
		},
	}
}

// releaseSteps are the steps about releases.
func (d *demo) releaseSteps() []step {
	r := d.repos
	at := func(sha string) func() string { return func() string { return sha } }
	rel := func(p **githubtest.Release) func() *githubtest.Release {
		return func() *githubtest.Release { return *p }
	}
	publish := func(repo *githubtest.Repo, o githubtest.ReleaseOptions, into **githubtest.Release) func(context.Context) error {
		return func(ctx context.Context) error {
			*into = repo.Release(o)
			return d.answered(ctx)
		}
	}
	artifact, checksums, module := []byte(d.files["artifact"]), []byte(d.files["gh_2.96.0_checksums.txt"]), []byte(d.files["MODULE.bazel"])
	return []step{
		{
			name: "A release with build provenance is published", event: "release.published",
			repo: r.attest, check: releaseCheck, sha: at(attestCommit), release: rel(&d.releases.attest), full: true,
			act: publish(r.attest, githubtest.ReleaseOptions{
				Tag: "v1.0.0", Commit: attestCommit, Body: "First release.",
				Assets: map[string][]byte{"artifact": artifact, "artifact.sigstore.json": []byte(d.files["artifact.sigstore.json"])},
			}, &d.releases.attest),
			want: want{conclusion: "success", title: "Release v1.0.0 verified", text: "integration.yml"},
		},
		{
			name: "An immutable release carries GitHub's own attestation", event: "release.published",
			repo: r.ghCLI, check: releaseCheck, sha: at(ghCLICommit), release: rel(&d.releases.ghCLI),
			act: publish(r.ghCLI, githubtest.ReleaseOptions{
				Tag: "v2.96.0", Commit: ghCLICommit, Immutable: true,
				Assets:       map[string][]byte{"gh_2.96.0_checksums.txt": checksums},
				Attestations: map[string][]byte{"gh_2.96.0_checksums.txt": []byte(d.files["gh_2.96.0_checksums.txt.bundles.jsonl"])},
			}, &d.releases.ghCLI),
			want: want{conclusion: "success", title: "Release v2.96.0 verified", text: "release attestation"},
		},
		{
			name: "One byte of the first release is changed", event: "release.edited",
			repo: r.attest, check: releaseCheck, sha: at(attestCommit), release: rel(&d.releases.attest), full: true,
			act: func(ctx context.Context) error {
				changed := append([]byte(nil), artifact...)
				changed[0] ^= 1
				d.releases.attest.ReplaceAsset("artifact", changed)
				d.releases.attest.Edit("First release, mended.")
				return d.answered(ctx)
			},
			want: want{conclusion: "failure", title: "Blocked", text: "digest-mismatch", runs: anyRuns, issues: 1, draft: true},
		},
		{
			name: "A release is built by the expected reusable workflow", event: "release.published",
			repo: r.rulesLint, check: releaseCheck, sha: at(rulesLintCommit), release: rel(&d.releases.rules),
			act: publish(r.rulesLint, githubtest.ReleaseOptions{
				Tag: "v1.3.1", Commit: rulesLintCommit,
				Assets: map[string][]byte{"MODULE.bazel": module, "MODULE.bazel.intoto.jsonl": []byte(d.files["MODULE.bazel.intoto.jsonl"])},
			}, &d.releases.rules),
			want: want{conclusion: "success", title: "Release v1.3.1 verified", text: "publish-to-bcr"},
		},
		{
			name: "A release is signed genuinely, but by somebody else", event: "release.published",
			repo: r.rulesLint, check: releaseCheck, sha: at(rulesLintCommit), release: rel(&d.releases.foreign), full: true,
			act: publish(r.rulesLint, githubtest.ReleaseOptions{
				Tag: "v1.3.1-again", Commit: rulesLintCommit,
				Assets: map[string][]byte{"MODULE.bazel": module, "MODULE.bazel.intoto.jsonl": []byte(d.files["MODULE-wrong-signer.bazel.intoto.jsonl"])},
			}, &d.releases.foreign),
			want: want{conclusion: "failure", title: "Blocked", text: "loosebazooka/aa-test", runs: anyRuns, issues: 1, draft: true},
		},
	}
}

// engineSteps are the steps about deliveries, re-runs and merge groups.
func (d *demo) engineSteps() []step {
	r := d.repos
	first := func() string { return d.pulls.malware.HeadSHA() }
	return []step{
		{
			name: "GitHub delivers a webhook a second time, with the same GUID", event: "pull_request.opened",
			repo: r.signer, check: pullCheck, sha: func() string { return d.pulls.fork.HeadSHA() },
			act:  func(ctx context.Context) error { return d.redeliver(ctx, r.signer, "pull_request") },
			want: want{conclusion: "failure", title: "violation", annotation: "braces"},
		},
		{
			name: "Somebody presses Re-run", event: "check_run.rerequested",
			repo: r.shop, check: pullCheck, sha: first,
			act: func(ctx context.Context) error {
				run, _ := r.shop.CheckRun(first(), pullCheck)
				r.shop.RerequestRun(run.ID, "mona")
				return d.answered(ctx)
			},
			want: want{conclusion: "failure", title: "violation", annotation: "debug", runs: 2},
		},
		{
			name: "The merge queue asks about a pull request that cures golang.org/x/net", event: "merge_group.checks_requested",
			repo: r.cli, check: pullCheck, sha: func() string { return d.pulls.group.HeadSHA },
			act: func(ctx context.Context) error {
				d.pulls.cure = r.cli.OpenPull(githubtest.PullOptions{Head: "net", Title: "Raise x/net", Files: githubtest.Files{"go.mod": d.goMod}})
				d.pulls.group = r.cli.MergeGroup(d.pulls.cure)
				return d.answered(ctx)
			},
			want: want{conclusion: "success", title: "no violations"},
		},
	}
}
