package store

import (
	"fmt"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// TestRecentIsBounded: what is held stays below the bound, what was asked for last stays, and
// one manifest cannot push out all others.
func TestRecentIsBounded(t *testing.T) {
	t.Parallel()
	r := newRecent()
	large := checks.Manifest{Packages: make([]checks.Package, 2000)}
	r.keep("first", large)
	for i := range 100 {
		r.keep(fmt.Sprint(i), large)
		if _, ok := r.get("first"); !ok {
			t.Fatal("what is asked for all the time was forgotten")
		}
	}
	sum := 0
	for _, m := range r.list.Values() {
		sum += weight(&m)
	}
	if sum != r.bytes || sum > recentBytes || sum < recentBytes/2 {
		t.Errorf("holds %d bytes and counts %d, the bound is %d", sum, r.bytes, recentBytes)
	}
	r.keep("first", checks.Manifest{Gap: "anew"})
	if m, _ := r.get("first"); m.Gap != "anew" {
		t.Error("an older reading was kept")
	}
	held := r.list.Len()
	r.keep("huge", checks.Manifest{Packages: make([]checks.Package, 100_000)})
	if _, ok := r.get("huge"); ok || r.list.Len() != held {
		t.Error("one manifest took the place of others")
	}
}
