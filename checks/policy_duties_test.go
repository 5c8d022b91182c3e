package checks_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/checks/duties"
)

// TestParseDuties reads each form of the key releases.duties.
func TestParseDuties(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("ab", 20)
	tests := []struct {
		name, duties string
		want         duties.Rules
		err          string
	}{
		{"levels alone", "{protected_branch: warn, pull_requests: block, checked: off, verified_commits: warn, approvals: warn, separate: block}", duties.Rules{
			Branch: duties.Warn, Pulls: duties.Block, Commits: duties.Warn, Approvals: duties.Approvals{Level: duties.Warn}, Separate: duties.Separate{Level: duties.Block}}, ""},
		{"mappings block", "{approvals: {count: 2, except: [\"dependabot[bot]\"]}, separate: {roles: [author, releaser]}}", duties.Rules{
			Approvals: duties.Approvals{Level: duties.Block, Count: 2, Except: []string{"dependabot[bot]"}},
			Separate:  duties.Separate{Level: duties.Block, Roles: []string{"author", "releaser"}}}, ""},
		{"mappings with levels", "{approvals: {level: warn}, separate: {level: off, bots: [\"x[bot]\"]}}", duties.Rules{
			Approvals: duties.Approvals{Level: duties.Warn}, Separate: duties.Separate{Bots: []string{"x[bot]"}}}, ""},
		{"since", "{since: [" + commit + "]}", duties.Rules{Since: []string{commit}}, ""},
		{"unknown level", "{checked: fail}", duties.Rules{}, "unknown value `fail`"},
		{"unknown key", "{approval: block}", duties.Rules{}, "did you mean `approvals`?"},
		{"count of none", "{approvals: {count: 0}}", duties.Rules{}, "1 to 6"},
		{"one role", "{separate: {roles: [author]}}", duties.Rules{}, "at least two roles"},
		{"role twice", "{separate: {roles: [author, author]}}", duties.Rules{}, "there twice"},
		{"unknown role", "{separate: {roles: [author, merger]}}", duties.Rules{}, "unknown value `merger`"},
		{"person for a bot", "{approvals: {except: [ann]}}", duties.Rules{}, "not the login of a bot"},
		{"tag for a commit", "{since: [v1.0.0]}", duties.Rules{}, "not the full name of a commit"},
		{"commit without a list", "{since: " + commit + "}", duties.Rules{}, "needs a list"},
		{"too many commits", "{since: [" + strings.TrimSuffix(strings.Repeat(commit+", ", 6), ", ") + "]}", duties.Rules{}, "at most 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := checks.ParsePolicy([]byte("version: 1\nreleases:\n  duties: "+tt.duties+"\n"), "p.yml")
			var problem *checks.PolicyError
			switch {
			case tt.err != "" && (!errors.As(err, &problem) || problem.Line != 3 || !strings.Contains(problem.Message, tt.err)):
				t.Errorf("got %v, want line 3 and %q", err, tt.err)
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err == "":
				if d := cmp.Diff(tt.want, p.Releases.Duties); d != "" {
					t.Errorf("rules (-want +got):\n%s", d)
				}
			}
		})
	}
}

// TestDutiesOfPresets: recommended asks nothing, and has the digest it had before there were
// duties; strict asks all.
func TestDutiesOfPresets(t *testing.T) {
	t.Parallel()
	parse := func(text string) *checks.Policy {
		p, err := checks.ParsePolicy([]byte("version: 1\n"+text), "p.yml")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	plain, off := parse(""), parse("releases: {duties: {checked: off, approvals: off}}\n")
	if plain.Releases.Duties.Asked() || checks.DefaultPolicy().Releases.Duties.Asked() {
		t.Error("the recommended preset asks for duties")
	}
	if plain.Digest != off.Digest || plain.Digest == parse("releases: {duties: {checked: warn}}\n").Digest {
		t.Error("rules that are off change the digest, or one that is on does not")
	}
	r := reflect.ValueOf(parse("extends: [landwaiter:strict@1]\n").Releases.Duties)
	for i := range r.NumField() {
		if name := r.Type().Field(i).Name; name != "Since" && r.Field(i).IsZero() {
			t.Errorf("strict does not ask for %s", name)
		}
	}
}

// TestDutyCodes: the codes of the package are those of the documented list.
func TestDutyCodes(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		duties.CodeBranch: checks.CodeBranch, duties.CodeDirect: checks.CodeDirect, duties.CodeCheck: checks.CodeCheck, duties.CodeUnverified: checks.CodeUnverified,
		duties.CodeUnapproved: checks.CodeUnapproved, duties.CodeSeparate: checks.CodeSeparate, duties.CodeUnread: checks.CodeUnread,
	} {
		if got != want {
			t.Errorf("%q in one, %q in the other", got, want)
		}
		if (checks.Reason{Code: got}).Unknown() != (duties.Problem{Code: got}).Unknown() {
			t.Errorf("%q is unknown in one only", got)
		}
	}
}

// TestDutiesWithoutFacts: a release about which nobody asked GitHub is never a Pass under rules
// that block, and local files are told that the rules were not compared.
func TestDutiesWithoutFacts(t *testing.T) {
	t.Parallel()
	p, err := checks.ParsePolicy([]byte("version: 1\nreleases: {duties: {verified_commits: block}, assets: [{match: \"*\"}]}\n"), "p.yml")
	if err != nil {
		t.Fatal(err)
	}
	release := func(kind checks.Kind) checks.Report {
		m := &checks.Material{
			Subject: checks.Subject{Kind: kind, Repository: "acme/app", Ref: "refs/tags/v1", Commit: strings.Repeat("c", 40)},
			Release: &checks.Release{Tag: "v1", TagRef: "refs/tags/v1", Commit: strings.Repeat("c", 40), DefaultBranch: "main",
				Assets: []checks.Asset{{Name: "a", SHA256: strings.Repeat("a1", 32)}}},
		}
		return checks.Judge(m, p, nil, now)
	}
	if r := release(checks.KindRelease); r.Verdict != checks.Unknown || len(r.Reasons) != 1 || r.Reasons[0].Code != checks.CodeUnread {
		t.Errorf("release: %v %v", r.Verdict, r.Reasons)
	}
	r := release(checks.KindArtifact)
	if r.Verdict != checks.Pass || r.Duties != nil || !strings.Contains(r.Notices[len(r.Notices)-1].Message, "releases.duties") {
		t.Errorf("artifact: %v %v %v", r.Verdict, r.Reasons, r.Notices)
	}
}
