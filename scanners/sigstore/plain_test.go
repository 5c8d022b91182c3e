package sigstore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/checks/sums"
)

const plainDir = "testdata/plain/"

// plainFixture is a release with the asset app.txt, hashed in a stream as its signature needs,
// one signature beside it, and the public key that made it.
func plainFixture(t *testing.T, signature, key string) *fixture {
	t.Helper()
	app, sig := load(t, plainDir+"app.txt"), load(t, plainDir+signature)
	a := checks.Asset{Name: "app.txt", Size: int64(len(app)), Read: int64(len(app))}
	wanted := sums.For(sig)
	a.SetSums(sums.Of(app, wanted))
	if wanted.Bytes {
		a.Data = app
	}
	f := &fixture{
		t: t, config: Config{Now: func() time.Time { return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) }},
		release: &checks.Release{
			Roots: []string{checks.RootKey}, Keys: []string{string(load(t, plainDir+key))}, Assets: []checks.Asset{a},
			Bundles: []checks.Bundle{{Name: signature, Origin: checks.OriginSidecar, For: "app.txt", Signature: sig}},
		},
	}
	f.asset = &f.release.Assets[0]
	return f
}

func identityOf(t *testing.T, key string) string {
	t.Helper()
	k, err := pubkey.Read(string(load(t, plainDir+key)))
	if err != nil {
		t.Fatal(err)
	}
	return k.Identity
}

// TestPlainSignatures verifies what the tools themselves wrote, of a file that is not held.
func TestPlainSignatures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ signature, key, form, comment string }{
		{"app.txt.asc", "release.pub.asc", "OpenPGP", ""},
		{"app.txt.pgp.sig", "release.pub.asc", "OpenPGP", ""},
		{"app.txt.rsa.asc", "other.pub.asc", "OpenPGP", ""},
		{"app.txt.two.asc", "release.pub.asc", "OpenPGP", ""},
		{"app.txt.two.asc", "other.pub.asc", "OpenPGP", ""},
		{"app.txt.ssh_ed.sig", "ssh_ed.pub", "SSH", ""},
		{"app.txt.ssh_rsa.sig", "ssh_rsa.pub", "SSH", ""},
		{"app.txt.ssh_ec.sig", "ssh_ec.pub", "SSH", ""},
		{"app.txt.ssh_sha256.sig", "ssh_ed.pub", "SSH", ""},
		{"app.txt.minisig", "minisign.pub", "minisign", "app 1.0, file app.txt"},
		{"app.txt.legacy.minisig", "minisign.pub", "minisign", "legacy"},
		{"app.txt.signify.sig", "signify.pub", "signify", ""},
	} {
		t.Run(c.signature+" by "+c.key, func(t *testing.T) {
			t.Parallel()
			f := plainFixture(t, c.signature, c.key)
			var made time.Time
			if k, err := pubkey.Read(string(load(t, plainDir+c.key))); err == nil && k.OpenPGP != nil {
				made = k.OpenPGP.PrimaryKey.CreationTime.UTC() // its subkeys are of the same second
			}
			want := checks.Attestation{
				Bundle: c.signature, Origin: checks.OriginSidecar, SHA256: sha(string(f.release.Bundles[0].Signature)), Kind: checks.AttestationSignature, For: "app.txt", Root: checks.RootKey,
				Form: c.form, Comment: c.comment, KeyMade: made, Signer: checks.Signer{Identity: identityOf(t, c.key)},
				Subjects: []checks.AttestedSubject{{Name: "app.txt", Digest: map[string]string{"sha256": f.asset.SHA256}}},
			}
			if diff := cmp.Diff(want, f.only(f.scan())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// The same file given as evidence by its own name, as the command line does.
			b := &f.release.Bundles[0]
			b.Data, b.Signature = b.Signature, nil
			if diff := cmp.Diff(want, f.only(f.scan())); diff != "" {
				t.Errorf("by its own name (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPlainRefused changes one thing of a signature that verifies, above.
func TestPlainRefused(t *testing.T) {
	t.Parallel()
	bytesChange := func(f *fixture) {
		other := []byte("other bytes of a release\n")
		f.asset.Size, f.asset.Read = int64(len(other)), int64(len(other))
		f.asset.SetSums(sums.Of(other, sums.Wanted{SHA384: true, SHA512: true, BLAKE2b: true}))
		if f.asset.Data != nil {
			f.asset.Data = other
		}
	}
	key := func(name string) func(*fixture) {
		return func(f *fixture) { f.release.Keys = []string{string(load(f.t, plainDir+name))} }
	}
	for _, c := range []struct {
		name, signature, key string
		change               func(*fixture)
		want                 string
	}{
		{"other bytes, OpenPGP", "app.txt.asc", "release.pub.asc", bytesChange, checks.CodeSignatureInvalid},
		{"other bytes, SSH", "app.txt.ssh_ed.sig", "ssh_ed.pub", bytesChange, checks.CodeSignatureInvalid},
		{"other bytes, minisign", "app.txt.minisig", "minisign.pub", bytesChange, checks.CodeSignatureInvalid},
		{"other bytes, legacy minisign", "app.txt.legacy.minisig", "minisign.pub", bytesChange, checks.CodeSignatureInvalid},
		{"other bytes, signify", "app.txt.signify.sig", "signify.pub", bytesChange, checks.CodeSignatureInvalid},
		{"another key, OpenPGP", "app.txt.asc", "release.pub.asc", key("other.pub.asc"), checks.CodeSignerMismatch},
		{"another key, SSH", "app.txt.ssh_ed.sig", "ssh_ed.pub", key("ssh_ec.pub"), checks.CodeSignerMismatch},
		{"another key, minisign", "app.txt.minisig", "minisign.pub", key("signify.pub"), checks.CodeSignerMismatch},
		{"no key", "app.txt.asc", "release.pub.asc", func(f *fixture) { f.release.Keys = nil }, checks.CodeSignerMismatch},
		{"keys do not count", "app.txt.asc", "release.pub.asc", func(f *fixture) { f.release.Roots = []string{checks.RootPublicGood} }, checks.CodeSignerMismatch},
		{"SHA-1", "app.txt.sha1.asc", "other.pub.asc", func(*fixture) {}, checks.CodeDigestWeak},
		{"before the key was made", "app.txt.asc", "release.pub.asc", func(f *fixture) {
			f.config.Now = func() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) }
		}, checks.CodeTimeInvalid},
		{"signed inside", "app.txt.clear.asc", "other.pub.asc", func(*fixture) {}, checks.CodeNotReadable},
		{"text of which only digests are known", "app.txt.text.asc", "other.pub.asc", func(*fixture) {}, checks.CodeNotReadable},
		{"for git", "app.txt.ssh_git.sig", "ssh_ed.pub", func(*fixture) {}, checks.CodeSignatureInvalid},
		{"large file, legacy minisign", "app.txt.legacy.minisig", "minisign.pub", func(f *fixture) { f.asset.Data = nil }, checks.CodeNotReadable},
		{"large file, signify", "app.txt.signify.sig", "signify.pub", func(f *fixture) { f.asset.Data = nil }, checks.CodeNotReadable},
		{"digest that was not computed, minisign", "app.txt.minisig", "minisign.pub", func(f *fixture) { f.asset.BLAKE2b = "" }, checks.CodeNotReadable},
		{"digest that was not computed, SSH", "app.txt.ssh_ed.sig", "ssh_ed.pub", func(f *fixture) { f.asset.SHA512 = "" }, checks.CodeNotReadable},
		{"state that was not kept, OpenPGP", "app.txt.asc", "release.pub.asc", func(f *fixture) { f.asset.States = nil }, checks.CodeNotReadable},
		{"bytes that are not those hashed", "app.txt.signify.sig", "signify.pub", func(f *fixture) { f.asset.Data = append(f.asset.Data, 'x') }, checks.CodeNotReadable},
		{"trusted comment changed", "app.txt.minisig", "minisign.pub", func(f *fixture) {
			b := &f.release.Bundles[0]
			b.Signature = []byte(strings.Replace(string(b.Signature), "app 1.0", "app 2.0", 1))
		}, checks.CodeSignatureInvalid},
		{"cut short", "app.txt.asc", "release.pub.asc", func(f *fixture) {
			f.release.Bundles[0].Signature = f.release.Bundles[0].Signature[:80]
		}, checks.CodeNotReadable},
		{"V05 asset cut short", "app.txt.asc", "release.pub.asc", func(f *fixture) { f.asset.Read-- }, checks.CodeSizeMismatch},
		{"beside nothing", "app.txt.asc", "release.pub.asc", func(f *fixture) { f.asset.Name = "b.txt" }, checks.CodeNotReadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := plainFixture(t, c.signature, c.key)
			c.change(f)
			a := f.only(f.scan())
			if got := code(a); got != c.want {
				t.Errorf("got %q, want %q: %+v", got, c.want, a.Problem)
			}
			if a.Signer != (checks.Signer{}) || a.Root != "" {
				t.Errorf("a signature that does not hold has a signer: %+v", a)
			}
		})
	}
}

// TestV57PlainFaults injects an error and a panic after each step.
func TestV57PlainFaults(t *testing.T) {
	t.Parallel()
	steps := map[string]bool{}
	f := plainFixture(t, "app.txt.asc", "release.pub.asc")
	s := f.scanner()
	s.after = func(step string) error { steps[step] = true; return nil }
	if a := f.only(f.scanWith(s)); a.Problem != nil || len(steps) != 5 {
		t.Fatalf("baseline: %v after the steps %v", a.Problem, steps)
	}
	for step := range steps {
		for name, fault := range map[string]func() error{"error": func() error { return errors.New("injected") }, "panic": func() error { panic("injected") }} {
			s := f.scanner()
			s.after = func(at string) error {
				if at == step {
					return fault()
				}
				return nil
			}
			a := f.only(f.scanWith(s))
			if a.Problem == nil || !a.Problem.Unknown() || !strings.Contains(a.Problem.Message, step) {
				t.Errorf("%s after %q: got %+v", name, step, a.Problem)
			}
		}
	}
}

// TestLists reads lists of checksums among the assets by their names.
func TestLists(t *testing.T) {
	t.Parallel()
	line := sha("app") + "  app.txt\n"
	held := func(name, text string) checks.Asset {
		return checks.Asset{Name: name, Size: int64(len(text)), Read: int64(len(text)), SHA256: sha(text), Data: []byte(text)}
	}
	for _, c := range []struct {
		name  string
		asset checks.Asset
		want  []checks.ChecksumList
	}{
		{"a list", held("SHA256SUMS", line), []checks.ChecksumList{{
			Asset: "SHA256SUMS", SHA256: sha(line), Entries: []checks.Checksum{{Name: "app.txt", Algorithm: "sha256", Digest: sha("app"), Line: 1}}}}},
		{"beside its file", held("app.txt.sha256", sha("app")), []checks.ChecksumList{{
			Asset: "app.txt.sha256", SHA256: sha(sha("app")), Entries: []checks.Checksum{{Name: "app.txt", Algorithm: "sha256", Digest: sha("app"), Line: 1}}}}},
		{"another name", held("notes.txt", line), nil},
	} {
		e, err := newFixture(t).scanner().Scan(t.Context(), &checks.Material{Release: &checks.Release{Assets: []checks.Asset{held("app.txt", "app"), c.asset}}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, e.Lists); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	for _, c := range []struct {
		name   string
		change func(*checks.Asset)
		want   string
	}{
		{"not held", func(a *checks.Asset) { a.Data = nil }, checks.CodeTooLarge},
		{"bytes that are not those hashed", func(a *checks.Asset) { a.Data = []byte("x") }, checks.CodeTooLarge},
		{"cut short", func(a *checks.Asset) { a.Read-- }, checks.CodeSizeMismatch},
		{"prose", func(a *checks.Asset) { *a = held(a.Name, "see our site\n") }, checks.CodeNotReadable},
		{"too many lines", func(a *checks.Asset) { *a = held(a.Name, strings.Repeat(line, 10_001)) }, checks.CodeTooLarge},
	} {
		a := held("SHA256SUMS", line)
		c.change(&a)
		e, err := newFixture(t).scanner().Scan(t.Context(), &checks.Material{Release: &checks.Release{Assets: []checks.Asset{a}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Lists) != 1 || e.Lists[0].Problem == nil || e.Lists[0].Problem.Code != c.want || len(e.Lists[0].Entries) > 0 {
			t.Errorf("%s: got %+v, want %s", c.name, e.Lists, c.want)
		}
	}
}
