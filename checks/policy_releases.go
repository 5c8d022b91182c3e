package checks

import (
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

func (d *document) releaseKeys(r *ReleaseRules) keys {
	return keys{
		"gate": func(n ast.Node) {
			r.Gate = Gate(d.choice(n, []string{string(GateOff), string(GateReport), string(GateReactive)}, "draft"))
		},
		"settle": func(n ast.Node) {
			d.section(n, "releases.settle.", keys{
				"window":   func(n ast.Node) { r.SettleWindow = d.duration(n, time.Hour) },
				"max_wait": func(n ast.Node) { r.MaxWait = d.duration(n, day) },
			})
		},
		"assets": func(n ast.Node) { r.Assets = nil; d.list(n, func(n ast.Node) { d.asset(n, r) }) },
		"trust":  func(n ast.Node) { d.section(n, "releases.trust.", d.trustKeys(&r.Trust)) },
	}
}

func (d *document) asset(n ast.Node, r *ReleaseRules) {
	a := AssetRule{Line: n.GetToken().Position.Line}
	d.section(n, "releases.assets.", keys{
		"match": func(n ast.Node) { a.Match = d.pattern(n) },
		"require": func(n ast.Node) {
			d.list(n, func(n ast.Node) {
				a.Require = append(a.Require, d.choice(n,
					[]string{RequireSignature, RequireProvenance, RequireReleaseAttestation}, "checksum", "sbom"))
			})
		},
		"predicate_type": func(n ast.Node) { a.PredicateType = d.text(n) },
	})
	if a.Match == "" {
		d.fail(n, "an asset rule needs `match`")
	}
	if a.PredicateType != "" && len(a.Require) == 0 {
		d.fail(n, "`predicate_type` needs `require`")
	}
	r.Assets = append(r.Assets, a)
}

func (d *document) trustKeys(t *TrustRules) keys {
	return keys{
		"signers": func(n ast.Node) { t.Signers = nil; d.list(n, func(n ast.Node) { d.signer(n, t) }) },
		"roots": func(n ast.Node) {
			t.Roots = nil
			d.list(n, func(n ast.Node) {
				t.Roots = append(t.Roots, d.choice(n, []string{RootPublicGood, RootGitHub, RootKey, RootCustom}))
			})
		},
		"runners": func(n ast.Node) {
			t.Runners = nil
			d.list(n, func(n ast.Node) {
				t.Runners = append(t.Runners, d.choice(n, []string{runnerHosted, "self-hosted"}))
			})
		},
		"min_slsa": func(n ast.Node) { t.MinSLSA = d.number(n, 0, 3) },
		"source_refs": func(n ast.Node) {
			t.SourceRefs = nil
			d.list(n, func(n ast.Node) {
				t.SourceRefs = append(t.SourceRefs, d.prefixed(n, "refs/heads/", "refs/tags/"))
			})
		},
		"keys": func(n ast.Node) {
			t.Keys = nil
			d.list(n, func(n ast.Node) { t.Keys = append(t.Keys, d.publicKey(n)) })
		},
	}
}

// prefixed reads a pattern that starts with one of prefixes, so that it cannot match at another place.
func (d *document) prefixed(n ast.Node, prefixes ...string) string {
	s := d.pattern(n)
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return s
		}
	}
	d.fail(n, "`%s` should start with %s", shown(s), strings.Join(prefixes, " or "))
	return s
}

// signer reads one accepted signer. A rule that leaves out who vouches, or that would accept
// anybody, is an error (THREATS section 2, rule 4).
func (d *document) signer(n ast.Node, t *TrustRules) {
	s := SignerRule{Line: n.GetToken().Position.Line}
	d.section(n, "releases.trust.signers.", keys{
		"issuer":   func(n ast.Node) { s.Issuer = d.prefixed(n, "https://") },
		"workflow": func(n ast.Node) { s.Workflow = d.pattern(n) },
		"ref":      func(n ast.Node) { s.Ref = d.prefixed(n, "refs/heads/", "refs/tags/") },
		"identity": func(n ast.Node) { s.Identity = d.pattern(n) },
	})
	host, _, _ := strings.Cut(strings.TrimPrefix(s.Issuer, "https://"), "/")
	switch {
	case (s.Workflow == "") == (s.Identity == ""):
		d.fail(n, "a signer needs either `workflow` or `identity`")
	case s.Identity != "" && s.Ref != "":
		d.fail(n, "`ref` goes with `workflow`; an `identity` is compared whole")
	case s.Workflow != "" && (strings.HasPrefix(s.Workflow, "*") || strings.Count(s.Workflow, "/.github/workflows/") != 1):
		d.fail(n, "`workflow` should be owner/name/.github/workflows/file.yml")
	case strings.Trim(s.Identity, "*") == "" && s.Identity != "":
		d.fail(n, "this `identity` accepts anybody")
	case s.Issuer == "" && !strings.HasPrefix(s.Identity, keyIdentity):
		d.fail(n, "a signer needs `issuer`: a name means nothing without who vouches for it")
	case strings.Contains(host, "*"):
		d.fail(n, "the host of `issuer` cannot be a pattern")
	}
	t.Signers = append(t.Signers, s)
}
