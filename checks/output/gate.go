package output

import "github.com/landwaiter/landwaiter/checks"

// gateText says what becomes of a draft under the gate draft, and what waits on whom; "" when
// there is nothing to say.
func (p page) gateText() string {
	switch {
	case p.r.Policy.Gate != checks.GateDraft || !p.r.Subject.Draft:
		return ""
	case p.observe:
		return "The policy observes: Landwaiter leaves the draft as it is, and a person may publish it."
	case p.r.WaitsForApproval():
		return "It stays a draft until enough release approvers have approved it; then Landwaiter publishes it. It is judged again by itself at each approval."
	case p.r.Verdict != checks.Pass:
		return "It stays a draft. Upload what is missing or wrong, then press Re-check; it is looked at again by itself within a quarter of an hour."
	case p.r.Policy.Publish == checks.PublishManual && !p.r.Approvals.Met():
		return "The draft waits for a person who may publish it and does so by hand on GitHub (`releases.publish: manual`). It is verified again then."
	}
	return "Landwaiter publishes the draft as it is now, with its tag at this commit."
}
