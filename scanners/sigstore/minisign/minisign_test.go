package minisign_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/blake2b"

	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/scanners/sigstore/minisign"
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

// TestVerify verifies what minisign and signify wrote, then changes one thing each.
func TestVerify(t *testing.T) {
	t.Parallel()
	app := load(t, "app.txt")
	hashed := blake2b.Sum512(app)
	for _, c := range []struct {
		name, file, key string
		message         []byte
		comment         string
	}{
		{"minisign", "app.txt.minisig", "minisign.pub", hashed[:], "app 1.0, file app.txt"},
		{"minisign of the file itself", "app.txt.legacy.minisig", "minisign.pub", app, "legacy"},
		{"signify", "app.txt.signify.sig", "signify.pub", app, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text, k := load(t, c.file), key(t, c.key)
			s, err := minisign.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(k.Number, k.Ed25519, c.message); err != nil || s.Comment != c.comment || s.Hashed != (len(c.message) == 64) {
				t.Fatalf("got %+v, %v", s, err)
			}
			if err := s.Verify(k.Number, k.Ed25519, append([]byte("x"), c.message...)); !errors.Is(err, minisign.ErrInvalid) {
				t.Errorf("other bytes: got %v", err)
			}
			other := k.Number
			other[0]++
			if err := s.Verify(other, k.Ed25519, c.message); !errors.Is(err, minisign.ErrOtherKey) {
				t.Errorf("other number: got %v", err)
			}
			stranger, _, err := ed25519.GenerateKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(k.Number, stranger, c.message); !errors.Is(err, minisign.ErrInvalid) {
				t.Errorf("other key under the same number: got %v", err)
			}
			if c.comment == "" {
				return
			}
			s, err = minisign.Parse([]byte(strings.Replace(string(text), c.comment, c.comment+"!", 1)))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(k.Number, k.Ed25519, c.message); !errors.Is(err, minisign.ErrComment) {
				t.Errorf("other comment: got %v", err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	whole := string(load(t, "app.txt.minisig"))
	lines := strings.SplitAfter(whole, "\n")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(lines[1]))
	if err != nil {
		t.Fatal(err)
	}
	again := func(mark string) string {
		return lines[0] + base64.StdEncoding.EncodeToString(append([]byte(mark), raw[2:]...)) + "\n"
	}
	for name, text := range map[string]string{
		"nothing": "", "one line": lines[0], "three lines": lines[0] + lines[1] + lines[2], "five lines": whole + "x\n",
		"no comment":                 strings.Join(lines[1:], ""),
		"not base64":                 lines[0] + "!" + lines[1][1:] + lines[2] + lines[3],
		"cut short":                  lines[0] + lines[1][:20] + "\n" + lines[2] + lines[3],
		"no trusted comment":         lines[0] + lines[1] + "comment\n" + lines[3],
		"long comment":               lines[0] + lines[1] + "trusted comment: " + strings.Repeat("a", 8<<10+1) + "\n" + lines[3],
		"comment that is not UTF-8":  lines[0] + lines[1] + "trusted comment: \xff\n" + lines[3],
		"global signature cut short": lines[0] + lines[1] + lines[2] + "AAAA\n",
		"unknown algorithm":          again("Xd") + lines[2] + lines[3],
		"signify with a hash":        again("ED"),
		"too large":                  lines[0] + strings.Repeat("A", 64<<10),
	} {
		if s, err := minisign.Parse([]byte(text)); !errors.Is(err, minisign.ErrFormat) {
			t.Errorf("%s: got %+v, %v", name, s, err)
		}
	}
}

// FuzzParse holds that what is read can be verified without a fault and never by a key that
// signed nothing.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"app.txt.minisig", "app.txt.legacy.minisig", "app.txt.signify.sig"} {
		f.Add(load(f, name))
	}
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := minisign.Parse(text)
		if err == nil && s.Verify(s.Number, public, []byte("app")) == nil {
			t.Fatal("a key that signed nothing verifies")
		}
	})
}
