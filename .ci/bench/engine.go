package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named "pgx"
	_ "modernc.org/sqlite"             // the driver named "sqlite"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/store/storetest"
)

const (
	burstLength = 5 * time.Second
	connections = 64
)

// engine measures receiving, the queue and whole pull requests (goals 12, 13, 16).
func engine(ctx context.Context, o options, d *data, t *table) error {
	if o.postgres != "" {
		if err := replicas(ctx, o, d, t); err != nil {
			return err
		}
	}
	if err := receiving(ctx, o, d, t, "SQLite", "sqlite", "sqlite:"+filepath.Join(d.dir, "burst.db"), 0.30); err != nil {
		return err
	}
	if o.postgres == "" {
		t.note("Receiving was not measured on PostgreSQL: pass -postgres URL of an empty database.")
	} else if err := receiving(ctx, o, d, t, "PostgreSQL", "pgx", o.postgres, 0.25); err != nil {
		return err
	}
	if err := pullRequests(ctx, o, d, t); err != nil {
		return err
	}
	return queue(ctx, o, t)
}

// receiving compares acknowledged webhooks a second with those of a receiver that stores nothing,
// then kills the service in the middle of a burst and looks for what it had acknowledged.
func receiving(ctx context.Context, o options, d *data, t *table, engine, driver, database string, goal float64) error {
	say("receiving webhooks on %s", engine)
	g := githubtest.New(githubtest.Options{Contract: githubtest.Off})
	g.Start()
	defer g.Close()
	r := g.Repo("harbour", "shop")
	install := g.Install("harbour")
	null, err := freePort()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	yardstick := exec.CommandContext(ctx, self, nullArgument, null, g.WebhookSecret())
	if err := yardstick.Start(); err != nil {
		return err
	}
	defer end(yardstick)
	cmd, address, err := startService(ctx, o, d, g, "LANDWAITER_DATABASE_URL="+database)
	if err != nil {
		return err
	}
	defer end(cmd)
	if err := await(ctx, func() bool { return answers(address + "/readyz") }); err != nil {
		return fmt.Errorf("the service does not become ready: %w", err)
	}
	send := func(url string, n int, length time.Duration) (intake, error) {
		return burst(ctx, url, g.WebhookSecret(), install.ID, r.ID(), n, length)
	}
	// One sender is measured before there is a backlog: what it waits for then is its own commit.
	one, err := send(address+"/hooks", 1, 2*time.Second)
	if err != nil {
		return err
	}
	var floor, ours []intake
	for range o.pairs {
		for _, to := range []struct {
			url  string
			into *[]intake
		}{{"http://" + null + "/hooks", &floor}, {address + "/hooks", &ours}} {
			l, err := send(to.url, connections, burstLength)
			if err != nil {
				return err
			}
			*to.into = append(*to.into, l)
			time.Sleep(time.Second) // what was received is still being routed
		}
	}
	// The last burst is cut off.
	time.AfterFunc(burstLength/2, func() { _ = cmd.Process.Kill() }) // fails only when it has ended
	last, err := send(address+"/hooks", connections, burstLength*3/5)
	if err != nil {
		return err
	}
	_ = cmd.Wait() // it was killed
	acknowledged, refused := slices.Clone(last.accepted), 0
	for _, l := range append(ours, one) {
		acknowledged = append(acknowledged, l.accepted...)
		refused += l.refused
	}
	lost, err := missing(ctx, driver, database, acknowledged)
	if err != nil {
		return err
	}
	rate := func(list []intake) float64 { return medianOf(list, intake.rate) }
	p99 := func(list []intake) float64 {
		return medianOf(list, func(l intake) float64 { return l.quantile(.99).Seconds() })
	}
	t.add("12", "webhooks stored a second, 64 connections, "+engine, fmt.Sprintf("%.0f", rate(floor)), fmt.Sprintf("%.0f", rate(ours)),
		fmt.Sprintf("%.2f", rate(ours)/rate(floor)), fmt.Sprintf(">= %.2f", goal), rate(ours) >= goal*rate(floor))
	t.add("12", "the same: 99th percentile of answers, beside one that stores nothing", duration(seconds(p99(floor))), duration(seconds(p99(ours))),
		fmt.Sprintf("%.1f", p99(ours)/p99(floor)), "<= 4", p99(ours) <= 4*p99(floor))
	t.add("12", "the same: one connection, median answer", "1.0 ms", duration(one.quantile(.5)), ratio(one.quantile(.5).Seconds(), 0.001), "<= 1", one.quantile(.5) <= time.Millisecond)
	t.add("12", fmt.Sprintf("the same: refused, and lost of %d acknowledged after kill -9", len(acknowledged)), "0, 0", fmt.Sprintf("%d, %d", refused, lost), "", "0, 0", refused+lost == 0)
	return nil
}

// missing counts the GUIDs that the database does not have.
func missing(ctx context.Context, driver, database string, guids []string) (int, error) {
	if driver == "sqlite" {
		database = database[len("sqlite:"):]
	}
	db, err := sql.Open(driver, database)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT guid FROM delivery")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	kept := map[string]bool{}
	for rows.Next() {
		var guid string
		if err := rows.Scan(&guid); err != nil {
			return 0, err
		}
		kept[guid] = true
	}
	lost := 0
	for _, guid := range guids {
		if !kept[guid] {
			lost++
		}
	}
	return lost, rows.Err()
}

// pullRequests measures whole pull requests: calls and round trips by the benchmark, and what a
// service of its own adds to the latency of GitHub at 20 pull requests a second.
func pullRequests(ctx context.Context, o options, d *data, t *table) error {
	found, err := goBench(ctx, "./app", "^BenchmarkPullRequest$", "-benchtime", "20x")
	if err != nil {
		return err
	}
	first, next := found["PullRequest/first"], found["PullRequest/next"]
	if first == nil || next == nil {
		return fmt.Errorf("./app has no BenchmarkPullRequest any more; mend .ci/bench/engine.go")
	}
	whole := func(what, unit string, of result, limit float64) {
		t.add("16", "a pull request: "+what, fmt.Sprintf("%.0f", limit), fmt.Sprintf("%.1f", of[unit]), fmt.Sprintf("%.2f", of[unit]/limit), fmt.Sprintf("<= %.0f", limit), of[unit] <= limit)
	}
	whole("round trips in a row, the first", "roundtrips/op", first, 6)
	whole("calls, the first", "calls/op", first, 10)
	whole("milliseconds of our own, the first", "own-ms/op", first, 30)
	whole("milliseconds of our own, later ones", "own-ms/op", next, 30)
	own, err := paced(ctx, o, d, next["roundtrips/op"])
	if err != nil {
		return err
	}
	p50, p99 := own[len(own)/2], own[len(own)*99/100]
	t.add("16", "20 a second: median of our own", "30 ms", duration(p50), ratio(p50.Seconds(), 0.030), "<= 1", p50 <= 30*time.Millisecond)
	t.add("16", "20 a second: 99th percentile of our own", "100 ms", duration(p99), ratio(p99.Seconds(), 0.100), "<= 1", p99 <= 100*time.Millisecond)
	return nil
}

// latency is what the stand-in takes for a call.
const latency = 50 * time.Millisecond

// paced opens 20 pull requests a second for ten seconds and returns what the service added to
// the round trips of each, ascending.
func paced(ctx context.Context, o options, d *data, roundtrips float64) ([]time.Duration, error) {
	say("20 pull requests a second")
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	defer stop()
	g, r := shop(latency, 50)
	defer g.Close()
	cmd, address, err := startService(ctx, o, d, g, "LANDWAITER_DATABASE_URL=sqlite:"+filepath.Join(d.dir, "paced.db"), "LANDWAITER_WORKERS=32")
	if err != nil {
		return nil, err
	}
	defer end(cmd)
	if err := await(ctx, func() bool { return answers(address + "/readyz") }); err != nil {
		return nil, fmt.Errorf("the service does not become ready: %w", err)
	}
	subscribe(g, address)
	concluded := func(p *githubtest.Pull) bool {
		run, ok := r.CheckRun(p.HeadSHA(), "landwaiter/pr")
		return ok && run.Conclusion != ""
	}
	open := func(i int) *githubtest.Pull {
		return r.OpenPull(githubtest.PullOptions{Head: fmt.Sprint("change-", i), Files: githubtest.Files{"package-lock.json": string(lock(51, i+1))}})
	}
	warm := open(-1)
	if err := await(ctx, func() bool { return concluded(warm) }); err != nil {
		return nil, err
	}
	type waiting struct {
		pull  *githubtest.Pull
		since time.Time
	}
	var own []time.Duration
	var list []waiting
	const all = 200
	began, tick := time.Now(), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for opened := 0; len(own) < all; {
		if opened < all && time.Since(began) >= time.Duration(opened)*time.Second/20 {
			list = append(list, waiting{open(opened), time.Now()})
			opened++
		}
		list = slices.DeleteFunc(list, func(w waiting) bool {
			if !concluded(w.pull) {
				return false
			}
			own = append(own, max(0, time.Since(w.since)-time.Duration(roundtrips*float64(latency))))
			return true
		})
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d checks are concluded: %w", len(own), all, ctx.Err())
		case <-tick.C:
		}
	}
	slices.Sort(own)
	return own, nil
}

// queue measures jobs (goal 13).
func queue(ctx context.Context, o options, t *table) error {
	found, err := goBench(ctx, "./store", "^BenchmarkQueue$/^.*$/^sqlite$")
	if err != nil {
		return err
	}
	one, many := found["Queue/batch=1/sqlite"], found["Queue/batch=32/sqlite"]
	if one == nil || many == nil {
		return fmt.Errorf("./store has no BenchmarkQueue any more; mend .ci/bench/engine.go")
	}
	t.add("13", "jobs claimed and ended a second, beside one by one", fmt.Sprintf("%.0f", one["jobs/s"]), fmt.Sprintf("%.0f", many["jobs/s"]),
		fmt.Sprintf("%.1f", many["jobs/s"]/one["jobs/s"]), ">= 10", many["jobs/s"] >= 10*one["jobs/s"])
	if o.skipLarge {
		return nil
	}
	if err := os.Setenv("LANDWAITER_BENCH_LONG", "1"); err != nil {
		return err
	}
	if err := claims(ctx, "SQLite", "sqlite", t); err != nil || o.postgres == "" {
		return err
	}
	if err := os.Setenv(storetest.DSNVariable, o.postgres); err != nil {
		return err
	}
	return claims(ctx, "PostgreSQL", "postgres", t)
}

// claims measures how claiming grows with what waits.
func claims(ctx context.Context, engine, name string, t *table) error {
	found, err := goBench(ctx, "./store", "^BenchmarkClaim$/^.*$/^"+name+"$", "-benchtime", "100x")
	if err != nil {
		return err
	}
	few, million := found["Claim/queued=1000/"+name], found["Claim/queued=1000000/"+name]
	if few == nil || million == nil {
		return fmt.Errorf("./store has no BenchmarkClaim any more; mend .ci/bench/engine.go")
	}
	t.add("-", "claiming 32 of 1,000,000 jobs, beside 32 of 1,000, "+engine, fmt.Sprintf("%.0f us", few["µs/claim"]), fmt.Sprintf("%.0f us", million["µs/claim"]),
		fmt.Sprintf("%.2f", million["µs/claim"]/few["µs/claim"]), "<= 2", million["µs/claim"] <= 2*few["µs/claim"])
	return nil
}

// end kills a process and waits for its end.
func end(cmd *exec.Cmd) {
	if cmd == nil {
		return // it did not start
	}
	_ = cmd.Process.Kill() // fails only when it has ended
	_ = cmd.Wait()
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func medianOf(list []intake, of func(intake) float64) float64 {
	values := make([]float64, len(list))
	for i, l := range list {
		values[i] = of(l)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
