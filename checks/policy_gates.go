package checks

import (
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
		"publish": func(n strict.Node) { r.Publish = d.Choice(n, []string{PublishAuto, PublishManual}) },
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
