package sigstore

import (
	"encoding/json"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// FuzzSplit holds that any file is cut into pieces that are JSON or carry a Problem, and
// that reading them never fails otherwise.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`, `[{"bundle":null}]`, "{}\n{}", `{"attestations":[[]]}`,
		`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}`,
		`{"base64Signature":"AA==","rekorBundle":{"Payload":{}}}`, "<html>",
	} {
		f.Add([]byte(seed), []byte(nil), []byte(nil))
	}
	f.Add([]byte(nil), []byte("MEUCIQ=="), []byte("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"))
	s, shelf := &Scanner{}, newShelf([]checks.Asset{{Name: "a", SHA256: sha("a")}})
	f.Fuzz(func(t *testing.T, data, signature, certificate []byte) {
		pieces := split(&checks.Bundle{For: "a", Data: data, Signature: signature, Certificate: certificate})
		if len(pieces) == 0 {
			t.Fatal("a file disappeared")
		}
		for _, p := range pieces {
			if (p.form == formNothing) != (p.problem != nil) || len(p.data) > 0 && !json.Valid(p.data) {
				t.Fatalf("piece %+v", p)
			}
			c := s.examine(p, shelf)
			if c.out.Problem == nil && len(c.assets) == 0 {
				t.Fatalf("a piece about nothing has no problem: %+v", c.out)
			}
			if c.out.Problem != nil && c.out.Problem.Message == "" {
				t.Fatalf("a problem without words: %+v", c.out.Problem)
			}
		}
	})
}
