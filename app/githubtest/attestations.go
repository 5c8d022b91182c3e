package githubtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// attestation is one bundle listed under one digest.
type attestation struct {
	id        int64
	repo      *Repo
	digest    string
	bundle    []byte
	initiator string
	predicate string
}

// Attest lists a bundle, in JSON, under a digest written "sha256:" and hexadecimal.
// initiator is "user", or "github" for GitHub's own release attestation. The bundle is
// served as it is, valid or not.
func (r *Repo) Attest(digest string, bundle []byte, initiator string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.attest(digest, bundle, initiator)
}

func (r *Repo) attest(digest string, bundle []byte, initiator string) {
	a := &attestation{
		id: r.g.id(), repo: r, digest: digest, bundle: bundle, initiator: initiator, predicate: predicateOf(bundle),
	}
	r.attestations[digest] = append(r.attestations[digest], a)
	r.g.bundles[a.id] = a
}

// ForgetAttestations deletes what is listed under a digest, as people with write access may.
func (r *Repo) ForgetAttestations(digest string) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	delete(r.attestations, digest)
}

// predicateOf reads the predicate type of the statement in a bundle, "" when unreadable.
func predicateOf(bundle []byte) string {
	var b struct {
		Envelope struct {
			Payload string `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	var statement struct {
		PredicateType string `json:"predicateType"`
	}
	// Anything unreadable has no predicate type; tests seed broken bundles on purpose.
	if json.Unmarshal(bundle, &b) != nil {
		return ""
	}
	payload, err := base64.StdEncoding.DecodeString(b.Envelope.Payload)
	if err != nil || json.Unmarshal(payload, &statement) != nil {
		return ""
	}
	return statement.PredicateType
}

// bundleURL is where the blob store serves the bundle. The signature in it stands for
// the credential that real URLs carry.
func (a *attestation) bundleURL() string {
	return fmt.Sprintf("%s/attestations/%d/%d.json.sn?sig=stand-in", a.repo.g.blobRoot(), a.repo.id, a.id)
}
