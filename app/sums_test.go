package app

import (
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

// Two signatures as minisign writes them: of the hash of a file, and of a file itself.
const (
	minisigHashed = `untrusted comment: signature from minisign secret key
RURAkKc7YaVvMGxe+FYjwL02WjkzSh4u13FZvr/BpzaESBApj9vVz718pESR+mpE1KjM/u/V7zifEaZ+3/cskOpX2rgE0XeWJAM=
trusted comment: app 1.0, file app.txt
peSbjZIjvKNT1P8RdeJbBvcpk9CZOmCi7u3qvgQ0zxJfS/rvggZJm8IZn7E8for6Jw+YP56jeFV9ULHlSVsxAg==
`
	minisigPlain = `untrusted comment: signature from minisign secret key
RWRAkKc7YaVvMGWd3ba/lUbaFBE9U8DZcSa2mBSdZ80HNUMpL9OthmYxyzzTc50Pp+MSG/7J2tCEw5QMsI6L8drFHWnYTIxmLA8=
trusted comment: legacy
uaTs+xHT2dpuyZoHocHYWofoGdvZ32VdsN8w3wYQ7fQxZsnRdYrKmWwS6VA5raHqqKrh0sjDDtMU+nCgzLLmAA==
`
)

// TestSumsThatEvidenceNeeds: what lies beside an asset decides how it is hashed, in one
// reading, and whether its bytes are held.
func TestSumsThatEvidenceNeeds(t *testing.T) {
	t.Parallel()
	type computed struct {
		SHA384, SHA512, BLAKE2b, Held bool
		States                        int
	}
	line := strings.Repeat("a", 128) + "  app.tar.gz\n"
	for _, test := range []struct {
		name   string
		beside map[string][]byte
		want   computed // of app.tar.gz
	}{
		{"nothing", map[string][]byte{}, computed{States: 1}},
		{"OpenPGP", map[string][]byte{"app.tar.gz.asc": []byte("-----BEGIN PGP SIGNATURE-----\n")}, computed{SHA384: true, SHA512: true, States: 3}},
		{"SSH", map[string][]byte{"app.tar.gz.sig": []byte("-----BEGIN SSH SIGNATURE-----\n")}, computed{SHA512: true, States: 2}},
		{"minisign", map[string][]byte{"app.tar.gz.minisig": []byte(minisigHashed)}, computed{BLAKE2b: true, States: 1}},
		{"minisign of the file itself", map[string][]byte{"app.tar.gz.minisig": []byte(minisigPlain)}, computed{Held: true, States: 1}},
		{"signature beside another asset", map[string][]byte{"b.asc": []byte("-----BEGIN PGP SIGNATURE-----\n"), "b": []byte("b")}, computed{States: 1}},
		{"list of SHA-256", map[string][]byte{"SHA256SUMS": []byte(line[64:])}, computed{States: 1}},
		{"list of SHA-512", map[string][]byte{"SHA512SUMS": []byte(line)}, computed{SHA512: true, States: 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := &looker{}
			s := newStage(t, play{policy: reportPolicy, change: func(c *Config) { c.Scanners = []checks.Scanner{l} }})
			test.beside["app.tar.gz"] = tarball
			s.repo.Release(githubtest.ReleaseOptions{Tag: "v1.0.0", Assets: test.beside})
			s.settle()
			s.advance(time.Minute)
			for _, a := range l.seen.Assets {
				if _, list := checks.ChecksumFile(a.Name); list && string(a.Data) != string(test.beside[a.Name]) {
					t.Errorf("the list %s is not held", a.Name)
				}
				if a.Name != "app.tar.gz" {
					continue
				}
				got := computed{a.SHA384 != "", a.SHA512 != "", a.BLAKE2b != "", a.Data != nil, len(a.States)}
				if d := cmp.Diff(test.want, got); d != "" || a.States[crypto.SHA256] == nil {
					t.Errorf("(-want +got):\n%s", d)
				}
			}
			if reads := len(s.CallsTo("GET /repos/{owner}/{repo}/releases/assets/{asset_id}")); reads != len(test.beside) {
				t.Errorf("%d readings of %d assets", reads, len(test.beside))
			}
		})
	}
}
