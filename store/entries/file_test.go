package entries

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/landwaiter/landwaiter/store/ledger"
)

// TestCheckpointFileIsNotSetBack: of two processes that write at the same moment the newer
// checkpoint stays, and what is not ours never keeps one out.
func TestCheckpointFileIsNotSetBack(t *testing.T) {
	t.Parallel()
	key, err := ledger.NewKey("example.org/ledger")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ledger.NewKey(key.Origin())
	if err != nil {
		t.Fatal(err)
	}
	sign := func(k *ledger.Key, size int64) string {
		signed, err := k.Sign(ledger.Checkpoint{Origin: key.Origin(), Size: size})
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	tests := []struct {
		name, there string
		newer       bool // what is there stays
	}{
		{"older", sign(key, 4), false},
		{"newer", sign(key, 6), true},
		{"newer of a stranger", sign(stranger, 6), false},
		{"garbage", "example.org/ledger\n999\n", false},
		{"nothing", "", false},
	}
	for _, tt := range tests {
		path := filepath.Join(t.TempDir(), "checkpoint")
		if tt.there != "" {
			if err := os.WriteFile(path, []byte(tt.there), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		k, err := New(Config{Key: key, File: path})
		if err != nil {
			t.Fatal(err)
		}
		ours := sign(key, 5)
		if err := k.KeepOutside(5, ours); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		want := ours
		if tt.newer {
			want = tt.there
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want || k.Behind() != 0 {
			t.Errorf("%s: the file holds %q, %d behind, %v; want %q", tt.name, got, k.Behind(), err, want)
		}
	}
}
