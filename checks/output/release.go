package output

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/duties"
)

// tag is the name of the release, as people call it.
func (p page) tag() string {
	return Plain(strings.TrimPrefix(p.r.Subject.Ref, "refs/tags/"), maxPiece)
}

// failing are the assets that keep the release from passing: wrong ones, then unknown ones.
func (p page) failing() []checks.AssetReport {
	var wrong, unknown []checks.AssetReport
	for _, a := range p.r.Assets {
		switch {
		case len(a.Required) == 0 || a.EvidenceFile || a.State == checks.AssetVerified:
		case a.State == checks.AssetUnknown:
			unknown = append(unknown, a)
		default:
			wrong = append(wrong, a)
		}
	}
	return append(wrong, unknown...)
}

// judged counts the assets that are not evidence for others.
func (p page) judged() int {
	n := 0
	for _, a := range p.r.Assets {
		if !a.EvidenceFile {
			n++
		}
	}
	return n
}

// releaseTitle is the title of landwaiter/release.
func (p page) releaseTitle() string {
	name := cmp.Or(p.tag(), "this artifact")
	switch p.r.Verdict {
	case checks.Pass:
		if len(p.r.Assets) == 0 {
			return fitted("Release ", name, " has no assets")
		}
		if p.r.Subject.Kind == checks.KindArtifact {
			return plural(p.judged(), "artifact") + " verified"
		}
		if p.r.Overridden() && !p.r.Subject.Draft {
			return fitted("Published with override by ", p.approvers(), "")
		}
		return fitted("Release ", name, " verified")
	case checks.Fail:
		if p.observe {
			return cut(p.blockedBy(maxTitle-len(notEnforced)), maxTitle-len(notEnforced)) + notEnforced
		}
		if p.r.Subject.Kind == checks.KindArtifact {
			return p.blockedBy(maxTitle)
		}
		return "Blocked: " + p.blockedBy(maxTitle-len("Blocked: "))
	default:
		unknown := len(p.failing())
		if unknown == 0 {
			return p.enforced("Could not verify the release")
		}
		return p.enforced(fmt.Sprintf("Could not verify %d of %s", unknown, plural(p.judged(), "asset")))
	}
}

// fitted shortens name so that the whole fits a title.
func fitted(before, name, after string) string {
	return before + cut(name, maxTitle-len(before)-len(after)) + after
}

// blockedBy says in at most max characters what is wrong: the one asset, or how many.
func (p page) blockedBy(max int) string {
	var wrong []checks.AssetReport
	for _, a := range p.failing() {
		if a.State != checks.AssetUnknown {
			wrong = append(wrong, a)
		}
	}
	switch {
	case p.r.WaitsForApproval():
		return fmt.Sprintf("waits for approval (%d of %d)", p.r.Approvals.Counted, p.r.Approvals.Needed)
	case len(wrong) == 0:
		return cut(Plain(firstReason(p.r), max), max)
	case len(wrong) == 1:
		what := fault(wrong[0])
		return cut(Plain(wrong[0].Name, maxPiece), max-len(what)-1) + " " + what
	default:
		return cut(fmt.Sprintf("%d of %s failed", len(wrong), plural(p.judged(), "asset")), max)
	}
}

func firstReason(r checks.Report) string {
	for _, reason := range r.Reasons {
		if !reason.Unknown() {
			text, _, _ := strings.Cut(reason.Message, ",")
			if duties.IsRule(reason.Rule) { // what follows are names of commits and pull requests
				text, _, _ = strings.Cut(text, ":")
				text, _, _ = strings.Cut(text, " (")
			}
			return text
		}
	}
	return "the release failed"
}

// faults say in a few words what is wrong with an asset, by reason code.
var faults = map[string]string{
	checks.CodeDigestMismatch: "does not match its signature", checks.CodeSignatureInvalid: "has an invalid signature",
	checks.CodeCommitMismatch: "was built from another commit", checks.CodeSourceMismatch: "was built from another repository",
	checks.CodeRepoIDMismatch: "was built from another repository", checks.CodeNameMismatch: "was signed under another name",
	checks.CodeRefNotAllowed: "was built from a ref not allowed", checks.CodeTriggerNotAllowed: "was built by a trigger not allowed",
	checks.CodeRunnerNotAllowed: "was built on a runner not allowed", checks.CodeLevelNotReached: "does not reach the SLSA level",
	checks.CodeSizeMismatch: "was not uploaded whole", checks.CodeNotProvenance: "has no provenance",
	checks.CodeChecksumMissing: "is in no list of checksums", checks.CodeKeyInvalid: "is signed with a key not in force",
	checks.CodeKeyTooOld: "is signed with a key that is too old", checks.CodeKeyRetired: "is signed with a retired key",
	checks.CodeKeyShared: "is signed with a shared key", checks.CodeCertificatePolicy: "has a certificate not allowed",
}

func fault(a checks.AssetReport) string {
	switch text, ok := faults[a.Code]; {
	case ok:
		return text
	case a.State == checks.AssetWrongSigner:
		return "has a wrong signer"
	case a.State == checks.AssetUnsigned && slices.Contains(a.Required, checks.RequireProvenance):
		return "has no provenance"
	case a.State == checks.AssetUnsigned && slices.Contains(a.Required, checks.RequireReleaseAttestation) && len(a.Required) == 1:
		return "has no release attestation"
	case a.State == checks.AssetUnsigned:
		return "has no signature"
	default:
		return "failed verification"
	}
}

// releaseSummary is the summary of landwaiter/release.
func (p page) releaseSummary() string {
	var b strings.Builder
	b.WriteString(p.head(cut(p.releaseHeadline(), 2*maxPiece)))
	if what := cmp.Or(p.o.Unheld, p.gateText()); what != "" {
		b.WriteString("\n" + Prose(what) + "\n")
	}
	p.assetTable(&b)
	p.duties(&b)
	failing := p.failing()
	p.releaseWhy(&b, failing)
	p.steps(&b, failing)
	p.drift(&b)
	p.approvals(&b)
	for i, n := range p.r.Notices {
		if i == maxReasons {
			fmt.Fprintf(&b, "\n> and %d more remarks\n", len(p.r.Notices)-maxReasons)
			break
		}
		fmt.Fprintf(&b, "\n> %s\n", Prose(n.Message))
	}
	b.WriteString(p.foot())
	return b.String()
}

func (p page) releaseHeadline() string {
	name := "The release " + Escape(p.tag())
	if p.tag() == "" || p.r.Subject.Kind == checks.KindArtifact {
		name = "This " + map[bool]string{true: "artifact", false: "set of artifacts"}[p.judged() == 1]
	}
	switch {
	case p.r.Verdict == checks.Pass && len(p.r.Assets) == 0:
		return name + " has no assets"
	case p.r.Verdict == checks.Pass:
		return name + " is verified"
	case p.r.Verdict == checks.Fail && p.r.WaitsForApproval():
		return name + " waits for approval" + map[bool]string{true: ", not enforced"}[p.observe]
	case p.r.Verdict == checks.Fail && p.observe:
		return name + " fails, not enforced"
	case p.r.Verdict == checks.Fail:
		return name + " fails"
	default:
		return name + " could not be verified"
	}
}

// assetTable writes one row for each asset, those with a problem first.
func (p page) assetTable(b *strings.Builder) {
	if len(p.r.Assets) == 0 {
		return
	}
	order := func(a checks.AssetReport) int {
		switch {
		case a.EvidenceFile:
			return 3
		case a.State == checks.AssetVerified || len(a.Required) == 0:
			return 2
		case a.State == checks.AssetUnknown:
			return 1
		default:
			return 0
		}
	}
	sorted := slices.Clone(p.r.Assets)
	slices.SortStableFunc(sorted, func(a, b checks.AssetReport) int { return order(a) - order(b) })
	b.WriteString("\n| Asset | State | Signer | Built from | Runner | Level |\n|---|---|---|---|---|---|\n")
	for _, a := range sorted[:min(len(sorted), maxRows)] {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", Escape(a.Name), stateText(a), orDash(Escape(signerText(a.Signer))),
			orDash(Escape(sourceText(a.Source))), orDash(Escape(a.Builder.Runner)), orDash(a.Builder.Level))
	}
	if more := len(sorted) - maxRows; more > 0 {
		fmt.Fprintf(b, "\nand %d more\n", more)
	}
}

func stateText(a checks.AssetReport) string {
	switch {
	case a.EvidenceFile:
		return "evidence"
	case a.State == checks.AssetVerified:
		return "verified"
	case len(a.Required) == 0:
		return strings.ReplaceAll(string(a.State), "-", " ") + ", not required"
	default:
		return strings.ReplaceAll(string(a.State), "-", " ")
	}
}

func orDash(s string) string { return cmp.Or(s, "-") }

// signerText shortens the identity of a workflow on github.com.
func signerText(s checks.Signer) string { return strings.TrimPrefix(s.Identity, "https://github.com/") }

// sourceText writes "owner/name 1a2b3c4 (refs/tags/v1)".
func sourceText(s checks.Source) string {
	text := strings.TrimPrefix(s.Repository, "https://github.com/")
	if s.Commit != "" {
		text += " " + short(s.Commit)
	}
	if s.Ref != "" {
		text += " (" + s.Ref + ")"
	}
	return strings.TrimSpace(text)
}

// releaseWhy explains each asset that keeps the release from passing, expected beside found.
func (p page) releaseWhy(b *strings.Builder, failing []checks.AssetReport) {
	var other []checks.Reason
	for _, r := range p.r.Reasons {
		if r.Rule == checks.RuleAssets || r.Rule == checks.RuleComplete || r.Rule == checks.RuleSignerDrift || r.Rule == checks.RuleAssetNames || r.Rule == checks.RuleApproval || duties.IsRule(r.Rule) {
			other = append(other, r)
		}
	}
	if len(failing)+len(other) == 0 {
		return
	}
	b.WriteString("\n### Why\n")
	list(b, other, func(r checks.Reason) string { return Escape(r.Rule) + ": " + Prose(r.Message) })
	for _, a := range failing[:min(len(failing), maxReasons)] {
		code, sentence, _ := strings.Cut(a.Reason, ": ")
		fmt.Fprintf(b, "- %s: %s (%s)\n", Escape(a.Name), Prose(strings.TrimSuffix(sentence, ".")), Escape(code))
	}
	if more := len(failing) - maxReasons; more > 0 {
		fmt.Fprintf(b, "- and %d more\n", more)
	}
	shown := 0
	for _, a := range failing {
		if a.ExpectedSigner == nil || shown == 3 {
			continue
		}
		shown++
		fmt.Fprintf(b, "\n| %s | Expected | Found |\n|---|---|---|\n| Issuer | %s | %s |\n| Signer | %s | %s |\n", Escape(a.Name),
			orDash(Escape(a.ExpectedSigner.Issuer)), orDash(Escape(a.Signer.Issuer)),
			orDash(Escape(a.ExpectedSigner.Identity)), orDash(Escape(a.Signer.Identity)))
	}
}

// chainText writes "checksum SHA256SUMS, OpenPGP SHA256SUMS.asc by pgp:0123...".
func chainText(chain []checks.ChainLink) string {
	var steps []string
	for _, l := range chain {
		step := l.Kind + " " + l.Name
		if l.Signer != "" {
			step += " by " + strings.TrimPrefix(l.Signer, "https://github.com/")
		}
		if l.Comment != "" {
			step += " (" + l.Comment + ")"
		}
		steps = append(steps, step)
	}
	return strings.Join(steps, ", ")
}

// releaseText holds one collapsed section for each asset.
func (p page) releaseText() string {
	var b strings.Builder
	for _, a := range p.r.Assets {
		fmt.Fprintf(&b, "<details><summary><code>%s</code>: %s</summary>\n\n", html.EscapeString(Plain(a.Name, maxPiece)), stateText(a))
		for _, line := range []struct{ what, value string }{
			{"SHA-256", a.SHA256}, {"Reason", a.Reason}, {"Issuer", a.Signer.Issuer}, {"Signer", a.Signer.Identity},
			{"Repository", a.Source.Repository}, {"Ref", a.Source.Ref}, {"Commit", a.Source.Commit},
			{"Builder", a.Builder.ID}, {"Runner", a.Builder.Runner}, {"Level", a.Builder.Level}, {"Build", a.Run},
			{"Proven by", chainText(a.Chain)}, {"Required", strings.Join(a.Required, ", ")},
		} {
			if line.value != "" {
				fmt.Fprintf(&b, "- %s: %s\n", line.what, Escape(line.value))
			}
		}
		b.WriteString("\n</details>\n\n")
	}
	p.memory(&b)
	return b.String()
}
