package app

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

const scanning = enforcing + "pull_request: {code_scanning: true}\n"

// alert is what a test reads of one result.
type alert struct{ Rule, Path, Level string }

// alerts reads an upload as code scanning does.
func alerts(t *testing.T, s githubtest.CodeScan) (found []alert, fingerprints map[string]bool) {
	t.Helper()
	var log struct {
		Version string
		Runs    []struct {
			Tool              struct{ Driver struct{ Name string } }
			AutomationDetails struct{ ID string }
			Results           []struct {
				RuleID, Level       string
				PartialFingerprints map[string]string
				Locations           []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
			}
		}
	}
	if err := json.Unmarshal(s.SARIF, &log); err != nil {
		t.Fatalf("the upload is no SARIF: %v", err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name != "Landwaiter" || log.Runs[0].AutomationDetails.ID != "landwaiter/" {
		t.Errorf("version, tool or category of %s", s.SARIF)
	}
	fingerprints = map[string]bool{}
	for _, r := range log.Runs[0].Results {
		found = append(found, alert{r.RuleID, r.Locations[0].PhysicalLocation.ArtifactLocation.URI, r.Level})
		fingerprints[r.PartialFingerprints["primaryLocationLineHash"]] = true
	}
	return found, fingerprints
}

// TestCodeScanning: with the key in the policy and the permission, the findings of a pull request
// are uploaded once for each head, keep their identity, and go away when they are cured.
func TestCodeScanning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubtest.Options{}, nil)
	r := w.repo("shop", githubtest.Files{policyPath: scanning, "package-lock.json": lock("left-pad@1.3.0")})
	p := w.pull(r, "topic", githubtest.Files{"package-lock.json": lock("left-pad@1.3.0", "lodash@4.17.20")})
	first := p.HeadSHA()
	r.RerequestRun(w.run(r, first).ID, "mona")
	w.settle()
	scans := r.CodeScans()
	if len(scans) != 1 {
		t.Fatalf("%d uploads of one head, want 1; buried: %s\nlog:\n%s", len(scans), w.buried(), w.log)
	}
	if got := (githubtest.CodeScan{Commit: scans[0].Commit, Ref: scans[0].Ref, Tool: scans[0].Tool}); !cmp.Equal(got, githubtest.CodeScan{Commit: first, Ref: "refs/pull/1/head", Tool: "Landwaiter"}) {
		t.Errorf("uploaded for %+v", got)
	}
	found, before := alerts(t, scans[0])
	if diff := cmp.Diff([]alert{{"GHSA-35jh-r3h4-6jhm", "package-lock.json", "error"}}, found); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	p.Push(githubtest.Files{"package-lock.json": lock("a@1.0.0", "left-pad@1.3.0", "lodash@4.17.20")})
	w.settle()
	scans = r.CodeScans()
	_, moved := alerts(t, scans[len(scans)-1])
	if diff := cmp.Diff(before, moved); diff != "" || len(scans) != 2 {
		t.Errorf("%d uploads; an alert that moved to another line is another one (-before +after):\n%s", len(scans), diff)
	}

	p.Push(githubtest.Files{"package-lock.json": lock("left-pad@1.3.0", "lodash@4.17.21")})
	w.settle()
	scans = r.CodeScans()
	if found, _ := alerts(t, scans[len(scans)-1]); len(scans) != 3 || len(found) != 0 {
		t.Errorf("%d uploads, and after the cure there are %v", len(scans), found)
	}
}

// TestCodeScanningIsOptional: without the key nothing is asked for; what refuses an upload is
// told once and changes no check.
func TestCodeScanningIsOptional(t *testing.T) {
	t.Parallel()
	const upload = "POST /repos/{owner}/{repo}/code-scanning/sarifs"
	for _, x := range []struct {
		name   string
		policy string
		change func(*world)
		calls  int // for uploads, of two heads
		told   string
	}{
		{"the key is not set", enforcing, func(*world) {}, 0, ""},
		{"the permission is not granted", scanning, func(w *world) {
			all := githubtest.AllPermissions()
			delete(all, "security_events")
			w.github.Install("other", githubtest.InstallOptions{Permissions: all})
		}, 0, "does not grant security_events: write"},
		{"code scanning is off", scanning, func(w *world) { w.github.Fail(githubtest.Fault{Route: upload, Status: 403, Times: -1}) }, 2, "not available in the repository (HTTP 403)"},
		{"there is no code scanning", scanning, func(w *world) { w.github.Fail(githubtest.Fault{Route: upload, Status: 404, Times: -1}) }, 2, "not available in the repository (HTTP 404)"},
		{"the upload is too large", scanning, func(w *world) { w.github.Fail(githubtest.Fault{Route: upload, Status: 413, Times: -1}) }, 2, "does not take the upload (HTTP 413)"},
		{"GitHub fails once", scanning, func(w *world) { w.github.Fail(githubtest.Fault{Route: upload, Status: 502}) }, 3, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubtest.Options{}, nil)
			x.change(w)
			w.settle()
			owner := "acme"
			if strings.Contains(x.name, "permission") {
				owner = "other"
			}
			r := w.github.Repo(owner, "shop", githubtest.RepoOptions{Private: true})
			r.Commit("main", "first", githubtest.Files{policyPath: x.policy, "package-lock.json": lock("left-pad@1.3.0")})
			w.settle()
			p := w.pull(r, "topic", githubtest.Files{"package-lock.json": lock("lodash@4.17.20")})
			w.rest()
			w.concluded(r, p.HeadSHA(), "failure", "")
			p.Push(githubtest.Files{"package-lock.json": lock("lodash@4.17.20", "a@1.0.0")})
			w.settle()
			w.rest()
			w.concluded(r, p.HeadSHA(), "failure", "")
			if n := len(w.github.CallsTo(upload)); n != x.calls {
				t.Errorf("%d calls for uploads, want %d", n, x.calls)
			}
			if n := strings.Count(w.log.String(), "refused="); x.told == "" && n != 0 || x.told != "" && (n != 1 || !strings.Contains(w.log.String(), x.told)) {
				t.Errorf("told %d times, want %q once:\n%s", n, x.told, w.log)
			}
			if len(w.buried()) > 0 {
				t.Errorf("buried: %s", w.buried())
			}
		})
	}
}
