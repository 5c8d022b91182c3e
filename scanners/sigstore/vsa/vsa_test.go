package vsa_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/scanners/sigstore/vsa"
)

var (
	sumApp = strings.Repeat("a1", 32)
	other  = strings.Repeat("b2", 32)
	now    = time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	want   = vsa.Expected{
		SHA256: sumApp, VerifierID: "https://landwaiter.example.com", MinLevel: 2,
		ResourceURI: "https://github.com/acme/app/releases/download/v1.2.0/app.tar.gz",
	}
	private    = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	strangeKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
)

// statement is a summary that verifies.
func statement() summary.Statement {
	return summary.Statement{
		Type: "https://in-toto.io/Statement/v1", PredicateType: summary.PredicateType,
		Subject: []summary.Subject{{Name: "app.tar.gz", Digest: summary.Digest{"sha256": sumApp}}},
		Predicate: summary.Predicate{
			Verifier: summary.VerifierID{ID: want.VerifierID}, TimeVerified: "2026-11-28T09:59:00Z", ResourceURI: want.ResourceURI,
			Policy:             summary.Resource{URI: "landwaiter:recommended@1", Digest: summary.Digest{"sha256": other}},
			InputAttestations:  []summary.Resource{{URI: "https://github.com/acme/app/attestations", Digest: summary.Digest{"sha256": other}}},
			VerificationResult: "PASSED", VerifiedLevels: []string{"SLSA_BUILD_LEVEL_3"}, SLSAVersion: "1.0",
		},
	}
}

func publicPEM(t testing.TB, key ed25519.PrivateKey) (text []byte, id string) {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	id, err = pubkey.KeyID(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), id
}

func keys(t testing.TB, list ...ed25519.PrivateKey) []vsa.Key {
	t.Helper()
	var text []byte
	for _, k := range list {
		one, _ := publicPEM(t, k)
		text = append(append(text, "a key\n"...), one...)
	}
	found, err := vsa.ReadKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sign signs any text as a payload.
func sign(t testing.TB, key ed25519.PrivateKey, payload string) []byte {
	t.Helper()
	_, id := publicPEM(t, key)
	line, err := json.Marshal(summary.Envelope{
		PayloadType: summary.PayloadType, Payload: b64(payload),
		Signatures: []summary.Signature{{KeyID: id, Sig: b64(string(ed25519.Sign(key, summary.PAE(summary.PayloadType, []byte(payload)))))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func b64(s string) string {
	text, err := json.Marshal([]byte(s))
	if err != nil {
		panic(err)
	}
	return strings.Trim(string(text), `"`)
}

func textOf(t testing.TB, s summary.Statement) string {
	t.Helper()
	text, err := s.Text()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestVerifies is the baseline that TestV71 changes one thing of.
func TestVerifies(t *testing.T) {
	t.Parallel()
	line := sign(t, private, textOf(t, statement()))
	elsewhere := statement()
	elsewhere.Subject[0].Digest["sha256"] = other
	_, id := publicPEM(t, private)
	for name, file := range map[string][]byte{
		"alone":                    line,
		"after another asset":      append(append(sign(t, private, textOf(t, elsewhere)), '\n'), line...),
		"after one of a stranger":  append(append(sign(t, strangeKey, textOf(t, statement())), '\n'), line...),
		"with unknown fields":      sign(t, private, strings.Replace(textOf(t, statement()), `"slsaVersion"`, `"dependencyLevels":{"SLSA_BUILD_LEVEL_2":4},"more":[1],"slsaVersion"`, 1)),
		"with levels of their own": sign(t, private, strings.Replace(textOf(t, statement()), `"SLSA_BUILD_LEVEL_3"`, `"SLSA_BUILD_LEVEL_3","SLSA_SOURCE_LEVEL_2","ACME_REVIEWED","ACME_REVIEWED"`, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, by := range [][]vsa.Key{keys(t, private), keys(t, strangeKey, private)} {
				got, err := vsa.Verify(file, by, want, now)
				if name == "after one of a stranger" && len(by) == 2 {
					continue // it verifies, and says the same
				}
				if err != nil || got.Problem != nil {
					t.Fatalf("%v, %+v", err, got.Problem)
				}
				got.Summary.Levels = nil
				whole := vsa.Summary{
					Name: "app.tar.gz", VerifierID: want.VerifierID, ResourceURI: want.ResourceURI, Time: now.Add(-time.Minute),
					PolicyURI: "landwaiter:recommended@1", PolicyHash: "sha256:" + other, Level: 3, KeyID: id,
				}
				if diff := cmp.Diff(whole, got.Summary); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				for _, s := range got.Steps {
					if s.State != checks.StepHolds {
						t.Errorf("step %s: %s", s.Name, s.State)
					}
				}
			}
		})
	}
}

// TestV71 changes one thing of a summary that verifies, and asserts the one reason.
func TestV71(t *testing.T) {
	t.Parallel()
	edit := func(old, now string) func(*testing.T) []byte {
		return func(t *testing.T) []byte {
			text := textOf(t, statement())
			changed := strings.Replace(text, old, now, 1)
			if changed == text {
				t.Fatalf("%s is not in %s", old, text)
			}
			return sign(t, private, changed)
		}
	}
	good := func(t *testing.T) []byte { return sign(t, private, textOf(t, statement())) }
	damage := func(old, now string) func(*testing.T) []byte {
		return func(t *testing.T) []byte {
			line := good(t)
			changed := bytes.Replace(line, []byte(old), []byte(now), 1)
			if bytes.Equal(line, changed) {
				t.Fatalf("%s is not in %s", old, line)
			}
			return changed
		}
	}
	for _, c := range []struct {
		name, code string
		file       func(*testing.T) []byte
	}{
		{"wrong subject", checks.CodeDigestMismatch, edit(sumApp, other)},
		{"subject by another algorithm", checks.CodeDigestMismatch, edit(`"sha256":"`+sumApp, `"gitBlob":"`+sumApp)},
		{"no subject", checks.CodeStatementInvalid, edit(`[{"name":"app.tar.gz","digest":{"sha256":"`+sumApp+`"}}]`, `[]`)},
		{"wrong verifier", checks.CodeVerifierMismatch, edit(`"id":"https://landwaiter.example.com"`, `"id":"https://landwaiter.example.com.evil.example"`)},
		{"verifier in other case", checks.CodeVerifierMismatch, edit(`"id":"https://landwaiter.example.com"`, `"id":"https://Landwaiter.example.com"`)},
		{"verifier empty", checks.CodeSummaryIncomplete, edit(`"id":"https://landwaiter.example.com"`, `"id":""`)},
		{"verifier missing", checks.CodeSummaryIncomplete, edit(`"verifier":{"id":"https://landwaiter.example.com"},`, ``)},
		{"verifier null", checks.CodeSummaryIncomplete, edit(`{"id":"https://landwaiter.example.com"}`, `null`)},
		{"verifier a text", checks.CodeSummaryIncomplete, edit(`{"id":"https://landwaiter.example.com"}`, `"https://landwaiter.example.com"`)},
		{"wrong resource", checks.CodeResourceMismatch, edit("v1.2.0/app.tar.gz", "v1.1.0/app.tar.gz")},
		{"resource empty", checks.CodeSummaryIncomplete, edit(want.ResourceURI, "")},
		{"resource spelled otherwise", checks.CodeSummaryIncomplete, edit(`"resourceUri"`, `"resourceURI"`)},
		{"wrong type", checks.CodePredicateType, edit(summary.PredicateType, "https://slsa.dev/provenance/v1")},
		{"older type", checks.CodePredicateType, edit(summary.PredicateType, "https://slsa.dev/verification_summary/v0.2")},
		{"type empty", checks.CodeStatementInvalid, edit(summary.PredicateType, "")},
		{"statement of another type", checks.CodeStatementInvalid, edit("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v9")},
		{"failed", checks.CodeSummaryFailed, edit("PASSED", "FAILED")},
		{"failed, and passed in other case", checks.CodeSummaryFailed, edit(`"verificationResult":"PASSED"`, `"verificationResult":"FAILED","VerificationResult":"PASSED"`)},
		{"passed in small letters", checks.CodeSummaryFailed, edit("PASSED", "passed")},
		{"result twice", checks.CodeStatementInvalid, edit(`"verificationResult":"PASSED"`, `"verificationResult":"FAILED","verificationResult":"PASSED"`)},
		{"result empty", checks.CodeSummaryIncomplete, edit("PASSED", "")},
		{"level too low", checks.CodeLevelNotReached, edit("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_1")},
		{"level not evaluated", checks.CodeLevelNotReached, edit("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_UNEVALUATED")},
		{"level of another track", checks.CodeLevelNotReached, edit("SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_3")},
		{"level that does not exist", checks.CodeLevelNotReached, edit("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_9")},
		{"level with a tail", checks.CodeLevelNotReached, edit("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_3_ALMOST")},
		{"two levels of one track", checks.CodeLevelsConflict, edit(`"SLSA_BUILD_LEVEL_3"`, `"SLSA_BUILD_LEVEL_3","SLSA_BUILD_LEVEL_1"`)},
		{"two levels of a track not asked for", checks.CodeLevelsConflict, edit(`"SLSA_BUILD_LEVEL_3"`, `"SLSA_BUILD_LEVEL_3","SLSA_SOURCE_LEVEL_1","SLSA_SOURCE_LEVEL_UNEVALUATED"`)},
		{"no levels", checks.CodeSummaryIncomplete, edit(`["SLSA_BUILD_LEVEL_3"]`, `[]`)},
		{"an empty level", checks.CodeSummaryIncomplete, edit(`"SLSA_BUILD_LEVEL_3"`, `"SLSA_BUILD_LEVEL_3",""`)},
		{"levels a text", checks.CodeSummaryIncomplete, edit(`["SLSA_BUILD_LEVEL_3"]`, `"SLSA_BUILD_LEVEL_3"`)},
		{"policy missing", checks.CodeSummaryIncomplete, edit(`"uri":"landwaiter:recommended@1"`, `"uri":""`)},
		{"time missing", checks.CodeSummaryIncomplete, edit(`"timeVerified":"2026-11-28T09:59:00Z",`, ``)},
		{"time no time", checks.CodeSummaryIncomplete, edit("2026-11-28T09:59:00Z", "yesterday")},
		{"time in the future", checks.CodeTimeInvalid, edit("2026-11-28T09:59:00Z", "2026-11-28T10:06:00Z")},
		{"no predicate", checks.CodeSummaryIncomplete, func(t *testing.T) []byte {
			text, _, _ := strings.Cut(textOf(t, statement()), `,"predicate":`)
			return sign(t, private, text+"}")
		}},
		{"unknown field of the statement", checks.CodeStatementInvalid, edit(`"predicate":`, `"also":1,"predicate":`)},
		{"another key", checks.CodeSignerMismatch, func(t *testing.T) []byte { return sign(t, strangeKey, textOf(t, statement())) }},
		{"another key under our id", checks.CodeSignatureInvalid, func(t *testing.T) []byte {
			_, ours := publicPEM(t, private)
			_, theirs := publicPEM(t, strangeKey)
			return bytes.ReplaceAll(sign(t, strangeKey, textOf(t, statement())), []byte(theirs), []byte(ours))
		}},
		{"payload changed", checks.CodeSignatureInvalid, damage(`"payload":"eyJf`, `"payload":"eyJg`)},
		{"payload type changed", checks.CodeStatementInvalid, damage("application/vnd.in-toto+json", "application/json")},
		{"no signature", checks.CodeStatementInvalid, func(t *testing.T) []byte {
			head, _, _ := bytes.Cut(good(t), []byte(`"signatures":`))
			return append(head, `"signatures":[]}`...)
		}},
		{"two signatures", checks.CodeStatementInvalid, func(t *testing.T) []byte {
			line := good(t)
			_, one, _ := bytes.Cut(line, []byte(`"signatures":[`))
			one = bytes.TrimSuffix(one, []byte("]}"))
			return bytes.Replace(line, one, append(append(bytes.Clone(one), ','), one...), 1)
		}},
		{"signature not base64", checks.CodeStatementInvalid, damage(`"sig":"`, `"sig":"%`)},
		{"a bundle", checks.CodeNotReadable, func(*testing.T) []byte {
			return []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`)
		}},
		{"HTML", checks.CodeNotReadable, func(*testing.T) []byte { return []byte("<html>404</html>") }},
		{"empty", checks.CodeNotReadable, func(*testing.T) []byte { return nil }},
		{"cut", checks.CodeNotReadable, func(t *testing.T) []byte { line := good(t); return line[:len(line)-9] }},
		{"over 8 MiB", checks.CodeTooLarge, func(*testing.T) []byte { return bytes.Repeat([]byte(" "), 8<<20+1) }},
		{"too many", checks.CodeTooLarge, func(*testing.T) []byte { return bytes.Repeat([]byte("{}\n"), 2001) }},
		{"too deep", checks.CodeTooLarge, func(*testing.T) []byte { return bytes.Repeat([]byte("["), 100) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := vsa.Verify(c.file(t), keys(t, private), want, now)
			if err != nil {
				t.Fatal(err)
			}
			if got.Problem == nil || got.Problem.Code != c.code || got.Problem.Message == "" {
				t.Errorf("got %+v, want %s", got.Problem, c.code)
			}
			for _, s := range got.Steps {
				if s.State == checks.StepHolds && s.Found == "" {
					t.Errorf("step %s holds and found nothing", s.Name)
				}
			}
		})
	}
}

// TestV71Nearest: of several summaries the reason of the one about the file is told.
func TestV71Nearest(t *testing.T) {
	t.Parallel()
	elsewhere, failed := statement(), statement()
	elsewhere.Subject[0].Digest["sha256"] = other
	failed.Predicate.VerificationResult = "FAILED"
	file := bytes.Join([][]byte{
		sign(t, private, textOf(t, elsewhere)), sign(t, private, textOf(t, failed)), sign(t, strangeKey, textOf(t, statement())),
	}, []byte("\n"))
	got, err := vsa.Verify(file, keys(t, private), want, now)
	if err != nil || got.Problem == nil || got.Problem.Code != checks.CodeSummaryFailed {
		t.Errorf("%v, %+v", err, got.Problem)
	}
	if n := len(got.Steps); n == 0 || got.Steps[n-1].State != checks.StepNotReached || got.Steps[n-2].State != checks.StepFails {
		t.Errorf("steps %+v", got.Steps)
	}
}

// TestV71EmptyExpectations: an empty expectation would accept anybody, so it is an error.
func TestV71EmptyExpectations(t *testing.T) {
	t.Parallel()
	line := sign(t, private, textOf(t, statement()))
	for name, change := range map[string]func(*vsa.Expected){
		"digest": func(e *vsa.Expected) { e.SHA256 = "" }, "short digest": func(e *vsa.Expected) { e.SHA256 = "a1" },
		"verifier": func(e *vsa.Expected) { e.VerifierID = "" }, "resource": func(e *vsa.Expected) { e.ResourceURI = "" },
		"level": func(e *vsa.Expected) { e.MinLevel = 4 },
	} {
		e := want
		change(&e)
		if got, err := vsa.Verify(line, keys(t, private), e, now); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got, err := vsa.Verify(line, nil, want, now); err == nil {
		t.Errorf("no keys: %+v", got)
	}
}

// TestReadKeys: what is no public key, or too weak, is an error that says so.
func TestReadKeys(t *testing.T) {
	t.Parallel()
	private, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing": "", "words": "the key is on our page",
		"private": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"damaged": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})),
	} {
		if k, err := vsa.ReadKeys([]byte(text)); err == nil || strings.Contains(err.Error(), "MC4") {
			t.Errorf("%s: %d keys, %v", name, len(k), err)
		}
	}
}

// FuzzVerify: nothing that a stranger writes panics or verifies, and nothing unsigned is believed.
func FuzzVerify(f *testing.F) {
	good := sign(f, private, textOf(f, statement()))
	f.Add(good)
	f.Add(sign(f, strangeKey, textOf(f, statement())))
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"keyid":"","sig":""}]}`))
	f.Add([]byte(`[{"payload":{}}]`))
	by := keys(f, private)
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := vsa.Verify(file, by, want, now)
		if err != nil {
			t.Fatal(err)
		}
		if got.Problem == nil && !bytes.Contains(file, []byte("eyJf")) && !bytes.Contains(file, []byte(`\u`)) {
			t.Fatalf("%s verifies", file)
		}
	})
}

func raw(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
