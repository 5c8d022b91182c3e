package checks

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/checks/pubkey"
)

// accepted is one signer that the policy accepts: a rule, or the default.
type accepted struct {
	SignerRule
	own  bool // any workflow of the judged repository, in any case of its name
	keys bool // a key of releases.trust: good for signatures and SBOMs only
}

// acceptedSigners returns the signers that p accepts for repository. It is empty when nothing
// is expected, and then nothing can be accepted (THREATS section 2, rule 4).
func acceptedSigners(p *Policy, repository string) []accepted {
	var list []accepted
	for _, s := range p.Releases.Trust.Signers {
		list = append(list, accepted{SignerRule: s})
	}
	if len(list) == 0 && repository != "" {
		list = append(list, accepted{own: true, SignerRule: SignerRule{Issuer: githubIssuer, Workflow: repository + workflowDir + "*"}})
	}
	for _, text := range p.Releases.Trust.AllKeys() {
		if k, err := pubkey.Read(text); err == nil { // a key that cannot be read accepts nobody
			list = append(list, accepted{keys: true, SignerRule: SignerRule{Identity: k.Identity}})
		}
	}
	return list
}

// expected is how reports show the signer that a accepts.
func (a accepted) expected() Signer {
	if a.Identity != "" {
		return Signer{Issuer: a.Issuer, Identity: a.Identity}
	}
	s := Signer{Issuer: a.Issuer, Identity: githubHost + a.Workflow}
	if a.Ref != "" {
		s.Identity += "@" + a.Ref
	}
	return s
}

// trial compares one attestation with what is expected of one asset, under one signer rule.
type trial struct {
	j       *judgment
	asset   Asset
	a       Attestation
	signer  accepted
	require string
	rule    AssetRule
	facts   Build // of the certificate, or of the statement when a person or a key signed it
	person  bool  // no certificate of a build
}

// steps are the comparisons in the order of THREATS section 2, rule 1. The first that fails
// ends the trial; how far it came decides which failure is shown. What fails from stepSigner
// on and before stepOurs is somebody else's, and neither helps nor blocks.
var steps = [...]func(*trial) *Reason{
	(*trial).digest, (*trial).crypto, (*trial).signedBy, (*trial).source, (*trial).sourceRef, (*trial).signerRef,
	(*trial).runner, (*trial).commit, (*trial).contradiction, (*trial).name, (*trial).kind, (*trial).level, (*trial).buildRun,
	(*trial).keyRules, (*trial).certificateRules,
}

const (
	stepSigner = 2 // bytes and signature hold
	stepOurs   = 4 // signer and source repository hold too
)

// run returns how many steps hold and the reason of the one that does not, nil when all do.
func (t *trial) run() (passed int, problem *Reason) {
	t.person = t.a.Certificate == Build{}
	t.facts = t.a.Certificate
	if t.person {
		t.facts = t.a.Claim
	}
	for i, step := range steps {
		if r := step(t); r != nil {
			return i, r
		}
	}
	return len(steps), nil
}

func because(code, format string, args ...any) *Reason {
	return &Reason{Code: code, Message: fmt.Sprintf(format, args...)}
}

// digest compares the attestation's subjects with the bytes.
func (t *trial) digest() *Reason {
	if t.a.Problem != nil {
		return nil // the scanner's reason is better
	}
	if t.a.Kind == AttestationSignature && t.a.For == t.asset.Name && len(t.a.Subjects) == 0 {
		return nil // verified over the bytes themselves
	}
	var problem *Reason
	for _, s := range t.a.Subjects {
		switch same, p := sameBytes(s.Digest, t.asset); {
		case same:
			return nil
		case p != nil && (problem == nil || path.Base(s.Name) == t.asset.Name):
			problem = p
		}
	}
	if problem == nil {
		problem = because(CodeDigestInvalid, "the evidence names no digest; attest again")
	}
	return problem
}

// sameBytes compares the digests of a subject with those of a. Only SHA-256 and SHA-512 count,
// and every one that can be compared must be equal.
func sameBytes(digest map[string]string, a Asset) (bool, *Reason) {
	short, long := digest["sha256"], digest["sha512"]
	switch {
	case len(digest) == 0 || short == "" && slices.Contains(keysOf(digest), "sha256"):
		return false, because(CodeDigestInvalid, "the evidence names an empty digest; attest again")
	case short == "" && long == "":
		return false, because(CodeDigestWeak, "the evidence names only %s digests, which do not bind bytes; attest with SHA-256", strings.Join(keysOf(digest), ", "))
	}
	shortSame, longSame := strings.EqualFold(short, a.SHA256), strings.EqualFold(long, a.SHA512)
	switch {
	case short != "" && long != "" && a.SHA256 != "" && a.SHA512 != "" && shortSame != longSame:
		return false, because(CodeDigestConflict, "one subject has digests of two different files; do not use this release until its maker has explained it")
	case shortSame && short != "", longSame && long != "" && (short == "" || a.SHA256 == ""):
		return true, nil
	}
	return false, because(CodeDigestMismatch, "the evidence is about other bytes; if the file was replaced, sign it again, if not, do not use it")
}

func keysOf(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// lenient reports whether a person or a key may meet the requirement, who do not say what was
// built from.
func (t *trial) lenient() bool { return t.require == RequireSignature || t.require == RequireSBOM }

func (t *trial) crypto() *Reason { return t.a.Problem }

// signedBy compares the signer with one rule: issuer and workflow, or issuer and identity. A
// rule is met whole or not at all.
func (t *trial) signedBy() *Reason {
	found, want := t.a.Signer, t.signer.expected()
	if t.a.Kind == AttestationRelease { // no signer rule can make it more: GitHub signs it for every repository
		return because(CodeNotProvenance, "there is only GitHub's release attestation, which says what was published, not who built it; attest in the build, or require `release-attestation`")
	}
	mismatch := because(CodeSignerMismatch, "signed by %s, expected %s; if that signer is meant, name it in releases.trust.signers", found.Identity, want.Identity)
	w, isWorkflow := workflowOf(found.Identity)
	if t.signer.keys && !t.lenient() || t.signer.Identity == "" && !isWorkflow || pubkey.HasPrefix(found.Identity) != pubkey.HasPrefix(t.signer.Identity) {
		return mismatch
	}
	if t.a.Form != "" && (t.a.Root != RootKey || t.require != RequireSignature) {
		return mismatch
	}
	if !GlobMatch(t.signer.Issuer, found.Issuer) && t.signer.Issuer+found.Issuer != "" {
		return because(CodeIssuerMismatch, "identity issued by %s, expected %s", found.Issuer, want.Issuer)
	}
	switch {
	case t.signer.Identity != "":
		if !GlobMatch(t.signer.Identity, found.Identity) {
			return mismatch
		}
	case t.signer.own:
		if !strings.EqualFold(w.repository, t.j.m.Subject.Repository) {
			return mismatch
		}
	case !GlobMatch(t.signer.Workflow, w.path):
		return mismatch
	}
	return nil
}

// source compares the repository built from: address, number, and number of the owner.
func (t *trial) source() *Reason {
	repository, release := t.j.m.Subject.Repository, t.j.m.Release
	if repository == "" || t.person && t.lenient() {
		return nil
	}
	if !strings.EqualFold(t.facts.Repository, githubHost+repository) {
		return because(CodeSourceMismatch, "built from %s, expected %s", orNothing(t.facts.Repository), githubHost+repository)
	}
	for _, id := range []struct {
		what, found string
		want        int64
	}{{"repository", t.facts.RepositoryID, release.RepositoryID}, {"owner", t.facts.OwnerID, release.OwnerID}} {
		if id.want != 0 && id.found != strconv.FormatInt(id.want, 10) {
			return because(CodeRepoIDMismatch, "built from the %s with number %s, expected %d: the same name, another %s", id.what, orNothing(id.found), id.want, id.what)
		}
	}
	return nil
}

// strangersTrigger are triggers that anybody on the Internet can cause.
var strangersTrigger = []string{"issues", "issue_comment", "discussion", "discussion_comment", "fork", "watch", "pull_request_review", "pull_request_review_comment"}

// sourceRef compares the ref built from. Pull requests are never a source of releases.
func (t *trial) sourceRef() *Reason {
	if t.person && (t.lenient() || t.facts.Ref == "" && t.j.m.Subject.Repository == "") {
		return nil
	}
	if strings.HasPrefix(t.facts.Ref, "refs/pull/") || t.facts.Trigger == "pull_request" || t.facts.Trigger == "pull_request_target" {
		return because(CodeRefNotAllowed, "built for a pull request (%s, %s); release from a tag or a protected branch", orNothing(t.facts.Ref), orNothing(t.facts.Trigger))
	}
	if slices.Contains(strangersTrigger, t.facts.Trigger) || t.facts.Trigger == "" && isGitHubActions(t.a.Signer.Issuer) {
		return because(CodeTriggerNotAllowed, "the build was triggered by %s, which anybody can cause; build releases on a push of a tag, by hand, or by schedule", orNothing(t.facts.Trigger))
	}
	allowed := t.j.sourceRefs()
	if len(allowed) == 0 || slices.ContainsFunc(allowed, func(p string) bool { return GlobMatch(p, t.facts.Ref) }) {
		return nil
	}
	return because(CodeRefNotAllowed, "built from %s, expected %s", orNothing(t.facts.Ref), strings.Join(allowed, " or "))
}

// sourceRefs are the refs that a release may be built from. It is empty only for local
// artifacts of which no tag is given.
func (j *judgment) sourceRefs() []string {
	if refs := j.p.Releases.Trust.SourceRefs; len(refs) > 0 {
		return refs
	}
	var refs []string
	if j.m.Release.TagRef != "" {
		refs = append(refs, j.m.Release.TagRef)
	}
	if branch := j.m.Release.DefaultBranch; branch != "" {
		refs = append(refs, "refs/heads/"+branch)
	}
	return refs
}

// signerRef compares the ref of the workflow that signed.
func (t *trial) signerRef() *Reason {
	w, ok := workflowOf(t.a.Signer.Identity)
	if !ok || t.signer.Identity != "" {
		return nil
	}
	want := t.signer.Ref
	fits := GlobMatch(want, w.ref)
	if want == "" {
		want = "a branch, a tag or a full commit"
		fits = strings.HasPrefix(w.ref, "refs/heads/") || strings.HasPrefix(w.ref, "refs/tags/") || fullCommit().MatchString(w.ref)
	}
	if !fits {
		return because(CodeSignerRef, "the signing workflow was used at %s, expected %s", w.ref, want)
	}
	return nil
}

func (t *trial) runner() *Reason {
	allowed := t.j.p.Releases.Trust.Runners
	if len(allowed) == 0 {
		allowed = []string{runnerHosted}
	}
	if t.person || slices.Contains(allowed, t.facts.Runner) {
		return nil
	}
	return because(CodeRunnerNotAllowed, "built on %s, expected a runner that is %s", orNothing(t.facts.Runner), strings.Join(allowed, " or "))
}

func (t *trial) commit() *Reason {
	want := t.j.m.Release.Commit
	if want == "" || t.person && t.lenient() || strings.EqualFold(t.facts.Commit, want) {
		return nil
	}
	return because(CodeCommitMismatch, "built from commit %s, but the release is commit %s; build it again from the tag", orNothing(t.facts.Commit), want)
}

// contradiction compares what the statement says with what the certificate says. Only what
// both say is compared.
func (t *trial) contradiction() *Reason {
	c, s := t.a.Certificate, t.a.Claim
	if t.person || t.a.Kind != AttestationProvenance {
		return nil
	}
	for _, p := range []struct{ what, certificate, statement string }{
		{"repository", strings.ToLower(c.Repository), strings.ToLower(s.Repository)},
		{"repository number", c.RepositoryID, s.RepositoryID}, {"owner number", c.OwnerID, s.OwnerID},
		{"ref", c.Ref, s.Ref}, {"commit", c.Commit, s.Commit}, {"trigger", c.Trigger, s.Trigger},
		{"runner", c.Runner, s.Runner},
	} {
		if p.certificate != "" && p.statement != "" && p.certificate != p.statement {
			return because(CodeContradicts, "the statement says %s %s, the certificate says %s; do not rely on it", p.what, p.statement, p.certificate)
		}
	}
	if id := s.BuilderID; id != "" && !t.isBuilder(id) {
		return because(CodeContradicts, "the statement says it was built by %s, the certificate says %s; do not rely on it", id, t.a.Signer.Identity)
	}
	return nil
}

// isBuilder reports whether id names the workflow that signed, or the one that called it. The
// delegating workflows of slsa-github-generator sign for the builder that the statement names.
func (t *trial) isBuilder(id string) bool {
	w, _ := workflowOf(t.a.Signer.Identity)
	delegates := w.repository == "slsa-framework/slsa-github-generator" && strings.HasPrefix(w.file, "delegator_") && versionTag().MatchString(w.ref)
	return id == t.a.Signer.Identity || id == t.a.Certificate.BuilderID || id == t.a.Certificate.Config || delegates
}

// name compares the name under which the bytes were attested with the name of the asset, so
// that two genuine files cannot be swapped. Local files may be called anything.
func (t *trial) name() *Reason {
	if t.j.m.Subject.Kind == KindArtifact {
		return nil
	}
	var names []string
	for _, s := range t.a.Subjects {
		if same, _ := sameBytes(s.Digest, t.asset); !same {
			continue
		}
		if t.asset.Kind != "" {
			if elsewhereName(s.Name, t.asset) {
				return nil
			}
			names = append(names, s.Name)
			continue
		}
		base := path.Base(strings.ReplaceAll(s.Name, "\\", "/"))
		if s.Name == "" || strings.HasPrefix(s.Name, "pkg:") || strings.Contains(s.Name, "://") || base == t.asset.Name || uploadName(base) == t.asset.Name {
			return nil
		}
		names = append(names, base)
	}
	if len(names) == 0 {
		return nil
	}
	return because(CodeNameMismatch, "these bytes were attested as %s, not as %s; upload each file under its own name", strings.Join(names[:min(3, len(names))], ", "), t.asset.Name)
}

// elsewhereName reports whether a subject is called as what a is called at its registry. A
// statement may leave the name of an image out.
func elsewhereName(subject string, a Asset) bool {
	if a.Kind == AssetImage {
		image, _, _ := strings.Cut(a.Name, "@")
		return subject == "" || subject == image || subject == a.Name
	}
	return subject == a.Name
}

// uploadName is the name that GitHub gives to an uploaded asset: characters other than
// letters, digits and some marks become dots (REST API, "Upload a release asset").
func uploadName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.+@~", r) {
			return r
		}
		return '.'
	}, s)
}

// kind compares what the evidence is with what is required.
func (t *trial) kind() *Reason {
	if want := t.rule.PredicateType; want != "" && t.a.PredicateType != want {
		return because(CodePredicateType, "the evidence is of type %s, expected %s", orNothing(t.a.PredicateType), want)
	}
	switch {
	case t.require == RequireSBOM && t.a.Kind != AttestationSBOM:
		return because(CodePredicateType, "the evidence is of type %s, which is no SBOM; attest one in the build with actions/attest-sbom", orNothing(t.a.PredicateType))
	case t.require != RequireProvenance || t.a.Kind == AttestationProvenance:
		return nil
	case t.a.Kind == AttestationSignature:
		return because(CodeNotProvenance, "there is a signature, which does not say what it was built from; attest in the build with actions/attest-build-provenance")
	default:
		return because(CodePredicateType, "the evidence is of type %s, which is not build provenance; attest in the build with actions/attest-build-provenance", orNothing(t.a.PredicateType))
	}
}

func (t *trial) level() *Reason {
	if want := t.j.p.Releases.Trust.MinSLSA; t.require == RequireProvenance && slsaLevel(t.a) < want {
		return because(CodeLevelNotReached, "this builder proves SLSA build level %d, the policy asks for %d; see the table of builders in docs/policy.md", slsaLevel(t.a), want)
	}
	return nil
}

func orNothing(s string) string {
	if s == "" {
		return "nothing that it states"
	}
	return s
}
