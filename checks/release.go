package checks

import (
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"path"
	"slices"
	"strings"
)

// maxEvidenceFile is the largest asset that counts as evidence for another, in bytes. Real
// bundles are far smaller; anything larger is a file that only bears the name.
const maxEvidenceFile = 16 << 20

// judgeRelease judges the assets of a release, or local artifacts, one by one:
//
//   - Fail when an asset that a rule covers is unsigned, signed by the wrong one, or invalid,
//     or when an expected asset is missing;
//   - else Unknown when evidence that might have decided could not be fetched or read;
//   - else Pass. Evidence that could not be read does not matter for an asset that other
//     evidence proves: attestations neither help nor block by being many.
//
// A release without assets passes with a notice, unless a rule other than "*" expects one.
func judgeRelease(j *judgment) {
	release := j.m.Release
	if release == nil || len(release.Assets) == 0 && j.m.Subject.Kind == KindArtifact {
		j.reason(RuleAssets, CodeNothingToVerify, "there is nothing to verify")
		j.conclude()
		return
	}
	if missing := j.unexpectable(); missing != "" {
		j.reason(RuleAssets, CodeIncomplete, "%s is not known, so nothing can be compared with it", missing)
		j.duties()
		j.conclude()
		return
	}
	s := newStand(j)
	unmatched := 0
	for _, a := range release.Assets {
		report, rule := s.asset(a)
		j.r.Assets = append(j.r.Assets, report)
		if rule == nil && !report.EvidenceFile {
			unmatched++
		}
	}
	j.missingAssets()
	j.hygieneNotices(s.met)
	j.remember(s.met)
	j.releaseNotices(s, unmatched)
	j.noticeRuns()
	j.duties()
	j.askToPublish()
	j.conclude()
	j.teach(s.met)
}

// unexpectable names what is needed to compare with and is empty (THREATS section 2, rule 4).
func (j *judgment) unexpectable() string {
	switch {
	case len(acceptedSigners(j.p, j.m.Subject.Repository)) == 0:
		return "the expected signer"
	case j.m.Subject.Kind == KindArtifact:
		return ""
	case j.m.Subject.Repository == "":
		return "the repository of the release"
	case j.m.Release.Commit == "":
		return "the commit of the release's tag"
	case len(j.sourceRefs()) == 0:
		return "the tag of the release"
	}
	return ""
}

// Rule returns the first of the asset rules that matches name, nil when none does.
func (r ReleaseRules) Rule(name string) *AssetRule {
	for i := range r.Assets {
		if GlobMatch(r.Assets[i].Match, name) {
			return &r.Assets[i]
		}
	}
	return nil
}

// MissingAssets returns the patterns of rules that expect an asset and find none among names.
// A rule expects one when it requires evidence and is not just "*".
func (r ReleaseRules) MissingAssets(names []string) []string {
	var missing []string
	for _, rule := range r.Assets {
		found := slices.ContainsFunc(names, func(n string) bool { return GlobMatch(rule.Match, n) })
		if !found && len(rule.Require) > 0 && strings.Trim(rule.Match, "*") != "" {
			missing = append(missing, rule.Match)
		}
	}
	return missing
}

func (j *judgment) missingAssets() {
	if j.m.Subject.Kind == KindArtifact {
		return
	}
	var names []string
	for _, a := range j.m.Release.Assets {
		names = append(names, a.Name)
	}
	for _, image := range j.p.Releases.Images {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, image+"@") }) {
			j.reason(RuleAssets, CodeAssetsMissing, "the notes of the release name no digest of %s; write %s@sha256:... into them, or correct releases.images", image, image)
		}
	}
	for _, pattern := range j.p.Releases.MissingAssets(names) {
		j.reason(RuleAssets, CodeAssetsMissing, "no asset matches %s, which the policy expects; upload it or correct releases.assets", pattern)
	}
	if len(names) == 0 && len(j.r.Reasons) == 0 {
		j.notice(RuleAssets, CodeNothingToVerify, "This release has no assets, and the policy expects none. Only its source archives can be downloaded, which GitHub makes from the tag.")
	}
}

// stand is the evidence of a release, findable by digest and by name.
type stand struct {
	j       *judgment
	signers []accepted
	assets  map[string]bool // names
	byName  map[string]Asset
	all     []Attestation
	digest  map[string][]int // "sha256:..." or "sha512:..." to indices of all
	name    map[string][]int // asset it stands beside, or base name of a subject
	bundles map[string]bool  // bundles that speak of an asset of this release
	lists   []*ChecksumList
	listed  map[string][]listing // by name of the asset
	// holes are places where evidence for any asset may be that could not be seen, each with
	// its reason code.
	holes []Reason
	met   []met // what the requirements of the policy rest on
}

func newStand(j *judgment) *stand {
	s := &stand{
		j: j, signers: acceptedSigners(j.p, j.m.Subject.Repository), assets: map[string]bool{},
		digest: map[string][]int{}, name: map[string][]int{}, bundles: map[string]bool{},
		byName: map[string]Asset{}, listed: map[string][]listing{},
	}
	own := map[string]bool{}
	for _, a := range j.m.Release.Assets {
		s.assets[a.Name], s.byName[a.Name] = true, a
		own["sha256:"+strings.ToLower(a.SHA256)], own["sha512:"+strings.ToLower(a.SHA512)] = true, true
	}
	for _, e := range j.evidence {
		for _, a := range e.Attestations {
			s.add(a, own)
		}
		for i := range e.Lists {
			s.addList(&e.Lists[i])
		}
		for _, g := range e.Gaps {
			s.hole(CodeNotReadable, g.Path, g.Reason)
		}
		if !e.Complete && len(e.Gaps) == 0 {
			s.hole(CodeNotReadable, "", "the scanner "+e.Scanner+" did not finish")
		}
	}
	for _, g := range j.m.Release.Gaps {
		s.hole(CodeNotReadable, g.Path, g.Reason)
	}
	for _, b := range j.m.Release.Bundles {
		if b.Problem != nil && b.For == "" {
			s.hole(b.Problem.Code, b.Name, b.Problem.Message)
		}
	}
	return s
}

// hole notes a place that could not be seen, once.
func (s *stand) hole(code, place, why string) {
	text := why
	if place != "" && !strings.HasPrefix(why, place) {
		text = place + ": " + why
	}
	r := Reason{Code: code, Message: text}
	if !r.Unknown() {
		r.Code = CodeNotReadable
	}
	if !slices.Contains(s.holes, r) {
		s.holes = append(s.holes, r)
	}
}

// add files one attestation under everything it may be about.
func (s *stand) add(a Attestation, own map[string]bool) {
	i := len(s.all)
	s.all = append(s.all, a)
	filed := map[string]bool{}
	file := func(index map[string][]int, at string) {
		if k := at; at != "" && !filed[k] {
			filed[k] = true
			index[at] = append(index[at], i)
		}
	}
	file(s.name, a.For)
	for _, subject := range a.Subjects {
		for _, algorithm := range []string{"sha256", "sha512"} {
			if value := subject.Digest[algorithm]; value != "" {
				at := algorithm + ":" + strings.ToLower(value)
				file(s.digest, at)
				s.bundles[a.Bundle] = s.bundles[a.Bundle] || own[at]
			}
		}
		base := path.Base(subject.Name)
		file(s.name, base)
		s.bundles[a.Bundle] = s.bundles[a.Bundle] || s.assets[base]
	}
	if a.For == "" && len(a.Subjects) == 0 && a.Problem != nil && a.Problem.Unknown() {
		s.hole(a.Problem.Code, a.Bundle, a.Problem.Message)
	}
}

// candidates returns the attestations that are about a: by digest, by standing beside it, or
// by its name.
func (s *stand) candidates(a Asset) []Attestation {
	var indices []int
	indices = append(indices, s.digest["sha256:"+strings.ToLower(a.SHA256)]...)
	if a.SHA512 != "" {
		indices = append(indices, s.digest["sha512:"+strings.ToLower(a.SHA512)]...)
	}
	indices = append(indices, s.name[a.Name]...)
	slices.Sort(indices)
	found := make([]Attestation, 0, len(indices))
	for _, i := range slices.Compact(indices) {
		found = append(found, s.all[i])
	}
	return found
}

// evidenceFor returns what name is evidence for, when it is evidence in this release: the
// other asset is there too, or the bundle in it names an asset.
func (s *stand) evidenceFor(a Asset) (subject string, ok bool) {
	subject, kind, ok := EvidenceFile(a.Name)
	if !ok || a.Size > maxEvidenceFile {
		return "", false
	}
	if s.assets[subject] {
		return subject, true
	}
	return "assets of this release", kind == EvidenceBundle && s.bundles[a.Name]
}

// unusable says why nothing can be proven about the bytes of a, nil when something can.
func unusable(a Asset) *Reason {
	hint, hinted := strings.CutPrefix(strings.ToLower(a.GitHubDigest), "sha256:")
	switch {
	case a.Problem != nil:
		return a.Problem
	case a.Size != a.Read:
		return because(CodeSizeMismatch, "announced with %d bytes, received %d; upload it again", a.Size, a.Read)
	case a.SHA256+a.SHA512 == "", a.SHA256 != "" && !isDigest(a.SHA256, sha256.Size), a.SHA512 != "" && !isDigest(a.SHA512, sha512.Size):
		return because(CodeDigestInvalid, "its digest is missing or is none, so nothing can be compared with it")
	case hinted && hint != strings.ToLower(a.SHA256):
		return because(CodeDigestMismatch, "the bytes received are not those that GitHub lists; if the asset was just replaced, check again")
	}
	return nil
}

// isDigest reports whether s is the hexadecimal text of size bytes.
func isDigest(s string, size int) bool {
	return len(s) == hex.EncodedLen(size) && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

// releaseNotices adds what does not decide: what was not compared, and evidence that could not
// be read although other evidence was enough.
func (j *judgment) releaseNotices(s *stand, unmatched int) {
	if j.m.Subject.Kind == KindArtifact {
		j.uncompared()
	}
	if unmatched > 0 {
		j.notice(RuleAssets, CodeUncovered, "%d assets match no rule of releases.assets and are not judged; end the list with `match: \"*\"` to cover all", unmatched)
	}
	for i, hole := range s.holes {
		if i == maxNamed {
			break
		}
		j.notice(RuleComplete, hole.Code, "not seen: %s", hole.Message)
	}
}

// uncompared says which facts of a local artifact had nothing to be compared with.
func (j *judgment) uncompared() {
	r := j.m.Release
	for _, c := range []struct{ known, what, flag string }{
		{j.m.Subject.Repository, "source repository", "--repo"},
		{cmp.Or(r.TagRef, strings.Join(j.p.Releases.Trust.SourceRefs, "")), "source ref", "--tag"},
		{r.Commit, "source commit", "--commit"},
	} {
		if c.known == "" {
			j.notice(RuleComplete, CodeUncompared, "the %s was not compared, because none was given (%s)", c.what, c.flag)
		}
	}
}
