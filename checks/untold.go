package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks/strict"
)

// untold gives a reason for each rule that blocks and that something is missing for, and one
// notice for all rules that warn.
func (j *judgment) untold(f *finder) {
	why := "no registry told of it"
	for _, e := range j.evidence {
		if e.Scanner == registryScanner && len(e.Gaps) > 0 {
			why = e.Gaps[0].Reason
		}
	}
	var warned []string
	for _, rule := range []string{RuleLicence, RuleMinAge, RuleDeprecated, RuleYanked, RuleAbandoned, RuleNoProvenance, RuleLostOrigin} {
		missing := f.untold[rule]
		if len(missing) == 0 {
			continue
		}
		if f.p.factLevel(rule) != RuleBlock {
			warned = append(warned, fmt.Sprintf("%s for %d", rule, len(missing)))
			continue
		}
		names := make([]string, 0, len(missing))
		for _, p := range missing {
			names = append(names, p.String())
		}
		j.reason(rule, CodeDataMissing, "could not be told for %s: %s (%s); check again later, or let the rule warn", plural(len(missing), "package"), listed(names), why)
	}
	if len(warned) > 0 {
		j.notice(RuleComplete, CodeDataMissing, "Rules that warn could not be told for all packages: %s (%s).", strings.Join(warned, ", "), why)
	}
	j.exploitation(f)
}

// exploitation gives a reason when a rule about exploitation lacks its data, or has old data,
// and could decide: when something introduced does not block anyhow. A preset alone cannot make
// the data needed; then it is a notice.
func (j *judgment) exploitation(f *finder) {
	var kev, epss time.Time
	for _, e := range j.evidence {
		kev, epss = later(kev, e.ExploitedTime), later(epss, e.EPSSTime)
	}
	open := func(f Finding) bool { return f.Introduced && f.Advisory != "" && f.Level != LevelBlock }
	d := j.p.Dependencies
	const update = "run `landwaiter advisories update` and check again"
	old := func(t time.Time) bool { return d.MaxDataAge > 0 && j.now.Sub(t) > d.MaxDataAge }
	if d.BlockExploited && slices.ContainsFunc(j.r.Findings, open) {
		switch {
		case !kev.IsZero() && old(kev):
			j.reason(RuleExploited, CodeDataStale, "the catalogue of known exploited vulnerabilities is older than %s; %s", strict.DurationText(d.MaxDataAge), update)
		case !kev.IsZero():
		case d.asked(RuleExploited):
			j.reason(RuleExploited, CodeDataMissing, "there is no catalogue of known exploited vulnerabilities, and the policy blocks what it names; %s", update)
		default:
			j.notice(RuleExploited, CodeDataMissing, "There is no catalogue of known exploited vulnerabilities, so none is marked as such; `landwaiter advisories update` fetches it.")
		}
	}
	inScope := func(f Finding) bool { return open(f) && j.p.inScope(f.Scope) }
	if d.MinEPSS > 0 && slices.ContainsFunc(j.r.Findings, inScope) {
		switch {
		case epss.IsZero():
			j.reason(causeEPSS, CodeDataMissing, "there are no EPSS scores, and the policy blocks from %s; %s", percent(d.MinEPSS), update)
		case old(epss):
			j.reason(causeEPSS, CodeDataStale, "the EPSS scores are older than %s; %s", strict.DurationText(d.MaxDataAge), update)
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
