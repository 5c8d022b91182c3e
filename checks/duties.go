package checks

import (
	"fmt"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// duties judges what came into the release since the one before, and through whose hands.
func (j *judgment) duties() {
	rules := j.p.Releases.Duties
	if j.m.Subject.Kind != KindRelease {
		if rules.Asked() {
			j.notice(RuleComplete, CodeUncompared, "the rules of releases.duties were not compared, because only GitHub tells what came into a release")
		}
		return
	}
	problems, summary := duties.Judge(j.m.Release.Duties, rules, j.builders())
	j.r.Duties = summary
	for _, p := range problems {
		if p.Level == duties.Block {
			j.reason(p.Rule, p.Code, "%s", p.Message)
		} else {
			j.notice(p.Rule, p.Code, "%s (%s, a warning)", p.Message, p.Code)
		}
	}
}

// builders returns who started the runs that built the verified assets.
func (j *judgment) builders() duties.Builders {
	var b duties.Builders
	if why := j.m.Release.RunsUnknown; why != "" {
		return duties.Builders{Problem: "who started the build is not known: " + why}
	}
	seen := map[string]bool{}
	for _, a := range j.r.Assets {
		if a.Run == "" || a.State != AssetVerified || seen[a.Run] {
			continue
		}
		seen[a.Run] = true
		run, ok := j.m.Release.Runs[a.Run]
		switch {
		case !ok:
			b.Problem = fmt.Sprintf("who started the run %s is not known, because nobody asked", a.Run)
		case run.Problem != nil:
			b.Problem = "who started the build is not known: " + run.Problem.Message
		default:
			b.People = append(b.People, run.Actors...)
		}
	}
	return b
}
