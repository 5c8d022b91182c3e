package workflows

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// TestUntrustedInputsAsActionlint looks for values that actionlint calls untrusted and we do not.
func TestUntrustedInputsAsActionlint(t *testing.T) {
	t.Parallel()
	var walk func(prefix string, m *actionlint.UntrustedInputMap)
	walk = func(prefix string, m *actionlint.UntrustedInputMap) {
		path := strings.TrimPrefix(prefix+"."+m.Name, ".")
		for _, child := range m.Children {
			walk(path, child)
		}
		if len(m.Children) > 0 {
			return
		}
		known := false
		for _, p := range words.paths {
			known = known || strings.Join(p.path, ".") == path
		}
		if !known {
			t.Errorf("%s is not among our words of strangers", path)
		}
	}
	for _, m := range actionlint.BuiltinUntrustedInputs {
		walk("", m)
	}
}

// TestWorkflowsAsActionlint reads each workflow of testdata that actionlint calls valid without a
// Problem, and the other way round.
func TestWorkflowsAsActionlint(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "read", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, problems := actionlint.Parse(data); len(problems) > 0 {
			t.Errorf("%s: %v", file, problems)
		}
		docs, err := syntax.YAML(string(data))
		if err != nil || len(docs) != 1 {
			t.Errorf("%s: %d documents: %v", file, len(docs), err)
			continue
		}
		if _, problem := Observe(docs[0], string(data), false); problem != nil {
			t.Errorf("%s: %v", file, problem)
		}
	}
}
