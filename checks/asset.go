package checks

import (
	"fmt"
	"strings"
)

// maxEvidenceShown bounds the evidence that an AssetReport names.
const maxEvidenceShown = 10

// proof is what was found for one requirement of one asset.
type proof struct {
	require string
	a       Attestation
	signer  accepted
	tried   bool    // a, signer and passed are set
	passed  int     // steps
	problem *Reason // nil when the requirement is met
	chain   []ChainLink
	lent    bool   // a is about a list of checksums that names the asset
	list    string // name of the list that a is about, when that names the asset, whether it lends or not
	// familiar is a, or another attestation that meets the requirement and whose signer the
	// releases before have taught: more evidence beside that of a known signer is no deviation.
	familiar Attestation
}

// asset judges one asset by the first rule that matches it.
func (s *stand) asset(a Asset) (AssetReport, *AssetRule) {
	r := AssetReport{Name: a.Name, SHA256: a.SHA256, State: AssetUnknown, Evidence: []EvidenceRef{}}
	rule := s.j.p.Releases.Rule(a.Name)
	if subject, ok := s.evidenceFor(a); ok && s.j.m.Subject.Kind == KindRelease {
		r.EvidenceFile, r.State, r.Reason = true, AssetUnsigned, "evidence for "+subject+", which needs none itself"
		return r, rule
	}
	demand := AssetRule{}
	if rule != nil {
		demand = *rule
	}
	r.Required = demand.Require
	if problem := unusable(a); problem != nil {
		r.Steps = s.unusableStep(problem)
		s.j.settle(&r, proof{require: RequireSignature, problem: problem})
		return r, rule
	}
	if problem := s.conflict(a); problem != nil {
		r.Steps = s.unusableStep(problem)
		s.j.settle(&r, proof{require: RequireChecksum, problem: problem})
		return r, rule
	}
	asked := demand.Require
	if len(asked) == 0 {
		asked = []string{RequireSignature} // shown, but it does not count
	}
	candidates := s.candidates(a)
	var shown *proof
	var proofs []proof
	for _, require := range asked {
		p := s.prove(a, demand, require, candidates)
		proofs = append(proofs, p)
		if shown == nil || shown.problem == nil && (p.problem != nil || p.weight() > shown.weight()) {
			shown = &p
		}
		if p.problem == nil && p.tried && len(demand.Require) > 0 {
			s.met = append(s.met, met{a.Name, p})
		}
		if p.problem == nil && p.a.Origin != "" && len(r.Evidence) < maxEvidenceShown {
			r.Evidence = append(r.Evidence, s.refs(p)...)
		}
	}
	s.orphan(a, shown)
	r.Steps = s.explained(proofs, a, demand)
	s.j.settle(&r, *shown)
	return r, rule
}

// refs names the evidence of a requirement that is met: the attestation, and the list of
// checksums through which it speaks of the asset.
func (s *stand) refs(p proof) []EvidenceRef {
	refs := []EvidenceRef{{Kind: p.a.Kind, Origin: p.a.Origin, Name: p.a.Bundle, SHA256: p.a.SHA256, Require: p.require}}
	if p.lent {
		list := s.byName[p.chain[0].Name]
		refs = append(refs, EvidenceRef{Kind: AttestationChecksum, Origin: OriginSidecar, Name: list.Name, SHA256: list.SHA256, Require: p.require})
	}
	return refs
}

// weight orders what an asset is shown with: by level, signatures before checksums.
func (p proof) weight() int {
	switch {
	case p.a.Kind == AttestationChecksum:
		return 0
	case p.lent:
		return 1
	}
	return 1 + slsaLevel(p.a)
}

// prove looks for what meets one requirement of a: an attestation of its own, or for a
// signature also one of a list of checksums that names it.
func (s *stand) prove(a Asset, rule AssetRule, require string, candidates []Attestation) proof {
	if require == RequireChecksum {
		return s.checksum(a)
	}
	p := s.direct(a, rule, require, candidates)
	if p.problem != nil && require == RequireSignature && rule.PredicateType == "" && lendable(p) {
		p = s.lend(a, p)
	}
	if p.problem == nil && p.chain == nil && p.a.Form != "" {
		p.chain = []ChainLink{link(p.a)}
	}
	return p
}

// direct looks for the best attestation of a for one requirement: the one that meets it with
// the highest level, else the one that comes furthest. Attestations by others neither help
// nor block.
func (s *stand) direct(a Asset, rule AssetRule, require string, candidates []Attestation) proof {
	best, wrong := proof{require: require}, proof{}
	var familiar *Attestation
	strangers := 0
	for _, c := range candidates {
		for _, signer := range s.signers {
			t := trial{j: s.j, asset: a, a: c, signer: signer, require: require, rule: rule}
			passed, problem := t.judge()
			p := proof{require: require, a: c, signer: signer, tried: true, passed: passed, problem: problem}
			if problem != nil && t.stranger(problem) {
				strangers++
			}
			if better(p, best) {
				best = p
			}
			if problem == nil && familiar == nil && s.j.knows(c) {
				familiar = &c
			}
			if c.For == a.Name && passed < stepSigner && !problem.Unknown() {
				wrong = p
			}
		}
	}
	switch {
	case best.tried && best.problem == nil:
		if best.familiar = best.a; familiar != nil {
			best.familiar = *familiar
		}
		return best
	case wrong.tried && best.passed < stepOurs:
		return wrong // what stands beside the asset is wrong, whatever others signed
	}
	s.explain(&best, a, candidates, strangers)
	return best
}

// judge runs the trial that fits the requirement.
func (t *trial) judge() (int, *Reason) {
	if t.require == RequireReleaseAttestation {
		return t.runRelease()
	}
	return t.run()
}

// runRelease compares GitHub's attestation of an immutable release. The scanner vouches for
// its signer, which no policy can change.
func (t *trial) runRelease() (int, *Reason) {
	if t.a.Problem == nil && t.a.Kind != AttestationRelease {
		return 0, because(CodePredicateType, "there is no attestation by GitHub of this release; make releases immutable in the settings of the repository")
	}
	t.facts = t.a.Claim
	for i, step := range []func(*trial) *Reason{(*trial).digest, (*trial).crypto, (*trial).source, (*trial).releaseRef, (*trial).commit, (*trial).name} {
		if r := step(t); r != nil {
			return i, r
		}
	}
	return len(steps), nil
}

func (t *trial) releaseRef() *Reason {
	if want := t.j.m.Release.TagRef; want != "" && t.facts.Ref != want {
		return because(CodeRefNotAllowed, "attested as part of %s, not of %s", orNothing(t.facts.Ref), want)
	}
	return nil
}

// stranger reports whether the attestation is wholly somebody else's: neither the signer nor
// the repository is ours.
func (t *trial) stranger(problem *Reason) bool {
	ours := githubHost + t.j.m.Subject.Repository
	return (problem.Code == CodeSignerMismatch || problem.Code == CodeIssuerMismatch) && t.a.Problem == nil &&
		t.a.Certificate.Repository != "" && !strings.EqualFold(t.a.Certificate.Repository, ours)
}

// better reports whether p is nearer to a proof than best.
func better(p, best proof) bool {
	met, was := p.problem == nil, best.tried && best.problem == nil
	switch {
	case !best.tried:
		return true
	case met != was:
		return met
	case met:
		return slsaLevel(p.a) > slsaLevel(best.a) || best.a.Kind == AttestationSignature && p.a.Kind != AttestationSignature
	default:
		return p.passed > best.passed
	}
}

// explain settles why nothing met the requirement. Wrong evidence of ours is told as it is;
// evidence that could not be seen comes before evidence of others, and that before none.
func (s *stand) explain(best *proof, a Asset, candidates []Attestation, strangers int) {
	ours := best.tried && (best.passed >= stepOurs || best.passed < stepSigner)
	unseen := best.tried && best.problem.Unknown()
	for _, c := range candidates {
		unseen = unseen || c.Problem != nil && c.Problem.Unknown()
	}
	for _, b := range s.j.m.Release.Bundles {
		if b.Problem != nil && b.For == a.Name {
			unseen = true
			best.problem = b.Problem
		}
	}
	switch {
	case ours && !best.problem.Unknown():
	case len(s.holes) > 0 && !unseen:
		best.problem = because(s.holes[0].Code, "evidence may exist that could not be seen: %s", s.holes[0].Message)
	case unseen:
		for _, c := range candidates {
			if c.Problem != nil && c.Problem.Unknown() {
				best.problem = c.Problem
			}
		}
	case best.tried && strangers > 0 && strangers == len(candidates)*len(s.signers):
		best.problem = because(CodeNoneAcceptable, "%s; the nearest: %s", foreign(len(candidates)), best.problem.Message)
	case best.tried:
	case len(s.all) > 0:
		best.problem = because(CodeAssetUnproven, "no evidence of this release names it; sign or attest every asset")
	case best.require == RequireSignature:
		best.problem = because(CodeUnsigned, "it has no signature; sign it in the build, or attest it with actions/attest-build-provenance")
	case best.require == RequireSBOM:
		best.problem = because(CodeNoneAcceptable, "it has no attested SBOM; attest one in the build with actions/attest-sbom")
	default:
		best.problem = because(CodeNoneAcceptable, "it has no %s; attest it in the build with actions/attest-build-provenance", requirementWord(best.require))
	}
}

// foreign says that n attestations are all by others.
func foreign(n int) string {
	if n == 1 {
		return "the one attestation that names it is not by an accepted signer"
	}
	return fmt.Sprintf("%d attestations name it, none by an accepted signer", n)
}

func requirementWord(require string) string {
	if require == RequireReleaseAttestation {
		return "release attestation"
	}
	return require
}

// orphan tells of a file with the name of evidence whose subject is missing.
func (s *stand) orphan(a Asset, p *proof) {
	subject, _, ok := EvidenceFile(a.Name)
	if !ok || p.problem == nil || s.assets[subject] || p.problem.Code != CodeUnsigned && p.problem.Code != CodeAssetUnproven && p.problem.Code != CodeNoneAcceptable {
		return
	}
	p.problem = because(CodeAssetUnproven, "it has the name of evidence for %s, which is not in this release; add that or remove this", subject)
}

// states says which state each reason code makes; codes that are not here and not Unknown make
// an asset invalid.
var states = map[string]AssetState{
	CodeSignerMismatch: AssetWrongSigner, CodeIssuerMismatch: AssetWrongSigner, CodeSignerRef: AssetWrongSigner,
	CodeSourceMismatch: AssetWrongSigner, CodeRepoIDMismatch: AssetWrongSigner,
	CodeUnsigned: AssetUnsigned, CodeAssetUnproven: AssetUnsigned, CodeNotProvenance: AssetUnsigned, CodePredicateType: AssetUnsigned,
	CodeChecksumMissing: AssetUnsigned,
}

// settle fills the report of one asset from the proof to show, and gives the reason of the
// verdict when a rule asks for more.
func (j *judgment) settle(r *AssetReport, p proof) {
	if p.tried && (p.problem == nil || !p.problem.Unknown()) {
		facts := p.a.Certificate
		if facts == (Build{}) {
			facts = p.a.Claim
		}
		r.Signer = p.a.Signer
		r.Source = Source{Repository: facts.Repository, Ref: facts.Ref, Commit: facts.Commit}
		r.Builder = Builder{ID: facts.BuilderID, Runner: facts.Runner}
		r.Run = facts.Run
	}
	if p.problem == nil {
		r.State, r.Builder.Level, r.Chain = AssetVerified, levelText(p.a), p.chain
		if p.lent { // a list proves who signed, never how the asset was built
			r.Source, r.Builder, r.Run = Source{}, Builder{Level: RequireSignature}, ""
		}
		return
	}
	r.Code, r.Reason = p.problem.Code, p.problem.Code+": "+p.problem.Message
	r.State = AssetInvalid
	switch state, ok := states[r.Code]; {
	case p.problem.Unknown():
		r.State = AssetUnknown
	case r.Code == CodeNoneAcceptable && p.tried:
		r.State = AssetWrongSigner
	case r.Code == CodeNoneAcceptable:
		r.State = AssetUnsigned
	case ok:
		r.State = state
	}
	if p.tried && r.State == AssetWrongSigner {
		want := p.signer.expected()
		r.ExpectedSigner = &want
	}
	if len(r.Required) > 0 {
		j.assetReason(*r, p)
	}
}

// assetReason gives one reason for each asset that fails, the first ones in full.
func (j *judgment) assetReason(r AssetReport, p proof) {
	rule := map[string]string{
		RequireSignature: RuleSignature, RequireProvenance: RuleProvenance, RequireReleaseAttestation: RuleAttestation,
		RequireChecksum: RuleChecksum, RequireSBOM: RuleSBOM,
	}[p.require]
	message := fmt.Sprintf("%s: %s", r.Name, p.problem.Message)
	if len(j.r.Reasons) >= maxNamed {
		message = r.Name + ": see the list of assets"
	}
	j.reason(rule, r.Code, "%s", message)
}
