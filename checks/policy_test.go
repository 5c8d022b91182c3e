package checks_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

const testKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7M5PQxNS97GYnakZSmUw/ZA82BGr
t/zDSOu34PmrAAyCrwuQvX/bHDapYAQLfRKL0ciHNnEoM8SB2EXYciWLBA==
-----END PUBLIC KEY-----`

// wholePolicy uses every key.
const wholePolicy = `version: 1
extends: [landwaiter:recommended@1]
mode: observe
pull_request: {judge: changed, draft_prs: skip, on_incomplete: neutral, comment: never}
dependencies:
  vulnerabilities:
    block: {severity: medium, scope: [runtime, development], min_risk: 70}
    always_block: [malware, known_exploited]
    min_epss: 0.1
    not_imported: warn
    max_data_age: 3d
  malware: {own_scopes: ["npm:@acme/*", "pypi:acme-tools", "maven:com.acme.*", "go:github.com/acme/*"]}
  licences: {allow: [MIT, GPL-2.0-only WITH Classpath-exception-2.0], deny: [AGPL-3.0-only], unknown: block, invalid: off, exempt: ["pkg:npm/x"]}
  min_age: 7d
  deprecated: block
  yanked: warn
  abandoned: {after: 730d, level: block}
  require_provenance: [npm, pypi]
  provenance_loss: warn
  lookalikes: {level: block, allow: [lodahs, "@acme/lodash"]}
  images: warn
workflows: {unpinned_actions: block, untrusted_checkout: warn, script_injection: off, write_all: block, trusted_owners: [Acme]}
owners:
  - {paths: ["services/pay/**"], team: org/payments}
  - {paths: ["*"], user: ann}
sla: {critical: 1d, low: 12w}
issues: {enabled: true, max_open: 5}
releases:
  gate: reactive
  settle: {window: 90s, max_wait: 1h}
  assets:
    - {match: "api_*", require: [signature, provenance]}
    - {match: "*.json", require: [signature], predicate_type: https://example.com/type/v1}
    - {match: "*"}
  trust:
    signers:
      - {issuer: "https://token.actions.githubusercontent.com", workflow: "org/build/.github/workflows/release.yml", ref: "refs/tags/v*"}
      - {issuer: "https://accounts.example.com", identity: "*@example.com"}
    roots: [public-good, github]
    runners: [github-hosted, self-hosted]
    min_slsa: 3
    source_refs: ["refs/tags/v*"]
    keys:
      - |
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7M5PQxNS97GYnakZSmUw/ZA82BGr
        t/zDSOu34PmrAAyCrwuQvX/bHDapYAQLfRKL0ciHNnEoM8SB2EXYciWLBA==
        -----END PUBLIC KEY-----
    minisign_keys: [RWRAkKc7YaVvMKzd12PmBYxlj3vS18TZxVQoKDN/z2omqmUOZ9Ytdc56]
    ssh_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHTZCAFMOnzG4xYOjeMlZyXvAv5lGwVdgyd8ug2DpFyF release"]
    max_key_age: {time: 730d, level: warn}
    retired_keys: [{key: "minisign:0123456789ABCDEF", until: 2026-06-30}]
    shared_keys: block
    certificates: {max_life: 30m, require: [run, builder-digest]}
  memory: {signers: block, assets: off}
  images: [ghcr.io/acme/app]
  package: pkg:npm/%40acme/app
max_exception: 30d
exceptions:
  - {id: E-41, rule: no-known-high, advisory: GHSA-aaaa-bbbb-cccc, package: "pkg:npm/left-pad", until: 2026-12-24, reason: "vendor hotfix", approved_by: alice}
  - {id: E-42, rule: workflow-unpinned-action, path: .github/workflows/ci.yml, subject: "acme/x@v1", until: 2026-12-24, reason: "ours"}
  - {id: E-43, rule: signer-drift, subject: "sha256:00", until: 2026-12-24, reason: "moved"}
`

func TestParsePolicyReadsEveryKey(t *testing.T) {
	t.Parallel()
	got, err := checks.ParsePolicy([]byte(wholePolicy), "p.yml")
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	want := &checks.Policy{
		Version: 1, Extends: []string{checks.PresetRecommended}, Mode: checks.ModeObserve,
		PullRequest: checks.PullRequestRules{Drafts: "skip", OnIncomplete: "neutral"},
		Dependencies: checks.DependencyRules{
			BlockSeverity: checks.SeverityMedium, BlockScopes: []checks.Scope{checks.ScopeRuntime, checks.ScopeDevelopment},
			BlockLine: 7, MinRisk: 70, BlockExploited: true, MinEPSS: 0.1, NotImported: checks.NotImportedWarn, MaxDataAge: 3 * day,
			OwnNames: []checks.OwnName{{Ecosystem: "npm", Pattern: "@acme/*"}, {Ecosystem: "PyPI", Pattern: "acme-tools"}, {Ecosystem: "Maven", Pattern: "com.acme.*"}, {Ecosystem: "Go", Pattern: "github.com/acme/*"}},
			Licences: checks.LicenceRules{Allow: []string{"MIT", "GPL-2.0-only WITH Classpath-exception-2.0"}, Deny: []string{"AGPL-3.0-only"}, Unknown: checks.RuleBlock, Exempt: []string{"pkg:npm/x"}},
			MinAge:   checks.AgeRule{Time: 7 * day, Level: checks.RuleBlock}, Abandoned: checks.AgeRule{Time: 730 * day, Level: checks.RuleBlock},
			Deprecated: checks.RuleBlock, Yanked: checks.RuleWarn, RequireProvenance: []string{"npm", "PyPI"}, ProvenanceLoss: checks.RuleWarn,
			Lookalikes: checks.RuleBlock, LookalikeNames: []string{"lodahs", "@acme/lodash"}, Images: checks.RuleWarn,
			Asked: []string{checks.RuleDeprecated, checks.RuleExploited, checks.RuleYanked},
		},
		Workflows: checks.WorkflowRules{UnpinnedActions: checks.RuleBlock, UntrustedCheckout: checks.RuleWarn, WriteAll: checks.RuleBlock, TrustedOwners: []string{"acme"}},
		Owners: []checks.OwnerRule{
			{Paths: []string{"services/pay/**"}, Team: "org/payments", Line: 24},
			{Paths: []string{"*"}, User: "ann", Line: 25},
		},
		SLA:    map[checks.Severity]time.Duration{checks.SeverityCritical: day, checks.SeverityLow: 84 * day},
		Issues: checks.IssueRules{Enabled: true, MaxOpen: 5},
		Releases: checks.ReleaseRules{
			Gate: checks.GateReactive, SettleWindow: 90 * time.Second, MaxWait: time.Hour, Images: []string{"ghcr.io/acme/app"}, Package: "pkg:npm/%40acme/app",
			Assets: []checks.AssetRule{
				{Match: "api_*", Require: []string{"signature", "provenance"}, Line: 32},
				{Match: "*.json", Require: []string{"signature"}, PredicateType: "https://example.com/type/v1", Line: 33},
				{Match: "*", Line: 34},
			},
			Trust: checks.TrustRules{
				Signers: []checks.SignerRule{
					{Issuer: "https://token.actions.githubusercontent.com", Workflow: "org/build/.github/workflows/release.yml", Ref: "refs/tags/v*", Line: 37},
					{Issuer: "https://accounts.example.com", Identity: "*@example.com", Line: 38},
				},
				Roots: []string{"public-good", "github"}, Runners: []string{"github-hosted", "self-hosted"}, MinSLSA: 3,
				SourceRefs: []string{"refs/tags/v*"}, Keys: []string{testKey},
				MinisignKeys: []string{"RWRAkKc7YaVvMKzd12PmBYxlj3vS18TZxVQoKDN/z2omqmUOZ9Ytdc56"}, SSHKeys: []string{releaseKey},
				MaxKeyAge:    checks.AgeRule{Time: 730 * day, Level: checks.RuleWarn},
				RetiredKeys:  []checks.RetiredKey{{Key: "minisign:0123456789ABCDEF", Until: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)}},
				SharedKeys:   checks.RuleBlock,
				Certificates: checks.CertificateRules{MaxLife: 30 * time.Minute, Require: []string{"run", "builder-digest"}, Level: checks.RuleBlock},
			},
			Memory: checks.MemoryRules{Signers: checks.RuleBlock},
		},
		Exceptions: []checks.Exception{{
			ID: "E-41", Rule: "no-known-high", Advisory: "GHSA-aaaa-bbbb-cccc", Package: "pkg:npm/left-pad",
			Until: time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC), Reason: "vendor hotfix", ApprovedBy: "alice", Line: 60,
		}, {
			ID: "E-42", Rule: checks.RuleUnpinned, Path: ".github/workflows/ci.yml", Subject: "acme/x@v1",
			Until: time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC), Reason: "ours", Line: 61,
		}, {
			ID: "E-43", Rule: checks.RuleSignerDrift, Subject: "sha256:00",
			Until: time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC), Reason: "moved", Line: 62,
		}},
		MaxException: 30 * day, Digest: got.Digest, Source: "p.yml",
		Lines: map[string]int{
			checks.RuleExploited: 8, checks.RuleLicence: 13, checks.RuleMinAge: 14, checks.RuleDeprecated: 15, checks.RuleYanked: 16, checks.RuleAbandoned: 17,
			checks.RuleNoProvenance: 18, checks.RuleLostOrigin: 19, checks.RuleLookalike: 20, checks.RuleImage: 21,
			checks.RuleUnpinned: 22, checks.RuleCheckout: 22, checks.RuleInjection: 22, checks.RuleWriteAll: 22,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(got.Digest, "sha256:") || len(got.Digest) != 71 {
		t.Errorf("digest %q", got.Digest)
	}
}

func TestParsePolicyErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		line       int
		message    string
	}{
		{"typo in a key", "version: 1\ndependencies:\n  vulnerabilities:\n    block: {severty: high}\n", 4, "unknown key `severty`, did you mean `severity`?"},
		{"unknown key", "version: 1\nzzzzzzzz: 1\n", 2, "unknown key `zzzzzzzz`; it can be approvers, dependencies, environments, exceptions, "},
		{"key twice", "version: 1\nmode: observe\nmode: enforce\n", 3, "already defined"},
		{"later key", "version: 1\nenforced:\n  mode: {}\n", 2, "key `enforced` is not supported by this version"},
		{"environment that asks for nothing", "version: 1\nenvironments:\n  production: {on_incomplete: wait}\n", 3, "environment `production` needs `require` or `no_open`"},
		{"environment with a misspelt key", "version: 1\nenvironments:\n  production: {requires: [release_passed]}\n", 3, "unknown key `requires`, did you mean `require`?"},
		{"environment with a misspelt requirement", "version: 1\nenvironments:\n  production:\n    require: [releases_passed]\n", 4, "did you mean `release_passed`?"},
		{"environment with a misspelt severity", "version: 1\nenvironments:\n  production:\n    no_open: critcal\n", 4, "did you mean `critical`?"},
		{"I18 environment that would approve without a pass", "version: 1\nenvironments:\n  production: {no_open: low, on_incomplete: neutral}\n", 3, "unknown value `neutral`"},
		{"environment twice", "version: 1\nenvironments:\n  a: {no_open: low}\n  a: {no_open: high}\n", 4, `mapping key "a" already defined`},
		{"environment that waits for releases nobody judges", "version: 1\nreleases: {gate: 'off'}\nenvironments:\n  a: {require: [release_passed]}\n", 4, "judges no release"},
		{"environment without a name", "version: 1\nenvironments:\n  '': {no_open: low}\n", 3, "the name of an environment"},
		{"later value", "version: 1\npull_request: {comment: on_failure}\n", 2, "`on_failure` is not supported by this version"},
		{"gate misspelt", "version: 1\nreleases: {gate: drafts}\n", 2, "unknown value `drafts`, did you mean `draft`?"},
		{"publish without a draft", "version: 1\nreleases: {gate: report,\n  publish: auto}\n", 3, "`publish` goes with `gate: draft`"},
		{"publish misspelt", "version: 1\nreleases: {gate: draft, publish: autos}\n", 2, "unknown value `autos`, did you mean `auto`?"},
		{"draft that could go out unfinished", "version: 1\nreleases:\n  assets: [{match: '*', require: [signature]}, {match: a.txt}]\n  gate: draft\n", 4, "no rule of `assets` expects an asset"},
		{"typo in a value", "version: 1\nmode: enforced\n", 2, "unknown value `enforced`, did you mean `enforce`?"},
		{"unknown preset", "version: 1\nextends: [landwaiter:best@1]\n", 2, "unknown preset `landwaiter:best@1`; there are landwaiter:recommended@1, landwaiter:strict@1"},
		{"preset without version", "version: 1\nextends: [landwaiter:strict]\n", 2, "preset without a version; write `landwaiter:strict@1`"},
		{"organisation", "version: 1\nextends: [org]\n", 2, "extending `org` is not supported by this version"},
		{"no version", "mode: enforce\n", 1, "version is missing; write `version: 1`"},
		{"version 2", "version: 2\n", 1, "needs a whole number from 1 to 1, not `2`"},
		{"empty file", "", 0, "the file is empty"},
		{"only a comment", "# nothing\n", 0, "the file is empty"},
		{"a list", "- version: 1\n", 1, "the file needs keys with values, not a list"},
		{"a word", "version\n", 1, "the file needs keys with values, not `version`"},
		{"two documents", "version: 1\n---\nversion: 1\n", 0, "more than one document"},
		{"bad YAML", "version: 1\nowners: [a\nmode: b\n", 3, "not valid YAML"},
		{"nothing for a text", "version: 1\nmode:\n", 2, "needs a text, not nothing"},
		{"list for a text", "version: 1\nmode: [enforce]\n", 2, "needs a text, not a list"},
		{"text for a list", "version: 1\nextends: landwaiter:strict@1\n", 2, "needs a list, not `landwaiter:strict@1`"},
		{"text for a number", "version: one\n", 1, "needs a whole number from 1 to 1, not `one`"},
		{"yes is no boolean", "version: 1\nissues: {enabled: yes}\n", 2, "needs true or false, not `yes`"},
		{"bad duration", "version: 1\nsla: {high: 2 days}\n", 2, "bad duration `2 days`; write a number and a unit"},
		{"duration without unit", "version: 1\nsla: {high: 60}\n", 2, "bad duration `60`"},
		{"duration of nothing", "version: 1\nsla: {high: 0d}\n", 2, "bad duration `0d`"},
		{"duration too long", "version: 1\nreleases: {settle: {window: 2h}}\n", 2, "`2h` is too long; at most 1h"},
		{"duration overflows", "version: 1\nsla: {high: 9223372036854775807w}\n", 2, "is too long"},
		{"window over wait", "version: 1\nreleases: {settle: {window: 10m, max_wait: 5m}}\n", 0, "releases.settle.window is longer"},
		{"anchor", "version: 1\nowners: &a\n  - {paths: [a], user: b}\n", 2, "anchors and aliases are not allowed"},
		{"alias", "version: 1\nmode: *a\n", 2, "anchors and aliases are not allowed"},
		{"merge key", "version: 1\n<<: {mode: observe}\n", 2, "unknown key `<<`"},
		{"tag", "version: !!int 1\n", 1, "YAML tags are not allowed"},
		{"severity none", "version: 1\ndependencies: {vulnerabilities: {block: {severity: none}}}\n", 2, "unknown value `none`"},
		{"no scope", "version: 1\ndependencies: {vulnerabilities: {block: {scope: []}}}\n", 2, "needs at least one scope"},
		{"owner without path", "version: 1\nowners: [{user: ann}]\n", 2, "an owner needs `paths`"},
		{"owner twice", "version: 1\nowners: [{paths: [a], user: ann, team: a/b}]\n", 2, "an owner needs `paths` and either"},
		{"owner with at sign", "version: 1\nowners: [{paths: [a], user: '@ann'}]\n", 2, "`@ann` is not a login without @"},
		{"asset without match", "version: 1\nreleases: {assets: [{require: [signature]}]}\n", 2, "an asset rule needs `match`"},
		{"unknown requirement", "version: 1\nreleases: {assets: [{match: a, require: [sboms]}]}\n", 2, "unknown value `sboms`, did you mean `sbom`?"},
		{"anybody's key", "version: 1\nreleases: {trust: {keys: [abc]}}\n", 2, "needs one PEM block"},
		{"image with a tag", "version: 1\nreleases: {images: ['ghcr.io/acme/app:v1']}\n", 2, "is not a container image such as ghcr.io/owner/name"},
		{"image without a registry", "version: 1\nreleases: {images: [acme]}\n", 2, "is not a container image"},
		{"image at a path upwards", "version: 1\nreleases: {images: ['ghcr.io/../app']}\n", 2, "is not a container image"},
		{"package of another kind", "version: 1\nreleases: {package: 'pkg:pypi/app'}\n", 2, "only npm is read"},
		{"package with a version", "version: 1\nreleases: {package: 'pkg:npm/app@1.0.0'}\n", 2, "is not a package"},
		{"package at a path upwards", "version: 1\nreleases: {package: 'pkg:npm/..'}\n", 2, "is not a package"},
		{"key of another kind", "version: 1\nreleases: {trust: {ssh_keys: [RWRAkKc7YaVvMKzd12PmBYxlj3vS18TZxVQoKDN/z2omqmUOZ9Ytdc56]}}\n", 2, "needs one public key of SSH, as in allowed_signers; this is a key of minisign"},
		{"word for an OpenPGP key", "version: 1\nreleases: {trust: {pgp_keys: [abc]}}\n", 2, "needs one armored block `PGP PUBLIC KEY BLOCK`"},
		{"private key", "version: 1\nreleases: {trust: {keys: ['-----BEGIN PRIVATE KEY-----']}}\n", 2, "keep it secret"},
		{"short fingerprint", "version: 1\nreleases: {trust: {signers: [{identity: 'pgp:0123456789ABCDEF'}]}}\n", 2, "is not the whole identity of a key"},
		{"pattern of keys", "version: 1\nreleases: {trust: {signers: [{identity: 'key:*'}]}}\n", 2, "is not the whole identity of a key"},
		{"pull requests as source", "version: 1\nreleases: {trust: {source_refs: ['refs/*']}}\n", 2, "`refs/*` should start with refs/heads/ or refs/tags/"},
		{"asking nobody", "version: 1\nissues: {enabled: true}\nreleases: {memory: {signers: ask}}\n", 0, "releases.memory.signers: ask needs approvers.releases"},
		{"asking without issues", "version: 1\nreleases: {memory: {signers: ask}}\napprovers: {releases: {users: [ann]}}\n", 0, "needs `issues: {enabled: true}`"},
		{"asking about names of assets", "version: 1\nreleases: {memory: {assets: ask}}\n", 2, "unknown value `ask`"},
		{"approvers of nothing", "version: 1\napprovers: {releases: {users: [ann]}}\n", 0, "approvers.releases are asked about nothing"},
		{"approvers without names", "version: 1\napprovers: {releases: {count: 2}}\n", 2, "needs `teams`, `users` or both"},
		{"more approvers than there are", "version: 1\napprovers: {releases: {users: [ann, bo], count: 3}}\n", 2, "asks for 3 people and names fewer"},
		{"the same approver twice", "version: 1\napprovers: {releases: {users: [ann, ann], count: 2}}\n", 2, "asks for 2 people and names fewer"},
		{"team without organisation", "version: 1\napprovers: {releases: {teams: [release]}}\n", 2, "`release` is not org/team"},
		{"approver with at sign", "version: 1\napprovers: {releases: {users: ['@ann']}}\n", 2, "`@ann` is not a login without @"},
		{"approvers of exceptions", "version: 1\napprovers: {exceptions: [org/appsec]}\n", 2, "unknown key `exceptions`"},
		{"shortened retired key", "version: 1\nreleases: {trust: {retired_keys: [{key: 'pgp:0123456789ABCDEF', until: 2026-01-01}]}}\n", 2, "is not the whole identity of a key"},
		{"retired key without end", "version: 1\nreleases: {trust: {retired_keys: [{key: 'minisign:0123456789ABCDEF'}]}}\n", 2, "a retired key needs `key` and `until`"},
		{"retired key twice", "version: 1\nreleases: {trust: {retired_keys: [{key: 'minisign:0123456789ABCDEF', until: 2026-01-01}, {key: 'minisign:0123456789ABCDEF', until: 2027-01-01}]}}\n", 2, "is there twice"},
		{"no rule for certificates", "version: 1\nreleases: {trust: {certificates: {level: warn}}}\n", 2, "needs `max_life`, `require` or both"},
		{"unknown fact of certificates", "version: 1\nreleases: {trust: {certificates: {require: [runn]}}}\n", 2, "did you mean `run"},
		{"V23 signer without issuer", "version: 1\nreleases: {trust: {signers: [{identity: ann@example.com}]}}\n", 2, "a signer needs `issuer`"},
		{"V23 signer without name", "version: 1\nreleases: {trust: {signers: [{issuer: 'https://a.example'}]}}\n", 2, "a signer needs either `workflow` or `identity`"},
		{"V23 empty issuer", "version: 1\nreleases: {trust: {signers: [{issuer: '', identity: a}]}}\n", 2, "needs a text, not an empty one"},
		{"V23 signer is anybody", "version: 1\nreleases: {trust: {signers: [{issuer: 'https://a.example', identity: '**'}]}}\n", 2, "this `identity` accepts anybody"},
		{"V20 issuer host is a pattern", "version: 1\nreleases: {trust: {signers: [{issuer: 'https://*', identity: a}]}}\n", 2, "the host of `issuer` cannot be a pattern"},
		{"V20 workflow of anybody", "version: 1\nreleases: {trust: {signers: [{issuer: 'https://a.example', workflow: '*/.github/workflows/r.yml'}]}}\n", 2, "`workflow` should be owner/name"},
		{"exception without end", "version: 1\nexceptions: [{id: E-1, advisory: A, reason: b}]\n", 2, "exception `E-1` needs `until`"},
		{"exception with a bad end", "version: 1\nexceptions: [{id: E-1, advisory: A, reason: b, until: tomorrow}]\n", 2, "needs a date such as 2026-12-24"},
		{"exception without reason", "version: 1\nexceptions: [{id: E-1, advisory: A, until: 2026-12-24}]\n", 2, "needs a `reason`"},
		{"exception for everything", "version: 1\nexceptions: [{id: E-1, reason: b, until: 2026-12-24}]\n", 2, "cannot accept everything"},
		{"exception with a pattern", "version: 1\nexceptions: [{id: E-1, package: 'pkg:npm/*', reason: b, until: 2026-12-24}]\n", 2, "is not a package URL"},
		{"exception twice", "version: 1\nexceptions:\n  - {id: E, advisory: A, reason: b, until: 2026-12-24}\n  - {id: E, advisory: B, reason: b, until: 2026-12-24}\n", 4, "exception `E` is there twice"},
		{"exception for malware", "version: 1\nexceptions: [{id: E-1, rule: no-malware, advisory: A, reason: b, until: 2026-12-24}]\n", 2, "unknown value `no-malware`"},
		{"exceptions for years", "version: 1\nmax_exception: 91d\n", 2, "`91d` is too long; at most 90d"},
		{"licences by another spelling", "version: 1\ndependencies: {licenses: {allow: [MIT]}}\n", 2, "unknown key `licenses`, did you mean `licences`?"},
		{"risk over the scale", "version: 1\ndependencies: {vulnerabilities: {block: {min_risk: 101}}}\n", 2, "needs a whole number from 1 to 100, not `101`"},
		{"EPSS in percent", "version: 1\ndependencies: {vulnerabilities: {min_epss: 10}}\n", 2, "needs a number above 0, at most 1, not `10`"},
		{"EPSS of nothing", "version: 1\ndependencies: {vulnerabilities: {min_epss: 0}}\n", 2, "needs a number above 0, at most 1, not `0`"},
		{"EPSS that is no number", "version: 1\ndependencies: {vulnerabilities: {min_epss: .nan}}\n", 2, "needs a number above 0"},
		{"not imported and accepted", "version: 1\ndependencies: {vulnerabilities: {not_imported: accept}}\n", 2, "unknown value `accept`"},
		{"always block everything", "version: 1\ndependencies: {vulnerabilities: {always_block: [all]}}\n", 2, "unknown value `all`"},
		{"own names are everybody", "version: 1\ndependencies: {malware: {own_scopes: ['npm:*']}}\n", 2, "`npm:*` is no name of your own"},
		{"own names are all scopes", "version: 1\ndependencies: {malware: {own_scopes: ['npm:@*/*']}}\n", 2, "`npm:@*/*` is no name of your own"},
		{"own names without ecosystem", "version: 1\ndependencies: {malware: {own_scopes: ['@acme/*']}}\n", 2, "is no name of your own"},
		{"own names within a word", "version: 1\ndependencies: {malware: {own_scopes: ['npm:acme*']}}\n", 2, "is no name of your own"},
		{"own names of all on a host", "version: 1\ndependencies: {malware: {own_scopes: ['go:github.com/*']}}\n", 2, "covers names of others too"},
		{"own names of a top domain", "version: 1\ndependencies: {malware: {own_scopes: ['maven:com.*']}}\n", 2, "covers names of others too"},
		{"own names of an unknown ecosystem", "version: 1\ndependencies: {malware: {own_scopes: ['nmp:@acme/*']}}\n", 2, "unknown ecosystem `nmp`; there are cargo, composer, gem, go, hex, maven, npm, nuget, pub, pypi"},
		{"licence expression", "version: 1\ndependencies: {licences: {allow: [MIT OR ISC]}}\n", 2, "\"MIT OR ISC\" is more than one licence; list each"},
		{"licence of no list", "version: 1\ndependencies: {licences: {deny: [MTI]}}\n", 2, "\"MTI\" is no licence of the SPDX list"},
		{"licence allowed and denied", "version: 1\ndependencies: {licences: {allow: [MIT], deny: [mit]}}\n", 2, "licence `mit` is both allowed and denied"},
		{"licence exemption by pattern", "version: 1\ndependencies: {licences: {exempt: ['pkg:npm/*']}}\n", 2, "is not a package URL"},
		{"age without a time", "version: 1\ndependencies: {min_age: {level: warn}}\n", 2, "needs `time`, such as {time: 30d, level: warn}"},
		{"abandoned without a time", "version: 1\ndependencies: {abandoned: {level: warn}}\n", 2, "needs `after`, such as {after: 30d, level: warn}"},
		{"age of a key of another", "version: 1\ndependencies: {min_age: {after: 7d}}\n", 2, "unknown key `after`"},
		{"level is a boolean", "version: 1\ndependencies: {deprecated: true}\n", 2, "unknown value `true`; it can be block, off, warn"},
		{"level of exceptions", "version: 1\ndependencies: {yanked: accepted}\n", 2, "unknown value `accepted`"},
		{"provenance of Go", "version: 1\ndependencies: {require_provenance: [go]}\n", 2, "unknown value `go`"},
		{"look-alike by pattern", "version: 1\ndependencies: {lookalikes: {allow: ['*']}}\n", 2, "`*` is not the name of a package"},
		{"unknown rule of workflows", "version: 1\nworkflows: {unpinned: warn}\n", 2, "unknown key `unpinned`"},
		{"trusted owner by pattern", "version: 1\nworkflows: {trusted_owners: ['*']}\n", 2, "`*` is not the owner of actions"},
		{"exception for a subject of any rule", "version: 1\nexceptions: [{id: E-1, subject: a, reason: b, until: 2026-12-24}]\n", 2, "needs a `rule` about files: image-unpinned, workflow-unpinned-action"},
		{"exception for a lock file", "version: 1\nexceptions: [{id: E-1, rule: licence, path: package-lock.json, reason: b, until: 2026-12-24}]\n", 2, "needs a `rule` about files"},
		{"exception for a pattern of files", "version: 1\nexceptions: [{id: E-1, rule: workflow-write-all, path: '.github/**', reason: b, until: 2026-12-24}]\n", 2, "`.github/**` is a pattern; an exception names one file"},
		{"exception for a file outside", "version: 1\nexceptions: [{id: E-1, rule: workflow-write-all, path: ../ci.yml, reason: b, until: 2026-12-24}]\n", 2, "`../ci.yml` is no path from the root of the repository"},
		{"too large", "version: 1\n#" + strings.Repeat("x", 256<<10) + "\n", 0, "at most 262144 are read"},
		{"too deep", strings.Repeat("[", 40) + "\n", 1, "nested too deeply"},
		{"too deep by dashes", strings.Repeat("- ", 40) + "a\n", 1, "nested too deeply"},
		{"too many lines", strings.Repeat("\n", 6000), 5001, "more than 5000 lines"},
		{"too many keys", "version: 1\n" + strings.Repeat("a: b, ", 6000), 0, "more than 5000 keys"},
		{"control characters in a message", "version: 1\n\"a\\x1b`b\": 1\n", 2, "unknown key `a  b`"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := checks.ParsePolicy([]byte(c.file), ".github/landwaiter.yml")
			var problem *checks.PolicyError
			if p != nil || !errors.As(err, &problem) {
				t.Fatalf("got %v, %v; want a *PolicyError", p, err)
			}
			if problem.Line != c.line || !strings.Contains(problem.Message, c.message) || problem.Source != ".github/landwaiter.yml" {
				t.Errorf("got %v\nwant line %d: %s", problem, c.line, c.message)
			}
		})
	}
}

func TestPresets(t *testing.T) {
	t.Parallel()
	parse := func(file string) *checks.Policy {
		t.Helper()
		p, err := checks.ParsePolicy([]byte(file), "p.yml")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	builtIn := checks.DefaultPolicy()
	if builtIn.Mode != checks.ModeObserve || builtIn.Source != checks.PresetRecommended {
		t.Errorf("the default policy has mode %q and source %q; without a file nothing is enforced", builtIn.Mode, builtIn.Source)
	}
	short, long := parse("version: 1\n"), parse("version: 1\nextends: [landwaiter:recommended@1] # pinned\n")
	if short.Digest != long.Digest || short.Mode != checks.ModeEnforce {
		t.Errorf("a file without extends is not the recommended preset in force: %s %s %s", short.Digest, long.Digest, short.Mode)
	}
	strict := parse("version: 1\nextends: [landwaiter:strict@1]\n")
	if strict.Digest == short.Digest || strict.Dependencies.BlockSeverity != checks.SeverityMedium || strict.Releases.Gate != checks.GateReactive {
		t.Errorf("strict is not strict: %+v", strict)
	}
	reordered := parse("mode: enforce\nversion: 1 # comment\n\n\nissues: {max_open: 10}\n")
	if reordered.Digest != short.Digest {
		t.Error("order, comments and repeated defaults change the digest")
	}
	if other := parse("version: 1\nissues: {max_open: 9}\n"); other.Digest == short.Digest {
		t.Error("a changed value does not change the digest")
	}
}

// TestAsksRegistry: no preset needs a registry, and each key that goes by one does.
func TestAsksRegistry(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]bool{
		"":                                 false,
		"extends: [landwaiter:strict@1]\n": false,
		"dependencies: {licences: {allow: [MIT]}}\n":         true,
		"dependencies: {licences: {deny: [MIT]}}\n":          true,
		"dependencies: {licences: {unknown: block}}\n":       false,
		"dependencies: {min_age: 7d}\n":                      true,
		"dependencies: {min_age: {time: 7d, level: off}}\n":  false,
		"dependencies: {abandoned: 730d}\n":                  true,
		"dependencies: {require_provenance: [npm]}\n":        true,
		"dependencies: {provenance_loss: warn}\n":            true,
		"dependencies: {yanked: block}\n":                    true,
		"dependencies: {deprecated: warn}\n":                 true,
		"dependencies: {deprecated: off}\n":                  false,
		"dependencies: {lookalikes: block, images: block}\n": false,
	} {
		p, err := checks.ParsePolicy([]byte("version: 1\n"+file), "p")
		if err != nil {
			t.Fatal(err)
		}
		if p.AsksRegistry() != want {
			t.Errorf("%q: %v", file, !want)
		}
	}
	if checks.DefaultPolicy().AsksRegistry() {
		t.Error("the built-in policy asks registries")
	}
}

// TestG22PolicyLimits keeps the time of hostile files down.
func TestG22PolicyLimits(t *testing.T) {
	t.Parallel()
	var keys strings.Builder
	for i := range 4900 {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	for name, file := range map[string]string{
		"keys":    keys.String(),
		"nest":    strings.Repeat("[", 30) + strings.Repeat("]", 30),
		"dashes":  strings.Repeat("- - - - - - - -\n", 4000),
		"quoted":  "a: \"" + strings.Repeat("x", 250_000) + "\"",
		"aliases": "a: &a [x]\n" + strings.Repeat("- *a\n", 4000),
		"binary":  strings.Repeat("\x00\xff\xfe", 80_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			if _, err := checks.ParsePolicy([]byte(file), "p"); err == nil {
				t.Error("accepted")
			}
			if d := time.Since(start); d > 30*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(wholePolicy))
	f.Add([]byte("version: 1\n"))
	f.Add([]byte("a: &x [*x]\n? b\n: {c: !!d e}\n--- |\n  f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := checks.ParsePolicy(data, "p")
		if (p == nil) == (err == nil) {
			t.Fatalf("got %v and %v", p, err)
		}
		var problem *checks.PolicyError
		if err != nil && !errors.As(err, &problem) {
			t.Fatalf("%T is no *PolicyError", err)
		}
	})
}
