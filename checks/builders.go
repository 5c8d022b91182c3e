package checks

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// What GitHub Actions puts into certificates (Fulcio, docs/oidc.md).
const (
	githubHost   = "https://github.com/"
	githubIssuer = "https://token.actions.githubusercontent.com"
	runnerHosted = "github-hosted"
	workflowDir  = "/.github/workflows/"
)

// builder is one row of the table of builders: what a signer workflow proves about a build.
type builder struct {
	// repository and file are of the workflow that signed; file is a GlobMatch pattern. "" in
	// repository stands for the repository that was built, "*" for any other.
	repository, file string
	ref              func() *regexp.Regexp // nil for any
	level            int                   // SLSA build level, slsa.dev/spec/v1.0/levels
}

var versionTag = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^refs/tags/v[0-9]+\.[0-9]+\.[0-9]+$`) })

// builders is the table of builders. The first row that fits decides. Levels come from here
// only, never from what a statement claims; docs/policy.md gives the reasons.
//
//   - slsa-github-generator isolates the build from the caller; only its release tags count,
//     as its own verifier demands.
//   - A workflow of another repository that the policy names as signer is a reusable workflow:
//     the caller cannot reach its steps or its identity (GitHub, "Using artifact attestations
//     and reusable workflows to achieve SLSA v1 Build Level 3").
//   - A workflow of the built repository itself can be changed by whoever can push to it,
//     whatever action in it signs (attest-build-provenance, npm publish --provenance).
var builders = []builder{
	{"slsa-framework/slsa-github-generator", "builder_*_slsa3.yml", versionTag, 3},
	{"slsa-framework/slsa-github-generator", "generator_*_slsa3.yml", versionTag, 3},
	{"slsa-framework/slsa-github-generator", "delegator_*_slsa3.yml", versionTag, 3},
	{"slsa-framework/slsa-github-generator", "*", nil, 1},
	{"", "*", nil, 2},
	{"*", "*", nil, 3},
}

// slsaLevel returns the SLSA build level that a proves by our table, 0 for what is not
// provenance. A machine that GitHub does not run, or a signer that is no workflow of GitHub
// Actions, makes it level 1: provenance exists.
func slsaLevel(a Attestation) int {
	if a.Kind != AttestationProvenance {
		return 0
	}
	w, ok := workflowOf(a.Signer.Identity)
	if !ok || !isGitHubActions(a.Signer.Issuer) || a.Certificate.Runner != runnerHosted {
		return 1
	}
	own := strings.EqualFold(githubHost+w.repository, a.Certificate.Repository)
	for _, b := range builders {
		repository := strings.EqualFold(b.repository, w.repository) || b.repository == "" && own || b.repository == "*" && !own
		if repository && GlobMatch(b.file, w.file) && (b.ref == nil || b.ref().MatchString(w.ref)) {
			return b.level
		}
	}
	return 1
}

// levelText is how reports name what a proves.
func levelText(a Attestation) string {
	switch a.Kind {
	case AttestationProvenance:
		return fmt.Sprintf("SLSA %d", slsaLevel(a))
	case AttestationRelease:
		return "release attestation"
	case AttestationChecksum:
		return "checksum"
	default:
		return "signature"
	}
}

func isGitHubActions(issuer string) bool {
	return issuer == githubIssuer || strings.HasPrefix(issuer, githubIssuer+"/")
}

// workflow is the identity of a GitHub Actions workflow, taken apart.
type workflow struct {
	repository string // "owner/name"
	path       string // "owner/name/.github/workflows/release.yml"
	file       string // "release.yml"
	ref        string // "refs/heads/main", or a full commit
}

var fullCommit = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`) })

// workflowOf takes a subject alternative name apart. It is strict: anything that is not exactly
// a workflow file on github.com at one ref is none.
func workflowOf(identity string) (workflow, bool) {
	path, ref, ok := strings.Cut(strings.TrimPrefix(identity, githubHost), "@")
	repository, file, dir := strings.Cut(path, workflowDir)
	w := workflow{repository, path, file, ref}
	ok = ok && dir && strings.HasPrefix(identity, githubHost) && !strings.ContainsAny(identity, "?#%\\ ") && !hasControl(identity) &&
		strings.Count(repository, "/") == 1 && !strings.Contains(file, "/") && file != "" &&
		(strings.HasPrefix(ref, "refs/") || fullCommit().MatchString(ref))
	return w, ok
}

// ProvenLevel returns the SLSA build level that the signer, source and runner in r prove by
// our table of builders, whatever Builder.Level says: 1 when they prove none.
func (r AssetReport) ProvenLevel() int {
	return slsaLevel(Attestation{
		Kind: AttestationProvenance, Signer: r.Signer,
		Certificate: Build{Repository: r.Source.Repository, Runner: r.Builder.Runner},
	})
}
