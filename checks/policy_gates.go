package checks

import (
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks/strict"
)

// What becomes of a draft that passes, where the gate is GateDraft.
const (
	PublishAuto   = "auto"   // Landwaiter publishes it
	PublishManual = "manual" // a person publishes it
)

// gateKeys are the keys of releases that say what a gate does.
func (d policyReader) gateKeys(r *ReleaseRules) strict.Keys {
	return strict.Keys{
		"gate": func(n strict.Node) {
			r.Gate = Gate(d.Choice(n, []string{string(GateOff), string(GateReport), string(GateDraft), string(GateReactive)}))
		},
		"tag_ruleset": func(n strict.Node) { r.TagRuleset = d.Boolean(n) },
		"publish":     func(n strict.Node) { r.Publish = d.Choice(n, []string{PublishAuto, PublishManual}) },
	}
}

// gateWhole checks what no single key of releases can. n is the section.
//
// A draft looks finished whenever nothing was uploaded for a while. Only a rule that expects
// an asset tells a draft that is still being filled from one that is whole, so nothing is
// published without one.
func (d policyReader) gateWhole(n strict.Node, r *ReleaseRules) {
	if d.Err() != nil {
		return
	}
	gate, _ := d.Value(n, "gate")
	publish, _ := d.Value(n, "publish")
	switch {
	case r.Gate != GateDraft && publish != nil:
		d.Fail(publish, "`publish` goes with `gate: draft`")
	case r.Gate != GateDraft:
		r.Publish = ""
	case r.Publish == "":
		r.Publish = PublishAuto
	}
	if r.Publish == PublishAuto && len(r.MissingAssets(nil)) == 0 {
		d.Fail(gate, "`gate: draft` publishes what passes, and no rule of `assets` expects an asset, so a draft could go out before it is whole; name an asset that needs evidence, or write `publish: manual`")
	}
}

// Bounds of the section environments. GitHub's names have at most 255 characters
// (docs.github.com, "Managing environments for deployment").
const (
	maxEnvironments    = 50
	maxEnvironmentName = 255
)

// environments reads what deployments need, by the name of their environment.
func (d policyReader) environments(n strict.Node) map[string]EnvironmentRule {
	rules := map[string]EnvironmentRule{}
	d.Entries(n, "environments.", func(name string, key, value strict.Node) {
		if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxEnvironmentName || hasControl(name) {
			d.Fail(key, "the name of an environment has 1 to %d characters, none of them a control character", maxEnvironmentName)
		}
		if len(rules) == maxEnvironments {
			d.Fail(key, "more than %d environments", maxEnvironments)
		}
		rules[name] = d.environment(name, key, value)
	})
	return rules
}

func (d policyReader) environment(name string, key, value strict.Node) EnvironmentRule {
	r := EnvironmentRule{OnIncomplete: OnIncompleteFailure, MaxWait: 30 * time.Minute, Line: strict.Line(key)}
	d.Section(value, "environments."+name+".", strict.Keys{
		"require": func(n strict.Node) {
			d.List(n, func(n strict.Node) { r.Require = append(r.Require, d.Choice(n, []string{RequireReleasePassed})) })
		},
		"no_open": func(n strict.Node) {
			r.NoOpen, _ = ParseSeverity(d.Choice(n, []string{"low", "medium", "high", "critical"}))
		},
		"on_incomplete": func(n strict.Node) {
			r.OnIncomplete = d.Choice(n, []string{OnIncompleteFailure, OnIncompleteWait})
		},
		"max_wait": func(n strict.Node) { r.MaxWait = d.Duration(n, day) },
	})
	if d.Err() == nil && !r.decides() {
		d.Fail(key, "environment `%s` needs `require` or `no_open`; a rule that asks for nothing approves nothing", strict.Shown(name))
	}
	return r
}

// environmentsWhole checks that what environments ask for can come about.
func (d policyReader) environmentsWhole(p *Policy) {
	for _, name := range slices.Sorted(maps.Keys(p.Environments)) {
		r := p.Environments[name]
		if p.Releases.Gate == GateOff && len(r.Require) > 0 {
			d.FailAt(r.Line, "environment `%s` requires `release_passed`, and `releases.gate: off` judges no release", strict.Shown(name))
		}
	}
}
