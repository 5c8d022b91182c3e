package sums_test

import (
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/sums"
)

func TestFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, signature string
		want            sums.Wanted
	}{
		{"armored OpenPGP", "\n-----BEGIN PGP SIGNATURE-----\n", sums.Wanted{SHA384: true, SHA512: true}},
		{"binary OpenPGP, short length", "\x88\x8a\x04\x00\x16\x08", sums.Wanted{SHA384: true, SHA512: true}},
		{"binary OpenPGP, two bytes of length", "\x89\x01\x33\x04\x00\x01", sums.Wanted{SHA384: true, SHA512: true}},
		{"binary OpenPGP, new format", "\xc2\xc0\x33\x04\x00\x01", sums.Wanted{SHA384: true, SHA512: true}},
		{"raw bytes that begin alike", "\x88\x8a\x99\x00\x16\x08", sums.Wanted{}},
		{"SSH", "-----BEGIN SSH SIGNATURE-----\n", sums.Wanted{SHA512: true}},
		{"minisign of a hash", "untrusted comment: a\nRURAkKc7YaVvMGxe+FYjwL02WjkzSh4u13FZvr/BpzaESBApj9vVz718pESR+mpE1KjM/u/V7zifEaZ+3/cskOpX2rgE0XeWJAM=\n", sums.Wanted{BLAKE2b: true}},
		{"minisign of the file", "untrusted comment: a\nRWRAkKc7YaVvMGWd3ba/lUbaFBE9U8DZcSa2mBSdZ80HNUMpL9OthmYxyzzTc50Pp+MSG/7J2tCEw5QMsI6L8drFHWnYTIxmLA8=\n", sums.Wanted{Bytes: true}},
		{"cosign", "MEUCIQDx", sums.Wanted{}},
		{"nothing", "", sums.Wanted{}},
	} {
		if got := sums.For([]byte(c.signature)); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestForList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		hex  int
		want sums.Wanted
	}{
		{"SHA-256", 64, sums.Wanted{}}, {"SHA-384", 96, sums.Wanted{SHA384: true}}, {"SHA-512", 128, sums.Wanted{SHA512: true}}, {"longer", 129, sums.Wanted{}},
	} {
		line := strings.Repeat("aB", 65)[:c.hex]
		for _, text := range []string{line, line + "  app\n", "SHA (app) = " + line + "\n"} {
			if got := sums.ForList([]byte(text)); got != c.want {
				t.Errorf("%s: %q: got %+v, want %+v", c.name, text, got, c.want)
			}
		}
	}
}

// TestResume holds that hashing on from a state gives what hashing all gives, wherever the
// file was cut into writes.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 63, 64, 111, 128, 1000} {
		data := []byte(strings.Repeat("x", size))
		h := sums.New(sums.Wanted{SHA384: true, SHA512: true, BLAKE2b: true})
		for i := 0; i < size; i += 37 {
			if n, err := h.Write(data[i:min(i+37, size)]); err != nil || n == 0 {
				t.Fatal(n, err)
			}
		}
		got := h.Sums()
		s256, s384, s512 := sha256.Sum256(data), sha512.Sum384(data), sha512.Sum512(data)
		want := []string{hex.EncodeToString(s256[:]), hex.EncodeToString(s384[:]), hex.EncodeToString(s512[:])}
		if diff := cmp.Diff(want, []string{got.SHA256, got.SHA384, got.SHA512}); diff != "" || len(got.BLAKE2b) != 128 {
			t.Errorf("%d bytes (-want +got):\n%s", size, diff)
		}
		for _, name := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			f, err := sums.Resume(name, got.States[name])
			if err != nil {
				t.Fatal(err)
			}
			f.Write([]byte("tail"))
			whole := name.New()
			whole.Write(append(data[:size:size], "tail"...))
			if want, got := fmt.Sprintf("%x", whole.Sum(nil)), fmt.Sprintf("%x", f.Sum(nil)); want != got {
				t.Errorf("%v of %d bytes: got %s, want %s", name, size, got, want)
			}
		}
	}
}

func TestResumeRefuses(t *testing.T) {
	t.Parallel()
	state := sums.Of([]byte("a"), sums.Wanted{SHA512: true}).States
	for name, f := range map[string]func() error{
		"another function":     func() error { _, err := sums.Resume(crypto.MD5, nil); return err },
		"no state":             func() error { _, err := sums.Resume(crypto.SHA256, nil); return err },
		"a state cut short":    func() error { _, err := sums.Resume(crypto.SHA256, state[crypto.SHA256][:9]); return err },
		"another one's state":  func() error { _, err := sums.Resume(crypto.SHA256, state[crypto.SHA512]); return err },
		"SHA-384 from SHA-512": func() error { _, err := sums.Resume(crypto.SHA384, state[crypto.SHA512]); return err },
	} {
		if f() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// BenchmarkHasher shows what each further hash function costs.
func BenchmarkHasher(b *testing.B) {
	data := make([]byte, 1<<20)
	for name, w := range map[string]sums.Wanted{
		"sha256": {}, "openpgp": {SHA384: true, SHA512: true}, "ssh": {SHA512: true}, "minisign": {BLAKE2b: true},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			h := sums.New(w)
			for b.Loop() {
				h.Write(data)
			}
		})
	}
}
