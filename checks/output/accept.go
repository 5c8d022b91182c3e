package output

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks"
)

// plainYAML is what may stand in text to paste: no quote, no pattern, no space, and nothing
// that YAML or a shell would read as anything but itself.
var plainYAML = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/@:+-]{0,250}$`) })

// versionRef is a tag that looks like a version: the next release has another one.
var versionRef = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^refs/tags/v[0-9]`) })

// maxAccepted is how many different ways out are shown of one kind.
const maxAccepted = 3

// wrongSigner gives both ways out: build with the expected signer, or accept the one found.
func (p page) wrongSigner(b *strings.Builder, list []checks.AssetReport) {
	b.WriteString("- If you did not expect the signer of " + assetNames(list) + ", do not use it. Build it again with the workflow that the policy expects.\n")
	shown := map[string]bool{}
	for _, a := range list {
		lines := p.signerLines(a)
		if lines == "" || shown[lines] || len(shown) == maxAccepted {
			continue
		}
		shown[lines] = true
		fmt.Fprintf(b, "- If the signer of %s is meant, its owners add it to the policy on the base branch:\n\n%s", Escape(a.Name), lines)
	}
	for _, a := range list {
		if a.Code == checks.CodeSourceMismatch || a.Code == checks.CodeRepoIDMismatch {
			b.WriteString("- No line of the policy accepts what was built from another repository. Build " + Escape(a.Name) + " from this one.\n")
			break
		}
	}
}

// signerLines are the lines of a policy that accept the signer found, and go on accepting those
// that were accepted before; "" when no line would, or when its names are not plain text: those
// are hostile, and a pattern in one would accept others too.
func (p page) signerLines(a checks.AssetReport) string {
	switch a.Code {
	case checks.CodeSignerMismatch, checks.CodeIssuerMismatch, checks.CodeNoneAcceptable, checks.CodeSignerRef:
	default:
		return ""
	}
	found := signerEntry(a.Signer)
	if found == "" {
		return ""
	}
	own := ""
	if e := a.ExpectedSigner; e != nil && strings.EqualFold(e.Identity, "https://github.com/"+p.r.Subject.Repository+"/.github/workflows/*") &&
		plainYAML().MatchString(p.r.Subject.Repository) && plainYAML().MatchString(e.Issuer) {
		own = fmt.Sprintf("      # the repository's own workflows, which are accepted while there is no list\n      - issuer: %q\n        workflow: \"%s/.github/workflows/*\"\n", e.Issuer, p.r.Subject.Repository)
	}
	return "```yaml\nreleases:\n  trust:\n    signers:\n" + own + found + "```\n"
}

// signerEntry is the entry of releases.trust.signers for a signer, "" when there is none.
func signerEntry(s checks.Signer) string {
	path, workflow := strings.CutPrefix(s.Identity, "https://github.com/")
	path, ref, _ := strings.Cut(path, "@")
	repository, file, folder := strings.Cut(path, "/.github/workflows/")
	workflow = workflow && folder && strings.Count(repository, "/") == 1 && !strings.Contains(file, "/")
	switch {
	case !plainYAML().MatchString(s.Identity) || s.Issuer != "" && !plainYAML().MatchString(s.Issuer):
		return ""
	case !workflow && strings.HasPrefix(s.Identity, "https://github.com/"): // neither a person nor a workflow
		return ""
	case !workflow && s.Issuer == "": // a key
		return fmt.Sprintf("      - identity: %q\n", s.Identity)
	case !workflow:
		return fmt.Sprintf("      - issuer: %q\n        identity: %q\n", s.Issuer, s.Identity)
	case s.Issuer == "":
		return ""
	}
	entry := fmt.Sprintf("      - issuer: %q\n        workflow: %q\n", s.Issuer, path)
	switch {
	case versionRef().MatchString(ref):
		entry += "        ref: \"refs/tags/v*\"\n"
	case strings.HasPrefix(ref, "refs/heads/"), strings.HasPrefix(ref, "refs/tags/"):
		entry += fmt.Sprintf("        ref: %q\n", ref)
	}
	return entry
}

// contradicted tells what to do about assets whose evidence is there and does not fit, by what
// does not: most of it nobody should accept.
func (p page) contradicted(b *strings.Builder, list []checks.AssetReport) {
	by := map[string][]checks.AssetReport{}
	for _, a := range list {
		code := a.Code
		if _, ok := mild[code]; !ok {
			code = ""
		}
		by[code] = append(by[code], a)
	}
	if bad := by[""]; len(bad) > 0 {
		b.WriteString("- Do not use " + assetNames(bad) + ". The evidence is there and contradicts the file. If a file was replaced on purpose, build and attest it again; if nobody knows why, treat the release as tampered with.\n")
	}
	for _, code := range []string{checks.CodeCommitMismatch, checks.CodeRefNotAllowed, checks.CodeRunnerNotAllowed, checks.CodeLevelNotReached} {
		if of := by[code]; len(of) > 0 {
			b.WriteString("- " + strings.ReplaceAll(mild[code], "%s", assetNames(of)) + "\n" + policyLines(of[0]))
		}
	}
}

// mild are the codes of evidence that is genuine and does not fulfil the policy, with what to do.
var mild = map[string]string{
	checks.CodeCommitMismatch:   "Build %s again from the tag of the release. An old file does not belong in a new release, and no line of the policy accepts one.",
	checks.CodeRefNotAllowed:    "Build %s from the tag of the release.",
	checks.CodeRunnerNotAllowed: "Build %s on a runner of GitHub.",
	checks.CodeLevelNotReached:  "Build %s in a reusable workflow of another repository, which the caller cannot change: that reaches SLSA build level 3. Move the steps that build and attest into it, call it from the job of the release, and name it as the signer:",
}

// policyLines are the lines of a policy that accept what was found of one asset; "" when none
// do.
func policyLines(a checks.AssetReport) string {
	intro := "  If what was found is meant, the owners of the policy say so:\n\n"
	switch ref := a.Source.Ref; {
	case a.Code == checks.CodeLevelNotReached:
		return "\n```yaml\n# in the workflow of the release\njobs:\n  build:\n    permissions:\n      contents: read\n      id-token: write\n      attestations: write\n" +
			"    uses: YOUR-ORG/build/.github/workflows/build.yml@v1.0.0\n```\n\n```yaml\n# in .github/landwaiter.yml\nreleases:\n  trust:\n    signers:\n" +
			"      - issuer: \"https://token.actions.githubusercontent.com\"\n        workflow: \"YOUR-ORG/build/.github/workflows/build.yml\"\n        ref: \"refs/tags/v*\"\n```\n"
	case a.Code == checks.CodeRunnerNotAllowed && a.Builder.Runner == "self-hosted":
		return intro + "```yaml\nreleases:\n  trust:\n    runners: [github-hosted, self-hosted]\n```\n"
	case a.Code == checks.CodeRefNotAllowed && strings.HasPrefix(ref, "refs/heads/") && plainYAML().MatchString(ref):
		return intro + fmt.Sprintf("```yaml\nreleases:\n  trust:\n    source_refs: [\"refs/tags/*\", %q]\n```\n", ref)
	case a.Code == checks.CodeRefNotAllowed && strings.HasPrefix(ref, "refs/tags/"):
		return intro + "```yaml\nreleases:\n  trust:\n    source_refs: [\"refs/tags/*\"]\n```\n"
	}
	return ""
}
