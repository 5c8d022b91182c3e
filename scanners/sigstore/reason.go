package sigstore

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/intoto"
)

// This file holds every sentence about a failed proof. Each says what is wrong and what to
// do. Text that comes from the evidence is quoted and short; whoever shows it escapes it.

func because(code, format string, args ...any) *checks.Reason {
	return &checks.Reason{Code: code, Message: fmt.Sprintf(format, args...)}
}

// cut shortens foreign text to one short line of valid UTF-8.
func cut(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) <= 160 {
		return s
	}
	end := 160
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

func tooLarge(what string) *checks.Reason {
	return because(checks.CodeTooLarge, "The evidence is too large to be read safely. %s Publish a smaller attestation, one for each asset.", what)
}

func notReadable(what string) *checks.Reason {
	return because(checks.CodeNotReadable, "The evidence could not be read. %s", what)
}

// notJSON says what data looks like when it is not JSON.
func notJSON(data []byte, err error) *checks.Reason {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) {
		return notReadable("It is a web page, not a bundle: what was downloaded is probably an error page. Run the check again.")
	}
	return notReadable(fmt.Sprintf("It is not a bundle: %s. Upload the bundle again.", cut(err.Error())))
}

func fault(step string, cause any) *checks.Reason {
	return notReadable(fmt.Sprintf("An internal fault stopped the step %q: %s. Report this to the maintainers of Landwaiter.", step, cut(fmt.Sprint(cause))))
}

func skipped(n int) *checks.Reason {
	return because(checks.CodeTooLarge, "%d further attestations name this asset and were not examined, because at most 1,000 are. Remove attestations that are not needed.", n)
}

// badStatement says in which of its ways a text could not be read as a statement.
func badStatement(err error) *checks.Reason {
	_, how, _ := strings.Cut(err.Error(), ": ")
	switch {
	case errors.Is(err, intoto.ErrTooLarge):
		return tooLarge("In short: " + how + ".")
	case errors.Is(err, intoto.ErrType):
		return because(checks.CodePredicateType, "The signed text is not an in-toto statement of version 0.1 or 1. Make the attestation with a tool that writes one.")
	case errors.Is(err, intoto.ErrDigest):
		return digestInvalid("A subject of the statement has no digest.")
	}
	return statementInvalid(how)
}

func statementInvalid(what string) *checks.Reason {
	return because(checks.CodeStatementInvalid, "The signed statement is not valid: %s. Make the attestation again with a current tool.", cut(what))
}

func digestInvalid(what string) *checks.Reason {
	return because(checks.CodeDigestInvalid, "%s Make the attestation again, or upload the asset again.", what)
}

func digestWeak() *checks.Reason {
	return because(checks.CodeDigestWeak, "The statement names its subjects only by SHA-1 or git object names, which do not bind bytes. Attest with SHA-256 digests.")
}

func digestConflict(asset string) *checks.Reason {
	return because(checks.CodeDigestConflict, "One subject of the statement has digests of two different files; one of them is %q. Do not use this release until its maker has explained it.", cut(asset))
}

func digestMismatch() *checks.Reason {
	return because(checks.CodeDigestMismatch, "The evidence is about other bytes than this asset: no digest in it is the digest of what was downloaded. If the asset was replaced, sign it again; if not, do not use it.")
}

func sizeMismatch(announced, read int64) *checks.Reason {
	return because(checks.CodeSizeMismatch, "The asset was announced with %d bytes and %d were received. Upload it again.", announced, read)
}

func envelopeAlone() *checks.Reason {
	return because(checks.CodeLogProofMissing, "The statement is signed but comes without its transparency log entry, so when it was signed cannot be proven offline. Publish the whole Sigstore bundle; slsa-github-generator does from v2.0.0 on.")
}

func promiseOnly() *checks.Reason {
	return because(checks.CodeLogProofMissing, "The log entry carries the log's promise but no proof that it was included, and a proof is required. Publish a bundle of version 0.2 or later.")
}

func proofMissing() *checks.Reason {
	return because(checks.CodeLogProofMissing, "The log entry carries no proof of inclusion, which a bundle of this version must have. Sign again with a current tool.")
}

func signatureAlone() *checks.Reason {
	return because(checks.CodeTimeUnproven, "A signature and a certificate without a log entry do not prove that the certificate was valid when it signed. Publish the bundle (`cosign sign-blob --bundle`) instead of the two files.")
}

func timeUnproven(what string) *checks.Reason {
	return because(checks.CodeTimeUnproven, "When it was signed is not proven: %s. Sign again.", what)
}

func timeInvalid(what string) *checks.Reason {
	return because(checks.CodeTimeInvalid, "The signing time is impossible: %s. Do not use this release until its maker has signed it again.", what)
}

func logInvalid(what string) *checks.Reason {
	return because(checks.CodeLogInvalid, "The transparency log entry does not hold: %s. Sign again; if this was not expected, do not use the release.", what)
}

func certificateInvalid(what string) *checks.Reason {
	return because(checks.CodeCertificateInvalid, "The signing certificate does not hold: %s. Sign with a Sigstore instance that the policy accepts.", what)
}

func wrongRoot(issuedBy string, allowed []string) *checks.Reason {
	return because(checks.CodeWrongRoot, "The certificate was issued under the trust root %s; accepted here: %s. If that signer is meant, add the root to releases.trust.roots of the policy.",
		issuedBy, first(strings.Join(allowed, ", "), "none"))
}

func signatureInvalid() *checks.Reason {
	return because(checks.CodeSignatureInvalid, "The signature does not fit what it stands for: the signed text, the bytes or the key was changed. Do not use this release; its maker has to sign again.")
}

func severalSubjects() *checks.Reason {
	return because(checks.CodeSignerMismatch, "The certificate does not carry exactly one identity, so who signed is ambiguous. Sign with a certificate of Fulcio, which carries one.")
}

func notReleaseSigner() *checks.Reason {
	return because(checks.CodeSignerMismatch, "It claims to be GitHub's attestation of an immutable release but was not signed by GitHub's release signer. Do not rely on it.")
}

func noKey() *checks.Reason {
	return because(checks.CodeSignerMismatch, "It is signed with a key, and no public key is accepted here. Name the key in releases.trust.keys of the policy, or sign with an identity.")
}

func strangeKey(issuer string) *checks.Reason {
	return because(checks.CodeSignerMismatch, "It is signed by %s, which is not accepted here. If that key is meant, put the public key into the policy, under releases.trust.", cut(issuer))
}

func otherKey() *checks.Reason {
	return because(checks.CodeSignatureInvalid, "None of the accepted public keys fits the signature. Sign with the key that the policy names, or correct the policy.")
}

func extensionsDisagree(what string) *checks.Reason {
	return because(checks.CodeContradicts, "The certificate says two different things about %s. Do not rely on it; a genuine certificate never does.", what)
}

func rootStale() *checks.Reason {
	return because(checks.CodeRootStale, "The trust root was not refreshed for too long, so a revoked authority would not be noticed. Refresh the trust roots, or install a newer version of Landwaiter.")
}
