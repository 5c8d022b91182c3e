package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/checks/sums"
	"github.com/landwaiter/landwaiter/scanners/sigstore/vsa"
)

// vsaFlags are the flags of verify about a verification summary.
type vsaFlags struct {
	VSA         string `name:"vsa" placeholder:"FILE" help:"Verify by a verification summary (SLSA VSA) instead of evidence."`
	VSAKey      string `name:"vsa-key" placeholder:"FILE" help:"Public keys of the verifier, as landwaiter summary key prints them. Default: those of the data folder."`
	VerifierID  string `name:"verifier-id" placeholder:"URI" help:"Id of the verifier. Default: the Verifier-ID in --vsa-key."`
	ResourceURI string `name:"resource-uri" placeholder:"URI" help:"What the summary must be about. Default: the file's download address, of --repo and --tag."`
	MinSLSA     int    `name:"min-slsa" default:"0" help:"Lowest SLSA build level that the summary must state, 0 to 3."`
}

// checkVSA refuses flags that do not go together.
func (cmd *verifyCommand) checkVSA() error {
	if cmd.VSA == "" {
		if cmd.VSAKey != "" || cmd.VerifierID != "" || cmd.ResourceURI != "" || cmd.MinSLSA != 0 {
			return usage("--vsa-key, --verifier-id, --resource-uri and --min-slsa go with --vsa FILE")
		}
		return nil
	}
	switch {
	case len(cmd.Bundle) > 0 || cmd.Checksums != "" || cmd.Key != "" || cmd.CertificateIdentity != "" || cmd.CertificateOIDCIssuer != "" ||
		cmd.PredicateType != "" || cmd.Policy != "" || cmd.TrustedRoot != "" || cmd.Commit != "":
		return usage("--vsa stands alone: a summary takes the place of evidence and policy")
	case len(cmd.Artifact) == 0 && cmd.Digest == "":
		return usage("name the files to verify, or --digest sha256:HEX for a file that is elsewhere")
	case len(cmd.Artifact) > 0 && cmd.Digest != "":
		return usage("give files or --digest, not both")
	case cmd.Digest != "" && (!digestHex.MatchString(strings.ToLower(cmd.Digest)) || !strings.HasPrefix(strings.ToLower(cmd.Digest), "sha256:")):
		return usage("--digest is %q; with --vsa it should be sha256: and 64 hexadecimal digits", cmd.Digest)
	case cmd.ResourceURI == "" && (cmd.Repo == "" || cmd.Tag == "" || cmd.Digest != ""):
		return usage("say what the summary should be about: --repo OWNER/NAME and --tag TAG for files under their own names, or --resource-uri URI")
	case cmd.ResourceURI != "" && len(cmd.Artifact) > 1:
		return usage("--resource-uri is of one file")
	case cmd.Repo != "" && !ownerName.MatchString(cmd.Repo):
		return usage("--repo is %q; it should be OWNER/NAME", cmd.Repo)
	}
	return nil
}

// verifyVSA verifies files by a summary and prints the report.
func (cmd *verifyCommand) verifyVSA(c *console) error {
	keys, verifier, err := cmd.vsaKeys(c)
	if err != nil {
		return err
	}
	file, err := fileUpTo(cmd.VSA, maxBundle)
	if err != nil {
		return usage("reading --vsa: %w", err)
	}
	p := newProgress(c)
	defer p.done()
	assets, err := cmd.vsaAssets(p)
	if err != nil {
		return err
	}
	now := time.Now()
	r := checks.Report{
		Subject: checks.Subject{Kind: checks.KindArtifact, Repository: cmd.Repo}, Verdict: checks.Pass, Time: now.UTC().Truncate(time.Second),
		Reasons: []checks.Reason{}, Findings: []checks.Finding{}, Assets: []checks.AssetReport{}, Evidence: []checks.EvidenceSummary{},
	}
	if cmd.Tag != "" {
		r.Subject.Ref = "refs/tags/" + cmd.Tag
	}
	for _, a := range assets {
		want := vsa.Expected{
			SHA256: a.SHA256, VerifierID: verifier, MinLevel: cmd.MinSLSA,
			ResourceURI: cmp.Or(cmd.ResourceURI, summary.Verifier{}.ResourceURI(cmd.Repo, cmd.Tag, a.Name)),
		}
		got, err := vsa.Verify(file, keys, want, now)
		if err != nil {
			return usage("%w", err)
		}
		cmd.addVSA(&r, a, file, got)
	}
	p.done()
	if cmd.Explain {
		defer explain(c.out, r)
	}
	return printReport(c, cmd.Output, r)
}

// vsaKeys returns the keys that may have signed, and the verifier that is expected.
func (cmd *verifyCommand) vsaKeys(c *console) ([]vsa.Key, string, error) {
	var text []byte
	var err error
	if cmd.VSAKey != "" {
		if text, err = fileUpTo(cmd.VSAKey, maxBundle); err != nil {
			return nil, "", usage("reading --vsa-key: %w", err)
		}
	} else {
		conf, err := summaryPlace{Data: dataDir(cmd.Data)}.load(c)
		if err == nil {
			text, err = conf.summaryKeys(c.ctx)
		}
		if err != nil {
			return nil, "", usage("give the verifier's public key with --vsa-key FILE: there is none in the data folder (%w)", err)
		}
	}
	keys, err := vsa.ReadKeys(text)
	if err != nil {
		return nil, "", usage("--vsa-key: %w", err)
	}
	id := cmd.VerifierID
	if id == "" {
		first, _, _ := strings.Cut(string(text), "\n")
		id = strings.TrimSpace(strings.TrimPrefix(first, "Verifier-ID:"))
		if !strings.HasPrefix(first, "Verifier-ID:") || id == "" {
			return nil, "", usage("say which verifier you expect: --verifier-id URI, or a --vsa-key file that begins with its Verifier-ID")
		}
	}
	return keys, id, nil
}

// vsaAssets hashes the files.
func (cmd *verifyCommand) vsaAssets(p *progress) ([]checks.Asset, error) {
	if digest, ok := strings.CutPrefix(strings.ToLower(cmd.Digest), "sha256:"); ok {
		return []checks.Asset{{Name: "sha256:" + digest, SHA256: digest}}, nil
	}
	var list []checks.Asset
	for _, path := range cmd.Artifact {
		a, err := hashFile(path, sums.Wanted{}, p)
		if err != nil {
			return nil, usage("%w", err)
		}
		list = append(list, a)
	}
	return list, nil
}

// addVSA adds the outcome for one file to the report. The policy shown is the verifier's.
func (cmd *verifyCommand) addVSA(r *checks.Report, a checks.Asset, file []byte, got vsa.Outcome) {
	sum := sha256.Sum256(file)
	report := checks.AssetReport{
		Name: a.Name, SHA256: a.SHA256, State: checks.AssetVerified, Required: []string{checks.RequireSignature}, Steps: got.Steps,
		Signer: checks.Signer{Issuer: got.Summary.VerifierID, Identity: got.Summary.KeyID}, Evidence: []checks.EvidenceRef{},
	}
	r.Policy = checks.PolicyRef{
		Digest: cmp.Or(got.Summary.PolicyHash, "sha256:"+hex.EncodeToString(make([]byte, sha256.Size))),
		Source: cmp.Or(got.Summary.PolicyURI, "not stated"),
	}
	if problem := got.Problem; problem != nil {
		report.State, report.Code, report.Reason = checks.AssetInvalid, problem.Code, problem.Code+": "+problem.Message
		report.Signer = checks.Signer{}
		switch {
		case problem.Unknown():
			report.State = checks.AssetUnknown
		case problem.Code == checks.CodeSignerMismatch || problem.Code == checks.CodeVerifierMismatch:
			report.State = checks.AssetWrongSigner
		}
		r.Reasons = append(r.Reasons, checks.Reason{Rule: problem.Rule, Code: problem.Code, Message: a.Name + ": " + problem.Message})
		if r.Verdict == checks.Pass || !problem.Unknown() {
			r.Verdict = map[bool]checks.Verdict{true: checks.Unknown, false: checks.Fail}[problem.Unknown()]
		}
	} else {
		report.Evidence = append(report.Evidence, checks.EvidenceRef{
			Kind: checks.AttestationSummary, Origin: checks.OriginFile, Name: filepath.Base(cmd.VSA), SHA256: hex.EncodeToString(sum[:]), Require: checks.RequireSignature,
		})
		report.Builder.Level = "signature"
		if got.Summary.Level > 0 {
			report.Builder.Level = fmt.Sprintf("SLSA %d", got.Summary.Level)
		}
	}
	r.Assets = append(r.Assets, report)
}

// fileUpTo reads a file of at most limit bytes.
func fileUpTo(path string, limit int64) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > limit || !st.Mode().IsRegular() {
		return nil, errors.New(path + " is no file of at most " + fmt.Sprint(limit>>20) + " MiB")
	}
	return os.ReadFile(path)
}
