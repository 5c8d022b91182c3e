package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/store"
)

// victimVariable tells the test binary to be the process that is killed, on the SQLite
// database in the folder that it names.
const victimVariable = "LANDWAITER_TEST_VICTIM"

// victim receives deliveries as fast as it can and prints each GUID once it is acknowledged.
func victim(dir string) int {
	db, err := store.Open(context.Background(), store.Config{URL: filepath.Join(dir, "landwaiter.db")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	for worker := range 16 {
		group.Go(func() {
			for i := 0; ; i++ {
				d := delivery(worker*1_000_000 + i)
				if _, err := receive(context.Background(), db, d); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				mu.Lock()
				fmt.Println(d.GUID)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return 1
}

func TestI01_KilledProcessLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acknowledged := make(map[string]bool)
	for round, enough := range []int{1, 300, 2000} {
		killVictim(t, dir, enough, acknowledged)
		db, err := store.Open(t.Context(), store.Config{URL: filepath.Join(dir, "landwaiter.db")})
		must(t, err)
		for guid := range acknowledged {
			if _, err := db.Delivery(t.Context(), guid); err != nil {
				t.Fatalf("round %d: acknowledged and lost: %v", round, err)
			}
		}
		stats, err := db.Stats(t.Context())
		must(t, err)
		if len(stats.Queue) != 1 || stats.Queue[0].Ready != stats.Deliveries {
			t.Fatalf("round %d: %d deliveries and %+v: each has one route job", round, stats.Deliveries, stats.Queue)
		}
		must(t, db.Close())
		t.Logf("round %d: %d acknowledged, %d kept", round, len(acknowledged), stats.Deliveries)
	}
}

// killVictim starts a victim, notes what it acknowledges, and kills it after enough.
func killVictim(t *testing.T, dir string, enough int, acknowledged map[string]bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = append(os.Environ(), victimVariable+"="+dir)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		// The last line may be cut by the kill; a whole GUID is 36 bytes.
		if guid := lines.Text(); len(guid) == 36 {
			acknowledged[guid] = true
		}
		if n == enough {
			must(t, command.Process.Kill())
		}
	}
	if err := command.Wait(); err == nil || ctx.Err() != nil {
		t.Fatalf("the victim ended with %v, not by the kill", err)
	}
}
