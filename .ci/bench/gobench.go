package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// result is one line of `go test -bench`, by unit: "ns/op", "MB/s", what a benchmark reports.
type result map[string]float64

// goBench runs benchmarks of one package and returns their results by name, without
// "Benchmark" and the number of processors; of several runs the best, as neighbours only add.
func goBench(ctx context.Context, pkg, pattern string, flags ...string) (map[string]result, error) {
	say("go test -bench '%s' %s", pattern, pkg)
	args := append([]string{"test", "-run", "^$", "-bench", pattern, "-count", "3"}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("benchmarks of %s: %w\n%s", pkg, err, out)
	}
	found := map[string]result{}
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	for lines.Scan() {
		name, r, ok := parseLine(lines.Text())
		if ok && (found[name] == nil || r["ns/op"] < found[name]["ns/op"]) {
			found[name] = r
		}
	}
	return found, nil
}

func parseLine(line string) (name string, r result, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return "", nil, false
	}
	name = strings.TrimPrefix(fields[0], "Benchmark")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i]
	}
	r = result{}
	for i := 2; i+1 < len(fields); i += 2 {
		if n, err := strconv.ParseFloat(fields[i], 64); err == nil {
			r[fields[i+1]] = n
		}
	}
	return name, r, true
}

func (r result) time() time.Duration { return time.Duration(r["ns/op"]) }

// benchmarks measures what happens inside the service (goals 4, 5, 7).
func benchmarks(ctx context.Context, o options, d *data, t *table) error {
	if o.skipGo {
		return nil
	}
	all := map[string]result{}
	for _, b := range []struct {
		pkg, pattern string
		want         []string
		flags        []string
	}{
		{"./scanners/manifests", "^BenchmarkRead$/^.*$/^1500$", []string{"Read/package-lock.json/1500"}, nil},
		{"./scanners/manifests", "^BenchmarkEncodingJSON$/^1500$", []string{"EncodingJSON/1500"}, nil},
		{"./scanners/osv", "^BenchmarkGoal4Scan$/^1500$", []string{"Goal4Scan/1500"}, nil},
		// A round has some 70 scans: a percentile wants thousands.
		{"./scanners/osv", "^BenchmarkGoal7", []string{"Goal7Update", "Goal7Meanwhile"}, []string{"-benchtime", "30x"}},
		{"./scanners/manifests/cage", "^BenchmarkCage$", nil, nil},
		{"./store", "^BenchmarkKnownInventory$", []string{"KnownInventory/lately/1500", "KnownInventory/stored/1500"}, nil},
	} {
		found, err := goBench(ctx, b.pkg, b.pattern, b.flags...)
		if err != nil {
			return err
		}
		for _, name := range b.want {
			if found[name] == nil {
				return fmt.Errorf("%s has no Benchmark%s any more; mend .ci/bench/gobench.go", b.pkg, name)
			}
		}
		maps.Copy(all, found)
	}
	scan := all["Goal4Scan/1500"]
	theirs := time.Duration(scan["ns/op"] * scan["x-faster"])
	t.time("4", "warm scan in the server, beside osv-scalibr's extractor and our index", theirs, scan.time(), 1.0/60, "<= 1/60")
	t.note("Such a warm scan takes %s here; the goal of 4 ms is for a machine on which osv-scalibr's takes 224 ms (here %s).", duration(scan.time()), duration(theirs))
	slowest(t, all)
	for _, c := range []string{"a_requirements.txt_of_one", "a_package-lock.json_of_1500", "a_package-lock.json_of_20000"} {
		in, out := all["Cage/in_process/"+c].time(), all["Cage/caged/"+c].time()
		t.note("The cage: %s takes %s in this process, %s in a child.", strings.ReplaceAll(c, "_", " "), duration(in), duration(out))
	}
	t.time("5", "a manifest that is known, beside its first scan", scan.time(), all["KnownInventory/lately/1500"].time(), 1.0/20, "<= 1/20")
	t.note("A manifest that only the database has takes %s.", duration(all["KnownInventory/stored/1500"].time()))
	update := all["Goal7Update"]
	t.time("7", "take in 1,000 changed advisories, beside the full build", t.build.Wall, update.time(), 1.0/15, "<= 1/15")
	t.add("7", "the same: bytes, beside the zips", mib(d.full.zipped), mib(int64(update["B-received/op"])),
		ratio(update["B-received/op"], float64(d.full.zipped)), "<= 1/50", update["B-received/op"]*50 <= float64(d.full.zipped))
	p99 := all["Goal7Meanwhile"]["p99-ratio"]
	t.add("7", "99th percentile of scans meanwhile, beside an idle index", "1", fmt.Sprintf("%.2f", p99), fmt.Sprintf("%.2f", p99), "<= 1.5", p99 <= 1.5)
	return nil
}

// slowest adds the format that is read slowest for its size, beside encoding/json.
func slowest(t *table, all map[string]result) {
	yardstick := all["EncodingJSON/1500"]["MB/s"]
	name, speed := "", 0.0
	for n, r := range all {
		format, ours := strings.CutPrefix(n, "Read/")
		format, small := strings.CutSuffix(format, "/1500")
		if !ours || !small {
			continue
		}
		if name == "" || r["MB/s"] < speed {
			name, speed = format, r["MB/s"]
		}
	}
	t.add("4", "the slowest format ("+name+"), beside encoding/json", fmt.Sprintf("%.0f MB/s", yardstick), fmt.Sprintf("%.0f MB/s", speed),
		ratio(yardstick, speed), "<= 3", speed*3 >= yardstick)
}
