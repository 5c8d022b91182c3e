package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/checks/strict"
)

// flaw is what the policy holds against the key or the certificate that signed.
type flaw struct {
	level RuleLevel
	Reason
}

// keyRules ends the trial of evidence that is signed with a key which a rule about keys blocks.
func (t *trial) keyRules() *Reason { return blockedBy(t.j.keyFlaws(t.a)) }

// certificateRules is the same for certificates.
func (t *trial) certificateRules() *Reason { return blockedBy(t.j.certificateFlaws(t.a)) }

func blockedBy(flaws []flaw) *Reason {
	for _, f := range flaws {
		if f.level == RuleBlock {
			return &f.Reason
		}
	}
	return nil
}

// signedAt returns the time by which a was signed, as far as it is known: what a log or a
// timestamp authority proves, else when this very release was first verified, else now. The time
// that a signature itself states proves nothing, and is not used.
func (j *judgment) signedAt(a Attestation) time.Time {
	switch m := j.m.Release.Memory; {
	case !a.Time.IsZero():
		return a.Time
	case m != nil && !m.Seen.IsZero():
		return m.Seen
	}
	return j.now
}

// keyFlaws holds the key that signed a against the rules about keys.
func (j *judgment) keyFlaws(a Attestation) []flaw {
	key, t := a.Signer.Identity, j.p.Releases.Trust
	if a.Signer.Issuer != "" || !pubkey.HasPrefix(key) {
		return nil
	}
	var flaws []flaw
	at := j.signedAt(a)
	made, since := j.keyMade(a)
	if limit := t.MaxKeyAge; limit.Level != RuleOff && !made.IsZero() && at.Sub(made) > limit.Time {
		flaws = append(flaws, flaw{limit.Level, *because(CodeKeyTooOld, "the key %s signed at an age of more than %s (%s %s); make a new key, name it in the policy, and announce the end of this one",
			key, strict.DurationText(limit.Time), since, made.UTC().Format(time.DateOnly))})
	}
	for _, r := range t.RetiredKeys {
		if r.Key == key && !at.Before(r.Until.Add(day)) {
			flaws = append(flaws, flaw{RuleBlock, *because(CodeKeyRetired, "the key %s was to sign until %s and no longer; sign with its successor, or correct releases.trust.retired_keys",
				key, r.Until.Format(time.DateOnly))})
		}
	}
	if m := j.m.Release.Memory; t.SharedKeys != RuleOff && m != nil && m.Shared[key] > 0 {
		flaws = append(flaws, flaw{t.SharedKeys, *because(CodeKeyShared, "the key %s also signs releases of %s of this installation; give each repository a key of its own, so that one stolen key does not sign for all",
			key, plural(m.Shared[key], "other repository"))})
	}
	return flaws
}

// keyMade returns when the key of a was made, or for one that does not say so when the first
// release signed with it was verified; zero when it is not known yet.
func (j *judgment) keyMade(a Attestation) (made time.Time, since string) {
	if !a.KeyMade.IsZero() {
		return a.KeyMade, "made on"
	}
	if m := j.m.Release.Memory; m != nil {
		return m.FirstSeen(a.Signer.Identity), "first seen on"
	}
	return time.Time{}, ""
}

// certificateFlaws holds the certificate that signed a against the rules about certificates.
func (j *judgment) certificateFlaws(a Attestation) []flaw {
	rules := j.p.Releases.Trust.Certificates
	if rules.Level == RuleOff || a.Signer.Issuer == "" {
		return nil
	}
	var flaws []flaw
	switch life := a.NotAfter.Sub(a.NotBefore); {
	case rules.MaxLife == 0:
	case a.NotAfter.IsZero():
		flaws = append(flaws, flaw{rules.Level, *because(CodeNotReadable, "how long its certificate is valid was not told")})
	case life > rules.MaxLife:
		flaws = append(flaws, flaw{rules.Level, *because(CodeCertificatePolicy, "its certificate is valid for %s, the policy accepts %s; have the authority issue short-lived ones",
			life, strict.DurationText(rules.MaxLife))})
	}
	var missing []string
	for _, name := range rules.Require {
		if certificateFacts[name](a.Certificate) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		flaws = append(flaws, flaw{rules.Level, *because(CodeCertificatePolicy, "its certificate does not state %s, which the policy asks for; sign in a workflow whose certificates do",
			strings.Join(missing, ", "))})
	}
	return flaws
}

// hygieneNotices tells of flaws that the policy only warns of, each once with its assets.
func (j *judgment) hygieneNotices(list []met) {
	type seen struct{ code, message string }
	var order []seen
	assets := map[seen][]string{}
	for _, x := range list {
		for _, f := range slices.Concat(j.keyFlaws(x.a), j.certificateFlaws(x.a)) {
			k := seen{f.Code, f.Message}
			if f.level != RuleWarn {
				continue
			}
			if _, told := assets[k]; !told {
				order = append(order, k)
			}
			assets[k] = append(assets[k], x.asset)
		}
	}
	for _, k := range order {
		j.notice(RuleKeyHygiene, k.code, "%s: %s", listed(assets[k]), k.message)
	}
}

// keyWords returns what the rules about keys expect and found.
func (t *trial) keyWords() (expected, found string) {
	rules := t.j.p.Releases.Trust
	var want []string
	if rules.MaxKeyAge.Level != RuleOff {
		want = append(want, "at most "+strict.DurationText(rules.MaxKeyAge.Time)+" old")
	}
	for _, r := range rules.RetiredKeys {
		if r.Key == t.a.Signer.Identity {
			want = append(want, "used until "+r.Until.Format(time.DateOnly))
		}
	}
	if rules.SharedKeys != RuleOff {
		want = append(want, "of this repository alone")
	}
	if !pubkey.HasPrefix(t.a.Signer.Identity) {
		return orWord(strings.Join(want, ", "), "anything"), "no key, a certificate"
	}
	found = t.a.Signer.Identity
	if made, since := t.j.keyMade(t.a); !made.IsZero() {
		found += ", " + since + " " + made.UTC().Format(time.DateOnly)
	}
	return orWord(strings.Join(want, ", "), "anything"), found
}

// certificateWords returns what the rules about certificates expect and found.
func (t *trial) certificateWords() (expected, found string) {
	rules := t.j.p.Releases.Trust.Certificates
	var want []string
	if rules.MaxLife > 0 {
		want = append(want, "valid for at most "+strict.DurationText(rules.MaxLife))
	}
	if len(rules.Require) > 0 {
		want = append(want, "states "+strings.Join(rules.Require, ", "))
	}
	found = "no certificate, a key"
	if !t.a.NotAfter.IsZero() {
		found = fmt.Sprintf("valid for %s from %s", t.a.NotAfter.Sub(t.a.NotBefore), t.a.NotBefore.UTC().Format(time.RFC3339))
	} else if t.a.Signer.Issuer != "" {
		found = "a certificate"
	}
	return orWord(strings.Join(want, ", "), "anything"), found
}
