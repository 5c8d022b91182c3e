package pgp_test

import (
	"bytes"
	"crypto"
	"errors"
	"hash"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/checks/sums"
	"github.com/landwaiter/landwaiter/scanners/sigstore/pgp"
)

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func load(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../testdata/plain/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func entity(t *testing.T, name string) *openpgp.Entity {
	t.Helper()
	k, err := pubkey.Read(string(load(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return k.OpenPGP
}

// file is data as a scan has it: hashed in a stream, and held only when asked.
func file(data []byte, held bool) pgp.File {
	s := sums.Of(data, sums.Wanted{SHA384: true, SHA512: true})
	f := pgp.File{Hashed: func(h crypto.Hash) (hash.Hash, error) { return sums.Resume(h, s.States[h]) }}
	if held {
		f.Bytes = data
	}
	return f
}

// TestVerify verifies what gpg wrote, then changes one thing each.
func TestVerify(t *testing.T) {
	t.Parallel()
	app := load(t, "app.txt")
	release, other := entity(t, "release.pub.asc"), entity(t, "other.pub.asc")
	for _, c := range []struct {
		name, file string
		key        *openpgp.Entity
		held       bool
		want       error
	}{
		{"subkey, armored", "app.txt.asc", release, false, nil},
		{"subkey, binary", "app.txt.pgp.sig", release, false, nil},
		{"RSA", "app.txt.rsa.asc", other, false, nil},
		{"text, held", "app.txt.text.asc", other, true, nil},
		{"text, not held", "app.txt.text.asc", other, false, pgp.ErrUnsupported},
		{"SHA-1", "app.txt.sha1.asc", other, false, pgp.ErrWeakHash},
		{"another key", "app.txt.asc", other, false, pgp.ErrOtherKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			list, err := pgp.Parse(load(t, c.file))
			if err != nil || len(list) != 1 {
				t.Fatalf("got %d, %v", len(list), err)
			}
			if err := list[0].Verify(c.key, file(app, c.held), now); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.want != nil {
				return
			}
			if err := list[0].Verify(c.key, file(slices.Concat(app, []byte{'!'}), c.held), now); !errors.Is(err, pgp.ErrInvalid) {
				t.Errorf("other bytes: got %v", err)
			}
			if err := list[0].Verify(c.key, file(app, c.held), now.AddDate(-1, 0, 0)); !errors.Is(err, pgp.ErrTime) {
				t.Errorf("before it was made: got %v", err)
			}
			empty := pgp.File{Hashed: func(crypto.Hash) (hash.Hash, error) { return nil, errors.New("not kept") }}
			if err := list[0].Verify(c.key, empty, now); !errors.Is(err, pgp.ErrUnsupported) {
				t.Errorf("without what is needed of the file: got %v", err)
			}
		})
	}
	two, err := pgp.Parse(load(t, "app.txt.two.asc"))
	if err != nil || len(two) != 2 {
		t.Fatalf("two signers: got %d, %v", len(two), err)
	}
	for _, s := range two {
		if s.Verify(release, file(app, false), now) != nil && s.Verify(other, file(app, false), now) != nil {
			t.Error("a signature of two holds under neither key")
		}
	}
}

// made is a key and a signature by it, with everything about them free.
type made struct {
	entity *openpgp.Entity
	config *packet.Config
	at     time.Time // of the signature
}

func newMade(t *testing.T, lifetime time.Duration) *made {
	t.Helper()
	m := &made{at: now.Add(-24 * time.Hour)}
	born := now.AddDate(0, -6, 0)
	m.config = &packet.Config{
		DefaultHash: crypto.SHA512, Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: uint32(lifetime / time.Second),
		Time: func() time.Time { return born },
	}
	var err error
	if m.entity, err = openpgp.NewEntity("Ann", "", "ann@example.com", m.config); err != nil {
		t.Fatal(err)
	}
	return m
}

// verify signs the file at m.at and verifies the signature with the public half of the key.
func (m *made) verify(t *testing.T, data string) error {
	t.Helper()
	var text bytes.Buffer
	c := *m.config
	c.Time = func() time.Time { return m.at }
	signer := &packet.Signature{
		Version: 4, SigType: packet.SigTypeBinary, PubKeyAlgo: m.entity.PrimaryKey.PubKeyAlgo, Hash: c.DefaultHash,
		CreationTime: m.at, IssuerKeyId: &m.entity.PrimaryKey.KeyId, IssuerFingerprint: m.entity.PrimaryKey.Fingerprint,
	}
	if c.SigLifetimeSecs != 0 {
		signer.SigLifetimeSecs = &c.SigLifetimeSecs
	}
	h := c.DefaultHash.New()
	h.Write([]byte(data))
	if err := signer.Sign(h, m.entity.PrivateKey, &c); err != nil {
		t.Fatal(err)
	}
	if err := signer.Serialize(&text); err != nil {
		t.Fatal(err)
	}
	var public bytes.Buffer
	if err := m.entity.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	list, err := openpgp.ReadKeyRing(&public)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := pgp.Parse(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return parsed[0].Verify(list[0], file([]byte(data), true), now)
}

// TestVerifyLife changes one thing about the life of a key or a signature. The baseline holds.
func TestVerifyLife(t *testing.T) {
	t.Parallel()
	revoke := func(reason packet.ReasonForRevocation, at time.Time) func(*testing.T, *made) {
		return func(t *testing.T, m *made) {
			t.Helper()
			c := *m.config
			c.Time = func() time.Time { return at }
			if err := m.entity.RevokeKey(reason, "", &c); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name     string
		lifetime time.Duration
		change   func(*testing.T, *made)
		want     error
	}{
		{"baseline", 0, func(*testing.T, *made) {}, nil},
		{"signed before the key was made", 0, func(_ *testing.T, m *made) { m.at = now.AddDate(-1, 0, 0) }, pgp.ErrTime},
		{"signed in the future", 0, func(_ *testing.T, m *made) { m.at = now.Add(time.Hour) }, pgp.ErrTime},
		{"clock a little behind", 0, func(_ *testing.T, m *made) { m.at = now.Add(time.Minute) }, nil},
		{"key in force, then expired", 6 * 30 * 24 * time.Hour, func(_ *testing.T, m *made) { m.at = now.AddDate(0, -5, 0) }, nil},
		{"signed after the key expired", 30 * 24 * time.Hour, func(*testing.T, *made) {}, pgp.ErrTime},
		{"signature that has expired", 0, func(_ *testing.T, m *made) { m.config.SigLifetimeSecs = 3600 }, pgp.ErrTime},
		{"signature in force", 0, func(_ *testing.T, m *made) { m.config.SigLifetimeSecs = 7 * 24 * 3600 }, nil},
		{"revoked as compromised, later", 0, revoke(packet.KeyCompromised, now), pgp.ErrKey},
		{"revoked without a reason, later", 0, revoke(packet.NoReason, now), pgp.ErrKey},
		{"replaced after it signed", 0, revoke(packet.KeySuperseded, now), nil},
		{"replaced before it signed", 0, revoke(packet.KeySuperseded, now.AddDate(0, -2, 0)), pgp.ErrKey},
		{"retired before it signed", 0, revoke(packet.KeyRetired, now.AddDate(0, -2, 0)), pgp.ErrKey},
		{"not meant for signing", 0, func(t *testing.T, m *made) {
			t.Helper()
			for _, id := range m.entity.Identities {
				id.SelfSignature.FlagSign = false
				if err := id.SelfSignature.SignUserId(id.UserId.Id, m.entity.PrimaryKey, m.entity.PrivateKey, m.config); err != nil {
					t.Fatal(err)
				}
			}
		}, pgp.ErrKey},
		{"SHA-384", 0, func(_ *testing.T, m *made) { m.config.DefaultHash = crypto.SHA384 }, nil},
		{"SHA-224", 0, func(_ *testing.T, m *made) { m.config.DefaultHash = crypto.SHA224 }, pgp.ErrWeakHash},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMade(t, c.lifetime)
			c.change(t, m)
			if err := m.verify(t, "app"); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	whole := load(t, "app.txt.asc")
	binary := load(t, "app.txt.pgp.sig")
	for name, data := range map[string][]byte{
		"nothing": nil, "a word": []byte("hello"), "cut short": binary[:20], "armor cut short": whole[:100],
		"text signed inside":  load(t, "app.txt.clear.asc"),
		"a public key":        load(t, "release.pub.asc"),
		"too large":           append(whole, make([]byte, 64<<10)...),
		"seventeen":           bytes.Repeat(binary, 17),
		"something else too":  append(append([]byte(nil), binary...), 0xb4, 1, 'x'), // a user id
		"signature over keys": append([]byte{0x88, binary[1], 4, 0x18}, binary[4:]...),
	} {
		if list, err := pgp.Parse(data); !errors.Is(err, pgp.ErrFormat) {
			t.Errorf("%s: got %d, %v", name, len(list), err)
		}
	}
}

// FuzzParse holds that what is read can be verified without a fault and never by a key that
// signed nothing.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"app.txt.asc", "app.txt.pgp.sig", "app.txt.rsa.asc", "app.txt.text.asc", "app.txt.two.asc"} {
		f.Add(load(f, name))
	}
	e, err := openpgp.NewEntity("Ann", "", "", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return now.AddDate(-1, 0, 0) }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := pgp.Parse(data)
		if err != nil {
			return
		}
		for _, s := range list {
			if s.Verify(e, file([]byte("app"), true), now) == nil || s.Issuer() == "" {
				t.Fatal("a key that signed nothing verifies")
			}
		}
	})
}

// TestKeyMade: what counts is the key that signed, here a subkey younger than the primary key.
func TestKeyMade(t *testing.T) {
	t.Parallel()
	release := entity(t, "release.pub.asc")
	young := release.PrimaryKey.CreationTime.AddDate(1, 0, 0)
	for i := range release.Subkeys {
		release.Subkeys[i].PublicKey.CreationTime = young
	}
	list, err := pgp.Parse(load(t, "app.txt.asc"))
	if err != nil {
		t.Fatal(err)
	}
	if got := list[0].KeyMade(release); !got.Equal(young) {
		t.Errorf("got %s, want the time of the subkey, %s", got, young)
	}
	if got := list[0].KeyMade(entity(t, "other.pub.asc")); !got.IsZero() {
		t.Errorf("of a key that did not sign: got %s", got)
	}
}
