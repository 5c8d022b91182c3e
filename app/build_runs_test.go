package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/checks"
)

// byRun lets the certificate of a scripted bundle name a workflow run of acme/shop.
func (s *stage) byRun(data []byte, id int64) []byte {
	s.t.Helper()
	var b scripted
	if err := json.Unmarshal(data, &b); err != nil {
		s.t.Fatal(err)
	}
	b.Build.Run = fmt.Sprintf("https://github.com/acme/shop/actions/runs/%d/attempts/1", id)
	data, err := json.Marshal(b)
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

// TestV37BuildRun reads how the run that built a release ended.
func TestV37BuildRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		run    *githubtest.RunOptions // nil: the run is gone
		before func(s *stage)
		want   checks.Verdict
		code   string // of the asset
		notice string
	}{
		{"baseline", &githubtest.RunOptions{}, nil, checks.Pass, "", ""},
		{"failed", &githubtest.RunOptions{Conclusion: "failure"}, nil, checks.Fail, checks.CodeRunNotSuccessful, ""},
		{"cancelled", &githubtest.RunOptions{Conclusion: "cancelled"}, nil, checks.Fail, checks.CodeRunNotSuccessful, ""},
		{"other workflow file", &githubtest.RunOptions{Path: ".github/workflows/test.yml"}, nil, checks.Fail, checks.CodeRunNotSuccessful, ""},
		{"gone", nil, nil, checks.Unknown, checks.CodeNotReadable, ""},
		{"not ended", &githubtest.RunOptions{Status: "in_progress"}, nil, checks.Pass, "", "has not ended"},
		{"not permitted", &githubtest.RunOptions{Conclusion: "failure"}, func(s *stage) { s.inst.Grant("actions", "") }, checks.Pass, "", "Actions: read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := &looker{}
			s := newStage(t, play{policy: reportPolicy, change: func(c *Config) { c.Scanners = []checks.Scanner{l} }})
			id := int64(4711)
			if test.run != nil {
				id = s.repo.WorkflowRun(*test.run).ID
			}
			if test.before != nil {
				test.before(s)
			}
			rel := s.repo.Release(githubtest.ReleaseOptions{Tag: "v1.0.0", Assets: map[string][]byte{
				"app.tar.gz": tarball, "app.tar.gz.sigstore.json": s.byRun(s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball), id),
			}})
			s.settle()
			s.advance(time.Minute)
			r := s.report(rel)
			if r.Verdict != test.want || r.Assets[0].Code != test.code {
				t.Errorf("got %v, %q, want %v, %q: %v", r.Verdict, r.Assets[0].Code, test.want, test.code, r.Reasons)
			}
			notices := fmt.Sprint(r.Notices)
			if test.notice == "" && strings.Contains(notices, checks.CodeRunUnfinished) || !strings.Contains(notices, test.notice) {
				t.Errorf("notices %v, want %q", r.Notices, test.notice)
			}
		})
	}
}

// TestV37RunThatFailsLater: a run that has not ended when the release is published is looked
// at again, and its failure takes the verdict back.
func TestV37RunThatFailsLater(t *testing.T) {
	t.Parallel()
	s := newStage(t, play{policy: reportPolicy})
	run := s.repo.WorkflowRun(githubtest.RunOptions{Status: "in_progress"})
	rel := s.repo.Release(githubtest.ReleaseOptions{Tag: "v1.0.0", Assets: map[string][]byte{
		"app.tar.gz": tarball, "app.tar.gz.sigstore.json": s.byRun(s.provenance("acme/shop", "v1.0.0", "app.tar.gz", tarball), run.ID),
	}})
	s.settle()
	s.advance(time.Minute)
	if r := s.report(rel); r.Verdict != checks.Pass || s.check().Conclusion != "success" {
		t.Fatalf("before it ended: got %v, %s", r.Verdict, s.check().Conclusion)
	}
	run.End("failure")
	s.advance(10 * time.Minute)
	if r := s.report(rel); r.Verdict != checks.Fail || codes(r)["app.tar.gz"] != checks.CodeRunNotSuccessful || s.check().Conclusion != "failure" {
		t.Errorf("after it failed: got %v, %v, %s", r.Verdict, codes(r), s.check().Conclusion)
	}
}
