package checks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// The names of the built-in policies. A preset never changes: a change is the next version.
const (
	PresetRecommended = "landwaiter:recommended@1"
	PresetStrict      = "landwaiter:strict@1"
)

// maxException is the longest that any policy may accept a risk ahead of time; THREATS A03.
const maxException = 90 * day

var presets = map[string]func() *Policy{
	PresetRecommended: recommended,
	PresetStrict:      strictRules,
}

func presetNames() []string { return []string{PresetRecommended, PresetStrict} }

// DefaultPolicy returns the policy of a repository without a policy file:
// landwaiter:recommended@1, observing only. A committed file that extends it enforces.
func DefaultPolicy() *Policy {
	p := recommended()
	p.Mode, p.Source = ModeObserve, PresetRecommended
	p.Digest = digest(p)
	return p
}

// recommended blocks what people agree on: high advisories in what runs, malware, what is known
// to be exploited, versions taken back, workflows that hand secrets to strangers, and release
// assets without an acceptable signature. It changes no release and opens no issue, and no rule
// of it needs a network: what registries tell is asked only when a file has a key for it.
func recommended() *Policy {
	return &Policy{
		Version:     1,
		Extends:     []string{PresetRecommended},
		Mode:        ModeEnforce,
		PullRequest: PullRequestRules{Drafts: "check", OnIncomplete: "failure"},
		Dependencies: DependencyRules{
			BlockSeverity: SeverityHigh,
			BlockScopes:   []Scope{ScopeRuntime, ScopeOptional}, BlockExploited: true,
			NotImported: NotImportedBlock,
			Licences:    LicenceRules{Unknown: RuleWarn, Invalid: RuleWarn},
			Deprecated:  RuleWarn, Yanked: RuleBlock, Lookalikes: RuleWarn,
		},
		Workflows: WorkflowRules{
			UnpinnedActions: RuleWarn, UntrustedCheckout: RuleBlock, ScriptInjection: RuleBlock, WriteAll: RuleWarn,
			TrustedOwners: []string{"actions", "github"},
		},
		Releases: ReleaseRules{
			Gate:         GateReport,
			SettleWindow: time.Minute,
			MaxWait:      30 * time.Minute,
			Assets:       []AssetRule{{Match: "*", Require: []string{RequireSignature}}},
			Memory:       MemoryRules{Signers: RuleWarn, Assets: RuleWarn},
		},
		SLA:          map[Severity]time.Duration{SeverityCritical: 2 * day, SeverityHigh: 14 * day, SeverityMedium: 60 * day},
		Issues:       IssueRules{MaxOpen: 10},
		MaxException: maxException,
	}
}

// strictRules blocks medium advisories in every scope, unpinned actions and releases without
// provenance, takes failed releases back to draft, and opens issues. It needs no network either.
func strictRules() *Policy {
	p := recommended()
	p.Extends = []string{PresetStrict}
	d := &p.Dependencies
	d.BlockSeverity, d.BlockScopes, d.MaxDataAge, d.Images = SeverityMedium, nil, 7*day, RuleWarn
	p.Workflows = WorkflowRules{UnpinnedActions: RuleBlock, UntrustedCheckout: RuleBlock, ScriptInjection: RuleBlock, WriteAll: RuleBlock}
	p.Releases.Gate = GateReactive
	p.Releases.Assets = []AssetRule{{Match: "*", Require: []string{RequireProvenance}}}
	p.Releases.Trust.MinSLSA = 2
	p.Releases.Duties = duties.Rules{
		Branch: duties.Block, Pulls: duties.Block, Checked: duties.Warn, Commits: duties.Warn,
		Approvals: duties.Approvals{Level: duties.Block}, Separate: duties.Separate{Level: duties.Warn},
	}
	p.Releases.Memory.Signers = RuleBlock
	p.Issues.Enabled = true
	p.MaxException = 30 * day
	return p
}

// digest returns "sha256:" and the digest of the effective policy in its canonical form: JSON
// of all fields that decide anything, map keys and exceptions sorted.
func digest(p *Policy) string {
	canonical := *p
	canonical.Extends = nil // their keys are in
	canonical.Exceptions = slices.SortedFunc(slices.Values(p.Exceptions), func(a, b Exception) int {
		return strings.Compare(a.ID, b.ID)
	})
	data, err := json.Marshal(canonical)
	if err != nil {
		panic("checks: a policy holds plain values only: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
