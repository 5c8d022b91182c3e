package checks

import (
	"github.com/landwaiter/landwaiter/checks/strict"
)

// What is done with the verification summaries of a release that passes.
const (
	SummaryOff    = "off"    // none are made
	SummaryOffer  = "offer"  // they are made and offered at the service; also ""
	SummaryAttach = "attach" // and attached to the release, where it can be written to
)

// summaryKeys are the keys of releases about verification summaries.
func (d policyReader) summaryKeys(r *ReleaseRules) strict.Keys {
	return strict.Keys{
		"summary": func(n strict.Node) {
			r.Summary = d.Choice(n, []string{SummaryOff, SummaryOffer, SummaryAttach})
			if r.Summary == SummaryOffer {
				r.Summary = "" // the same policy has the same digest
			}
		},
	}
}
