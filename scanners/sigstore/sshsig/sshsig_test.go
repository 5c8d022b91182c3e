package sshsig_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/pem"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/scanners/sigstore/sshsig"
)

func load(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../testdata/plain/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func key(t *testing.T, name string) pubkey.Key {
	t.Helper()
	k, err := pubkey.Read(string(load(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestVerify verifies what ssh-keygen wrote, then changes one thing each.
func TestVerify(t *testing.T) {
	t.Parallel()
	app := load(t, "app.txt")
	short, long := sha256.Sum256(app), sha512.Sum512(app)
	for _, c := range []struct {
		name, file, key string
		digest          []byte
	}{
		{"Ed25519", "app.txt.ssh_ed.sig", "ssh_ed.pub", long[:]},
		{"RSA", "app.txt.ssh_rsa.sig", "ssh_rsa.pub", long[:]},
		{"ECDSA", "app.txt.ssh_ec.sig", "ssh_ec.pub", long[:]},
		{"SHA-256", "app.txt.ssh_sha256.sig", "ssh_ed.pub", short[:]},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := sshsig.Parse(load(t, c.file))
			if err != nil {
				t.Fatal(err)
			}
			k := key(t, c.key)
			if err := s.Verify(k.SSH, c.digest); err != nil || "ssh:"+s.Fingerprint != k.Identity {
				t.Fatalf("got %+v, %v", s, err)
			}
			other := append([]byte(nil), c.digest...)
			other[0]++
			if err := s.Verify(k.SSH, other); !errors.Is(err, sshsig.ErrInvalid) {
				t.Errorf("other bytes: got %v", err)
			}
			if err := s.Verify(newSigner(t).PublicKey(), c.digest); !errors.Is(err, sshsig.ErrOtherKey) {
				t.Errorf("other key: got %v", err)
			}
		})
	}
}

func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wire is a signature as PROTOCOL.sshsig lays it out, for changing one field.
type wire struct {
	Version   uint32
	PublicKey []byte
	Namespace string
	Reserved  string
	Hash      string
	Signature []byte
}

func armor(w wire) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: append([]byte("SSHSIG"), ssh.Marshal(w)...)})
}

// signed is a genuine signature of digest by s, in parts.
func signed(t *testing.T, s ssh.Signer, digest []byte, namespace, hash string, algorithm string) wire {
	t.Helper()
	data := append([]byte("SSHSIG"), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Digest                    []byte
	}{namespace, "", hash, digest})...)
	var sig *ssh.Signature
	var err error
	if a, ok := s.(ssh.AlgorithmSigner); ok && algorithm != "" {
		sig, err = a.SignWithAlgorithm(rand.Reader, data, algorithm)
	} else {
		sig, err = s.Sign(rand.Reader, data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return wire{1, s.PublicKey().Marshal(), namespace, "", hash, ssh.Marshal(*sig)}
}

// TestParseRefuses starts from a signature that verifies and changes one thing.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	digest := sha512.Sum512([]byte("app"))
	ed := newSigner(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaSigner, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	good := signed(t, ed, digest[:], "file", "sha512", "")
	baseline, err := sshsig.Parse(armor(good))
	if err != nil || baseline.Verify(ed.PublicKey(), digest[:]) != nil {
		t.Fatalf("baseline: %v", err)
	}
	with := func(change func(*wire)) []byte { w := good; change(&w); return armor(w) }
	for _, c := range []struct {
		name string
		text []byte
		want error
	}{
		{"nothing", nil, sshsig.ErrFormat},
		{"too large", append(armor(good), make([]byte, 64<<10)...), sshsig.ErrFormat},
		{"two blocks", append(armor(good), armor(good)...), sshsig.ErrFormat},
		{"another block", []byte(strings.ReplaceAll(string(armor(good)), "SSH SIGNATURE", "SIGNATURE")), sshsig.ErrFormat},
		{"version 2", with(func(w *wire) { w.Version = 2 }), sshsig.ErrFormat},
		{"cut short", pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: []byte("SSHSIG\x00\x00\x00\x01")}), sshsig.ErrFormat},
		{"another magic", pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: []byte("SSHSIX")}), sshsig.ErrFormat},
		{"key that is none", with(func(w *wire) { w.PublicKey = []byte("x") }), sshsig.ErrFormat},
		{"signature that is none", with(func(w *wire) { w.Signature = nil }), sshsig.ErrFormat},
		{"signed for git", armor(signed(t, ed, digest[:], "git", "sha512", "")), sshsig.ErrNamespace},
		{"no namespace", armor(signed(t, ed, digest[:], "", "sha512", "")), sshsig.ErrNamespace},
		{"SHA-1 over the file", armor(signed(t, ed, digest[:], "file", "sha1", "")), sshsig.ErrWeak},
		{"RSA with SHA-1", armor(signed(t, rsaSigner, digest[:], "file", "sha512", ssh.KeyAlgoRSA)), sshsig.ErrWeak},
		{"what git signed", load(t, "app.txt.ssh_git.sig"), sshsig.ErrNamespace},
	} {
		if s, err := sshsig.Parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: got %+v, %v, want %v", c.name, s, err, c.want)
		}
	}
	// What parses but was not signed: each field of the text is bound.
	for name, change := range map[string]func(*wire){
		"reserved":  func(w *wire) { w.Reserved = "x" },
		"hash":      func(w *wire) { w.Hash = "sha256" },
		"signature": func(w *wire) { w.Signature[len(w.Signature)-1] ^= 1 },
	} {
		s, err := sshsig.Parse(with(change))
		if err == nil {
			err = s.Verify(ed.PublicKey(), digest[:])
		}
		if !errors.Is(err, sshsig.ErrInvalid) {
			t.Errorf("%s changed: got %v", name, err)
		}
	}
}

// FuzzParse holds that what is read can be verified without a fault and never by a key that
// signed nothing.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"app.txt.ssh_ed.sig", "app.txt.ssh_rsa.sig", "app.txt.ssh_ec.sig", "app.txt.ssh_git.sig"} {
		f.Add(load(f, name))
	}
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	k, err := ssh.NewPublicKey(public)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := sshsig.Parse(text)
		if err == nil && s.Verify(k, make([]byte, 64)) == nil {
			t.Fatal("a key that signed nothing verifies")
		}
	})
}
