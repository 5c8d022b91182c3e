package main

import (
	"cmp"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// table is what was measured.
type table struct {
	rows       []row
	notes      []string
	build      figure // of the full index
	scanMemory int64  // bytes that osv-scanner takes for the scan of goal 1
}

type row struct {
	number, what, anchor, ours, ratio, goal string
	met                                     bool
}

func (t *table) add(number, what, anchor, ours, ratio, goal string, met bool) {
	t.rows = append(t.rows, row{number, what, anchor, ours, ratio, goal, met})
	say("%s: %s, %s; %s, the goal is %s", what, anchor, ours, ratio, goal) // a run takes long and may be interrupted
}

func (t *table) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// time adds a row about two durations; limit is the goal for ours divided by the anchor's.
func (t *table) time(number, what string, anchor, ours time.Duration, limit float64, goal string) {
	t.add(number, what, duration(anchor), duration(ours), ratio(float64(ours), float64(anchor)), goal, float64(ours) <= limit*float64(anchor))
}

func (t *table) memory(number, what string, anchor, ours int64, limit float64, goal string) {
	t.add(number, what+" (memory)", mib(anchor), mib(ours), ratio(float64(ours), float64(anchor)), goal, float64(ours) <= limit*float64(anchor))
}

func duration(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%.0f us", float64(d.Nanoseconds())/1000)
}

func mib(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

// ratio is ours divided by the anchor's, as a fraction where that says more.
func ratio(ours, anchor float64) string {
	switch {
	case ours <= 0 || anchor <= 0:
		return "?"
	case ours*2 < anchor:
		return fmt.Sprintf("1/%.3g", anchor/ours)
	}
	return fmt.Sprintf("%.2f", ours/anchor)
}

// print writes the table as Markdown and says how many goals were missed.
func (t *table) print(w io.Writer) {
	slices.SortStableFunc(t.rows, func(a, b row) int {
		x, _ := strconv.Atoi(a.number) // they are numbers
		y, _ := strconv.Atoi(b.number)
		return cmp.Compare(x, y)
	})
	fmt.Fprintf(w, "\n%s, %s/%s, %d processors, load %s\n\n", time.Now().UTC().Format("2 January 2006"), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load())
	tw := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(tw, "| goal\t| what\t| anchor\t| ours\t| ratio\t| goal\t| \t|")
	fmt.Fprintln(tw, "|--:\t|---\t|--:\t|--:\t|--:\t|--:\t|---\t|")
	missed := 0
	for _, r := range t.rows {
		verdict := "met"
		if !r.met {
			verdict = "**missed**"
			missed++
		}
		fmt.Fprintf(tw, "| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t|\n", r.number, r.what, r.anchor, r.ours, r.ratio, r.goal, verdict)
	}
	_ = tw.Flush() // to the terminal; nothing to save
	fmt.Fprintln(w)
	for _, n := range t.notes {
		fmt.Fprintln(w, n)
	}
	fmt.Fprintf(w, "%d of %d goals met, %d missed.\n", len(t.rows)-missed, len(t.rows), missed)
}

// load is how many processes want the processors, over the last minute.
func load() string {
	out, err := exec.Command("cut", "-d ", "-f1", "/proc/loadavg").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
