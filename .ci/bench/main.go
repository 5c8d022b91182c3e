// Command bench measures the goals of docs/performance.md: landwaiter beside osv-scanner and
// cosign on the same data, run in turn, and the Go benchmarks of the packages. It prints one table. A goal
// that is missed is said plainly; the exit code is 0 all the same, because times depend on
// the machine.
//
// Start with run. data.go makes the advisories and lock files, process.go measures programs,
// gobench.go runs benchmarks, verify.go measures verification, engine.go and load.go what the
// service takes in, server.go its memory, table.go prints.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

// options are the flags.
type options struct {
	landwaiter, scanner, cosign, postgres string
	only                                  string
	pairs                                 int
	skipGo, skipLarge                     bool
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == measureArgument {
		os.Exit(measureChild(os.Args[2:]))
	}
	if len(os.Args) == 4 && os.Args[1] == nullArgument {
		os.Exit(nullService(os.Args[2], os.Args[3]))
	}
	var o options
	flag.StringVar(&o.landwaiter, "landwaiter", "bin/landwaiter", "the program that is measured")
	flag.StringVar(&o.scanner, "osv-scanner", ".cache/bin/osv-scanner", "what it is compared with; make bench installs it")
	flag.StringVar(&o.cosign, "cosign", ".cache/bin/cosign", "what verification and start-up are compared with, where it is there")
	flag.StringVar(&o.postgres, "postgres", "", "URL of an empty PostgreSQL database with fsync, to measure receiving on it too")
	flag.StringVar(&o.only, "only", "", "measure this part only: start, scan, verify, engine, memory or go")
	flag.IntVar(&o.pairs, "pairs", 5, "runs of each program for each figure")
	flag.BoolVar(&o.skipGo, "skip-go", false, "leave out the Go benchmarks")
	flag.BoolVar(&o.skipLarge, "skip-large", false, "leave out the lock file of 20,000 packages, which takes osv-scanner half a minute a run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	for _, program := range []*string{&o.landwaiter, &o.scanner, &o.cosign} {
		absolute, err := filepath.Abs(*program)
		if err != nil {
			return err
		}
		*program = absolute
	}
	needed := []string{o.landwaiter}
	if o.only == "" || o.only == "start" || o.only == "scan" {
		needed = append(needed, o.scanner)
	}
	for _, program := range needed {
		if _, err := os.Stat(program); err != nil {
			return fmt.Errorf("%w; run make bench, which builds it", err)
		}
	}
	dir, err := os.MkdirTemp("", "landwaiter-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	t := &table{}
	say("making advisories and lock files")
	d, err := makeData(dir)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name    string
		measure func(context.Context, options, *data, *table) error
	}{
		{"", buildIndexes}, {"start", startUp}, {"scan", scans}, {"verify", verification},
		{"engine", engine}, {"memory", server}, {"go", benchmarks},
	} {
		if part.name != "" && o.only != "" && part.name != o.only {
			continue
		}
		if err := part.measure(ctx, o, d, t); err != nil {
			return err
		}
	}
	t.print(os.Stdout)
	return nil
}

// say tells on standard error what is being done.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05")+" "+format+"\n", args...)
}
