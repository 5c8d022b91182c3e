package checks_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

var expectedError = regexp.MustCompile(`^# error at line ([0-9]+): (.*)\n`)

// TestPolicyPage parses each example of docs/policy.md: it holds, or fails as its first line says.
func TestPolicyPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "policy.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(page), "```yaml\n")[1:]
	if len(examples) < 6 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		file, _, _ := strings.Cut(example, "```")
		_, err := checks.ParsePolicy([]byte(file), "policy.md")
		want := expectedError.FindStringSubmatch(file)
		var problem *checks.PolicyError
		switch {
		case want == nil && err != nil:
			t.Errorf("%v in\n%s", err, file)
		case want == nil:
		case !errors.As(err, &problem) || strconv.Itoa(problem.Line) != want[1] || problem.Message != want[2]:
			t.Errorf("got %v, want %s", err, want[0])
		}
	}
}

// TestPolicyPageNamesEveryKey: a key that is read is documented.
func TestPolicyPageNamesEveryKey(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "policy.md"))
	if err != nil {
		t.Fatal(err)
	}
	source := ""
	for _, name := range []string{"policy_file.go", "policy_dependencies.go", "policy_releases.go", "policy_duties.go", "policy_gates.go", "policy_memory.go"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source += string(data)
	}
	for _, m := range regexp.MustCompile(`(?m)^\t+"([a-z_]+)": +(?:func|level|asked|ids)\(`).FindAllStringSubmatch(source, -1) {
		if !regexp.MustCompile("`[a-z_.\\[\\]]*" + m[1] + "[`.\\[]").Match(page) {
			t.Errorf("docs/policy.md does not explain %s", m[1])
		}
	}
}

// TestReportPageNamesEveryProperty: what the schema has, docs/report.md explains.
func TestReportPageNamesEveryProperty(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := os.ReadFile(filepath.Join("..", "docs", "report.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^        "([a-z0-9_]+)": ?\{|^    "([a-z0-9_]+)": ?\{`).FindAllStringSubmatch(string(schema), -1) {
		if name := m[1] + m[2]; name != "items" && name != "properties" && !strings.Contains(string(page), name) {
			t.Errorf("docs/report.md does not mention %s", name)
		}
	}
}
