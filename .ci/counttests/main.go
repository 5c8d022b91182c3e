// Command counttests runs `go test` with the arguments after "--" and prints one line a
// package, the whole output of each test that failed, why each skipped test was skipped,
// and at the end how many tests passed, failed and were skipped. Its exit code is go test's.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64 // seconds
}

// key names one test of one package; an empty test is the package itself.
type key struct{ pkg, test string }

// tally is what has been seen so far.
type tally struct {
	passed, failed, skipped int
	output                  map[key][]string
}

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: counttests -- go test [flags] packages")
		os.Exit(2)
	}
	code, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "counttests:", err)
	}
	os.Exit(code)
}

func run(args []string) (int, error) {
	full := append([]string{args[1], "-json"}, args[2:]...)
	cmd := exec.Command(args[0], full...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 5, err
	}
	if err := cmd.Start(); err != nil {
		return 5, fmt.Errorf("starting %s: %w", args[0], err)
	}
	t := tally{output: map[key][]string{}}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text())
			continue
		}
		t.see(e)
	}
	err = cmd.Wait()
	fmt.Printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() >= 0 {
		return cmd.ProcessState.ExitCode(), nil
	}
	return 5, err
}

// see counts e and prints what a person wants to know of it.
func (t *tally) see(e event) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "output", "build-output":
		t.output[k] = append(t.output[k], e.Output)
		return
	case "pass", "fail", "skip", "build-fail":
	default:
		return
	}
	text := strings.Join(t.output[k], "")
	delete(t.output, k)
	switch {
	case e.Test == "" && e.Action == "pass":
		fmt.Printf("ok    %-62s %6.1fs\n", e.Package, e.Elapsed)
	case e.Test == "" && e.Action == "skip":
		fmt.Printf("-     %-62s no tests\n", e.Package)
	case e.Test == "":
		fmt.Printf("FAIL  %s %.1fs\n%s", e.Package, e.Elapsed, text)
	case e.Action == "pass":
		t.passed++
	case e.Action == "skip":
		t.skipped++
		fmt.Print(text)
	default:
		t.failed++
		fmt.Print(text)
	}
}
