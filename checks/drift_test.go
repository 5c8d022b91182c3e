package checks_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/signers"
)

// own is how the release workflow of genuine signs.
var own = signers.Profile{
	Issuer: actions, Signer: ".github/workflows/release.yml", Ref: "tag", Source: "tag", Runner: "github-hosted",
	Builder: ".github/workflows/release.yml", Caller: ".github/workflows/release.yml",
}

const pgp = "pgp:0123456789ABCDEF0123456789ABCDEF01234567"

// remembered is genuine, compared with a memory that release v1.1.0 taught, where drift blocks.
func remembered(t *testing.T) *relCase {
	t.Helper()
	c := genuine(t)
	c.policy.Releases.Memory = checks.MemoryRules{Signers: checks.RuleBlock, Assets: checks.RuleBlock}
	c.release().Memory = &signers.Memory{
		Version: 1, Releases: 1, Previous: "v1.1.0", Names: []string{"app.tar.gz"},
		Known: []signers.Known{{Profile: own, Release: "v1.1.0", ReleaseID: 4, Since: now.AddDate(0, -1, 0)}},
	}
	return c
}

// everywhere sets the identity of the workflow that signed, built and called.
func everywhere(c *relCase, identity string) {
	a := c.attestation()
	a.Signer.Identity = identity
	for _, b := range []*checks.Build{&a.Certificate, &a.Claim} {
		b.BuilderID, b.Config = identity, identity
	}
}

// TestSignerDriftKinds changes one thing of a release that is signed as before.
func TestSignerDriftKinds(t *testing.T) {
	t.Parallel()
	both := func(c *relCase, change func(*checks.Build)) {
		change(&c.attestation().Certificate)
		change(&c.attestation().Claim)
	}
	const app = "https://github.com/acme/app/.github/workflows/"
	for _, test := range []struct {
		name    string
		change  func(*relCase)
		differs []string // nil: nothing to tell
	}{
		{"baseline", func(*relCase) {}, nil},
		{"another version of the tag", func(c *relCase) { everywhere(c, app+"release.yml@refs/tags/v9.9.9") }, nil},
		{"issuer", func(c *relCase) {
			c.attestation().Signer.Issuer = actions + "/acme"
			c.policy.Releases.Trust.Signers = []checks.SignerRule{{Issuer: actions + "*", Workflow: "acme/app/.github/workflows/*"}}
		}, []string{"issuer"}},
		{"workflow", func(c *relCase) { everywhere(c, app+"other.yml@refs/tags/v1.2.0") }, []string{"signer", "builder", "caller"}},
		{"ref class", func(c *relCase) { everywhere(c, app+"release.yml@refs/heads/main") }, []string{"ref"}},
		{"source ref class", func(c *relCase) { both(c, func(b *checks.Build) { b.Ref = "refs/heads/main" }) }, []string{"source"}},
		{"runner class", func(c *relCase) {
			both(c, func(b *checks.Build) { b.Runner = "self-hosted" })
			c.policy.Releases.Trust.Runners = []string{"self-hosted"}
		}, []string{"runner"}},
		{"builder", func(c *relCase) {
			c.attestation().Certificate.BuilderID = "https://github.com/acme/build/.github/workflows/build.yml@refs/tags/v1"
			c.attestation().Claim.BuilderID = ""
		}, []string{"builder"}},
		{"caller", func(c *relCase) { both(c, func(b *checks.Build) { b.Config = app + "nightly.yml@refs/tags/v1.2.0" }) }, []string{"caller"}},
		{"key", func(c *relCase) {
			c.release().Memory.Known[0].Profile = signers.Profile{Key: "pgp:FF"}
			keySigned(c)
		}, []string{"key"}},
		{"key instead of a workflow", keySigned, []string{"issuer", "signer", "ref", "source", "runner", "builder", "caller", "key"}},
		{"a second attestation by another workflow", func(c *relCase) {
			more := provenance("app.tar.gz", sumApp)
			more.Signer.Identity = app + "other.yml@refs/tags/v1.2.0"
			more.Claim.BuilderID = ""
			c.evidence.Attestations = slices.Insert(c.evidence.Attestations, 0, more)
		}, nil},
		{"known only from releases that failed since", func(c *relCase) { c.release().Memory.Known[0].Withdrawn = true }, []string{"withdrawn"}},
		{"nothing was ever taught", func(c *relCase) {
			c.release().Memory.Known = nil
			everywhere(c, app+"other.yml@refs/tags/v1.2.0")
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := remembered(t)
			test.change(c)
			r := c.judge()
			if test.differs == nil {
				if r.Verdict != checks.Pass || len(r.Memory.Drift) != 0 || len(r.Memory.Teaches.Signers) != 1 {
					t.Fatalf("got %v: %v, %+v", r.Verdict, r.Reasons, r.Memory)
				}
				return
			}
			if r.Verdict != checks.Fail || len(r.Reasons) != 1 || r.Reasons[0].Code != checks.CodeSignerDrift || r.Assets[0].State != checks.AssetVerified {
				t.Fatalf("got %v: %v, asset %v", r.Verdict, r.Reasons, r.Assets[0].State)
			}
			d := r.Memory.Drift[0]
			if diff := cmp.Diff(test.differs, d.Differs); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
			f := r.Findings[0]
			if r.Memory.Teaches != nil || f.Rule != checks.RuleSignerDrift || f.Subject != d.Now.ID() || f.Level != checks.LevelBlock || d.Level != checks.LevelBlock {
				t.Errorf("teaches %v, finding %+v", r.Memory.Teaches, f)
			}
		})
	}
}

// keySigned replaces the attestation by an OpenPGP signature under a key that the policy accepts.
func keySigned(c *relCase) {
	c.policy.Releases.Assets = []checks.AssetRule{{Match: "*", Require: []string{checks.RequireSignature}}}
	c.policy.Releases.Trust.Signers = []checks.SignerRule{{Identity: pgp}}
	c.evidence.Attestations = []checks.Attestation{{
		Bundle: "app.tar.gz.asc", Origin: checks.OriginSidecar, Kind: checks.AttestationSignature, For: "app.tar.gz", Form: "OpenPGP",
		Root: checks.RootKey, Signer: checks.Signer{Identity: pgp}, KeyMade: now.AddDate(-1, 0, 0),
	}}
}

// TestSignerDriftLevels: what the policy and its exceptions make of a deviation.
func TestSignerDriftLevels(t *testing.T) {
	t.Parallel()
	const other = "https://github.com/acme/app/.github/workflows/other.yml@refs/tags/v1.2.0"
	subject := func(c *relCase) string {
		everywhere(c, other)
		return c.judge().Memory.Drift[0].Subject
	}
	exception := func(c *relCase, change func(*checks.Exception)) {
		e := checks.Exception{ID: "E-1", Rule: checks.RuleSignerDrift, Subject: subject(c), Until: now.AddDate(0, 0, 20), Reason: "moved"}
		change(&e)
		c.policy.Exceptions = []checks.Exception{e}
	}
	for _, test := range []struct {
		name    string
		change  func(*relCase)
		verdict checks.Verdict
		level   string // "": no finding
		teaches int
	}{
		{"block", func(c *relCase) { everywhere(c, other) }, checks.Fail, checks.LevelBlock, 0},
		{"warn", func(c *relCase) { everywhere(c, other); c.policy.Releases.Memory.Signers = checks.RuleWarn }, checks.Pass, checks.LevelWarn, 0},
		{"off", func(c *relCase) { everywhere(c, other); c.policy.Releases.Memory.Signers = checks.RuleOff }, checks.Pass, "", 1},
		{"accepted", func(c *relCase) { exception(c, func(*checks.Exception) {}) }, checks.Pass, checks.LevelAccepted, 1},
		{"accepted yesterday", func(c *relCase) { exception(c, func(e *checks.Exception) { e.Until = now.AddDate(0, 0, -2) }) }, checks.Fail, checks.LevelBlock, 0},
		{"accepted for too long", func(c *relCase) { exception(c, func(e *checks.Exception) { e.Until = now.AddDate(5, 0, 0) }) }, checks.Fail, checks.LevelBlock, 0},
		{"another signer accepted", func(c *relCase) { exception(c, func(e *checks.Exception) { e.Subject = own.ID() }) }, checks.Fail, checks.LevelBlock, 0},
		{"another rule", func(c *relCase) { exception(c, func(e *checks.Exception) { e.Rule = checks.RuleAssetNames }) }, checks.Fail, checks.LevelBlock, 0},
		{"draft", func(c *relCase) { c.material.Subject.Draft = true }, checks.Pass, "", -1},
		{"no memory", func(c *relCase) { everywhere(c, other); c.release().Memory = nil }, checks.Pass, "", -1},
		{"fails for another reason", func(c *relCase) { c.attestation().Certificate.Commit = strings.Repeat("d", 40) }, checks.Fail, "", -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := remembered(t)
			test.change(c)
			r := c.judge()
			level, teaches := "", -1
			if len(r.Findings) > 0 {
				level = r.Findings[0].Level
			}
			if r.Memory != nil && r.Memory.Teaches != nil {
				teaches = len(r.Memory.Teaches.Signers)
			}
			if test.verdict == checks.Fail {
				test.teaches = -1
			}
			if r.Verdict != test.verdict || level != test.level || teaches != test.teaches {
				t.Errorf("got %v, level %q, teaches %d: %v %v", r.Verdict, level, teaches, r.Reasons, r.Notices)
			}
		})
	}
}

// TestAssetNames changes the assets of a release that has those of the release before.
func TestAssetNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		then   []string
		change func(*relCase)
		want   []string // subjects of findings
	}{
		{"the same", []string{"app.tar.gz"}, func(*relCase) {}, nil},
		{"no release before", nil, func(*relCase) {}, nil},
		{"new", []string{"lib.tar.gz"}, func(*relCase) {}, []string{"new app.tar.gz", "vanished lib.tar.gz"}},
		{"vanished", []string{"app.tar.gz", "app_*.deb"}, func(*relCase) {}, []string{"vanished app_*.deb"}},
		{"versions apart", []string{"app_*.tar.gz"}, func(c *relCase) {
			c.release().Assets = []checks.Asset{asset("app_1.2.0.tar.gz", sumApp)}
			c.evidence.Attestations = []checks.Attestation{provenance("app_1.2.0.tar.gz", sumApp)}
		}, nil},
		{"an image is no file", []string{"app.tar.gz"}, func(c *relCase) {
			image := asset("ghcr.io/acme/app@sha256:"+sumLib, sumLib)
			image.Kind = checks.AssetImage
			c.release().Assets = append(c.release().Assets, image)
			c.evidence.Attestations = append(c.evidence.Attestations, provenance("ghcr.io/acme/app", sumLib))
		}, nil},
	} {
		for _, level := range []checks.RuleLevel{checks.RuleOff, checks.RuleWarn, checks.RuleBlock} {
			c := remembered(t)
			c.policy.Releases.Memory.Assets = level
			c.release().Memory.Names = test.then
			test.change(c)
			r := c.judge()
			var got []string
			for _, f := range r.Findings {
				got = append(got, f.Subject)
			}
			want, verdict := test.want, checks.Pass
			if level == checks.RuleOff {
				want = nil
			} else if level == checks.RuleBlock && want != nil {
				verdict = checks.Fail
			}
			if diff := cmp.Diff(want, got); diff != "" || r.Verdict != verdict {
				t.Errorf("%s, %q: %v %v (-want +got):\n%s", test.name, level, r.Verdict, r.Reasons, diff)
			}
			told := slices.ContainsFunc(slices.Concat(r.Reasons, r.Notices), func(x checks.Reason) bool { return x.Code == checks.CodeAssetNames })
			if told != (want != nil) {
				t.Errorf("%s, %q: told %v: %v %v", test.name, level, told, r.Reasons, r.Notices)
			}
			if verdict == checks.Pass && len(r.Memory.Teaches.Names) == 0 {
				t.Errorf("%s: no names are taught", test.name)
			}
		}
	}
}

// TestKeyHygiene changes one thing of a release whose key keeps to the rules.
func TestKeyHygiene(t *testing.T) {
	t.Parallel()
	year := 365 * 24 * time.Hour
	retired := func(until time.Time) func(*relCase) {
		return func(c *relCase) { c.policy.Releases.Trust.RetiredKeys = []checks.RetiredKey{{Key: pgp, Until: until}} }
	}
	age := func(limit time.Duration) func(*relCase) {
		return func(c *relCase) {
			c.policy.Releases.Trust.MaxKeyAge = checks.AgeRule{Time: limit, Level: checks.RuleBlock}
		}
	}
	shared := func(level checks.RuleLevel) func(*relCase) {
		return func(c *relCase) {
			c.policy.Releases.Trust.SharedKeys = level
			c.release().Memory.Shared = map[string]int{pgp: 2}
		}
	}
	all := func(changes ...func(*relCase)) func(*relCase) {
		return func(c *relCase) {
			for _, change := range changes {
				change(c)
			}
		}
	}
	seen := func(at time.Time) func(*relCase) { return func(c *relCase) { c.release().Memory.Seen = at } }
	unstated := func(c *relCase) { c.attestation().KeyMade = time.Time{} }
	for _, test := range []struct {
		name   string
		change func(*relCase)
		code   string // "": passes
	}{
		{"baseline", all(age(2*year), retired(now.AddDate(0, 0, 1)), shared(checks.RuleOff)), ""},
		{"too old", age(year / 2), checks.CodeKeyTooOld},
		{"too old by now, but not when this release was first verified", all(age(year/2), seen(now.AddDate(0, -8, 0))), ""},
		{"too old by now, but not when a log saw the signature", all(age(year/2), func(c *relCase) { c.attestation().Time = now.AddDate(0, -8, 0) }), ""},
		{"age not stated, first use", all(age(year/2), unstated), ""},
		{"age not stated, used for long", all(age(year/2), unstated, func(c *relCase) { c.release().Memory.Known[0].Since = now.AddDate(-2, 0, 0) }), checks.CodeKeyTooOld},
		{"retired today", retired(now.Truncate(24 * time.Hour)), ""},
		{"retired yesterday", retired(now.Truncate(24*time.Hour).AddDate(0, 0, -1)), checks.CodeKeyRetired},
		{"retired yesterday, this release verified before", all(retired(now.AddDate(0, 0, -1)), seen(now.AddDate(0, -1, 0))), ""},
		{"another key retired", func(c *relCase) {
			c.policy.Releases.Trust.RetiredKeys = []checks.RetiredKey{{Key: strings.Replace(pgp, "0", "1", 1), Until: now.AddDate(-1, 0, 0)}}
		}, ""},
		{"shared", shared(checks.RuleBlock), checks.CodeKeyShared},
		{"shared, which warns", shared(checks.RuleWarn), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := remembered(t)
			keySigned(c)
			c.release().Memory.Known[0].Profile = signers.Profile{Key: pgp}
			test.change(c)
			r := c.judge()
			if code := r.Assets[0].Code; code != test.code || (r.Verdict == checks.Pass) != (test.code == "") {
				t.Errorf("got %v, code %q, want %q: %v", r.Verdict, code, test.code, r.Reasons)
			}
			if warned := len(r.Notices) == 1 && r.Notices[0].Code == checks.CodeKeyShared; warned != (test.name == "shared, which warns") {
				t.Errorf("notices %v", r.Notices)
			}
			if strings.Contains(r.Assets[0].Reason, "acme/") {
				t.Errorf("%q names a repository", r.Assets[0].Reason)
			}
		})
	}
}

// TestKeyHygieneLeavesOtherEvidence: a key that does not count blocks nothing that a workflow
// has proven.
func TestKeyHygieneLeavesOtherEvidence(t *testing.T) {
	t.Parallel()
	c := remembered(t)
	genuine := c.evidence.Attestations
	keySigned(c)
	c.policy.Releases.Trust.Signers = append(c.policy.Releases.Trust.Signers, checks.SignerRule{Issuer: actions, Workflow: "acme/app/.github/workflows/*"})
	c.policy.Releases.Trust.RetiredKeys = []checks.RetiredKey{{Key: pgp, Until: now.AddDate(-1, 0, 0)}}
	c.evidence.Attestations = append(c.evidence.Attestations, genuine...)
	if r := c.judge(); r.Verdict != checks.Pass {
		t.Errorf("got %v: %v", r.Verdict, r.Reasons)
	}
}

// TestCertificatePolicy changes one thing of a certificate that keeps to the rules.
func TestCertificatePolicy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*relCase)
		code   string
	}{
		{"baseline", func(*relCase) {}, ""},
		{"valid for a day", func(c *relCase) { c.attestation().NotAfter = now.AddDate(0, 0, 1) }, checks.CodeCertificatePolicy},
		{"life not told", func(c *relCase) { c.attestation().NotAfter = time.Time{} }, checks.CodeNotReadable},
		{"no run", func(c *relCase) { c.attestation().Certificate.Run = "" }, checks.CodeCertificatePolicy},
		{"no run, which warns", func(c *relCase) {
			c.attestation().Certificate.Run = ""
			c.policy.Releases.Trust.Certificates.Level = checks.RuleWarn
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := remembered(t)
			c.attestation().NotBefore, c.attestation().NotAfter = now.Add(-time.Minute), now.Add(9*time.Minute)
			c.policy.Releases.Trust.Certificates = checks.CertificateRules{MaxLife: 30 * time.Minute, Require: []string{"run", "runner"}, Level: checks.RuleBlock}
			test.change(c)
			r := c.judge()
			if r.Assets[0].Code != test.code || (r.Verdict == checks.Pass) != (test.code == "") {
				t.Errorf("got %v, code %q, want %q: %v", r.Verdict, r.Assets[0].Code, test.code, r.Reasons)
			}
			if warned := len(r.Notices) == 1 && r.Notices[0].Code == checks.CodeCertificatePolicy; warned != (test.name == "no run, which warns") {
				t.Errorf("notices %v", r.Notices)
			}
		})
	}
}
