package intoto

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore-go/pkg/bundle"

	"github.com/landwaiter/landwaiter/checks"
)

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","predicate":{"a":[1,{"b":null}]},
		"subject":[{"name":"n","uri":"u","digest":{"sha256":"` + strings.ToUpper(digest) + `","other":"00ff"}},{"digest":{"gitCommit":"` + digest[:40] + `"}}]}`))
	want := &Statement{PredicateType: "p", Predicate: json.RawMessage(`{"a":[1,{"b":null}]}`), Subjects: []checks.AttestedSubject{
		{Name: "n", URI: "u", Digest: map[string]string{"sha256": digest, "other": "00ff"}}, {Digest: map[string]string{"gitCommit": digest[:40]}},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, statement (-want +got):\n%s", err, diff)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	with := func(rest string) string {
		return `{"_type":"https://in-toto.io/Statement/v1","predicateType":"p",` + rest + `}`
	}
	one := `"subject":[{"digest":{"sha256":"` + digest + `"}}]`
	for text, want := range map[string]error{
		"":                                     ErrInvalid,
		"{":                                    ErrInvalid,
		with(one) + "x":                        ErrInvalid,
		with(one + `,"predicate":1e999`):       ErrInvalid,
		with(one + `,"predicate":{"a":1e999}`): ErrInvalid,
		with(`"subject":{}`):                   ErrInvalid,
		with(`"subject":[null]`):               ErrInvalid,
		with(`"subject":[[]]`):                 ErrInvalid,
		with(`"subject":[{"name":1,"digest":{"sha256":"` + digest + `"}}]`):         ErrInvalid,
		with(`"subject":[{"name":null,"digest":{"sha256":"` + digest + `"}}]`):      ErrInvalid,
		with(`"subject":[{"Name":"a","digest":{"sha256":"` + digest + `"}}]`):       ErrInvalid,
		with(`"subject":[{"content":"%","digest":{"sha256":"` + digest + `"}}]`):    ErrInvalid,
		with(`"subject":[{"annotations":[],"digest":{"sha256":"` + digest + `"}}]`): ErrInvalid,
		with(`"subject":[{"name":"a"}]`):                                            ErrDigest,
		with(`"subject":[{"digest":null}]`):                                         ErrDigest,
		with(`"subject":[{"digest":{"sha256":null}}]`):                              ErrDigest,
		with(`"subject":[{"digest":{"sha256":1}}]`):                                 ErrDigest,
		with(`"subject":[{"digest":{"gitCommit":"abc"}}]`):                          ErrInvalid,
		with(`"subject":[{"digest":{"dirHash":"h1:x"}}]`):                           ErrInvalid,
		`{"_type":1,"predicateType":"p",` + one + `}`:                               ErrInvalid,
		`{"_type":"https://in-toto.io/Statement/v1",` + one + `}`:                   ErrInvalid,
		`{"predicateType":"p",` + one + `}`:                                         ErrType,
		strings.Repeat("[", 65):                                                     ErrTooLarge,
	} {
		if st, err := Parse([]byte(text)); !errors.Is(err, want) || st != nil {
			t.Errorf("%s: got %v, %v, want %v", text, st, err, want)
		}
	}
}

func TestCheckShape(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"depth 64":                {nested(64), true},
		"depth 65":                {nested(65), false},
		"brackets in a string":    {`"` + strings.Repeat("[", 100) + `"`, true},
		"quote in a string":       {`"\"` + strings.Repeat("[", 100) + `"`, true},
		"many small texts":        {strings.Repeat("[1,2]\n", 60_000), true},
		"100,001 values":          {"[" + strings.Repeat("1,", 100_000) + "1]", false},
		"many values":             {"[" + strings.Repeat("1,", 99_990) + "1]", true},
		"closed more than opened": {strings.Repeat("]", 100) + nested(64), true},
		"not JSON":                {"\x00\xff<html>", true},
		"ends inside a string":    {`["a\`, true},
	} {
		if err := CheckShape([]byte(c.text)); (err == nil) != c.ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestLoneSurrogate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`"\ud83d\ude00"`: false, `"\uD83D\uDE00"`: false, `"\ud83d"`: true, `"\ud83d\n"`: true, `"\ude00"`: true, `"\ud83d\ud83d"`: true,
		`"\\ud83d"`: false, `"A\ud7ff\ue000"`: false, `"\ud83d\ude0`: true, `"\u`: false, `\`: false, "": false,
	} {
		if got := loneSurrogate([]byte(text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		predicateType, predicate string
		want                     checks.Build
	}{
		"not provenance": {"https://spdx.dev/Document", `{"builder":{"id":"x"}}`, checks.Build{}},
		"slsa-github-generator, Go": {"https://slsa.dev/provenance/v0.2", `{"builder":{"id":"https://github.com/g/.github/workflows/b.yml@refs/tags/v2"},
			"invocation":{"configSource":{"uri":"git+https://github.com/a/b@refs/tags/v1","digest":{"sha1":"c1"},"entryPoint":".github/workflows/r.yml"},
			"environment":{"github_event_name":"push","github_repository_id":"1","github_repository_owner_id":"2","github_run_id":"3","github_run_attempt":"4","github_sha1":"c1"}}}`,
			checks.Build{Repository: "https://github.com/a/b", RepositoryID: "1", OwnerID: "2", Ref: "refs/tags/v1", Commit: "c1",
				BuilderID: "https://github.com/g/.github/workflows/b.yml@refs/tags/v2", Config: "https://github.com/a/b/.github/workflows/r.yml@refs/tags/v1",
				Trigger: "push", Run: "https://github.com/a/b/actions/runs/3/attempts/4"}},
		"npm v0.2": {"https://slsa.dev/provenance/v0.2", `{"builder":{"id":"https://github.com/actions/runner"},
			"invocation":{"configSource":{"uri":"git+https://github.com/a/b@refs/heads/main","digest":{"sha1":"c1"},"entryPoint":"x"},
			"environment":{"GITHUB_WORKFLOW_REF":"a/b/.github/workflows/r.yml@refs/heads/main"}}}`,
			checks.Build{Repository: "https://github.com/a/b", Ref: "refs/heads/main", Commit: "c1", Config: "https://github.com/a/b/.github/workflows/r.yml@refs/heads/main"}},
		"Google Cloud Build": {"https://slsa.dev/provenance/v0.2", `{"builder":{"id":"https://cloudbuild.googleapis.com/GoogleHostedWorker@v0.3"},
			"invocation":{"configSource":{}},"materials":[{"uri":"https://github.com/a/b","digest":{"sha1":"c1"}}]}`,
			checks.Build{Repository: "https://github.com/a/b", Commit: "c1", BuilderID: "https://cloudbuild.googleapis.com/GoogleHostedWorker@v0.3"}},
		"npm v1": {"https://slsa.dev/provenance/v1", `{"buildDefinition":{"externalParameters":{"workflow":{"ref":"refs/tags/v1","repository":"https://github.com/a/b","path":".github/workflows/r.yml"}},
			"internalParameters":{"github":{"event_name":"release","repository_id":"1","repository_owner_id":"2"}},
			"resolvedDependencies":[{"uri":"git+https://github.com/a/b@refs/tags/v1","digest":{"gitCommit":"c1"}}]},
			"runDetails":{"builder":{"id":"https://github.com/actions/runner/github-hosted"},"metadata":{"invocationId":"https://github.com/a/b/actions/runs/3"}}}`,
			checks.Build{Repository: "https://github.com/a/b", RepositoryID: "1", OwnerID: "2", Ref: "refs/tags/v1", Commit: "c1",
				Config: "https://github.com/a/b/.github/workflows/r.yml@refs/tags/v1", Runner: "github-hosted", Trigger: "release", Run: "https://github.com/a/b/actions/runs/3"}},
		"container-based": {"https://slsa.dev/provenance/v1", `{"buildDefinition":{"externalParameters":{"source":{"uri":"git+https://github.com/a/b@refs/heads/main","digest":{"sha1":"c1"}}},
			"internalParameters":{"GITHUB_EVENT_NAME":"push","GITHUB_RUN_ID":13531731005}},"runDetails":{"builder":{"id":"b"}}}`,
			checks.Build{Repository: "https://github.com/a/b", Ref: "refs/heads/main", Commit: "c1", BuilderID: "b", Trigger: "push", Run: "https://github.com/a/b/actions/runs/13531731005"}},
		"delegator, draft": {"https://slsa.dev/provenance/v1.0?draft", `{"buildDefinition":{"externalParameters":{"source":{"artifact":{"uri":"git+https://github.com/a/b@refs/heads/main","digest":{"sha1":"c1"}}}},
			"systemParameters":{"GITHUB_EVENT_NAME":{"value":"push"},"GITHUB_REPOSITORY_ID":{"value":"1"}}},"runDetails":{"builder":{"id":"b"}}}`,
			checks.Build{Repository: "https://github.com/a/b", RepositoryID: "1", Ref: "refs/heads/main", Commit: "c1", BuilderID: "b", Trigger: "push"}},
		"fields of other types": {"https://slsa.dev/provenance/v1", `{"buildDefinition":{"externalParameters":[],"internalParameters":{"github":7}},"runDetails":{"builder":{"id":"b"}}}`,
			checks.Build{BuilderID: "b"}},
		"nothing": {"https://slsa.dev/provenance/v1", `{}`, checks.Build{}},
		"release": {"https://in-toto.io/attestation/release/v0.1", `{"repository":"a/b","repositoryId":"1","ownerId":2,"tag":"v1"}`,
			checks.Build{Repository: "https://github.com/a/b", RepositoryID: "1", OwnerID: "2", Ref: "refs/tags/v1"}},
	} {
		st := &Statement{PredicateType: c.predicateType, Predicate: json.RawMessage(c.predicate)}
		if diff := cmp.Diff(c.want, st.Claim()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := (&Statement{PredicateType: "https://slsa.dev/provenance/v1"}).Claim(); got != (checks.Build{}) {
		t.Errorf("no predicate: got %+v", got)
	}
}

// FuzzParse holds that what we accept the library accepts, and reads in the same way with
// both of the parsers that it uses.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","predicate":{"a":"\ud83d\ude00"},"subject":[{"name":"n","digest":{"sha256":"` + digest + `"}}]}`))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"p","subject":[{"uri":"u","annotations":{"a":1.5},"content":"AA==","digest":{"x":"00"}}],"predicate":null}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		ours, err := Parse(payload)
		if err != nil {
			return
		}
		envelope := &bundle.Envelope{Envelope: &dsse.Envelope{PayloadType: PayloadType, Payload: base64.StdEncoding.EncodeToString(payload)}}
		theirs, err := envelope.Statement()
		if err != nil {
			t.Fatalf("we accept what the library refuses (%v): %q", err, payload)
		}
		var lite struct {
			PredicateType string `json:"predicateType"`
			Subject       []struct {
				Name   string            `json:"name"`
				Digest map[string]string `json:"digest"`
			} `json:"subject"`
		}
		if err := json.Unmarshal(payload, &lite); err != nil {
			t.Fatalf("we accept what encoding/json refuses (%v): %q", err, payload)
		}
		if len(theirs.GetSubject()) != len(ours.Subjects) || len(lite.Subject) != len(ours.Subjects) || lite.PredicateType != ours.PredicateType || theirs.GetPredicateType() != ours.PredicateType {
			t.Fatalf("read differently: %q", payload)
		}
		for i, s := range ours.Subjects {
			for algorithm, value := range s.Digest {
				a, b := theirs.GetSubject()[i].GetDigest()[algorithm], lite.Subject[i].Digest[algorithm]
				if !strings.EqualFold(a, value) || !strings.EqualFold(b, value) {
					t.Fatalf("digest read as %q, %q and %q: %q", value, a, b, payload)
				}
			}
		}
	})
}
