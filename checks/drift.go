package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/checks/signers"
)

const (
	// maxDriftAssets bounds the assets that one signers.Drift names.
	maxDriftAssets = 10
	// maxNameFindings bounds the Findings about names of assets; the rest is counted.
	maxNameFindings = 50
)

// met is one requirement of the policy that one asset meets, and what it rests on.
type met struct {
	asset string
	proof
}

// signed reports whether somebody signed what m rests on. GitHub's attestation of a release is
// signed alike for every repository, and so tells nobody apart.
func (m met) signed() bool {
	return m.require != RequireChecksum && m.require != RequireReleaseAttestation
}

// knows reports whether the releases before were signed like a.
func (j *judgment) knows(a Attestation) bool {
	m := j.m.Release.Memory
	if m == nil || !m.Taught() {
		return false
	}
	_, drift := m.Compare(profileOf(a))
	return !drift
}

// profileOf returns who signed a in the terms of the memory. The repository's own workflows
// lose its name, so that a rename or a transfer changes nothing.
func profileOf(a Attestation) signers.Profile {
	if a.Signer.Issuer == "" && pubkey.HasPrefix(a.Signer.Identity) {
		return signers.Profile{Key: a.Signer.Identity}
	}
	c := a.Certificate
	signer, ref := workflowName(a.Signer.Identity, c.Repository)
	builder, _ := workflowName(c.BuilderID, c.Repository)
	caller, _ := workflowName(c.Config, c.Repository)
	return signers.Profile{
		Issuer: a.Signer.Issuer, Signer: signer, Ref: signers.RefClass(ref), Source: signers.RefClass(c.Ref),
		Runner: c.Runner, Builder: builder, Caller: caller,
	}
}

// workflowName takes an identity apart into what signs at every release and the ref that it
// was used at: "https://github.com/o/r/.github/workflows/w.yml@refs/tags/v1" of the repository
// o/r itself gives ".github/workflows/w.yml". An identity without a ref is returned whole.
func workflowName(identity, repository string) (name, ref string) {
	if w, ok := workflowOf(identity); ok {
		if strings.EqualFold(githubHost+w.repository, repository) {
			return strings.TrimPrefix(workflowDir, "/") + w.file, w.ref
		}
		return strings.ToLower(w.repository) + workflowDir + w.file, w.ref
	}
	if i := strings.LastIndex(identity, "@refs/"); i > 0 {
		return identity[:i], identity[i+1:]
	}
	return identity, ""
}

// remember compares who signed, and the names of the assets, with what the releases before
// taught. What it finds decides as the policy says.
func (j *judgment) remember(list []met) {
	m := j.m.Release.Memory
	if m == nil {
		return
	}
	j.r.Memory = &signers.Recall{Memory: *m}
	if j.r.Memory.Known == nil {
		j.r.Memory.Known = []signers.Known{}
	}
	if j.p.Releases.Memory.Signers != RuleOff {
		j.drift(list)
	}
	if j.p.Releases.Memory.Assets != RuleOff && j.m.Subject.Kind == KindRelease {
		j.names()
	}
	j.r.Notices = append(j.r.Notices, j.p.idle(j.r.Findings, j.now)...)
}

// drift finds signers that no release taught.
func (j *judgment) drift(list []met) {
	index := map[string]int{}
	for _, x := range list {
		d, ok := j.m.Release.Memory.Compare(profileOf(x.familiar))
		if !ok || !x.signed() {
			continue
		}
		i, known := index[d.Subject]
		if !known {
			i = len(j.r.Memory.Drift)
			index[d.Subject] = i
			j.r.Memory.Drift = append(j.r.Memory.Drift, d)
		}
		at := &j.r.Memory.Drift[i]
		if len(at.Assets) < maxDriftAssets && !slices.Contains(at.Assets, x.asset) {
			at.Assets = append(at.Assets, x.asset)
		}
	}
	level := j.p.Releases.Memory.Signers
	if level == RuleAsk {
		level = RuleBlock
	}
	for i := range j.r.Memory.Drift {
		d := &j.r.Memory.Drift[i]
		summary := driftText(*d)
		f := j.deviation(RuleSignerDrift, level, SeverityHigh, d.Subject, d.Assets[0], summary,
			"If nobody meant this, do not use the release and find out who signed it. If it is meant, accept it with an exception in the policy file of the default branch: `rule: signer-drift`, `subject: "+d.Subject+"`. A release that passes with it teaches it.")
		if f.Level == LevelBlock && j.asks() {
			j.tellApproval(d, summary)
			continue
		}
		d.Level, d.Exception, d.Until = f.Level, f.Exception, f.Until
		j.tell(f, CodeSignerDrift, summary+"; if it is meant, accept "+d.Subject+" with an exception")
	}
}

// driftText says in a sentence how d deviates.
func driftText(d signers.Drift) string {
	about := strings.Join(d.Assets[:min(3, len(d.Assets))], ", ")
	if len(d.Differs) == 1 && d.Differs[0] == "withdrawn" {
		return fmt.Sprintf("signed as only releases were that have failed since, %s: %s (%s)", about, d.Now, d.Then.Release)
	}
	var parts []string
	for _, f := range signers.Fields() {
		if slices.Contains(d.Differs, f.Name) {
			parts = append(parts, fmt.Sprintf("%s then %s, now %s", strings.ToLower(f.Label), orNone(f.Of(d.Then.Profile)), orNone(f.Of(d.Now))))
		}
	}
	return fmt.Sprintf("signed in another way than before, %s: %s (then is %s)", about, strings.Join(parts, "; "), orNone(d.Then.Release))
}

func orNone(s string) string { return orWord(s, "none") }

// names finds names of assets that the release before did not have, and those it had.
func (j *judgment) names() {
	added, vanished := j.m.Release.Memory.CompareNames(j.assetNames())
	if len(added)+len(vanished) == 0 {
		return
	}
	level, before := j.p.Releases.Memory.Assets, orNone(j.m.Release.Memory.Previous)
	var told []Finding
	for _, c := range []struct {
		names        []string
		what, remedy string
	}{
		{added, "new", "Check that this asset is meant. A release that passes teaches it."},
		{vanished, "vanished", "Upload it if it was forgotten. A release that passes without it teaches that."},
	} {
		for _, name := range c.names[:min(len(c.names), maxNameFindings)] {
			told = append(told, j.deviation(RuleAssetNames, level, SeverityLow, c.what+" "+name, "", "an asset name that is "+c.what+" since "+before+": "+name, c.remedy))
		}
	}
	text := fmt.Sprintf("names of assets differ from %s, %s", before, strings.Join(slices.DeleteFunc([]string{
		counted("new", added), counted("vanished", vanished)}, func(s string) bool { return s == "" }), "; "))
	for _, f := range told {
		if f.Level == LevelBlock {
			j.reason(RuleAssetNames, CodeAssetNames, "%s", text)
			return
		}
	}
	j.notice(RuleAssetNames, CodeAssetNames, "%s", text)
}

// counted writes "2 new: a, b", "" for none.
func counted(what string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s: %s", len(names), what, listed(names))
}

// deviation adds a Finding about subject, at the level that policy and exceptions give it.
func (j *judgment) deviation(rule string, level RuleLevel, severity Severity, subject, asset, summary, remedy string) Finding {
	c := about(rule, nil, asset, 0)
	c.level, c.Severity, c.Subject, c.Introduced = level, severity, subject, true
	c.Summary, c.Remediation = summary, remedy
	c.Fingerprint = fingerprint(rule, "", "", "", subject, "")
	c.Level, c.Exception, c.Until = j.p.level(c, j.now)
	j.r.Findings = append(j.r.Findings, c.Finding)
	return c.Finding
}

// tell gives the reason or the notice for a Finding.
func (j *judgment) tell(f Finding, code, text string) {
	switch f.Level {
	case LevelBlock:
		j.reason(f.Rule, code, "%s", text)
	case LevelAccepted:
		j.notice(f.Rule, code, "%s; exception %s accepts it until %s", f.Summary, f.Exception, f.Until)
	default:
		j.notice(f.Rule, code, "%s", text)
	}
}

// assetNames returns the patterns of the names of the release's own files.
func (j *judgment) assetNames() []string {
	names := []string{}
	for _, a := range j.m.Release.Assets {
		if a.Kind == "" {
			names = append(names, a.Name)
		}
	}
	return signers.Patterns(names, j.m.Release.Tag, j.m.Release.Commit)
}

// teach writes down what the release teaches: all that the memory knows already or that an
// exception accepts, and everything when it is the first one. A release that does not pass
// teaches nothing, and neither does a draft, which is judged again when it is published.
func (j *judgment) teach(list []met) {
	if j.r.Memory == nil || j.r.Verdict != Pass || j.m.Subject.Kind != KindRelease || j.m.Subject.Draft {
		return
	}
	lesson := &signers.Lesson{Signers: []signers.Profile{}, Names: j.assetNames()}
	if lesson.Names == nil {
		lesson.Names = []string{}
	}
	refused := map[string]bool{}
	for _, d := range j.r.Memory.Drift {
		refused[d.Subject] = d.Level != LevelAccepted
	}
	taught := map[string]bool{}
	for _, x := range list {
		p := profileOf(x.familiar)
		id := p.ID()
		if x.signed() && !refused[id] && !taught[id] {
			taught[id] = true
			lesson.Signers = append(lesson.Signers, p)
		}
	}
	slices.SortFunc(lesson.Signers, func(a, b signers.Profile) int { return strings.Compare(a.ID(), b.ID()) })
	j.r.Memory.Teaches = lesson
}
