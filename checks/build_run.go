package checks

import (
	"maps"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// BuildRun is a workflow run as GitHub tells of it, by which something was built.
type BuildRun struct {
	RepositoryID int64
	Commit       string          // full object name that it ran for
	Workflow     string          // path of the workflow file: ".github/workflows/release.yml"
	Attempt      int             // one-based; GitHub tells of the newest only
	Status       string          // "completed", "in_progress", "queued", ...
	Conclusion   string          // "success", "failure", "cancelled", ...; "" until completed
	Actors       []duties.Person // who started it, and who started it again
	// Problem says why nothing is known of it. Its Code is one of the reason codes.
	Problem *Reason
}

// buildRun compares the run that built with what GitHub says of it today: an attestation is
// made in the middle of a run, which may have failed afterwards.
//
// A run that has not ended is not held against the asset, as it may be the very run that
// waits for this verdict; a notice tells of it.
func (t *trial) buildRun() *Reason {
	url := t.a.Certificate.Run
	if t.j.m.Release.Runs == nil || url == "" {
		return nil
	}
	r, ok := t.j.m.Release.Runs[url]
	switch {
	case !ok:
		return because(CodeNotReadable, "the run that built it (%s) was not looked at, because too many runs built this release", url)
	case r.Problem != nil:
		return r.Problem
	case t.j.m.Release.RepositoryID != 0 && r.RepositoryID != t.j.m.Release.RepositoryID:
		return because(CodeRunNotSuccessful, "the run that built it (%s) belongs to another repository", url)
	case !strings.EqualFold(r.Commit, t.facts.Commit):
		return because(CodeRunNotSuccessful, "the run that built it (%s) was of commit %s, the certificate says %s", url, orNothing(r.Commit), orNothing(t.facts.Commit))
	case !sameWorkflow(r.Workflow, t.a.Certificate.Config):
		return because(CodeRunNotSuccessful, "the run that built it (%s) was of %s, the certificate says %s", url, orNothing(r.Workflow), t.a.Certificate.Config)
	case r.Status != "completed":
		t.j.unfinished[url] = true
		return nil
	case r.Conclusion == "success":
		return nil
	case r.Attempt > attemptOf(url):
		return because(CodeNotReadable, "the run that built it (%s) was started again and ended as %s; how the attempt that built it ended is not told any more", url, orNothing(r.Conclusion))
	}
	return because(CodeRunNotSuccessful, "the run that built it (%s) ended as %s; build again and release what a successful run made", url, orNothing(r.Conclusion))
}

// sameWorkflow compares the path of a workflow file, which GitHub may give with its ref, with
// the address in a certificate: "https://github.com/o/r/.github/workflows/w.yml@refs/...". A
// certificate without one says nothing to compare.
func sameWorkflow(path, config string) bool {
	path, _, _ = strings.Cut(path, "@")
	config, _, _ = strings.Cut(config, "@")
	parts := strings.SplitN(strings.TrimPrefix(config, githubHost), "/", 3) // owner, name, path
	return config == "" || path != "" && len(parts) == 3 && parts[2] == path
}

// attemptOf returns the attempt that the address of a run ends in, 1 when it names none.
func attemptOf(url string) int {
	_, text, ok := strings.Cut(url, "/attempts/")
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' || n > 1000 {
			return 1
		}
		n = 10*n + int(c-'0')
	}
	if !ok || n == 0 {
		return 1
	}
	return n
}

// noticeRuns tells which runs had not ended, and that runs could not be asked about.
func (j *judgment) noticeRuns() {
	for _, url := range slices.Sorted(maps.Keys(j.unfinished)) {
		j.notice(RuleProvenance, CodeRunUnfinished, "the run that built it has not ended yet (%s); it is looked at again", url)
	}
	if why := j.m.Release.RunsUnknown; why != "" {
		j.notice(RuleProvenance, CodeRunUnfinished, "whether the runs that built it ended well is not known: %s", why)
	}
}
