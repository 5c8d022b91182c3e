package sigstore

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/landwaiter/landwaiter/checks"
)

// oidSubjectName is the extension that carries the identity (RFC 5280, section 4.2.1.6).
var oidSubjectName = asn1.ObjectIdentifier{2, 5, 29, 17}

// soleSubject reports whether the certificate carries exactly one identity. The library
// takes the first of several, so a second one could be shown to other verifiers.
func soleSubject(leaf *x509.Certificate) bool {
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(oidSubjectName) {
			continue
		}
		var names []asn1.RawValue
		rest, err := asn1.Unmarshal(e.Value, &names)
		return err == nil && len(rest) == 0 && len(names) == 1
	}
	return false
}

// oidFulcio is the arc of Fulcio's extensions.
// https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
var oidFulcio = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1}

// contradiction names two extensions that say different things about one fact, "" when all
// agree. Extensions 1 to 6 are the old plain-text spelling of facts that 8 to 20 repeat.
func contradiction(leaf *x509.Certificate) string {
	old, current := map[int]string{}, map[int]string{}
	for _, e := range leaf.Extensions {
		if len(e.Id) != len(oidFulcio)+1 || !e.Id[:len(oidFulcio)].Equal(oidFulcio) {
			continue
		}
		n := e.Id[len(oidFulcio)]
		if n <= 6 {
			old[n] = string(e.Value)
			continue
		}
		var s string
		if rest, err := asn1.Unmarshal(e.Value, &s); err == nil && len(rest) == 0 {
			current[n] = s
		}
	}
	for _, pair := range []struct {
		old, current int
		what         string
	}{
		{1, 8, "the issuer"}, {2, 20, "the trigger of the build"}, {3, 13, "the source commit"},
		{5, 12, "the source repository"}, {6, 14, "the source ref"},
	} {
		a, hasOld := old[pair.old]
		b, hasCurrent := current[pair.current]
		if !hasOld || !hasCurrent || a == b {
			continue
		}
		// The old spelling of a repository is "owner/name", the current one its address.
		if pair.old == 5 && a != "" && strings.HasSuffix(b, "/"+a) {
			continue
		}
		return pair.what
	}
	return ""
}

// certified returns what the certificate says about the build. A certificate from before
// the current extensions existed (Fulcio v1.1, 2023) is read by its old ones.
func certified(c *certificate.Summary) checks.Build {
	b := checks.Build{
		Repository:    c.SourceRepositoryURI,
		RepositoryID:  c.SourceRepositoryIdentifier,
		OwnerID:       c.SourceRepositoryOwnerIdentifier,
		Ref:           c.SourceRepositoryRef,
		Commit:        c.SourceRepositoryDigest,
		BuilderID:     c.BuildSignerURI,
		BuilderDigest: c.BuildSignerDigest,
		Config:        c.BuildConfigURI,
		Runner:        c.RunnerEnvironment,
		Trigger:       c.BuildTrigger,
		Run:           c.RunInvocationURI,
	}
	// The old extensions are deprecated for signing, not for reading.
	repository, ref, sha, trigger := c.GithubWorkflowRepository, c.GithubWorkflowRef, c.GithubWorkflowSHA, c.GithubWorkflowTrigger
	if repository == "" {
		return b
	}
	if b.Repository == "" {
		b.Repository = "https://github.com/" + repository
	}
	if b.BuilderID == "" && strings.HasPrefix(c.SubjectAlternativeName, "https://github.com/") {
		b.BuilderID = c.SubjectAlternativeName
	}
	b.Ref = first(b.Ref, ref)
	b.Commit = first(b.Commit, sha)
	b.Trigger = first(b.Trigger, trigger)
	return b
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
