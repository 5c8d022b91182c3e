package checks

import "time"

// Judge forms the Report on m under p from what the scanners saw, at the time now.
func Judge(m *Material, p *Policy, evidence []Evidence, now time.Time) Report {
	return Report{Subject: m.Subject, Verdict: Unknown, Time: now.UTC().Truncate(time.Second)}
}
