package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/scanners/sigstore"
)

type verifyCommand struct {
	Repo                  string   `placeholder:"OWNER/NAME" help:"Repository that the artifacts should come from."`
	Tag                   string   `help:"Release tag that the artifacts should be built for."`
	Commit                string   `placeholder:"SHA" help:"Full commit that the artifacts should be built from."`
	Bundle                []string `placeholder:"FILE" sep:"none" help:"Evidence: a Sigstore bundle, JSON lines of bundles, or an answer of GitHub's attestation API. Default: files beside each artifact."`
	Checksums             string   `placeholder:"FILE" help:"List of checksums that names the artifacts; its own signature then counts for them."`
	TrustedRoot           string   `placeholder:"FILE" help:"Trust root: public-good, github, or a trusted_root.json. Default: public-good."`
	Key                   string   `placeholder:"FILE" help:"Public key that signed the artifacts: PEM, OpenPGP, minisign, signify, or SSH (allowed_signers)."`
	CertificateIdentity   string   `placeholder:"ID" help:"Signer's identity: an e-mail address or workflow URL; * stands for any characters."`
	CertificateOIDCIssuer string   `name:"certificate-oidc-issuer" placeholder:"URL" help:"Issuer of the signer's identity."`
	PredicateType         string   `placeholder:"URI" help:"Predicate type that the attestation must have."`
	Policy                string   `placeholder:"FILE" help:"Policy file; its releases.trust says who may sign."`
	Memory                string   `placeholder:"REPORT" help:"Report (JSON) of the release before, which you trust: who signed differently is told as releases.memory of the policy says."`
	Digest                string   `placeholder:"sha256:HEX" help:"Verify this digest instead of a file; npm's attestations name sha512:HEX."`
	Explain               bool     `help:"Print each comparison behind the verdict, with what was expected and found."`
	Output                string   `short:"o" enum:"table,json,sarif,markdown" default:"table" help:"table, json, sarif or markdown."`
	vsaFlags
	trustFolder
	Artifact []string `arg:"" optional:"" help:"Files to verify."`
}

// Help shows examples.
func (verifyCommand) Help() string {
	return `Verifies files offline: who signed them, which workflow built them from which commit.

Examples:
  landwaiter verify --repo cli/cli --tag v2.96.0 gh_2.96.0_linux_amd64.tar.gz
  landwaiter verify --bundle app.sigstore.json --certificate-identity ann@example.com \
      --certificate-oidc-issuer https://accounts.google.com app.tar.gz
  landwaiter verify --key release.pub --bundle app.sigstore.json app.tar.gz
  landwaiter verify --key maintainer.asc --checksums SHA256SUMS app.tar.gz
  landwaiter verify --vsa landwaiter.vsa.intoto.jsonl --vsa-key summary.pub --repo acme/app --tag v1.0.0 app.tar.gz

Exit code: 0 pass, 1 fail, 2 usage, 3 unknown (evidence could not be read), 5 internal.`
}

// Run verifies and prints the report.
func (cmd *verifyCommand) Run(c *console) error {
	if err := cmd.checkVSA(); err != nil {
		return err
	}
	if cmd.VSA != "" {
		if cmd.Explain && cmd.Output != "table" {
			return usage("--explain goes with --output table; the other outputs are of a fixed form")
		}
		return cmd.verifyVSA(c)
	}
	policy, err := cmd.policy()
	if err != nil {
		return err
	}
	snapshots, err := cmd.snapshots()
	if err != nil {
		return err
	}
	conf := sigstore.Config{Now: time.Now, Snapshots: snapshots}
	roots, err := cmd.trust(&conf, policy)
	if err != nil {
		return err
	}
	scanner, err := sigstore.New(conf)
	if err != nil {
		return usage("%w", err)
	}
	p := newProgress(c)
	defer p.done()
	release, err := cmd.release(p)
	if err != nil {
		return err
	}
	release.Roots, release.Explain = roots, cmd.Explain
	if cmd.Memory != "" {
		if release.Memory, err = readMemory(cmd.Memory, cmd.Repo); err != nil {
			return usage("--memory %s: %w", cmd.Memory, err)
		}
	}
	m := &checks.Material{
		Subject: checks.Subject{Kind: checks.KindArtifact, Repository: cmd.Repo, Ref: release.TagRef, Commit: cmd.Commit},
		Release: release,
	}
	r := checks.Run(c.ctx, m, policy, []checks.Scanner{scanner}, time.Now())
	p.done()
	if cmd.Explain {
		defer explain(c.out, r)
	}
	return printReport(c, cmd.Output, r)
}

var (
	ownerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$`)
	digestHex = regexp.MustCompile(`^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`)
	fullSHA   = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// policy returns the rules to judge by: those of the file, narrowed by the flags.
func (cmd *verifyCommand) policy() (*checks.Policy, error) {
	if err := cmd.check(); err != nil {
		return nil, err
	}
	p, err := localPolicy(cmd.Policy)
	if err != nil {
		return nil, err
	}
	if cmd.CertificateIdentity != "" {
		p.Releases.Trust.Signers = []checks.SignerRule{{Issuer: cmd.CertificateOIDCIssuer, Identity: cmd.CertificateIdentity}}
	}
	if cmd.Key != "" {
		if err := cmd.acceptKeys(&p.Releases.Trust); err != nil {
			return nil, err
		}
	}
	switch {
	case strings.HasPrefix(cmd.PredicateType, "https://in-toto.io/attestation/release/"):
		p.Releases.Assets = []checks.AssetRule{{Match: "*", Require: []string{checks.RequireReleaseAttestation}, PredicateType: cmd.PredicateType}}
	case cmd.PredicateType != "":
		p.Releases.Assets = []checks.AssetRule{{Match: "*", Require: []string{checks.RequireSignature}, PredicateType: cmd.PredicateType}}
	case cmd.Policy != "":
	case cmd.Repo != "" && cmd.Key == "":
		p.Releases.Assets = []checks.AssetRule{{Match: "*", Require: []string{checks.RequireProvenance}}}
	default:
		p.Releases.Assets = []checks.AssetRule{{Match: "*", Require: []string{checks.RequireSignature}}}
	}
	return p, nil
}

// acceptKeys takes the keys of the file --key for those of the policy.
func (cmd *verifyCommand) acceptKeys(t *checks.TrustRules) error {
	data, err := os.ReadFile(cmd.Key)
	if err != nil {
		return usage("reading --key: %w", err)
	}
	t.Keys, t.PGPKeys, t.MinisignKeys, t.SSHKeys = nil, nil, nil, nil
	for _, text := range pubkey.Split(string(data)) {
		k, err := pubkey.Read(text)
		if err != nil {
			return usage("--key %s: %w", cmd.Key, err)
		}
		list := map[pubkey.Kind]*[]string{
			pubkey.PEM: &t.Keys, pubkey.OpenPGP: &t.PGPKeys, pubkey.Minisign: &t.MinisignKeys, pubkey.SSH: &t.SSHKeys,
		}[k.Kind]
		*list = append(*list, text)
	}
	return nil
}

// check refuses flags that leave open what is expected: an empty expectation would accept anybody.
func (cmd *verifyCommand) check() error {
	switch {
	case cmd.Explain && cmd.Output != "table":
		return usage("--explain goes with --output table; the other outputs are of a fixed form")
	case len(cmd.Artifact) == 0 && cmd.Digest == "":
		return usage("name the files to verify, or --digest sha256:HEX for a file that is elsewhere")
	case len(cmd.Artifact) > 0 && cmd.Digest != "":
		return usage("give files or --digest, not both")
	case cmd.Digest != "" && !digestHex.MatchString(strings.ToLower(cmd.Digest)):
		return usage("--digest is %q; it should be sha256: and 64 hexadecimal digits, or sha512: and 128", cmd.Digest)
	case cmd.Digest != "" && cmd.Checksums != "":
		return usage("--checksums needs the file itself: a list is compared by name and digest")
	case cmd.Digest != "" && len(cmd.Bundle) == 0:
		return usage("--digest needs --bundle FILE: there is no file to look beside")
	case cmd.Repo != "" && !ownerName.MatchString(cmd.Repo):
		return usage("--repo is %q; it should be OWNER/NAME", cmd.Repo)
	case cmd.Commit != "" && !fullSHA.MatchString(cmd.Commit):
		return usage("--commit is %q; it should be a full commit of 40 hexadecimal digits", cmd.Commit)
	case (cmd.CertificateIdentity == "") != (cmd.CertificateOIDCIssuer == ""):
		return usage("--certificate-identity and --certificate-oidc-issuer go together: a name means nothing without who vouches for it")
	case cmd.Repo == "" && cmd.CertificateIdentity == "" && cmd.Key == "" && cmd.Policy == "":
		return usage("say whom you expect: --repo OWNER/NAME, --certificate-identity with --certificate-oidc-issuer, --key FILE, or --policy FILE with releases.trust")
	}
	return nil
}

// trust fills in roots and keys and returns which trust roots may be used.
func (cmd *verifyCommand) trust(conf *sigstore.Config, p *checks.Policy) ([]string, error) {
	for _, key := range p.Releases.Trust.AllKeys() {
		conf.Keys = append(conf.Keys, []byte(key))
	}
	var roots []string
	switch cmd.TrustedRoot {
	case "":
		roots = slices.Clone(p.Releases.Trust.Roots)
		if len(roots) == 0 && cmd.Key == "" {
			roots = []string{checks.RootPublicGood}
		}
	case checks.RootPublicGood, checks.RootGitHub:
		roots = []string{cmd.TrustedRoot}
	default:
		data, err := os.ReadFile(cmd.TrustedRoot)
		if err != nil {
			return nil, usage("reading --trusted-root (public-good, github, or a file): %w", err)
		}
		conf.TrustedRoot, roots = data, []string{checks.RootCustom}
	}
	if len(conf.Keys) > 0 && !slices.Contains(roots, checks.RootKey) {
		roots = append(roots, checks.RootKey)
	}
	return roots, nil
}

// release hashes the artifacts and reads the evidence.
func (cmd *verifyCommand) release(p *progress) (*checks.Release, error) {
	r := &checks.Release{Tag: cmd.Tag, Commit: cmd.Commit}
	if cmd.Tag != "" {
		r.TagRef = "refs/tags/" + cmd.Tag
	}
	about := "" // with one artifact, whatever evidence was given is meant for it
	if cmd.Digest != "" {
		about = strings.ToLower(cmd.Digest)
	} else if len(cmd.Artifact) == 1 {
		about = filepath.Base(cmd.Artifact[0])
	}
	for _, name := range cmd.Bundle {
		b, err := readBundle(name, about)
		if err != nil {
			return nil, usage("reading --bundle: %w", err)
		}
		r.Bundles = append(r.Bundles, b)
	}
	if cmd.Digest != "" {
		digest := strings.ToLower(cmd.Digest)
		a := checks.Asset{Name: digest}
		if hex, long := strings.CutPrefix(digest, "sha512:"); long {
			a.SHA512 = hex
		} else {
			a.SHA256 = strings.TrimPrefix(digest, "sha256:")
		}
		r.Assets = []checks.Asset{a}
		return r, nil
	}
	for _, path := range cmd.Artifact {
		if len(cmd.Bundle) > 0 {
			break
		}
		beside, err := sidecars(path, filepath.Base(path))
		if err != nil {
			return nil, usage("%w", err)
		}
		r.Bundles = append(r.Bundles, beside...)
	}
	lists, err := cmd.lists(r, p)
	if err != nil {
		return nil, err
	}
	for _, path := range cmd.Artifact {
		a, err := hashFile(path, needed(r.Bundles, lists, filepath.Base(path)), p)
		if err != nil {
			return nil, usage("%w", err)
		}
		r.Assets = append(r.Assets, a)
	}
	r.Assets = append(r.Assets, lists...)
	if len(r.Bundles) == 0 {
		fmt.Fprintf(p.w, "landwaiter: no evidence beside %s (looked for %s); pass --bundle FILE\n",
			cmd.Artifact[0], strings.Join(sidecarSuffixes, ", "))
	}
	return r, nil
}

// lists reads the list of checksums, if one is given, and the evidence beside it, which is
// added to r. The list is an artifact like the others.
func (cmd *verifyCommand) lists(r *checks.Release, p *progress) ([]checks.Asset, error) {
	if cmd.Checksums == "" {
		return nil, nil
	}
	name := filepath.Base(cmd.Checksums)
	if _, ok := checks.ChecksumFile(name); !ok {
		return nil, usage("--checksums %s: the name should be that of a list, such as SHA256SUMS, checksums.txt or app.sha256", name)
	}
	beside, err := sidecars(cmd.Checksums, name)
	if err != nil {
		return nil, usage("%w", err)
	}
	r.Bundles = append(r.Bundles, beside...)
	w := needed(beside, nil, name)
	w.Bytes = true
	a, err := hashFile(cmd.Checksums, w, p)
	if err != nil {
		return nil, usage("%w", err)
	}
	return []checks.Asset{a}, nil
}
