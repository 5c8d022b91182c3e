package app

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/store"
)

const uploadRoute = "POST /repos/{owner}/{repo}/releases/{release_id}/assets"

var attachPolicy = strings.Replace(reportPolicy, "gate: report", "gate: report\n  summary: attach", 1)

// summarise is a signer whose lines name the assets, kept in the stage's own store.
func (s *stage) summarise(ctx context.Context, key string, generation int64) (store.StoredSummary, error) {
	r, err := s.store.ReportByKey(ctx, key)
	if err != nil {
		return store.StoredSummary{}, err
	}
	if r.Generation != generation {
		return store.StoredSummary{}, &summary.Refusal{Code: summary.RefusedOverruled}
	}
	out := store.Summary{Key: key, Generation: generation, ReportIndex: r.LedgerIndex, Policy: r.Policy}
	for _, a := range r.Report.Assets {
		if len(a.Required) > 0 && !a.EvidenceFile {
			out.File = fmt.Appendf(out.File, "{\"generation\":%d,\"asset\":%q}\n", generation, a.Name)
			out.Digests = append(out.Digests, a.SHA256)
		}
	}
	return s.store.RecordSummary(ctx, out)
}

// summaryStage is a stage whose releases that pass are summarised.
func summaryStage(t *testing.T, policy string, change func(*Config)) *stage {
	t.Helper()
	var s *stage
	s = newStage(t, play{policy: policy, change: func(c *Config) {
		c.Summarise = func(ctx context.Context, key string, generation int64) (store.StoredSummary, error) {
			return s.summarise(ctx, key, generation)
		}
		if change != nil {
			change(c)
		}
	}})
	return s
}

// file returns the summaries on a release, with 0 for the generation; "" when there are none.
func (s *stage) file(rel *githubtest.Release) string {
	s.t.Helper()
	text := ""
	for _, a := range rel.View().Assets {
		if a.Name == summary.FileName {
			if text != "" {
				s.t.Error("the release has two files of summaries")
			}
			text = string(a.Content)
		}
	}
	return ofGeneration.ReplaceAllString(text, `"generation":0`)
}

// pass lets everything happen that a release causes within a day, sweeps included.
func (s *stage) pass() {
	s.t.Helper()
	for range 40 {
		s.advance(time.Minute)
	}
	for range 23 {
		s.advance(time.Hour)
	}
}

// buried are the causes of buried jobs.
func (s *stage) buried() []string {
	s.t.Helper()
	jobs, err := s.store.Buried(s.t.Context(), 100)
	if err != nil {
		s.t.Fatal(err)
	}
	var list []string
	for _, j := range jobs {
		list = append(list, j.Step+": "+j.LastError)
	}
	return list
}

const wantFile = "{\"generation\":0,\"asset\":\"app.tar.gz\"}\n"

// ofGeneration is what differs between the summaries of two judgments of the same bytes.
var ofGeneration = regexp.MustCompile(`"generation":[0-9]+`)

// TestSummary: what is issued and attached, by policy and release; the file that we attach
// neither starts a judgment nor takes part in one.
func TestSummary(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, policy string
		change       func(s *stage)
		content      []byte
		options      githubtest.ReleaseOptions
		file         string
		offered      bool
	}{
		{"attached", attachPolicy, nil, tarball, githubtest.ReleaseOptions{}, wantFile, true},
		{"offered", reportPolicy, nil, tarball, githubtest.ReleaseOptions{}, "", true},
		{"off", strings.Replace(attachPolicy, "attach", "off", 1), nil, tarball, githubtest.ReleaseOptions{}, "", false},
		{"fails", attachPolicy, nil, []byte("other bytes"), githubtest.ReleaseOptions{}, "", false},
		{"immutable", attachPolicy, nil, tarball, githubtest.ReleaseOptions{Immutable: true}, "", true},
		{"read only", attachPolicy, func(s *stage) { s.inst.Grant("contents", "read") }, tarball, githubtest.ReleaseOptions{}, "", true},
		{"draft", strings.Replace(draftPolicy, "gate: draft", "gate: draft\n  summary: attach", 1), nil, tarball, githubtest.ReleaseOptions{Draft: true}, wantFile, true},
		{"draft that becomes immutable", strings.Replace(draftPolicy, "gate: draft", "gate: draft\n  summary: attach", 1), nil, tarball,
			githubtest.ReleaseOptions{Draft: true, Immutable: true}, wantFile, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := summaryStage(t, c.policy, nil)
			if c.change != nil {
				c.change(s)
			}
			o := c.options
			o.Tag, o.Assets = "v1.0.0", map[string][]byte{
				"app.tar.gz": tarball, "app.tar.gz.sigstore.json": s.provenance("acme/shop", "v1.0.0", "app.tar.gz", c.content),
			}
			rel := s.repo.Release(o)
			s.pass()
			if diff := cmp.Diff(c.file, s.file(rel)); diff != "" {
				t.Errorf("attached (-want +got):\n%s", diff)
			}
			_, err := s.store.SummaryByKey(t.Context(), s.key(rel))
			if (err == nil) != c.offered {
				t.Errorf("offered: %v, want %v", err, c.offered)
			}
			if list := s.buried(); len(list) > 0 {
				t.Errorf("buried: %q", list)
			}
			if rel.Draft() {
				t.Error("it is still a draft")
			}
			r, err := s.store.ReportByKey(t.Context(), s.key(rel))
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]checks.Verdict{true: checks.Pass, false: checks.Fail}[string(c.content) == string(tarball)]; r.Report.Verdict != want {
				t.Errorf("the verdict is %s, want %s", r.Report.Verdict, want)
			}
			judged, err := s.store.Reports(t.Context(), store.ReportFilter{Kind: checks.KindRelease})
			if err != nil {
				t.Fatal(err)
			}
			if n := len(judged); n != map[bool]int{true: 2, false: 1}[o.Draft] { // a draft once more after it was published
				t.Errorf("judged %d times", n)
			}
			for _, a := range r.Report.Assets {
				if a.Name == summary.FileName {
					t.Errorf("the file is judged: %+v", a)
				}
			}
			if n := len(s.CallsTo(uploadRoute)); n != map[bool]int{true: 1, false: 0}[c.file != ""] {
				t.Errorf("%d uploads", n)
			}
			if v := s.Violations(); len(v) > 0 {
				t.Errorf("violations: %q", v)
			}
		})
	}
}

// TestSummaryFaults: lost, refused and repeated uploads leave one file or none, and never touch
// the verdict.
func TestSummaryFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault githubtest.Fault
		file  string
	}{
		{"fails before acting", githubtest.Fault{Status: 502}, wantFile},
		{"fails after acting", githubtest.Fault{Status: 502, When: githubtest.AfterActing}, wantFile},
		{"answer lost", githubtest.Fault{Kind: githubtest.Nothing, When: githubtest.AfterActing}, wantFile},
		{"answer cut", githubtest.Fault{Kind: githubtest.CutBody, When: githubtest.AfterActing}, wantFile},
		{"HTML after acting", githubtest.Fault{Kind: githubtest.HTML, When: githubtest.AfterActing}, wantFile},
		{"forbidden", githubtest.Fault{Status: 403, Times: -1}, ""},
		{"not found", githubtest.Fault{Status: 404, Times: -1}, ""},
		{"invalid", githubtest.Fault{Status: 422, Times: -1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := summaryStage(t, attachPolicy, nil)
			c.fault.Route = uploadRoute
			s.Fail(c.fault)
			rel := s.release(tarball)
			s.pass()
			if diff := cmp.Diff(c.file, s.file(rel)); diff != "" {
				t.Errorf("attached (-want +got):\n%s", diff)
			}
			if run := s.check(); run.Conclusion != "success" {
				t.Errorf("the check says %s: %s", run.Conclusion, run.Output.Title)
			}
			if list := s.buried(); len(list) > 0 {
				t.Errorf("buried: %q", list)
			}
			r, err := s.store.ReportByKey(t.Context(), s.key(rel))
			if err != nil || len(codes(r.Report)) != 1 {
				t.Errorf("%v, assets %v", err, codes(r.Report))
			}
		})
	}
}

// TestSummaryOfAStranger: a file with our name that we did not upload is judged like any other,
// is never replaced, and takes no place in what is ours.
func TestSummaryOfAStranger(t *testing.T) {
	t.Parallel()
	junk := []byte("not what Landwaiter wrote\n")
	t.Run("there before", func(t *testing.T) {
		t.Parallel()
		s := summaryStage(t, attachPolicy, nil)
		rel := s.release(tarball)
		rel.AddAsset(summary.FileName, junk)
		s.pass()
		if r := s.report(rel); r.Verdict == checks.Pass || codes(r)[summary.FileName] == "" {
			t.Errorf("verdict %s on %v", r.Verdict, codes(r))
		}
		if s.file(rel) != string(junk) || len(s.CallsTo(uploadRoute)) != 0 {
			t.Errorf("the file is %q after %d uploads", s.file(rel), len(s.CallsTo(uploadRoute)))
		}
	})
	t.Run("put in the place of ours", func(t *testing.T) {
		t.Parallel()
		s := summaryStage(t, attachPolicy, nil)
		rel := s.release(tarball)
		s.pass()
		if s.file(rel) != wantFile {
			t.Fatalf("attached %q", s.file(rel))
		}
		rel.ReplaceAsset(summary.FileName, junk)
		rel.Edit("look again")
		s.pass()
		if r := s.report(rel); r.Verdict == checks.Pass || codes(r)[summary.FileName] == "" {
			t.Errorf("verdict %s on %v", r.Verdict, codes(r))
		}
		if _, err := s.store.SummaryByKey(t.Context(), s.key(rel)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("summaries are still offered: %v", err)
		}
		if s.file(rel) != string(junk) {
			t.Errorf("the file is %q", s.file(rel))
		}
	})
	t.Run("ours under another content", func(t *testing.T) {
		t.Parallel()
		s := summaryStage(t, attachPolicy, nil)
		rel := s.release(tarball)
		s.pass()
		rel.RemoveAsset(summary.FileName)
		rel.Edit("look again")
		s.pass()
		if r := s.report(rel); r.Verdict != checks.Pass {
			t.Errorf("verdict %s after the file was removed: %v", r.Verdict, r.Reasons)
		}
	})
}

// TestSummaryRefused: a refusal of the signer is seen among the buried jobs and shows nowhere
// else; a key that cannot be reached is tried again.
func TestSummaryRefused(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		s := summaryStage(t, attachPolicy, func(c *Config) {
			c.Summarise = func(context.Context, string, int64) (store.StoredSummary, error) {
				return store.StoredSummary{}, &summary.Refusal{Code: summary.RefusedLevel, Asset: "app.tar.gz", Message: "too much"}
			}
		})
		rel := s.release(tarball)
		s.pass()
		if list := s.buried(); len(list) != 1 || !strings.Contains(list[0], summary.RefusedLevel) {
			t.Errorf("buried: %q", list)
		}
		if run := s.check(); run.Conclusion != "success" || s.file(rel) != "" {
			t.Errorf("the check says %s, attached %q", run.Conclusion, s.file(rel))
		}
	})
	t.Run("unreachable at first", func(t *testing.T) {
		t.Parallel()
		times := 0
		s := summaryStage(t, strings.Replace(draftPolicy, "gate: draft", "gate: draft\n  summary: attach", 1), nil)
		whole := s.app.cfg.Summarise
		s.app.cfg.Summarise = func(ctx context.Context, key string, generation int64) (store.StoredSummary, error) {
			if times++; times < 3 {
				return store.StoredSummary{}, errors.New("the key cannot be reached")
			}
			return whole(ctx, key, generation)
		}
		rel := s.draft(tarball)
		s.pass()
		if s.file(rel) != wantFile || rel.Draft() {
			t.Errorf("attached %q, draft %v; buried: %q", s.file(rel), rel.Draft(), s.buried())
		}
	})
}

// TestUploadRoot: tokens go to the host of uploads that belongs to the API's, and to no other path of it.
func TestG13UploadRoot(t *testing.T) {
	t.Parallel()
	for api, want := range map[string]string{
		"https://api.github.com/":             "https://uploads.github.com/",
		"https://api.acme.ghe.com":            "https://uploads.acme.ghe.com/",
		"https://github.acme.example/api/v3/": "https://github.acme.example/api/uploads/",
		"http://127.0.0.1:1/":                 "http://127.0.0.1:1/",
		"https://api.ghe.com.evil.example/":   "https://api.ghe.com.evil.example/",
	} {
		base, err := apiRoot(api)
		if err != nil {
			t.Fatal(err)
		}
		g := &gateway{base: base, uploads: uploadRoot(base)}
		if got := g.uploads.String(); got != want {
			t.Errorf("%s uploads to %s, want %s", api, got, want)
		}
		if api != "https://api.github.com/" {
			continue
		}
		for path, ok := range map[string]bool{
			"https://uploads.github.com/repos/o/r/releases/1/assets?name=x":       true,
			"https://uploads.github.com/repos/o/r/releases/1":                     false,
			"https://uploads.github.com/":                                         false,
			"http://uploads.github.com/repos/o/r/releases/1/assets":               false,
			"https://u@uploads.github.com/repos/o/r/releases/1/assets":            false,
			"https://uploads.github.com.evil.example/repos/o/r/releases/1/assets": false,
		} {
			u, err := base.Parse(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := g.pin(u); (err == nil) != ok {
				t.Errorf("%s: %v, want %v", path, err, ok)
			}
		}
	}
}
