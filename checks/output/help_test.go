package output_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/output"
)

// blocks returns what stands in the fences of a Markdown text.
func blocks(text string) []string {
	var list []string
	for _, m := range regexp.MustCompile("(?s)\n```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

// policyBlock returns the one block that is part of a policy, "" when there is none.
func policyBlock(t *testing.T, text string) string {
	t.Helper()
	found := ""
	for _, b := range blocks(text) {
		if strings.Contains(b, "releases:") {
			if found != "" {
				t.Errorf("two of them: %s", text)
			}
			found = b
		}
	}
	return found
}

// TestHelpAccepts: the lines of policy that are shown, pasted, accept what was found, and
// nothing else that was refused before.
func TestHelpAccepts(t *testing.T) {
	t.Parallel()
	shared := "https://github.com/acme/build/.github/workflows/release.yml@"
	person := func(a *checks.Attestation) {
		a.Kind, a.PredicateType, a.Certificate, a.Claim = checks.AttestationSignature, "", checks.Build{}, checks.Build{}
		a.Signer, a.For = checks.Signer{Issuer: "https://accounts.example.com", Identity: "ann@example.com"}, "app"
	}
	for _, c := range []struct {
		name, policy string
		change       func(*checks.Attestation)
		code         string
		still        func(*checks.Attestation) // what the lines must not accept
	}{
		{"reusable workflow at a tag", "", func(a *checks.Attestation) { a.Signer.Identity = shared + "refs/tags/v1.4.2" }, checks.CodeSignerMismatch,
			func(a *checks.Attestation) { a.Signer.Identity = shared + "refs/heads/main" }},
		{"reusable workflow at a branch", "", func(a *checks.Attestation) { a.Signer.Identity = shared + "refs/heads/main" }, checks.CodeSignerMismatch,
			func(a *checks.Attestation) { a.Signer.Identity = shared + "refs/heads/evil" }},
		{"reusable workflow at a commit", "", func(a *checks.Attestation) { a.Signer.Identity = shared + commit }, checks.CodeSignerMismatch,
			func(a *checks.Attestation) {
				a.Signer.Identity = strings.ReplaceAll(shared, "acme/build", "evil/build") + commit
			}},
		{"wrong ref of the signer", "releases: {trust: {signers: [{issuer: 'https://token.actions.githubusercontent.com', workflow: acme/build/.github/workflows/release.yml, ref: refs/tags/v*}]}}\n",
			func(a *checks.Attestation) { a.Signer.Identity = shared + "refs/heads/main" }, checks.CodeSignerRef,
			func(a *checks.Attestation) { a.Signer.Identity = shared + "refs/heads/other" }},
		{"a person", "", person, checks.CodeSignerMismatch, func(a *checks.Attestation) { person(a); a.Signer.Identity = "bo@example.com" }},
		{"built from a branch", "", func(a *checks.Attestation) {
			a.Certificate.Ref, a.Claim.Ref = "refs/heads/release", "refs/heads/release"
		}, checks.CodeRefNotAllowed,
			func(a *checks.Attestation) { a.Certificate.Ref, a.Claim.Ref = "refs/heads/evil", "refs/heads/evil" }},
		{"built on a self-hosted runner", "", func(a *checks.Attestation) { a.Certificate.Runner, a.Claim.Runner = "self-hosted", "self-hosted" }, checks.CodeRunnerNotAllowed,
			func(a *checks.Attestation) { a.Certificate.Runner, a.Claim.Runner = "", "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			judge := func(policyText string, change func(*checks.Attestation)) checks.Report {
				a := attested("app", digestOf(0), ownWorkflow)
				change(&a)
				return release(policy(t, policyText), []string{"app"}, a)
			}
			r := judge(c.policy, c.change)
			if r.Verdict != checks.Fail || r.Assets[0].Code != c.code {
				t.Fatalf("verdict %s, code %s: %s", r.Verdict, r.Assets[0].Code, r.Assets[0].Reason)
			}
			lines := policyBlock(t, output.ForCheck(r, output.Options{}).Summary)
			if lines == "" {
				t.Fatalf("no lines in\n%s", output.ForCheck(r, output.Options{}).Summary)
			}
			if r := judge(lines, c.change); r.Verdict != checks.Pass {
				t.Errorf("pasted, the verdict is %s: %v\n%s", r.Verdict, r.Reasons, lines)
			}
			if r := judge(lines, c.still); r.Verdict != checks.Fail {
				t.Errorf("pasted, another is accepted: %s\n%s", r.Verdict, lines)
			}
			if own := judge(lines, func(*checks.Attestation) {}); c.policy == "" && own.Verdict != checks.Pass {
				t.Errorf("pasted, what passed before fails: %v\n%s", own.Reasons, lines)
			}
		})
	}
}

// TestHelpAcceptsNothing: no line of policy is offered for what none should accept, and none
// out of hostile text.
func TestHelpAcceptsNothing(t *testing.T) {
	t.Parallel()
	evil := "https://github.com/evil/x/.github/workflows/r.yml@refs/heads/main"
	signed := func(identity, issuer string) func(*checks.Attestation) {
		return func(a *checks.Attestation) { a.Signer = checks.Signer{Identity: identity, Issuer: issuer} }
	}
	for name, change := range map[string]func(*checks.Attestation){
		"another repository":         func(a *checks.Attestation) { a.Certificate.Repository = "https://github.com/evil/x" },
		"another commit":             func(a *checks.Attestation) { a.Certificate.Commit = strings.Repeat("d", 40) },
		"other bytes":                func(a *checks.Attestation) { a.Subjects[0].Digest["sha256"] = sum },
		"a pull request":             func(a *checks.Attestation) { a.Certificate.Ref = "refs/pull/5/merge" },
		"a pattern as identity":      signed("https://github.com/*/.github/workflows/r.yml@refs/heads/main", actions),
		"a pattern as issuer":        signed(evil, "https://*.example"),
		"a quote":                    signed(`https://github.com/evil/x/.github/workflows/r".yml@refs/heads/main`, actions),
		"a line break":               signed("ann@example.com\n      - issuer: https://evil.example\n        identity: \"*\"", "https://accounts.example.com"),
		"a fence":                    signed("```\n# pasted\nann@example.com", "https://accounts.example.com"),
		"an anchor of YAML":          signed("&a ann@example.com", "https://accounts.example.com"),
		"an expression of workflows": signed("${{ secrets.X }}@example.com", "https://accounts.example.com"),
		"text that runs backwards":   signed("ann\u202e@example.com", "https://accounts.example.com"),
		"no issuer":                  signed(evil, ""),
		"two workflow folders":       signed("https://github.com/evil/x/.github/workflows/.github/workflows/r.yml@refs/heads/main", actions),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := attested("app", digestOf(0), ownWorkflow)
			change(&a)
			r := release(policy(t, ""), []string{"app"}, a)
			if r.Verdict == checks.Pass {
				t.Fatal("it passes")
			}
			summary := output.ForCheck(r, output.Options{}).Summary
			lines := policyBlock(t, summary)
			if lines == "" {
				return
			}
			// What is offered all the same must parse, and be one entry beside the usual one.
			p, err := checks.ParsePolicy([]byte("version: 1\n"+lines), "p.yml")
			if err != nil || len(p.Releases.Trust.Signers) > 2 || strings.Contains(lines, "evil.example") {
				t.Errorf("offered: %v\n%s", err, lines)
			}
			for _, s := range p.Releases.Trust.Signers {
				if strings.Contains(s.Workflow, "evil") || strings.Contains(s.Identity, "*") || strings.Contains(s.Issuer, "*") {
					t.Errorf("offered: %+v", s)
				}
			}
		})
	}
}

// TestHelpWorkflow: the workflow for what lacks evidence is YAML, asks for no more than it
// needs, and attests each kind of asset in its own way.
func TestHelpWorkflow(t *testing.T) {
	t.Parallel()
	type step struct {
		Uses string            `yaml:"uses"`
		Run  string            `yaml:"run"`
		With map[string]string `yaml:"with"`
	}
	type workflow struct {
		Permissions map[string]string `yaml:"permissions"`
		Jobs        map[string]struct {
			Permissions map[string]string `yaml:"permissions"`
			Steps       []step            `yaml:"steps"`
		} `yaml:"jobs"`
	}
	asset := func(name string, require ...string) checks.AssetReport {
		return checks.AssetReport{Name: name, SHA256: sum, State: checks.AssetUnsigned, Code: checks.CodeUnsigned, Reason: "unsigned: nothing", Required: require}
	}
	for _, c := range []struct {
		name   string
		assets []checks.AssetReport
		gate   checks.Gate
		want   []string // in what is done, in this order
		never  []string
	}{
		{"a file", []checks.AssetReport{asset("app.tar.gz", "provenance")}, checks.GateReport,
			[]string{"actions/checkout", "make dist", "actions/attest-build-provenance", "dist/app.tar.gz", "gh release create"}, []string{"--draft", "SHA256SUMS", "sbom", "docker"}},
		{"a draft", []checks.AssetReport{asset("app.tar.gz", "signature")}, checks.GateDraft, []string{"actions/attest-build-provenance", "--draft"}, nil},
		{"a checksum alone", []checks.AssetReport{asset("app.tar.gz", "checksum")}, "", []string{"make dist", "SHA256SUMS", "gh release create"}, []string{"attest"}},
		{"an SBOM", []checks.AssetReport{asset("app.tar.gz", "sbom")}, "", []string{"actions/attest-sbom", "dist/app.tar.gz", "sbom-path"}, []string{"provenance"}},
		{"all of it", []checks.AssetReport{asset("a", "sbom", "provenance", "checksum"), asset("b", "signature")}, "",
			[]string{"SHA256SUMS", "attest-build-provenance", "dist/a", "dist/b", "attest-sbom"}, nil},
		{"an image", []checks.AssetReport{asset("ghcr.io/acme/app@sha256:"+sum, "provenance")}, "",
			[]string{"docker push ghcr.io/acme/app", "attest-build-provenance", "subject-name ghcr.io/acme/app", "steps.image1.outputs.digest"}, []string{"make dist", "gh release"}},
		{"a package", []checks.AssetReport{asset("pkg:npm/app@1.2.0", "provenance")}, "", []string{"npm publish --provenance"}, []string{"make dist"}},
		{"hostile names", []checks.AssetReport{asset("$(curl evil.example)", "provenance"), asset("a\n      - run: evil", "provenance"), asset("ghcr.io/$(evil)@sha256:"+sum, "provenance"), asset("```\n- run: evil", "provenance")}, "",
			[]string{"dist/*"}, []string{"evil"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := checks.Report{Subject: checks.Subject{Kind: checks.KindRelease, Repository: "acme/app", Ref: "refs/tags/v1"}, Verdict: checks.Fail, Assets: c.assets}
			r.Policy.Gate = c.gate
			summary := output.ForCheck(r, output.Options{}).Summary
			all := blocks(summary)
			if len(all) != 1 {
				t.Fatalf("%d blocks in\n%s", len(all), summary)
			}
			var w workflow
			if err := yaml.Unmarshal([]byte(all[0]), &w); err != nil {
				t.Fatalf("%v in\n%s", err, all[0])
			}
			job, ok := w.Jobs["release"]
			if !ok || w.Permissions == nil || len(w.Permissions) != 0 || len(w.Jobs) != 1 {
				t.Fatalf("got %+v", w)
			}
			if _, packages := job.Permissions["packages"]; job.Permissions["id-token"] != "write" || packages != strings.Contains(all[0], "packages: write") || packages && !slices.ContainsFunc(c.assets, func(a checks.AssetReport) bool { return strings.Contains(a.Name, "ghcr") }) {
				t.Errorf("permissions %v", job.Permissions)
			}
			var done []string
			for _, s := range job.Steps {
				done = append(done, s.Uses, s.Run)
				for _, key := range []string{"subject-path", "subject-name", "subject-digest", "sbom-path"} {
					if v := s.With[key]; v != "" {
						done = append(done, key+" "+v)
					}
				}
			}
			text := strings.Join(done, "\n")
			at := 0
			for _, want := range c.want {
				i := strings.Index(text[at:], want)
				if i < 0 {
					t.Fatalf("%q is not there, or not in this place:\n%s", want, text)
				}
				at += i
			}
			for _, never := range c.never {
				if strings.Contains(text, never) {
					t.Errorf("%q is in\n%s", never, text)
				}
			}
		})
	}
}
