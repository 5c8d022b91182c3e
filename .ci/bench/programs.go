package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// buildIndexes compiles both databases, which the scans need, and measures the full one (goal 6).
func buildIndexes(ctx context.Context, o options, d *data, t *table) error {
	for _, b := range []*database{&d.small, &d.full} {
		say("compiling %d advisories", b.records)
		f, err := once(ctx, program{o.landwaiter, "advisories", "import", "--data", b.index, b.bucket}, false)
		if err != nil {
			return err
		}
		if b.name != "full" {
			continue
		}
		size, err := sizeOf(b.index)
		if err != nil {
			return err
		}
		t.build = f
		t.add("6", "memory to compile 220,000 advisories", "256 MiB", mib(f.Peak), ratio(float64(f.Peak), 256<<20), "<= 1", f.Peak <= 256<<20)
		t.add("6", "index file beside the zips", mib(b.zipped), mib(size), ratio(float64(size), float64(b.zipped)), "<= 1/5", size*5 <= b.zipped)
	}
	return nil
}

func sizeOf(folder string) (total int64, err error) {
	err = filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		st, err := e.Info()
		if err == nil {
			total += st.Size()
		}
		return err
	})
	return total, err
}

// startUp measures what every command pays (goal 17).
func startUp(ctx context.Context, o options, _ *data, t *table) error {
	anchors := []program{{o.scanner, "--version"}}
	if _, err := os.Stat(o.cosign); err == nil {
		anchors = append(anchors, program{o.cosign, "version"})
	}
	for _, anchor := range anchors {
		name := filepath.Base(anchor[0])
		say("starting %s and landwaiter", name)
		p, err := inTurn(ctx, max(11, o.pairs), anchor, program{o.landwaiter, "version"})
		if err != nil {
			return err
		}
		t.time("17", "start-up, beside "+name, p.anchor.Wall, p.ours.Wall, 1, "<= 1")
		t.memory("17", "start-up, beside "+name, p.anchor.Peak, p.ours.Peak, 1.1, "<= 1.1")
	}
	return nil
}

// scans measures `landwaiter scan` beside osv-scanner (goals 1, 2, 3).
func scans(ctx context.Context, o options, d *data, t *table) error {
	theirs := func(b database, n int) program {
		return program{o.scanner, "scan", "source", "--offline", "--no-resolve", "--local-db-path", b.parent,
			"-L", filepath.Join(d.locks[n], "package-lock.json"), "--format", "json"}
	}
	ours := func(b database, n int) program {
		return program{o.landwaiter, "scan", "--quiet", "--data", b.index, "-o", "json", d.locks[n]}
	}
	if err := sameFindings(ctx, theirs(d.full, 1500), program{o.landwaiter, "scan", "--quiet", "--data", d.full.index, "-o", "osv-scanner", d.locks[1500]}, t); err != nil {
		return err
	}
	say("scanning 1,500 packages with 220,000 advisories")
	p, err := inTurn(ctx, o.pairs, theirs(d.full, 1500), ours(d.full, 1500))
	if err != nil {
		return err
	}
	t.time("1", "scan 1,500 packages, 220,000 advisories: wall", p.anchor.Wall, p.ours.Wall, 1.0/250, "<= 1/250")
	t.time("1", "the same: CPU", p.anchor.CPU, p.ours.CPU, 1.0/250, "<= 1/250")
	t.memory("1", "the same: memory", p.anchor.Peak, p.ours.Peak, 1.0/6, "<= 1/6")
	t.time("6", "compile 220,000 advisories, beside one such scan", p.anchor.Wall, t.build.Wall, 1/2.5, "<= 1/2.5")
	t.scanMemory = p.anchor.Peak
	say("scanning 1,500 packages with 5,000 advisories")
	if p, err = inTurn(ctx, o.pairs, theirs(d.small, 1500), ours(d.small, 1500)); err != nil {
		return err
	}
	t.time("2", "scan 1,500 packages, 5,000 advisories", p.anchor.Wall, p.ours.Wall, 1.0/30, "<= 1/30")
	if o.skipLarge {
		return nil
	}
	say("scanning 20,000 packages")
	if p, err = inTurn(ctx, min(3, o.pairs), theirs(d.small, 20000), ours(d.small, 20000)); err != nil {
		return err
	}
	t.time("3", "scan 20,000 packages, 5,000 advisories", p.anchor.Wall, p.ours.Wall, 1.0/250, "<= 1/250")
	large, err := inTurn(ctx, o.pairs, ours(d.small, 5000), ours(d.small, 20000))
	if err != nil {
		return err
	}
	t.time("3", "20,000 packages beside 5,000", large.anchor.Wall, large.ours.Wall, 5, "<= 5")
	return nil
}

// sameFindings fails unless both programs find the same: without that, speed means nothing.
func sameFindings(ctx context.Context, theirs, ours program, t *table) error {
	say("comparing what both find")
	var found [2][]string
	for i, p := range []program{theirs, ours} {
		out, err := exec.CommandContext(ctx, p[0], p[1:]...).Output() // exit code 1: something was found
		if found[i], err = findings(out, err); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(p[0]), err)
		}
	}
	if !slices.Equal(found[0], found[1]) || len(found[0]) == 0 {
		return fmt.Errorf("the programs disagree: osv-scanner finds %d, landwaiter %d", len(found[0]), len(found[1]))
	}
	t.note("Both programs report the same %d advisories for the 1,500 packages.", len(found[0]))
	return nil
}

// findings reads osv-scanner's JSON: package, version and advisory of each finding, sorted.
func findings(out []byte, failed error) ([]string, error) {
	var report struct {
		Results []struct {
			Packages []struct {
				Package         struct{ Name, Version string }
				Vulnerabilities []struct{ ID string }
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return nil, fmt.Errorf("%v, and its report cannot be read: %w", failed, err)
	}
	var list []string
	for _, r := range report.Results {
		for _, p := range r.Packages {
			for _, v := range p.Vulnerabilities {
				list = append(list, p.Package.Name+"@"+p.Package.Version+" "+v.ID)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}
