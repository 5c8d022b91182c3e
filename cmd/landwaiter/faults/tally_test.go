package faults

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/landwaiter/landwaiter/app/invarianttest"
)

// tally counts the faults after which every invariant held. It is the only state that the tests of
// this process share, and is guarded by its own mutex.
var tally struct {
	mu   sync.Mutex
	held map[string]int
}

// held notes that every invariant held after a fault.
func held(fault string) {
	tally.mu.Lock()
	defer tally.mu.Unlock()
	if tally.held == nil {
		tally.held = map[string]int{}
	}
	tally.held[fault]++
}

// printTally prints the table of faults that were tried and the invariants that held.
func printTally(w io.Writer) {
	tally.mu.Lock()
	defer tally.mu.Unlock()
	if len(tally.held) == 0 {
		return
	}
	all := invarianttest.Invariants()
	fmt.Fprintf(w, "%-70s %6s  %s\n", "fault", "times", "held after it")
	for _, fault := range slices.Sorted(maps.Keys(tally.held)) {
		fmt.Fprintf(w, "%-70s %6d  %s to %s\n", fault, tally.held[fault], all[0].Name, all[len(all)-1].Name)
	}
}
