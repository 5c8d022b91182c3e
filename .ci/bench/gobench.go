package main

import (
	"bufio"
	"context"
	"fmt"
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
func benchmarks(ctx context.Context, o options, _ *data, t *table) error {
	if o.skipGo {
		return nil
	}
	read, err := goBench(ctx, "./scanners/manifests", "^Benchmark(Read|Library)$/^.*$/^1500$")
	if err != nil {
		return err
	}
	json, err := goBench(ctx, "./scanners/manifests", "^BenchmarkEncodingJSON$/^1500$")
	if err != nil {
		return err
	}
	match, err := goBench(ctx, "./scanners/osv", "^BenchmarkScan$/^1500$")
	if err != nil {
		return err
	}
	update, err := goBench(ctx, "./scanners/osv", "^BenchmarkUpdate$")
	if err != nil {
		return err
	}
	caged, err := goBench(ctx, "./scanners/manifests/cage", "^BenchmarkCage$")
	if err != nil {
		return err
	}
	known, err := goBench(ctx, "./store", "^BenchmarkKnownInventory$")
	if err != nil {
		return err
	}
	scan := match["Scan/1500"].time()
	ours := read["Read/package-lock.json/1500"].time() + scan
	t.time("4", "warm scan in the server, beside osv-scalibr's extractor and our index", read["Library/package-lock.json/1500"].time()+scan, ours, 1.0/60, "<= 1/60")
	t.add("4", "the same, of 4 ms", "4.0 ms", duration(ours), ratio(ours.Seconds(), 0.004), "<= 1", ours <= 4*time.Millisecond)
	slowest(t, read, json)
	for _, c := range []string{"a_requirements.txt_of_one", "a_package-lock.json_of_1500", "a_package-lock.json_of_20000"} {
		in, out := caged["Cage/in_process/"+c].time(), caged["Cage/caged/"+c].time()
		t.note("The cage: %s takes %s in this process, %s in a child.", strings.ReplaceAll(c, "_", " "), duration(in), duration(out))
	}
	t.time("5", "a manifest that is known, beside its first scan", ours, known["KnownInventory/lately/1500"].time(), 1.0/20, "<= 1/20")
	t.note("A manifest that only the database has takes %s.", duration(known["KnownInventory/stored/1500"].time()))
	t.time("7", "take in 1,000 changed advisories, beside the full build", t.build.Wall, update["Update"].time(), 1.0/15, "<= 1/15")
	return nil
}

// slowest adds the format that is read slowest for its size, beside encoding/json.
func slowest(t *table, read, json map[string]result) {
	yardstick := json["EncodingJSON/1500"]["MB/s"]
	name, speed := "", 0.0
	for n, r := range read {
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
