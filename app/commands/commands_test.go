package commands_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/app/commands"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body  string
		tag, reason string
		problem     string
	}{
		{"baseline", "/landwaiter release approve v1.2.0 because we moved to release.yml", "v1.2.0", "we moved to release.yml", ""},
		{"more lines", "/landwaiter release approve v1 because x\n\nThanks!\n/landwaiter release approve v2 because y", "v1", "x", ""},
		{"CR LF and spaces", "/landwaiter  release approve v1  because  a   b \r\nmore", "v1", "a b", ""},
		{"tag with slashes", "/landwaiter release approve tools/cmd@v1.0.0-rc.1 because it is meant", "tools/cmd@v1.0.0-rc.1", "it is meant", ""},
		{"no reason", "/landwaiter release approve v1 because", "", "", "needs a tag and a reason"},
		{"no because", "/landwaiter release approve v1 it is meant", "", "", "needs a tag and a reason"},
		{"no tag", "/landwaiter release approve because x", "", "", "needs a tag and a reason"},
		{"reason on the next line", "/landwaiter release approve v1 because\nx", "", "", "needs a tag and a reason"},
		{"another command", "/landwaiter release publish v1 because x", "", "", "no such command"},
		{"nothing", "/landwaiter", "", "", "no such command"},
		{"control character", "/landwaiter release approve v1 because \x1b[31mx", "", "", "cannot be shown"},
		{"no UTF-8", "/landwaiter release approve v1 because \xff", "", "", "too long"},
		{"500 characters", "/landwaiter release approve v1 because " + strings.Repeat("é", 500), "v1", strings.Repeat("é", 500), ""},
		{"501 characters", "/landwaiter release approve v1 because " + strings.Repeat("é", 501), "", "", "longer than 500"},
		{"endless line", "/landwaiter release approve v1 because " + strings.Repeat("x", 1<<20), "", "", "too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, problem := commands.Parse(tt.body)
			if got.Tag != tt.tag || got.Reason != tt.reason || !strings.Contains(problem, tt.problem) || (problem == "") != (tt.problem == "") {
				t.Errorf("got %+v, %q, want %q, %q, %q", got, problem, tt.tag, tt.reason, tt.problem)
			}
		})
	}
}

func TestAddressed(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		"/landwaiter help": true, "/landwaiter": true, "/landwaiter\nx": true, "/landwaiter \r\n": true,
		"G35 > /landwaiter release approve v1 because x": false, "> /landwaiter x": false, " /landwaiter x": false,
		"hello\n/landwaiter x": false, "/landwaiters x": false, "/landwaiter-x y": false, "": false, "\n/landwaiter x": false,
	} {
		if got := commands.Addressed(body); got != want {
			t.Errorf("%q: %v, want %v", body, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("/landwaiter release approve v1.2.0 because we moved")
	f.Add("/landwaiter release approve v1 because \x00\xff")
	f.Fuzz(func(t *testing.T, body string) {
		got, problem := commands.Parse(body)
		if problem != "" {
			return
		}
		if !commands.Addressed(body) || got.Tag == "" || got.Reason == "" || strings.ContainsAny(got.Tag+got.Reason, "\n\r\x00") || !utf8.ValidString(got.Reason) {
			t.Errorf("%q gives %+v", body, got)
		}
	})
}
