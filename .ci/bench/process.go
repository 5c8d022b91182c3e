package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// measureArgument is the first argument of a process that measures a program. The system counts
// the memory of whoever starts a program as the program's, so it must be a small one.
const measureArgument = "measure-program"

// figure is what one run of a program took. CPU counts its children.
type figure struct {
	Wall, CPU time.Duration
	Peak      int64 // bytes resident, of the program and its children together
	Code      int   // exit code
}

// measureChild runs a program, writes what it took to standard output, and what it printed
// nowhere.
func measureChild(args []string) int {
	sample := args[0] == "sampled"
	cmd := exec.Command(args[1], args[2:]...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	started := time.Now()
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	done := make(chan struct{})
	together := make(chan int64, 1)
	go func() {
		peak := int64(0)
		for sample {
			select {
			case <-done:
				sample = false
			case <-time.After(2 * time.Millisecond):
				peak = max(peak, residentTogether(cmd.Process.Pid))
			}
		}
		together <- peak
	}()
	err := cmd.Wait()
	f := figure{Wall: time.Since(started)}
	close(done)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	f.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	f.Code = cmd.ProcessState.ExitCode()
	f.Peak = max(usage.Maxrss<<10, <-together)
	if f.Code > 1 {
		fmt.Fprintf(os.Stderr, "%s ended with %d: %.2000s\n", args[1], f.Code, complaint.String())
	}
	if err := json.NewEncoder(os.Stdout).Encode(f); err != nil {
		return 1
	}
	return 0
}

// residentTogether is what a process and its children have in memory, in bytes; what they share
// counts twice. 0 when they have ended.
func residentTogether(pid int) int64 {
	total := memoryOf(pid, "VmRSS")
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid)) // none when it has ended
	for _, task := range tasks {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		for child := range strings.FieldsSeq(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				total += memoryOf(n, "VmRSS")
			}
		}
	}
	return total
}

// memoryOf reads one row of /proc/PID/status, in bytes; 0 when there is none.
func memoryOf(pid int, row string) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, row+":"); ok {
			if kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}

// program is one of a pair.
type program []string

// once measures one run. A sampled one counts memory of children too, and is slower.
func once(ctx context.Context, p program, sampled bool) (figure, error) {
	self, err := os.Executable()
	if err != nil {
		return figure{}, err
	}
	how := "plain"
	if sampled {
		how = "sampled"
	}
	cmd := exec.CommandContext(ctx, self, append([]string{measureArgument, how}, p...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return figure{}, fmt.Errorf("measuring %s: %w", filepath.Base(p[0]), err)
	}
	var f figure
	if err := json.Unmarshal(out, &f); err != nil {
		return figure{}, fmt.Errorf("measuring %s: %w", filepath.Base(p[0]), err)
	}
	if f.Code > 1 {
		return f, fmt.Errorf("%s ended with %d", strings.Join(p, " "), f.Code)
	}
	return f, nil
}

// pair is the medians of two programs that ran in turn.
type pair struct{ anchor, ours figure }

// inTurn runs both programs n times, in turn, and returns the medians. Memory is of one more run.
func inTurn(ctx context.Context, n int, anchor, ours program) (pair, error) {
	var all [2][]figure
	for range n {
		for i, p := range []program{anchor, ours} {
			f, err := once(ctx, p, false)
			if err != nil {
				return pair{}, err
			}
			all[i] = append(all[i], f)
		}
	}
	var medians [2]figure
	for i, p := range []program{anchor, ours} {
		f, err := once(ctx, p, true)
		if err != nil {
			return pair{}, err
		}
		medians[i] = figure{Wall: median(all[i], func(f figure) time.Duration { return f.Wall }), CPU: median(all[i], func(f figure) time.Duration { return f.CPU }), Peak: f.Peak}
	}
	return pair{medians[0], medians[1]}, nil
}

func median(figures []figure, of func(figure) time.Duration) time.Duration {
	list := make([]time.Duration, len(figures))
	for i, f := range figures {
		list[i] = of(f)
	}
	slices.Sort(list)
	return list[len(list)/2]
}
