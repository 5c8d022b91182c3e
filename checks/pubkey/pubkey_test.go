package pubkey_test

import (
	"bytes"
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/landwaiter/landwaiter/checks/pubkey"
)

const pemKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7M5PQxNS97GYnakZSmUw/ZA82BGr
t/zDSOu34PmrAAyCrwuQvX/bHDapYAQLfRKL0ciHNnEoM8SB2EXYciWLBA==
-----END PUBLIC KEY-----`

func load(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestRead reads keys that the tools themselves wrote; the identities are what gpg
// --fingerprint, ssh-keygen -l and minisign show for them.
func TestRead(t *testing.T) {
	t.Parallel()
	ed := strings.TrimSpace(load(t, "ssh_ed.pub"))
	for _, c := range []struct {
		name, text string
		kind       pubkey.Kind
		identity   string
	}{
		{"PEM", pemKey, pubkey.PEM, "key:sha256:458c410fff3a61c3c62c3c1fb84f15399414cd21263d342a8f0d67d11b348999"},
		{"OpenPGP Ed25519", load(t, "release.pub.asc"), pubkey.OpenPGP, "pgp:4F202729423DC89A298313A5793166EDD28848FA"},
		{"OpenPGP RSA", load(t, "other.pub.asc"), pubkey.OpenPGP, "pgp:6B19D72788A133594D89AD0763310A0344B70532"},
		{"OpenPGP with line ends of Windows", strings.ReplaceAll(load(t, "other.pub.asc"), "\n", "\r\n"), pubkey.OpenPGP, "pgp:6B19D72788A133594D89AD0763310A0344B70532"},
		{"minisign", load(t, "minisign.pub"), pubkey.Minisign, "minisign:306FA5613BA79040"},
		{"minisign without comment", "RWRAkKc7YaVvMKzd12PmBYxlj3vS18TZxVQoKDN/z2omqmUOZ9Ytdc56", pubkey.Minisign, "minisign:306FA5613BA79040"},
		{"signify", load(t, "signify.pub"), pubkey.Minisign, "minisign:FB1D9C22CDB904EE"},
		{"SSH Ed25519", ed, pubkey.SSH, "ssh:SHA256:nxn3tdSjTjWjHCKlh0cekfJGxWRq1GF0/rxs+B4E8T0"},
		{"SSH RSA", load(t, "ssh_rsa.pub"), pubkey.SSH, "ssh:SHA256:YPnr1J4f1stysUAPca7vk4c8klIMj814FxwSTEiTPn4"},
		{"SSH ECDSA", load(t, "ssh_ec.pub"), pubkey.SSH, "ssh:SHA256:L2jU/KPgDEXOENrKV0cFCB75MWJv2xKe72jN43egf1o"},
		{"SSH with principals", "ann@example.com,bo@example.com " + ed, pubkey.SSH, "ssh:SHA256:nxn3tdSjTjWjHCKlh0cekfJGxWRq1GF0/rxs+B4E8T0"},
		{"SSH with namespaces", `ann@example.com namespaces="git,file" ` + ed, pubkey.SSH, "ssh:SHA256:nxn3tdSjTjWjHCKlh0cekfJGxWRq1GF0/rxs+B4E8T0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k, err := pubkey.Read(c.text)
			if err != nil || k.Kind != c.kind || k.Identity != c.identity {
				t.Errorf("got %q %q, %v; want %q %q", k.Kind, k.Identity, err, c.kind, c.identity)
			}
			if !pubkey.IsIdentity(k.Identity) || !pubkey.HasPrefix(k.Identity) {
				t.Errorf("%q is not known as the identity of a key", k.Identity)
			}
		})
	}
}

// TestReadRefuses starts each case from a key that is read, above.
func TestReadRefuses(t *testing.T) {
	t.Parallel()
	ed := strings.TrimSpace(load(t, "ssh_ed.pub"))
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "no public key"},
		{"a word", "abc", "no public key"},
		{"too long", pemKey + strings.Repeat("\n", 64<<10), "at most 65536"},
		{"two PEM blocks", pemKey + "\n" + pemKey, "one PEM block"},
		{"PEM of another kind", strings.ReplaceAll(pemKey, "PUBLIC KEY", "EC PARAMETERS"), "EC PARAMETERS"},
		{"certificate", strings.ReplaceAll(pemKey, "PUBLIC KEY", "CERTIFICATE"), "openssl x509 -pubkey"},
		{"private PEM key", strings.ReplaceAll(pemKey, "PUBLIC KEY", "EC PRIVATE KEY"), "keep it secret"},
		{"point that is not on the curve", strings.Replace(pemKey, "7M5PQx", "7M5PQy", 1), "cannot be read"},
		{"private OpenPGP key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "keep it secret"},
		{"OpenPGP signature", "-----BEGIN PGP SIGNATURE-----\n", "gpg --armor --export"},
		{"two OpenPGP blocks", load(t, "release.pub.asc") + load(t, "other.pub.asc"), "each key by itself"},
		{"OpenPGP cut short", load(t, "other.pub.asc")[:500], "cannot be read"},
		{"OpenPGP of 1024 bits", weak(t), "1024 bits"},
		{"two OpenPGP keys in one block", both(t), "holds 2 keys"},
		{"private key of minisign", "untrusted comment: minisign encrypted secret key\nRWQ=\n", "keep it secret"},
		{"signature of minisign", "untrusted comment: a\nRWRA\ntrusted comment: b\nuaTs\n", "two lines"},
		{"minisign cut short", load(t, "minisign.pub")[:80], "56 characters"},
		{"minisign of another algorithm", "untrusted comment: a\n" + "XXRAkKc7YaVvMKzd12PmBYxlj3vS18TZxVQoKDN/z2omqmUOZ9Ytdc56", "Ed25519"},
		{"private SSH key", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "keep it secret"},
		{"two SSH keys", ed + "\n" + ed, "each SSH key by itself"},
		{"SSH DSA", strings.Replace(ed, "ssh-ed25519", "ssh-dss", 1), "ssh-ed25519"},
		{"SSH certificate authority", "* cert-authority " + ed, "cert-authority"},
		{"SSH key that expires", `ann valid-before="20200101" ` + ed, "valid-before"},
		{"SSH key with two options", `ann namespaces="file",valid-before="20200101" ` + ed, "not supported"},
		{"SSH key for commits only", `ann namespaces="git" ` + ed, "can sign no file"},
		{"SSH algorithm that is another", strings.Replace(ed, "ssh-ed25519", "ssh-rsa", 1), "the line says ssh-rsa"},
		{"SSH without key", "ssh-ed25519", "allowed_signers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if k, err := pubkey.Read(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %+v, %v; want an error about %q", k, err, c.want)
			}
		})
	}
}

// weak is an OpenPGP key that is too short.
func weak(t *testing.T) string {
	t.Helper()
	return export(t, newEntity(t, &packet.Config{RSABits: 1024, Algorithm: packet.PubKeyAlgoRSA}))
}

func both(t *testing.T) string {
	t.Helper()
	return export(t, newEntity(t, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}), newEntity(t, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}))
}

func newEntity(t *testing.T, c *packet.Config) *openpgp.Entity {
	t.Helper()
	c.DefaultHash, c.Time = crypto.SHA256, func() time.Time { return time.Unix(1e9, 0) }
	e, err := openpgp.NewEntity("Ann", "", "ann@example.com", c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func export(t *testing.T, list ...*openpgp.Entity) string {
	t.Helper()
	var text bytes.Buffer
	w, err := armor.Encode(&text, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if err := e.Serialize(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestIsIdentity(t *testing.T) {
	t.Parallel()
	for identity, want := range map[string]bool{
		"pgp:" + strings.Repeat("A", 40):        true,
		"pgp:" + strings.Repeat("A", 16):        false, // a short number, which others can make too
		"pgp:" + strings.Repeat("a", 40):        false,
		"pgp:*":                                 false,
		"key:sha256:" + strings.Repeat("a", 64): true,
		"key:sha256:*":                          false,
		"key:*":                                 false,
		"minisign:" + strings.Repeat("F", 16):   true,
		"ssh:SHA256:" + strings.Repeat("x", 43): true,
		"ssh:SHA256:" + strings.Repeat("x", 42): false,
		"ann@example.com":                       false,
	} {
		if got := pubkey.IsIdentity(identity); got != want {
			t.Errorf("%s: got %v, want %v", identity, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	ed, rsa := strings.TrimSpace(load(t, "ssh_ed.pub")), strings.TrimSpace(load(t, "ssh_rsa.pub"))
	for _, c := range []struct {
		name, file string
		want       int
	}{
		{"one SSH key", ed + "\n", 1},
		{"allowed signers", "# release keys\n\nann@example.com " + ed + "\n  bo@example.com " + rsa + "\n", 2},
		{"PEM", pemKey, 1},
		{"OpenPGP", load(t, "release.pub.asc"), 1},
		{"nothing", "", 1},
	} {
		if got := pubkey.Split(c.file); len(got) != c.want {
			t.Errorf("%s: got %d keys %q, want %d", c.name, len(got), got, c.want)
		}
	}
}

// FuzzRead holds that any text is read or refused with words, and that what is read has an
// identity that a policy can name.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"release.pub.asc", "other.pub.asc", "minisign.pub", "signify.pub", "ssh_ed.pub", "ssh_rsa.pub", "ssh_ec.pub"} {
		f.Add(load(f, name))
	}
	f.Add(pemKey)
	f.Add(`a,b namespaces="file" ssh-ed25519 AAAA`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, one := range pubkey.Split(text) {
			k, err := pubkey.Read(one)
			switch {
			case err == nil && !pubkey.IsIdentity(k.Identity):
				t.Fatalf("identity %q", k.Identity)
			case err != nil && err.Error() == "":
				t.Fatal("refused without words")
			case errors.Is(err, pubkey.ErrPrivate) && !strings.Contains(text, "-----BEGIN") && !strings.Contains(text, "secret"):
				t.Fatal("took it for a private key")
			}
		}
	})
}
