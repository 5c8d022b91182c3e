package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
	"github.com/landwaiter/landwaiter/store"
)

const queued = 64

// server measures the memory of the service with the full index: idle, and after 64 pull requests
// with a lock file of 1,500 packages each came at once (goal 8).
func server(ctx context.Context, o options, d *data, t *table) error {
	say("starting the service")
	ctx, stop := context.WithTimeout(ctx, 10*time.Minute)
	defer stop()
	g, r := shop(20*time.Millisecond, 1500)
	defer g.Close()
	cmd, address, err := startService(ctx, o, d, g)
	if err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill() // fails only when it has ended
		_ = cmd.Wait()
	}()
	if err := await(ctx, func() bool { return answers(address + "/readyz") }); err != nil {
		return fmt.Errorf("the service does not become ready: %w", err)
	}
	pid := cmd.Process.Pid
	idle := memoryOf(pid, "VmHWM")
	subscribe(g, address)
	say("%d pull requests at once", queued)
	pulls := make([]*githubtest.Pull, queued)
	for i := range pulls {
		pulls[i] = r.OpenPull(githubtest.PullOptions{Head: fmt.Sprint("change-", i), Files: githubtest.Files{"package-lock.json": string(lock(1500, i+1))}})
	}
	together := int64(0)
	err = await(ctx, func() bool {
		together = max(together, residentTogether(pid))
		for _, p := range pulls {
			if run, ok := r.CheckRun(p.HeadSHA(), "landwaiter/pr"); !ok || run.Conclusion == "" {
				return false
			}
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("the checks are not concluded: %w", err)
	}
	busy := memoryOf(pid, "VmHWM")
	t.add("8", "the service idle with the full index (memory)", "80 MiB", mib(idle), ratio(float64(idle), 80<<20), "<= 1", idle <= 80<<20)
	t.add("8", "the service with 64 jobs queued (memory)", "160 MiB", mib(busy), ratio(float64(busy), 160<<20), "<= 1", busy <= 160<<20)
	t.note("The service and its readers of manifests together had %s in memory at most, shared pages counted each time.", mib(together))
	return nil
}

// shop starts a stand-in that takes latency for a call, with a repository whose lock file has n
// packages. The caller closes it.
func shop(latency time.Duration, n int) (*githubtest.GitHub, *githubtest.Repo) {
	g := githubtest.New(githubtest.Options{Contract: githubtest.Off, Latency: latency})
	g.Start()
	r := g.Repo("harbour", "shop")
	r.Commit("main", "Start", githubtest.Files{".github/landwaiter.yml": "version: 1\nextends: [landwaiter:recommended@1]\nmode: enforce\n", "package-lock.json": string(lock(n, 0))})
	return g, r
}

// subscribe has g tell the service at address of what happens from now on.
func subscribe(g *githubtest.GitHub, address string) {
	g.SetWebhookURL(address + "/hooks")
	g.Install("harbour")
	g.SetAutoDeliver(true)
}

// startService starts `landwaiter serve` on the full index and returns its address. more are
// settings.
func startService(ctx context.Context, o options, d *data, g *githubtest.GitHub, more ...string) (*exec.Cmd, string, error) {
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	key := filepath.Join(d.dir, "app.pem")
	if err := os.WriteFile(key, g.AppKey(), 0o600); err != nil {
		return nil, "", err
	}
	// A folder of its own: the ledger's checkpoint lies in it, and belongs to one database.
	folder, err := os.MkdirTemp(d.dir, "service-")
	if err != nil {
		return nil, "", err
	}
	if err := os.CopyFS(folder, os.DirFS(d.full.index)); err != nil {
		return nil, "", err
	}
	// All services have one ledger key, since they may have one database.
	if err := copyLedgerKey(d.dir, folder); err != nil {
		return nil, "", err
	}
	address := "http://" + port
	cmd := exec.CommandContext(ctx, o.landwaiter, "serve")
	cmd.Env = append([]string{
		"LANDWAITER_PUBLIC_URL=" + address, "LANDWAITER_LISTEN=" + port, "LANDWAITER_METRICS_LISTEN=off", "LANDWAITER_DATA_DIR=" + folder,
		"LANDWAITER_GITHUB_APP_ID=" + fmt.Sprint(g.AppID()), "LANDWAITER_GITHUB_PRIVATE_KEY=" + key, "LANDWAITER_GITHUB_WEBHOOK_SECRET=" + g.WebhookSecret(),
		"LANDWAITER_GITHUB_URL=" + g.APIURL(), "LANDWAITER_ADVISORY_REFRESH=off", "LANDWAITER_TRUST_REFRESH=off", "LANDWAITER_DEPSDEV_URL=off", "LANDWAITER_LOG_LEVEL=error",
		"HOME=" + d.dir, "PATH=" + os.Getenv("PATH"),
	}, more...)
	cmd.Stderr = os.Stderr
	return cmd, address, cmd.Start()
}

// copyLedgerKey copies the ledger's key of dir, which it makes the first time, to folder.
func copyLedgerKey(dir, folder string) error {
	const name = "ledger.key"
	if _, err := store.LedgerKey(filepath.Join(dir, name), "bench/ledger"); err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name), key, 0o600)
}

// freePort returns a loopback address that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// await asks ten times a second until yes.
func await(ctx context.Context, yes func() bool) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func answers(url string) bool {
	a, err := http.Get(url)
	if err != nil {
		return false
	}
	a.Body.Close()
	return a.StatusCode == http.StatusOK
}
