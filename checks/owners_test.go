package checks_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
)

const codeownersFile = `# comment
*            @org/all
/services/pay/  @ann bob@example.com
/services/pay/docs/
docs/*  @@broken
` + "\xef*.go @cid\n"

func TestOwners(t *testing.T) {
	t.Parallel()
	c, err := checks.ParseCodeowners([]byte(codeownersFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name, path string
		want       []checks.Owner
	}{
		{"catch-all", "go.mod", []checks.Owner{{Team: "org/all", Line: 2, Pattern: "*"}}},
		{"last match wins", "services/pay/go.mod", []checks.Owner{
			{User: "ann", Line: 3, Pattern: "/services/pay/"}, {Email: "bob@example.com", Line: 3, Pattern: "/services/pay/"}}},
		{"rule without owners", "services/pay/docs/a.md", nil},
		{"broken line is skipped", "docs/a", []checks.Owner{{Team: "org/all", Line: 2, Pattern: "*"}}},
	} {
		if diff := cmp.Diff(x.want, c.Owners(x.path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", x.name, diff)
		}
	}
	if len(c.Skipped) == 0 || c.Skipped[0].Path != "CODEOWNERS:5" {
		t.Errorf("skipped %v, want line 5", c.Skipped)
	}
	if (*checks.Codeowners)(nil).Owners("a") != nil {
		t.Error("no file has owners")
	}
}

func TestResponsible(t *testing.T) {
	t.Parallel()
	c, err := checks.ParseCodeowners([]byte(codeownersFile))
	if err != nil {
		t.Fatal(err)
	}
	p := checks.DefaultPolicy()
	p.Owners = []checks.OwnerRule{{Paths: []string{"web/**", "services/**"}, Team: "org/web"}}
	if owners, why := checks.Responsible(p, c, "services/pay/go.mod"); len(owners) != 1 || owners[0].Team != "org/web" || why != "from the policy, `services/**`" {
		t.Errorf("policy first: got %v, %q", owners, why)
	}
	if owners, why := checks.Responsible(p, c, "go.mod"); len(owners) != 1 || owners[0].Team != "org/all" || why != "from CODEOWNERS `*`" {
		t.Errorf("CODEOWNERS second: got %v, %q", owners, why)
	}
	if owners, why := checks.Responsible(nil, nil, "go.mod"); owners != nil || why != "" {
		t.Errorf("nobody: got %v, %q", owners, why)
	}
}

func TestCodeownersLimits(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"3 MB":       strings.Repeat("#\n", checks.MaxCodeowners/2),
		"many rules": strings.Repeat("a @b\n", 20_001),
	} {
		if _, err := checks.ParseCodeowners([]byte(data)); !errors.Is(err, checks.ErrTooLarge) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	long := "a @b\n" + strings.Repeat("x", 100_000) + " @c\n* @last\n"
	c, err := checks.ParseCodeowners([]byte(long))
	if err != nil || len(c.Owners("z")) != 1 || len(c.Skipped) != 1 {
		t.Errorf("one long line hides the rules after it: %v", err)
	}
}

// TestCodeownersCorpus reads CODEOWNERS files of public repositories.
func TestCodeownersCorpus(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("LANDWAITER_CORPUS")
	if corpus == "" {
		t.Skip("needs LANDWAITER_CORPUS, the folder of shared test data")
	}
	files, err := filepath.Glob(filepath.Join(corpus, "codeowners", "*.CODEOWNERS"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// One of them has an owner without an at sign, and GitHub skips that line too.
		skipped := map[string]int{"runatlantis__atlantis.CODEOWNERS": 1}[filepath.Base(name)]
		c, err := checks.ParseCodeowners(data)
		if err != nil || len(c.Skipped) != skipped {
			t.Errorf("%s: %v, skipped %v", filepath.Base(name), err, c.Skipped)
		}
	}
}

func FuzzParseCodeowners(f *testing.F) {
	f.Add([]byte(codeownersFile), "services/pay/go.mod")
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		c, err := checks.ParseCodeowners(data)
		if err == nil {
			c.Owners(path)
		}
	})
}
