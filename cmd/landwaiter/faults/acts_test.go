package faults

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// many is how many vulnerable packages there are: more than GitHub takes annotations in one request.
const many = 60

// lock returns a package-lock.json of packages written "name@version".
func lock(packages ...string) string {
	var b strings.Builder
	b.WriteString("{\n  \"name\": \"shop\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": { \"name\": \"shop\" }")
	for _, p := range packages {
		name, version, _ := strings.Cut(p, "@")
		fmt.Fprintf(&b, ",\n    \"node_modules/%s\": { \"version\": %q }", name, version)
	}
	b.WriteString("\n  }\n}\n")
	return b.String()
}

// writeAdvisories writes the OSV archive of npm: bad-0 to bad-59 are vulnerable in every version
// below last.0.0.
func writeAdvisories(folder string, last int) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range many {
		id := fmt.Sprintf("GHSA-2222-2222-22%d%d", 2+i/8, 2+i%8)
		record, err := json.Marshal(map[string]any{
			"schema_version": "1.7.3", "id": id, "modified": "2026-11-01T00:00:00Z", "published": "2026-10-01T00:00:00Z",
			"summary": "Made up for tests", "database_specific": map[string]any{"severity": "HIGH"},
			"affected": []any{map[string]any{
				"package": map[string]any{"ecosystem": "npm", "name": fmt.Sprintf("bad-%d", i)},
				"ranges":  []any{map[string]any{"type": "SEMVER", "events": []any{map[string]any{"introduced": "0"}, map[string]any{"fixed": fmt.Sprintf("%d.0.0", last)}}}},
			}},
		})
		if err != nil {
			return err
		}
		f, err := z.Create(id + ".json")
		if err != nil {
			return err
		}
		if _, err := f.Write(record); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(folder, "npm"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "npm", "all.zip"), b.Bytes(), 0o600)
}

// advisories returns the command that compiles the advisories, and fails the test when there are
// none to compile.
func (w *world) advisories(last int) *exec.Cmd {
	w.t.Helper()
	source := filepath.Join(w.folder, "osv-source")
	if err := writeAdvisories(source, last); err != nil {
		w.t.Fatal(err)
	}
	command := exec.Command(w.program, "advisories", "import", source)
	command.Env = w.env
	return command
}

func (w *world) importAdvisories(last int) {
	w.t.Helper()
	if out, err := w.advisories(last).CombinedOutput(); err != nil {
		w.t.Fatalf("importing advisories: %v\n%s", err, out)
	}
}

const (
	pullCheck    = "landwaiter/pr"
	releaseCheck = "landwaiter/release"
)

// shop is the repository whose turn it is.
func (w *world) shop() *githubtest.Repo { return w.shops[w.serial%len(w.shops)] }

// openPull opens a pull request that adds packages, and says what its check must become. The
// base has moved before, so that nothing of it is known yet.
func (w *world) openPull(conclusion string, packages ...string) *githubtest.Pull {
	n := w.next()
	w.shop().Commit("main", fmt.Sprintf("base %d", n), githubtest.Files{"README.md": fmt.Sprintf("%d\n", n)})
	files := githubtest.Files{"package-lock.json": lock(append(packages, fmt.Sprintf("fine-%d@1.0.0", n))...)}
	p := w.shop().OpenPull(githubtest.PullOptions{Head: fmt.Sprintf("change-%d", n), Files: files})
	w.expect(pullCheck, p.HeadSHA(), conclusion)
	return p
}

// act is something that happens on GitHub.
type act struct {
	name string
	do   func(w *world)
	// before, when not nil, is what must have come to rest before.
	before func(w *world)
}

// acts is everything that can happen.
func acts() []act {
	return []act{
		{name: "a pull request with a violation", do: violation},
		{name: "a pull request without", do: func(w *world) { w.openPull("success") }},
		{name: "a pull request with more violations than GitHub takes at once", do: tooMany},
		{name: "a push to a pull request", do: pushed},
		{name: "a check pressed again", do: rerun},
		{name: "a release that fails in a new repository", do: func(w *world) { w.vault = w.found(fmt.Sprintf("acme/vault-%d", w.next())); failing(w) }},
		{name: "a release that passes", do: passing},
		{name: "a release that is cured", before: failing, do: cured},
		{name: "a deployment that may go out", before: passing, do: func(w *world) { w.deploy("approved") }},
		{name: "a deployment that may not", before: failing, do: func(w *world) { w.deploy("rejected") }},
		{name: "a draft that approvers let out", before: asking, do: approved},
		{name: "a webhook that is refused", do: refused},
		{name: "a check run whose answer is lost", do: lost},
	}
}

// play lets a happen.
func (w *world) play(a act) {
	w.t.Helper()
	w.prepare(a)
	a.do(w)
}

// prepare brings about what must be before a.
func (w *world) prepare(a act) {
	w.t.Helper()
	if a.before != nil {
		a.before(w)
		w.rest()
	}
}

func tooMany(w *world) {
	var packages []string
	for i := range many {
		packages = append(packages, fmt.Sprintf("bad-%d@1.0.0", i))
	}
	w.openPull("failure", packages...)
}

// pushed pushes at once, while the first head is being judged.
func pushed(w *world) {
	p := w.openPull("", "bad-1@1.0.0")
	old := p.HeadSHA()
	head := p.Push(githubtest.Files{"package-lock.json": lock("left-pad@1.3.0", fmt.Sprintf("fine-%d@2.0.0", w.next()))})
	w.forget(pullCheck, old) // a verdict or "superseded": whichever was first
	w.expect(pullCheck, head, "success")
}

func (w *world) forget(check, sha string) {
	delete(w.want, check+" "+sha)
	delete(w.pending, check+" "+sha)
}

// rerun presses "Re-run" on the newest completed check of a pull request.
func rerun(w *world) {
	r := w.shop()
	runs := r.CheckRuns("")
	for i := len(runs) - 1; i >= 0; i-- {
		if run := runs[i]; run.Name == pullCheck && run.Status == "completed" && w.want[pullCheck+" "+run.HeadSHA] != "" {
			w.next()
			r.RerequestRun(run.ID, "mona")
			w.pending[pullCheck+" "+run.HeadSHA] = w.want[pullCheck+" "+run.HeadSHA]
			return
		}
	}
	w.openPull("success")
}

// publish publishes a release of its own commit. Its file is proven by a list of checksums.
func (w *world) publish(conclusion string, proven bool) *githubtest.Release {
	n := w.next()
	sha := w.vault.Commit("main", fmt.Sprintf("release %d", n), githubtest.Files{"README.md": fmt.Sprintf("%d\n", n)})
	notes := fmt.Appendf(nil, "notes %d\n", n)
	assets := map[string][]byte{"notes.txt": notes}
	if proven {
		assets["SHA256SUMS"] = sums(notes)
	}
	rel := w.vault.Release(githubtest.ReleaseOptions{Tag: fmt.Sprintf("v1.0.%d", n), Assets: assets})
	w.expect(releaseCheck, sha, conclusion)
	return rel
}

// sums is a list of the checksum of notes.txt.
func sums(notes []byte) []byte {
	sum := sha256.Sum256(notes)
	return fmt.Appendf(nil, "%s  notes.txt\n", hex.EncodeToString(sum[:]))
}

func failing(w *world) { w.failed = w.publish("failure", false) }

func passing(w *world) { w.publish("success", true) }

// cured publishes a release that failed, and was taken back, again with what was missing.
func cured(w *world) {
	rel := w.failed
	if !rel.Draft() {
		w.t.Errorf("release %d fails and stays published", rel.ID)
	}
	n := 0
	if _, err := fmt.Sscanf(rel.View().Tag, "v1.0.%d", &n); err != nil {
		w.t.Fatal(err)
	}
	rel.AddAsset("SHA256SUMS", sums(fmt.Appendf(nil, "notes %d\n", n)))
	w.expect(releaseCheck, w.vault.Head("refs/heads/main"), "success")
	rel.Publish()
}

// asking makes a draft that passes and waits for two approvers, in a repository of its own.
func asking(w *world) {
	n := w.next()
	r := w.found(fmt.Sprintf("acme/drafts-%d", n)).Collaborator("kim", "pull")
	w.github.Org("acme").Team("release", "bo")
	sha := r.Commit("main", "policy", githubtest.Files{".github/landwaiter.yml": strings.Replace(policy, "gate: reactive", "gate: draft\n  publish: manual", 1) +
		"approvers: {releases: {teams: [acme/release], users: [kim], count: 2}}\n"})
	notes := fmt.Appendf(nil, "notes %d\n", n)
	w.asking = r.Release(githubtest.ReleaseOptions{Tag: fmt.Sprintf("v1.0.%d", n), Draft: true, Assets: map[string][]byte{"notes.txt": notes, "SHA256SUMS": sums(notes)}})
	w.drafts = r
	w.expect(releaseCheck, sha, "failure")
}

// approved has both approvers say so, once a second has passed since the issue was written: a
// comment of the same second may not have seen it.
func approved(w *world) {
	issue := w.drafts.Issues()[0]
	w.until("a second has passed", func() bool { return time.Since(issue.Updated) > 2*time.Second })
	w.expect(releaseCheck, w.drafts.Head("refs/heads/main"), "success")
	for _, login := range []string{"bo", "kim"} {
		w.drafts.Comment(issue.Number, login, "/landwaiter release approve "+w.asking.View().Tag+" because the notes are fine")
	}
}

// deployment is one that waits, and the answer that must come.
type deployment struct {
	*githubtest.Deployment
	want string
}

// deploy lets a run of the newest release's commit wait in an environment.
func (w *world) deploy(want string) {
	run := w.vault.WorkflowRun(githubtest.RunOptions{SHA: w.vault.Head("refs/heads/main"), Status: "waiting"})
	w.deployments = append(w.deployments, deployment{run.Deploy("production"), want})
}

// answered reports whether GitHub was told what must be.
func (d deployment) answered() bool {
	for _, said := range d.Reports() {
		if said.State != "" {
			return said.State == d.want
		}
	}
	return false
}

// refused opens a pull request whose webhook does not arrive.
func refused(w *world) {
	w.down.Store(true)
	w.openPull("failure", "bad-2@1.0.0")
	if err := w.github.Settle(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.down.Store(false)
}

// lost opens a pull request, and GitHub does not answer the creation of its check run.
func lost(w *world) {
	w.github.Fail(githubtest.Fault{Route: "POST /repos/{owner}/{repo}/check-runs", Kind: githubtest.Nothing, When: githubtest.AfterActing})
	w.openPull("failure", "bad-6@1.0.0")
}

// slow makes the next judgment take several heartbeats.
func slow(w *world) {
	w.github.Fail(githubtest.Fault{Route: "GET /repos/{owner}/{repo}/compare/{basehead}", Kind: githubtest.Delay, Delay: 900 * time.Millisecond})
	w.openPull("failure", "bad-3@1.0.0")
}

// stumbling makes the next judgment fail once.
func stumbling(w *world) {
	w.github.Fail(githubtest.Fault{Route: "GET /repos/{owner}/{repo}/compare/{basehead}", Status: 502})
	w.openPull("failure", "bad-4@1.0.0")
}

// hopeless makes the next judgment fail for good: GitHub denies the pull request.
func hopeless(w *world) {
	w.github.Fail(githubtest.Fault{Route: "GET /repos/{owner}/{repo}/pulls/{pull_number}", Status: 404, Times: -1, Body: `{"message":"Not Found"}`})
	r := w.shops[(w.serial+1)%len(w.shops)]
	p := w.openPull("failure", "bad-5@1.0.0")
	w.gone[fmt.Sprintf("pr:%d:%d:%s", r.ID(), p.Number, p.HeadSHA())] = true
}
