package sigstore

import (
	"fmt"
	"strings"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/sigstoretest"
)

// subject is one with these digests.
func subject(digests ...string) sigstoretest.Subject {
	s := sigstoretest.Subject{Name: "app.tar.gz", Digest: map[string]string{}}
	for i := 0; i+1 < len(digests); i += 2 {
		s.Digest[digests[i]] = digests[i+1]
	}
	return s
}

// about makes the statement about other subjects.
func about(subjects ...sigstoretest.Subject) func(f *fixture) {
	return func(f *fixture) { f.recipe.Statement = sigstoretest.Provenance(f.t, acme(), subjects...) }
}

// rewrite changes the text of the statement before it is signed.
func rewrite(old, replacement string) func(f *fixture) {
	return func(f *fixture) {
		text := string(f.recipe.Statement)
		if !strings.Contains(text, old) {
			f.t.Fatalf("the statement holds no %q: %s", old, text)
		}
		f.recipe.Statement = []byte(strings.Replace(text, old, replacement, 1))
	}
}

func TestV03V06V07V10Digests(t *testing.T) {
	t.Parallel()
	commit, long := strings.Repeat("1", 40), strings.Repeat("2", 128)
	many := make([]sigstoretest.Subject, 1_025)
	for i := range many {
		many[i] = subject("sha256", sha(fmt.Sprint(i)))
	}
	many[7] = subject("sha256", sha(artifact))
	runChanges(t, []change{
		{name: "V03 empty digest of a subject", before: about(subject("sha256", "")), want: checks.CodeDigestInvalid},
		{name: "V03 no digest of a subject", before: about(subject()), want: checks.CodeDigestInvalid},
		{name: "V03 empty digest beside the right one", before: about(subject("sha256", sha(artifact), "sha1", "")), want: checks.CodeDigestInvalid},
		{name: "V06 only SHA-1", before: about(subject("sha1", commit)), want: checks.CodeDigestWeak},
		{name: "V06 only a git commit", before: about(subject("gitCommit", commit)), want: checks.CodeDigestWeak},
		{name: "V06 SHA-1 beside the right digest", before: about(subject("sha1", commit, "sha256", sha(artifact)))},
		{name: "V07 SHA-256 right, SHA-512 wrong", before: func(f *fixture) {
			f.asset.SHA512 = strings.Repeat("3", 128)
			about(subject("sha256", sha(artifact), "sha512", long))(f)
		}, want: checks.CodeDigestConflict},
		{name: "V07 SHA-512 right, SHA-256 wrong", before: func(f *fixture) {
			f.asset.SHA512 = long
			about(subject("sha256", sha("other"), "sha512", long))(f)
		}, want: checks.CodeDigestConflict},
		{name: "both right", before: func(f *fixture) {
			f.asset.SHA512 = long
			about(subject("sha256", sha(artifact), "sha512", long))(f)
		}},
		{name: "only SHA-512, right", before: func(f *fixture) {
			f.asset.SHA512 = long
			about(subject("sha512", long))(f)
		}},
		{name: "only SHA-512, not computed here", before: about(subject("sha512", long)), want: checks.CodeNotReadable},
		{name: "upper case", before: about(subject("sha256", strings.ToUpper(sha(artifact))))},
		{name: "upper case in the asset", before: func(f *fixture) { f.asset.SHA256 = strings.ToUpper(f.asset.SHA256) }},
		{name: "upper case algorithm", before: about(subject("SHA256", sha(artifact))), want: checks.CodeNotReadable},
		{name: "V10 no subject", before: about(), want: checks.CodeStatementInvalid},
		{name: "V10 1025 subjects", before: about(many...), want: checks.CodeStatementInvalid},
		{name: "V10 1024 subjects", before: about(many[:1_024]...)},
		{name: "V10 digest not hexadecimal", before: about(subject("sha256", strings.Repeat("x", 64))), want: checks.CodeStatementInvalid},
		{name: "V10 digest too short", before: about(subject("sha256", sha(artifact)[:62])), want: checks.CodeStatementInvalid},
		{name: "V10 33 digests", before: func(f *fixture) {
			s := subject("sha256", sha(artifact))
			for i := range 32 {
				s.Digest[fmt.Sprint("a", i)] = "00"
			}
			about(s)(f)
		}, want: checks.CodeStatementInvalid},
	})
}

func TestV11V13Kinds(t *testing.T) {
	t.Parallel()
	for predicate, want := range map[string]string{
		"https://slsa.dev/provenance/v0.2":         checks.AttestationProvenance,
		"https://slsa.dev/provenance/v1":           checks.AttestationProvenance,
		"https://slsa.dev/provenance/v1.0?draft":   checks.AttestationProvenance,
		"https://slsa.dev/provenance/v0.1":         checks.AttestationOther,
		"https://slsa.dev/provenance/v1/evil":      checks.AttestationOther,
		"https://slsa.dev/verification_summary/v1": checks.AttestationSummary,
		"https://spdx.dev/Document":                checks.AttestationSBOM,
		"https://spdx.dev/Document/v2.3":           checks.AttestationSBOM,
		"https://spdx.dev/Documents":               checks.AttestationOther,
		"https://cyclonedx.org/bom":                checks.AttestationSBOM,
		"https://cyclonedx.org/bom/v1.6":           checks.AttestationSBOM,
		"https://in-toto.io/Link/v1":               checks.AttestationLink,
		"https://in-toto.io/attestation/link/v0.3": checks.AttestationLink,
		"https://in-toto.io/attestation/links":     checks.AttestationOther,

		"https://in-toto.io/attestation/scai/attribute-report/v0.3":          checks.AttestationSCAI,
		"https://in-toto.io/attestation/test-result/v0.1":                    checks.AttestationTest,
		"https://in-toto.io/attestation/vulns/v0.1":                          checks.AttestationScan,
		"https://cosign.sigstore.dev/attestation/vuln/v1":                    checks.AttestationScan,
		"https://github.com/npm/attestation/tree/main/specs/publish/v0.1":    checks.AttestationPublish,
		"https://github.com/npm/attestation/tree/main/specs/publishers/v0.1": checks.AttestationOther,
	} {
		f := newFixture(t)
		f.recipe.Statement = sigstoretest.Statement(t, predicate, map[string]any{}, subject("sha256", sha(artifact)))
		if a := f.only(f.scan(f.data())); a.Problem != nil || a.Kind != want || a.PredicateType != predicate {
			t.Errorf("%s: got %q, %+v, want %q", predicate, a.Kind, a.Problem, want)
		}
	}
	f := newFixture(t)
	f.recipe.Statement, f.recipe.Artifact = nil, []byte(artifact)
	if a := f.only(f.scan(f.data())); a.Problem != nil || a.Kind != checks.AttestationSignature || a.For != "app.tar.gz" || a.PredicateType != "" {
		t.Errorf("plain signature: got %+v", a)
	}
}

func TestV12V14V15V16Statement(t *testing.T) {
	t.Parallel()
	digest := fmt.Sprintf(`{"sha256":%q}`, sha(artifact))
	twice := fmt.Sprintf(`"subject":[{"name":"x","digest":%s}],`, digest)
	runChanges(t, []change{
		{name: "V12 payload type", before: func(f *fixture) { f.recipe.PayloadType = "application/json" }, want: checks.CodeStatementInvalid},
		{name: "V12 payload type with parameter", before: func(f *fixture) {
			f.recipe.PayloadType = "application/vnd.in-toto+json; charset=utf-8"
		}, want: checks.CodeStatementInvalid},
		{name: "V14 unknown statement type", before: rewrite("in-toto.io/Statement/v1", "in-toto.io/Statement/v2"), want: checks.CodePredicateType},
		{name: "V14 no statement type", before: rewrite(`"_type":"https://in-toto.io/Statement/v1",`, ""), want: checks.CodePredicateType},
		{name: "statement of version 0.1", before: rewrite("in-toto.io/Statement/v1", "in-toto.io/Statement/v0.1")},
		{name: "V15 two signatures", after: func(b *protobundle.Bundle) {
			e := b.GetDsseEnvelope()
			e.Signatures = append(e.Signatures, e.Signatures[0])
		}, want: checks.CodeStatementInvalid},
		{name: "V15 no signature", after: func(b *protobundle.Bundle) { b.GetDsseEnvelope().Signatures = nil }, want: checks.CodeStatementInvalid},
		{name: "V16 subject twice", before: rewrite(`"subject":`, twice+`"subject":`), want: checks.CodeStatementInvalid},
		{name: "V16 SUBJECT beside subject", before: rewrite(`"subject":`, strings.ToUpper(twice[:9])+twice[9:]+`"subject":`), want: checks.CodeStatementInvalid},
		{name: "V16 unknown field", before: rewrite(`"subject":`, `"extra":1,"subject":`), want: checks.CodeStatementInvalid},
		{name: "V16 field name of the other form", before: rewrite(`"predicateType"`, `"predicate_type"`), want: checks.CodeStatementInvalid},
		{name: "V16 digest twice in a subject", before: rewrite(`"digest":`, `"digest":{"sha256":"`+sha("evil")+`"},"digest":`), want: checks.CodeStatementInvalid},
		{name: "V16 DIGEST beside digest", before: rewrite(`"digest":{"sha256"`, `"DIGEST":`+digest+`,"digest":{"sha256"`), want: checks.CodeStatementInvalid},
		{name: "V16 sha256 twice", before: rewrite(`{"sha256":`, `{"sha256":"`+sha("evil")+`","sha256":`), want: checks.CodeStatementInvalid},
		{name: "V16 twice deep inside the predicate", before: rewrite(`"event_name":`, `"event_name":"push","event_name":`), want: checks.CodeStatementInvalid},
		{name: "V16 twice, once escaped", before: rewrite(`"subject":`, strings.Replace(twice, "subject", `\u0073ubject`, 1)+`"subject":`), want: checks.CodeStatementInvalid},
		{name: "two statements", before: func(f *fixture) { f.recipe.Statement = append(f.recipe.Statement, f.recipe.Statement...) }, want: checks.CodeStatementInvalid},
		{name: "a list", before: func(f *fixture) { f.recipe.Statement = []byte("[]") }, want: checks.CodeStatementInvalid},
		{name: "null", before: func(f *fixture) { f.recipe.Statement = []byte("null") }, want: checks.CodeStatementInvalid},
		{name: "not UTF-8", before: rewrite("github-hosted", "github\xffhosted"), want: checks.CodeStatementInvalid},
		{name: "half a character", before: rewrite("github-hosted", `github\ud83dhosted`), want: checks.CodeStatementInvalid},
		{name: "a whole character", before: rewrite("github-hosted", `github\ud83d\ude00hosted`)},
		{name: "predicate is a list", before: func(f *fixture) {
			f.recipe.Statement = []byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","subject":[{"digest":` + digest + `}],"predicate":[]}`)
		}, want: checks.CodeStatementInvalid},
		{name: "no predicate", before: func(f *fixture) {
			f.recipe.Statement = []byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","subject":[{"digest":` + digest + `}]}`)
		}},
		{name: "every field of a subject", before: rewrite(`"name":"app.tar.gz"`, `"name":"app.tar.gz","uri":"u","content":"AA==","downloadLocation":"d","mediaType":"m","annotations":{"a":1}`)},
	})
}
