package checks

import (
	"errors"
	"maps"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/landwaiter/landwaiter/checks/pubkey"
	"github.com/landwaiter/landwaiter/checks/strict"
)

var (
	imageForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$`)
	})
	npmForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^pkg:npm/(%40[a-z0-9~._-]+/)?[a-zA-Z0-9~_-][a-zA-Z0-9~._-]*$`)
	})
)

func (d policyReader) releaseKeys(r *ReleaseRules) strict.Keys {
	keys := strict.Keys{
		"settle": func(n strict.Node) {
			d.Section(n, "releases.settle.", strict.Keys{
				"window":   func(n strict.Node) { r.SettleWindow = d.Duration(n, time.Hour) },
				"max_wait": func(n strict.Node) { r.MaxWait = d.Duration(n, day) },
			})
		},
		"assets": func(n strict.Node) { r.Assets = nil; d.List(n, func(n strict.Node) { d.asset(n, r) }) },
		"images": func(n strict.Node) {
			r.Images = nil
			d.List(n, func(n strict.Node) {
				r.Images = append(r.Images, d.formed(n, imageForm, "a container image such as ghcr.io/owner/name, without tag and digest"))
			})
		},
		"package": func(n strict.Node) {
			r.Package = d.formed(n, npmForm, "a package such as pkg:npm/name, without version; only npm is read")
		},
		"duties": func(n strict.Node) { d.Section(n, "releases.duties.", d.dutyKeys(&r.Duties)) },
		"trust":  func(n strict.Node) { d.Section(n, "releases.trust.", d.trustKeys(&r.Trust)) },
		"memory": func(n strict.Node) { d.Section(n, "releases.memory.", d.memoryKeys(&r.Memory)) },
	}
	maps.Copy(keys, d.gateKeys(r))
	maps.Copy(keys, d.summaryKeys(r))
	return keys
}

func (d policyReader) asset(n strict.Node, r *ReleaseRules) {
	a := AssetRule{Line: strict.Line(n)}
	d.Section(n, "releases.assets.", strict.Keys{
		"match": func(n strict.Node) { a.Match = d.pattern(n) },
		"require": func(n strict.Node) {
			d.List(n, func(n strict.Node) {
				a.Require = append(a.Require, d.Choice(n,
					[]string{RequireSignature, RequireProvenance, RequireReleaseAttestation, RequireChecksum, RequireSBOM}))
			})
		},
		"predicate_type": func(n strict.Node) { a.PredicateType = d.Text(n) },
	})
	if a.Match == "" {
		d.Fail(n, "an asset rule needs `match`")
	}
	if a.PredicateType != "" && len(a.Require) == 0 {
		d.Fail(n, "`predicate_type` needs `require`")
	}
	r.Assets = append(r.Assets, a)
}

func (d policyReader) trustKeys(t *TrustRules) strict.Keys {
	return strict.Keys{
		"signers": func(n strict.Node) { t.Signers = nil; d.List(n, func(n strict.Node) { d.signer(n, t) }) },
		"roots": func(n strict.Node) {
			t.Roots = nil
			d.List(n, func(n strict.Node) {
				t.Roots = append(t.Roots, d.Choice(n, []string{RootPublicGood, RootGitHub, RootKey, RootCustom}))
			})
		},
		"runners": func(n strict.Node) {
			t.Runners = nil
			d.List(n, func(n strict.Node) {
				t.Runners = append(t.Runners, d.Choice(n, []string{runnerHosted, "self-hosted"}))
			})
		},
		"min_slsa": func(n strict.Node) { t.MinSLSA = d.Number(n, 0, 3) },
		"source_refs": func(n strict.Node) {
			t.SourceRefs = nil
			d.List(n, func(n strict.Node) {
				t.SourceRefs = append(t.SourceRefs, d.prefixed(n, "refs/heads/", "refs/tags/"))
			})
		},
		"keys":          func(n strict.Node) { t.Keys = d.publicKeys(n, pubkey.PEM) },
		"pgp_keys":      func(n strict.Node) { t.PGPKeys = d.publicKeys(n, pubkey.OpenPGP) },
		"minisign_keys": func(n strict.Node) { t.MinisignKeys = d.publicKeys(n, pubkey.Minisign) },
		"ssh_keys":      func(n strict.Node) { t.SSHKeys = d.publicKeys(n, pubkey.SSH) },
		"max_key_age":   func(n strict.Node) { t.MaxKeyAge = d.age(n, "time", RuleBlock) },
		"retired_keys":  func(n strict.Node) { t.RetiredKeys = nil; d.List(n, func(n strict.Node) { d.retiredKey(n, t) }) },
		"shared_keys":   func(n strict.Node) { t.SharedKeys = d.level(n) },
		"certificates":  func(n strict.Node) { d.certificates(n, &t.Certificates) },
	}
}

// publicKeys reads a list of public keys, all of one kind.
func (d policyReader) publicKeys(n strict.Node, kind pubkey.Kind) []string {
	want := map[pubkey.Kind]string{
		pubkey.PEM: "one PEM block `PUBLIC KEY`", pubkey.OpenPGP: "one armored block `PGP PUBLIC KEY BLOCK`",
		pubkey.Minisign: "one public key of minisign or signify", pubkey.SSH: "one public key of SSH, as in allowed_signers",
	}[kind]
	var list []string
	d.List(n, func(n strict.Node) {
		s := d.Text(n)
		switch k, err := pubkey.Read(s); {
		case d.Err() != nil:
		case errors.Is(err, pubkey.ErrUnknown):
			d.Fail(n, "needs %s", want)
		case err != nil:
			d.Fail(n, "needs %s: %v", want, err)
		case k.Kind != kind:
			d.Fail(n, "needs %s; this is a key of %s", want, k.Kind)
		}
		list = append(list, s)
	})
	return list
}

// prefixed reads a pattern that starts with one of prefixes, so that it cannot match at another place.
func (d policyReader) prefixed(n strict.Node, prefixes ...string) string {
	s := d.pattern(n)
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return s
		}
	}
	d.Fail(n, "`%s` should start with %s", strict.Shown(s), strings.Join(prefixes, " or "))
	return s
}

// signer reads one accepted signer. A rule that leaves out who vouches, or that would accept
// anybody, is an error (THREATS section 2, rule 4).
func (d policyReader) signer(n strict.Node, t *TrustRules) {
	s := SignerRule{Line: strict.Line(n)}
	d.Section(n, "releases.trust.signers.", strict.Keys{
		"issuer":   func(n strict.Node) { s.Issuer = d.prefixed(n, "https://") },
		"workflow": func(n strict.Node) { s.Workflow = d.pattern(n) },
		"ref":      func(n strict.Node) { s.Ref = d.prefixed(n, "refs/heads/", "refs/tags/") },
		"identity": func(n strict.Node) { s.Identity = d.pattern(n) },
	})
	host, _, _ := strings.Cut(strings.TrimPrefix(s.Issuer, "https://"), "/")
	switch {
	case (s.Workflow == "") == (s.Identity == ""):
		d.Fail(n, "a signer needs either `workflow` or `identity`")
	case s.Identity != "" && s.Ref != "":
		d.Fail(n, "`ref` goes with `workflow`; an `identity` is compared whole")
	case s.Workflow != "" && (strings.HasPrefix(s.Workflow, "*") || strings.Count(s.Workflow, "/.github/workflows/") != 1):
		d.Fail(n, "`workflow` should be owner/name/.github/workflows/file.yml")
	case strings.Trim(s.Identity, "*") == "" && s.Identity != "":
		d.Fail(n, "this `identity` accepts anybody")
	case pubkey.HasPrefix(s.Identity) && !pubkey.IsIdentity(s.Identity):
		d.Fail(n, "`%s` is not the whole identity of a key, such as pgp: and a fingerprint of 40 digits in upper case", strict.Shown(s.Identity))
	case s.Issuer == "" && !pubkey.HasPrefix(s.Identity):
		d.Fail(n, "a signer needs `issuer`: a name means nothing without who vouches for it")
	case strings.Contains(host, "*"):
		d.Fail(n, "the host of `issuer` cannot be a pattern")
	}
	t.Signers = append(t.Signers, s)
}
