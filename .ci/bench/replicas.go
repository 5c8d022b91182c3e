package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

const (
	// replicaPulls is how many pull requests are opened at once, and replicaWorkers how many jobs a
	// replica runs at once: so few that they wait for GitHub, and not for the processors, which the
	// replicas of this machine share with everything else.
	replicaPulls   = 100
	replicaWorkers = 2
)

// replicas compares how long one service takes for many pull requests with how long two on the
// same PostgreSQL do. All webhooks go to the first.
func replicas(ctx context.Context, o options, d *data, t *table) error {
	say("one replica, and two")
	ctx, stop := context.WithTimeout(ctx, 10*time.Minute)
	defer stop()
	g, r := shop(latency, 50)
	defer g.Close()
	start := func() (*exec.Cmd, string, error) {
		cmd, address, err := startService(ctx, o, d, g, "LANDWAITER_DATABASE_URL="+o.postgres, fmt.Sprint("LANDWAITER_WORKERS=", replicaWorkers))
		if err == nil {
			err = await(ctx, func() bool { return answers(address + "/readyz") })
		}
		return cmd, address, err
	}
	first, address, err := start()
	defer end(first)
	if err != nil {
		return fmt.Errorf("the first replica does not become ready: %w", err)
	}
	subscribe(g, address)
	if _, err := concludedIn(ctx, r, "warm", 4); err != nil {
		return err
	}
	alone, err := concludedIn(ctx, r, "alone", replicaPulls)
	if err != nil {
		return err
	}
	second, _, err := start()
	defer end(second)
	if err != nil {
		return fmt.Errorf("the second replica does not become ready: %w", err)
	}
	both, err := concludedIn(ctx, r, "both", replicaPulls)
	if err != nil {
		return err
	}
	rate := func(took time.Duration) float64 { return replicaPulls / took.Seconds() }
	t.add("-", fmt.Sprintf("pull requests a second, two replicas of %d workers beside one, PostgreSQL", replicaWorkers), fmt.Sprintf("%.1f", rate(alone)), fmt.Sprintf("%.1f", rate(both)),
		fmt.Sprintf("%.2f", rate(both)/rate(alone)), ">= 1.7", rate(both) >= 1.7*rate(alone))
	return nil
}

// concludedIn opens n pull requests at once and returns how long it took until all have a verdict.
func concludedIn(ctx context.Context, r *githubtest.Repo, name string, n int) (time.Duration, error) {
	began := time.Now()
	var open []*githubtest.Pull
	for i := range n {
		open = append(open, r.OpenPull(githubtest.PullOptions{Head: fmt.Sprintf("%s-%d", name, i), Files: githubtest.Files{"package-lock.json": string(lock(51, i+1))}}))
	}
	err := await(ctx, func() bool {
		for len(open) > 0 {
			run, ok := r.CheckRun(open[0].HeadSHA(), "landwaiter/pr")
			if !ok || run.Conclusion == "" {
				return false
			}
			open = open[1:]
		}
		return true
	})
	if err != nil {
		return 0, errors.Join(fmt.Errorf("%d of %d pull requests have no verdict", len(open), n), err)
	}
	return time.Since(began), nil
}
