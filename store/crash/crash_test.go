package crash

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build compiles the program of testdata.
func build(t *testing.T, tags string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "product")
	out, err := exec.Command("go", "build", "-tags", tags, "-o", program, "./testdata/product").CombinedOutput()
	if err != nil {
		t.Fatalf("building, which needs the go command: %v\n%s", err, out)
	}
	return program
}

// run starts a program with a point armed, and returns what it printed and whether it was killed.
func run(t *testing.T, program, armed string) (printed string, killed bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "armed")
	if err := os.WriteFile(file, []byte(armed), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program)
	command.Env = []string{Variable + "=" + file, HurryVariable + "=60"}
	out, err := command.Output()
	if _, left := os.Stat(file); left == nil && err != nil {
		t.Errorf("it was ended with %v and the point is armed still", err)
	}
	return string(out), err != nil && !command.ProcessState.Exited()
}

// TestProductHoldsNone: without the tag there is no point, not even its name, and nothing is read
// or shortened.
func TestProductHoldsNone(t *testing.T) {
	t.Parallel()
	program := build(t, "")
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{string(RecordCommit), Variable, HurryVariable} {
		if bytes.Contains(content, []byte(name)) {
			t.Errorf("the product contains %q", name)
		}
	}
	if printed, killed := run(t, program, "1 before record commit\n"); killed || printed != "1m0s\nalive\n" {
		t.Errorf("killed %v, printed %q", killed, printed)
	}
}

// TestFaultsBuildIsKilled: with the tag the armed point kills, at the time it is armed for, and no
// other does.
func TestFaultsBuildIsKilled(t *testing.T) {
	t.Parallel()
	program := build(t, "faults")
	for armed, want := range map[string]string{
		"1 before record commit\n":             "",
		"1 after record commit\n":              "1s\n",
		"1 after call GET /x\n":                "1s\nalive\n",
		"2 before record commit\n":             "1s\nalive\n",
		"1 before checkpoint file":             "1s\nalive\n",
		"":                                     "1s\nalive\n",
		"1 before call GET /" + program + "\n": "1s\n",
	} {
		printed, killed := run(t, program, armed)
		if printed != want || killed != !strings.Contains(want, "alive") {
			t.Errorf("armed with %q: killed %v, printed %q, want %q", armed, killed, printed, want)
		}
	}
}
