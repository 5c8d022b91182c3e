package intoto

import (
	"encoding/json"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// Kind gives the kind of a predicate type. checks.AttestationRelease is never among them: a
// statement is one only when GitHub's release signer made it.
func Kind(predicateType string) string {
	switch predicateType {
	case "https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v1.0?draft":
		return checks.AttestationProvenance
	case "https://slsa.dev/verification_summary/v0.2", "https://slsa.dev/verification_summary/v1":
		return checks.AttestationSummary
	}
	for _, row := range predicates {
		if rest, ok := strings.CutPrefix(predicateType, row.prefix); ok && (rest == "" || rest[0] == '/') {
			return row.kind
		}
	}
	return checks.AttestationOther
}

// predicates are the predicate types of which the version does not matter, because nothing
// inside them is read: https://github.com/in-toto/attestation/tree/main/spec/predicates,
// https://github.com/sigstore/cosign/blob/main/specs/COSIGN_VULN_ATTESTATION_SPEC.md and
// https://github.com/npm/attestation/tree/main/specs/publish.
var predicates = []struct{ prefix, kind string }{
	{"https://spdx.dev/Document", checks.AttestationSBOM},
	{"https://cyclonedx.org/bom", checks.AttestationSBOM},
	{"https://in-toto.io/Link", checks.AttestationLink},
	{"https://in-toto.io/attestation/link", checks.AttestationLink},
	{"https://in-toto.io/attestation/test-result", checks.AttestationTest},
	{"https://in-toto.io/attestation/scai", checks.AttestationSCAI},
	{"https://in-toto.io/attestation/vulns", checks.AttestationScan},
	{"https://cosign.sigstore.dev/attestation/vuln", checks.AttestationScan},
	{"https://github.com/npm/attestation/tree/main/specs/publish", checks.AttestationPublish},
}

// IsRelease reports whether a predicate type is that of GitHub's release attestations.
func IsRelease(predicateType string) bool {
	return predicateType == "https://in-toto.io/attestation/release/v0.1" ||
		predicateType == "https://in-toto.io/attestation/release/v0.2"
}

// Claim returns what the statement says of the build. What it does not say, or says in a
// way that is not known here, stays empty: a judgment compares only what is stated.
func (st *Statement) Claim() checks.Build {
	switch {
	case IsRelease(st.PredicateType):
		return claimedRelease(st)
	case Kind(st.PredicateType) != checks.AttestationProvenance:
		return checks.Build{}
	case st.PredicateType == "https://slsa.dev/provenance/v0.2":
		return claimedV02(st.Predicate)
	}
	return claimedV1(st.Predicate)
}

// decode reads what it can of raw, which is JSON or absent. A field of another type than
// expected stays empty, which is the one error that is dropped: it is not stated.
func decode(raw json.RawMessage, into any) { _ = json.Unmarshal(raw, into) }

// built tells the workflow that a builder id names from the class of runners that npm puts
// there.
func built(id string, b *checks.Build) {
	switch id {
	case "https://github.com/actions/runner":
	case "https://github.com/actions/runner/github-hosted":
		b.Runner = "github-hosted"
	case "https://github.com/actions/runner/self-hosted":
		b.Runner = "self-hosted"
	default:
		b.BuilderID = id
	}
}

// resource is a thing named by address and digest, in every version of SLSA.
type resource struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

// source splits "git+https://host/owner/name@refs/..." into repository and ref, and takes
// the commit from the digest.
func (r resource) source() checks.Build {
	uri := strings.TrimPrefix(r.URI, "git+")
	b := checks.Build{Commit: first(r.Digest["gitCommit"], r.Digest["sha1"])}
	if at := strings.LastIndex(uri, "@refs/"); at >= 0 {
		b.Ref, uri = uri[at+1:], uri[:at]
	}
	if strings.HasPrefix(uri, "https://") {
		b.Repository = strings.TrimSuffix(uri, ".git")
	}
	return b
}

// scalar is a text or a number, or either wrapped as {"value": ...} as drafts of v1 had it.
type scalar string

// UnmarshalJSON never fails: what is neither stays empty.
func (s *scalar) UnmarshalJSON(data []byte) error {
	var wrapped struct {
		Value json.RawMessage `json:"value"`
	}
	if json.Unmarshal(data, &wrapped) == nil && wrapped.Value != nil {
		data = wrapped.Value
	}
	var text string
	var number json.Number
	switch {
	case json.Unmarshal(data, &text) == nil:
		*s = scalar(text)
	case json.Unmarshal(data, &number) == nil:
		*s = scalar(number)
	}
	return nil
}

// environment is the variables of a GitHub Actions run. JSON keys match in any case, so it
// reads GITHUB_REF of npm and the delegators and github_ref of slsa-github-generator.
type environment struct {
	Event      scalar `json:"GITHUB_EVENT_NAME"`
	Ref        scalar `json:"GITHUB_REF"`
	Repository scalar `json:"GITHUB_REPOSITORY"`
	RepoID     scalar `json:"GITHUB_REPOSITORY_ID"`
	OwnerID    scalar `json:"GITHUB_REPOSITORY_OWNER_ID"`
	Run        scalar `json:"GITHUB_RUN_ID"`
	Attempt    scalar `json:"GITHUB_RUN_ATTEMPT"`
	SHA        scalar `json:"GITHUB_SHA"`
	SHA1       scalar `json:"GITHUB_SHA1"`
	Workflow   scalar `json:"GITHUB_WORKFLOW_REF"`
	Runner     scalar `json:"RUNNER_ENVIRONMENT"`
}

// fill completes b with what the environment says.
func (e environment) fill(b *checks.Build) {
	if b.Repository == "" && e.Repository != "" {
		b.Repository = "https://github.com/" + string(e.Repository)
	}
	b.RepositoryID = first(b.RepositoryID, string(e.RepoID))
	b.OwnerID = first(b.OwnerID, string(e.OwnerID))
	b.Ref = first(b.Ref, string(e.Ref))
	b.Commit = first(b.Commit, string(e.SHA), string(e.SHA1))
	b.Trigger = first(b.Trigger, string(e.Event))
	b.Runner = first(b.Runner, string(e.Runner))
	if b.Config == "" && e.Workflow != "" {
		b.Config = "https://github.com/" + string(e.Workflow)
	}
	if b.Run == "" && e.Run != "" && b.Repository != "" {
		b.Run = b.Repository + "/actions/runs/" + string(e.Run)
		if e.Attempt != "" {
			b.Run += "/attempts/" + string(e.Attempt)
		}
	}
}

// claimedV02 reads https://slsa.dev/spec/v0.2/provenance as slsa-github-generator, npm and
// Google Cloud Build write it.
func claimedV02(predicate json.RawMessage) checks.Build {
	var p struct {
		Builder    struct{ ID string } `json:"builder"`
		Invocation struct {
			ConfigSource struct {
				resource
				EntryPoint string `json:"entryPoint"`
			} `json:"configSource"`
			Environment environment `json:"environment"`
		} `json:"invocation"`
		Materials []resource `json:"materials"`
	}
	decode(predicate, &p)
	b := p.Invocation.ConfigSource.source()
	if b.Repository == "" && len(p.Materials) > 0 {
		b = p.Materials[0].source()
	}
	built(p.Builder.ID, &b)
	if entry := p.Invocation.ConfigSource.EntryPoint; entry != "" && b.Repository != "" && b.Ref != "" && strings.HasPrefix(entry, ".github/") {
		b.Config = b.Repository + "/" + entry + "@" + b.Ref
	}
	p.Invocation.Environment.fill(&b)
	return b
}

// claimedV1 reads https://slsa.dev/spec/v1.0/provenance and its drafts as GitHub's attest
// action, npm, and the container-based and delegating builders write it.
func claimedV1(predicate json.RawMessage) checks.Build {
	var p struct {
		Definition struct {
			External struct {
				Workflow struct {
					Ref        string `json:"ref"`
					Repository string `json:"repository"`
					Path       string `json:"path"`
				} `json:"workflow"`
				Source json.RawMessage `json:"source"`
			} `json:"externalParameters"`
			Internal struct {
				environment
				GitHub struct {
					Event   scalar `json:"event_name"`
					RepoID  scalar `json:"repository_id"`
					OwnerID scalar `json:"repository_owner_id"`
					Runner  scalar `json:"runner_environment"`
				} `json:"github"`
			} `json:"internalParameters"`
			System       environment `json:"systemParameters"`
			Dependencies []resource  `json:"resolvedDependencies"`
		} `json:"buildDefinition"`
		Details struct {
			Builder  struct{ ID string } `json:"builder"`
			Metadata struct {
				InvocationID string `json:"invocationId"`
			} `json:"metadata"`
		} `json:"runDetails"`
	}
	decode(predicate, &p)
	d := p.Definition
	b := claimedSource(d.External.Source)
	if w := d.External.Workflow; w.Repository != "" {
		b.Repository, b.Ref = w.Repository, w.Ref
		if w.Path != "" && w.Ref != "" {
			b.Config = w.Repository + "/" + w.Path + "@" + w.Ref
		}
	}
	for _, r := range d.Dependencies {
		s := r.source()
		if b.Repository == "" {
			b.Repository, b.Ref = s.Repository, s.Ref
		}
		if s.Repository == b.Repository {
			b.Commit = first(b.Commit, s.Commit)
			break
		}
	}
	built(p.Details.Builder.ID, &b)
	if run := p.Details.Metadata.InvocationID; strings.HasPrefix(run, "https://") {
		b.Run = run
	}
	g := d.Internal.GitHub
	b.Trigger, b.RepositoryID, b.OwnerID = string(g.Event), string(g.RepoID), string(g.OwnerID)
	b.Runner = first(string(g.Runner), b.Runner)
	d.Internal.fill(&b)
	d.System.fill(&b)
	return b
}

// claimedSource reads the parameter "source" of container-based builds, a resource, and of
// early delegating builders, a resource under "artifact".
func claimedSource(raw json.RawMessage) checks.Build {
	var source struct {
		resource
		Artifact resource `json:"artifact"`
	}
	decode(raw, &source)
	if source.URI == "" {
		return source.Artifact.source()
	}
	return source.source()
}

// claimedRelease reads GitHub's attestation of an immutable release: the repository, the
// tag and, from the subject that is the release itself, the commit.
func claimedRelease(st *Statement) checks.Build {
	var p struct {
		OwnerID      scalar `json:"ownerId"`
		Repository   string `json:"repository"`
		RepositoryID scalar `json:"repositoryId"`
		Tag          string `json:"tag"`
	}
	decode(st.Predicate, &p)
	b := checks.Build{RepositoryID: string(p.RepositoryID), OwnerID: string(p.OwnerID)}
	if p.Repository != "" {
		b.Repository = "https://github.com/" + p.Repository
	}
	if p.Tag != "" {
		b.Ref = "refs/tags/" + p.Tag
	}
	for _, s := range st.Subjects {
		if strings.HasPrefix(s.URI, "pkg:github/") {
			b.Commit = first(s.Digest["gitCommit"], s.Digest["sha1"])
		}
	}
	return b
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
