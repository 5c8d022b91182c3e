package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest/contract"
)

// TestDemo plays the whole story: signed webhooks in, checks, issues and drafts out, with
// the real scanners on real material. The stand-in holds all traffic to GitHub's contract.
func TestDemo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	c := &console{ctx: ctx, out: &out, err: &errs, env: os.LookupEnv, held: contract.Description{}}
	if code := run(c, []string{"demo", "--once", "--output", "json"}); code != 0 {
		t.Errorf("exit code %d, want 0; stderr:\n%s", code, errs.String())
	}
	var got struct {
		Steps   []stepReport
		Seconds float64
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("reading the demo's JSON: %v\n%s\n%s", err, out.String(), errs.String())
	}
	if len(got.Steps) != 15 || got.Seconds <= 0 {
		t.Errorf("%d steps in %v seconds, want 15 in more than none", len(got.Steps), got.Seconds)
	}
	for _, s := range got.Steps {
		if !s.Expected {
			t.Errorf("%s: %+v", s.Name, s)
		}
		if s.Check.Status != "completed" {
			t.Errorf("%s: the check is %q, want completed", s.Name, s.Check.Status)
		}
	}
}

// TestDemoFlags refuses what could not work or would open a door.
func TestDemoFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"demo", "--output", "json"},
		{"demo", "--once", "--listen", "0.0.0.0:8080"},
		{"demo", "--once", "--listen", "nonsense"},
	} {
		var out, errs bytes.Buffer
		c := &console{ctx: t.Context(), out: &out, err: &errs, env: os.LookupEnv}
		if code := run(c, args); code != exitUsage || errs.Len() == 0 {
			t.Errorf("%v: exit code %d with %q, want %d with a reason", args, code, errs.String(), exitUsage)
		}
	}
}
