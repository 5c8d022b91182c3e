package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/landwaiter/landwaiter/store/storetest"
)

func TestMain(m *testing.M) {
	code := storetest.Main(m)
	printTally(os.Stdout)
	if built.folder != "" {
		if err := os.RemoveAll(built.folder); err != nil {
			fmt.Fprintln(os.Stderr, "removing the service under test:", err)
		}
	}
	os.Exit(code)
}

// built is the service that all tests of this process start; it is built once.
var built struct {
	once   sync.Once
	folder string
	err    error
}

// service returns the path of the service, built with the tag "faults". Like these tests it has
// the race detector or has not, so that its packages are compiled once.
func service(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.folder, built.err = os.MkdirTemp("", "landwaiter-faults-"); built.err != nil {
			return
		}
		args := []string{"build", "-tags", "faults", "-o", filepath.Join(built.folder, "landwaiter")}
		if raced {
			args = append(args, "-race")
		}
		out, err := exec.Command("go", append(args, "..")...).CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("go %v: %w\n%s", args, err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("building the service, which needs the go command: %v", built.err)
	}
	return filepath.Join(built.folder, "landwaiter")
}
