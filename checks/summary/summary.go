// Package summary turns a Report into SLSA verification summaries: one in-toto statement for
// each asset that the Report verified.
//
// It owns what a summary may say and when there may be none: it never says more than the
// Report does, and refuses a Report that does not pass, that does not name all its evidence,
// or whose level its evidence does not reach (THREATS V70, V73). It signs nothing and holds no
// key; package signer does. Start reading at Make.
//
// https://slsa.dev/spec/v1.0/verification_summary
package summary

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

const (
	// FileName is the name under which the summaries of a release are attached to it.
	FileName = "landwaiter.vsa.intoto.jsonl"
	// PredicateType is the one type of summaries that is written and read.
	PredicateType = "https://slsa.dev/verification_summary/v1"
	// PayloadType is that of the DSSE envelope.
	PayloadType = "application/vnd.in-toto+json"
	// slsaVersion is the version of SLSA whose levels our table of builders follows.
	slsaVersion   = "1.0"
	statementType = "https://in-toto.io/Statement/v1"
)

// Statement is one summary as it is signed. Field order is that of the text.
type Statement struct {
	Type          string    `json:"_type"`
	Subject       []Subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     Predicate `json:"predicate"`
}

// Subject is the asset, known by its bytes.
type Subject struct {
	Name   string `json:"name"`
	Digest Digest `json:"digest"`
}

// Digest maps an algorithm to lower-case hexadecimal.
type Digest map[string]string

// Predicate is what the verifier says of the subject.
type Predicate struct {
	Verifier           VerifierID `json:"verifier"`
	TimeVerified       string     `json:"timeVerified"` // RFC 3339, UTC: Report.Time
	ResourceURI        string     `json:"resourceUri"`
	Policy             Resource   `json:"policy"`
	InputAttestations  []Resource `json:"inputAttestations"`
	VerificationResult string     `json:"verificationResult"` // always "PASSED"
	VerifiedLevels     []string   `json:"verifiedLevels"`     // one of the build track
	SLSAVersion        string     `json:"slsaVersion"`
}

// VerifierID names who verified.
type VerifierID struct {
	ID string `json:"id"`
}

// Resource is something named by address and digest.
type Resource struct {
	URI    string `json:"uri"`
	Digest Digest `json:"digest"`
}

// Verifier says in whose name summaries are written, and about which GitHub.
type Verifier struct {
	// ID is the URI that consumers compare: by custom the address of the service.
	ID string
	// Server is where people see the repositories, without a slash at its end; "" means
	// https://github.com.
	Server string
}

// The codes of a Refusal.
const (
	RefusedNotPass   = "not-pass"             // the Report does not pass
	RefusedKind      = "not-a-release"        // it is not about a release of a repository
	RefusedVerifier  = "verifier-unknown"     // there is no name to speak in
	RefusedPolicy    = "policy-unknown"       // the Report does not say under which policy it was made
	RefusedUnproven  = "asset-not-verified"   // an asset that the policy asks something of is not verified
	RefusedInputs    = "inputs-not-named"     // evidence that was used is not named with its digest
	RefusedLevel     = "level-above-evidence" // the level is more than the evidence proves
	RefusedNothing   = "nothing-verified"     // the policy asks nothing of any asset
	RefusedNotEntry  = "not-in-ledger"        // the ledger does not hold the Report
	RefusedOverruled = "superseded"           // a newer Report on the same Subject overrules it
)

// Refusal says why there is no summary. It is never worth another try with the same Report.
type Refusal struct {
	Code    string // one of the constants above
	Asset   string // "" when it is about the whole; hostile
	Message string
}

// Error returns the sentence with its code.
func (r *Refusal) Error() string {
	if r.Asset == "" {
		return fmt.Sprintf("no summary (%s): %s", r.Code, r.Message)
	}
	return fmt.Sprintf("no summary (%s): %q: %s", r.Code, r.Asset, r.Message)
}

func refuse(code, asset, format string, args ...any) error {
	return &Refusal{Code: code, Asset: asset, Message: fmt.Sprintf(format, args...)}
}

// Wanted reports whether a Report is one that summaries are made of. Make may still refuse it.
func Wanted(r checks.Report) bool {
	if r.Subject.Kind != checks.KindRelease || r.Verdict != checks.Pass {
		return false
	}
	for _, a := range r.Assets {
		if judged(a) {
			return true
		}
	}
	return false
}

// judged reports whether the policy asked something of a that evidence can show, and whether
// its bytes are known by a digest that a summary names. Packages of registries that are known
// by SHA-512 alone are not.
func judged(a checks.AssetReport) bool {
	return len(a.Required) > 0 && !a.EvidenceFile && a.SHA256 != "" && len(asked(a)) > 0
}

// Make returns the summaries of a Report, one for each asset of which the policy asks
// something, in the Report's order. Its error is a *Refusal. Nothing is left out silently: one
// asset that must not be summarised refuses all.
func Make(r checks.Report, v Verifier) ([]Statement, error) {
	if u, err := url.Parse(v.ID); err != nil || u.Scheme == "" {
		return nil, refuse(RefusedVerifier, "", "the verifier's id %q is not a URI", v.ID)
	}
	switch {
	case r.Verdict != checks.Pass:
		return nil, refuse(RefusedNotPass, "", "the verdict is %s", r.Verdict)
	case r.Subject.Kind != checks.KindRelease || r.Subject.Repository == "" || tagOf(r) == "":
		return nil, refuse(RefusedKind, "", "the report is about %q of %q, not about a tagged release", r.Subject.Kind, r.Subject.Repository)
	case len(r.Reasons) > 0:
		return nil, refuse(RefusedNotPass, "", "the report passes and yet has reasons against it")
	}
	policy, err := v.policy(r)
	if err != nil {
		return nil, err
	}
	var list []Statement
	for _, a := range r.Assets {
		if len(a.Required) > 0 && !a.EvidenceFile && a.State != checks.AssetVerified {
			return nil, refuse(RefusedUnproven, a.Name, "the policy asks for %s and the state is %q", strings.Join(a.Required, ", "), a.State)
		}
		if !judged(a) {
			continue
		}
		s, err := v.statement(r, a, policy)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return nil, refuse(RefusedNothing, "", "the policy asks nothing of any asset")
	}
	return list, nil
}

// statement makes the summary of one asset.
func (v Verifier) statement(r checks.Report, a checks.AssetReport, policy Resource) (Statement, error) {
	if !isSHA256(a.SHA256) {
		return Statement{}, refuse(RefusedUnproven, a.Name, "its digest %q is none", a.SHA256)
	}
	inputs, err := v.inputs(r, a)
	if err != nil {
		return Statement{}, err
	}
	level, err := levelOf(a)
	if err != nil {
		return Statement{}, err
	}
	return Statement{
		Type: statementType, PredicateType: PredicateType,
		Subject: []Subject{{Name: a.Name, Digest: Digest{"sha256": strings.ToLower(a.SHA256)}}},
		Predicate: Predicate{
			Verifier: VerifierID{v.ID}, TimeVerified: r.Time.UTC().Format(time.RFC3339),
			ResourceURI: v.ResourceURI(r.Subject.Repository, tagOf(r), a.Name), Policy: policy, InputAttestations: inputs,
			VerificationResult: "PASSED", VerifiedLevels: []string{level}, SLSAVersion: slsaVersion,
		},
	}, nil
}

// Text returns the bytes that are signed: JSON in one line.
func (s Statement) Text() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("writing a summary: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// isSHA256 reports whether text is a SHA-256 in hexadecimal.
func isSHA256(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == 32
}

// tagOf is the tag of the release, "" when there is none.
func tagOf(r checks.Report) string {
	tag, ok := strings.CutPrefix(r.Subject.Ref, "refs/tags/")
	if !ok {
		return ""
	}
	return tag
}
