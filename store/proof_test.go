package store_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

// written returns p as it is handed over: through JSON.
func written(t testing.TB, p store.Proof) store.Proof {
	t.Helper()
	b, err := json.MarshalIndent(p, "", "  ")
	must(t, err)
	read, err := store.ReadProof(bytes.NewReader(append(b, '\n')))
	must(t, err)
	return read
}

// TestI09_ProofShowsTheReport: what a proof shows is byte for byte what was recorded.
func TestI09_ProofShowsTheReport(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		for i := range int64(5) {
			r := record("pr:1", i+1)
			if i == 3 {
				r.Report.Policy.Source = strings.Repeat("x", ledger.MaxLeaf)
			}
			out := f.storeRecord(t, r)
			stored, err := f.Report(t.Context(), out.ReportID)
			must(t, err)
			p, err := f.Prove(t.Context(), out.ReportID)
			must(t, err)
			proven, err := written(t, p).Verify(f.config.LedgerKey.Verifier())
			must(t, err)
			if !bytes.Equal(proven.Report, stored.JSON) || proven.Index != i || proven.Checkpoint.Size != i+1 || proven.Leaf.Key != "pr:1" {
				t.Errorf("entry %d: proven %d of %+v, key %s", i, proven.Index, proven.Checkpoint, proven.Leaf.Key)
			}
			if !proven.Binds(append(bytes.Clone(stored.JSON), '\n')) || proven.Binds(bytes.Replace(stored.JSON, []byte("octo"), []byte("oct0"), 1)) {
				t.Errorf("entry %d: binds another report, or not its own", i)
			}
		}
		_, err := f.Prove(t.Context(), 99)
		wantError(t, err, store.ErrNotFound)
	})
}

func TestProofRefusesChanges(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		key := f.config.LedgerKey.Verifier()
		var out store.Recorded
		for i := range int64(4) {
			r := record("pr:1", i+1)
			r.Report.Policy.Source = strings.Repeat("x", ledger.MaxLeaf)
			out = f.storeRecord(t, r)
		}
		good, err := f.Prove(t.Context(), out.ReportID)
		must(t, err)
		if _, err := good.Verify(key); err != nil {
			t.Fatalf("baseline: %v", err)
		}
		other, err := ledger.NewKey(f.config.LedgerKey.Origin())
		must(t, err)
		c, err := ledger.OpenCheckpoint(good.Checkpoint, other.Origin(), key)
		must(t, err)
		forged, err := other.Sign(c)
		must(t, err)
		older, err := f.LedgerCheckpoint(t.Context(), 3)
		must(t, err)
		tests := []struct {
			name, want string
			edit       func(*store.Proof)
		}{
			{"leaf", "proof does not hold", func(p *store.Proof) { p.Leaf = bytes.Replace(p.Leaf, []byte("pr:1"), []byte("pr:2"), 1) }},
			{"report", "does not give the digest", func(p *store.Proof) { p.Report = bytes.Replace(p.Report, []byte("octo"), []byte("oct0"), 1) }},
			{"report left out", "does not give the digest", func(p *store.Proof) { p.Report = nil }},
			{"index", "proof does not hold", func(p *store.Proof) { p.Index-- }},
			{"hash", "proof does not hold", func(p *store.Proof) { p.Inclusion = append(p.Inclusion[:0:0], p.Inclusion...); p.Inclusion[1][0] ^= 1 }},
			{"hash left out", "proof does not hold", func(p *store.Proof) { p.Inclusion = p.Inclusion[:1] }},
			{"older checkpoint", "no entry 3 in a tree of size 3", func(p *store.Proof) { p.Checkpoint = older }},
			// The proof brings the key that signed it; it is not asked.
			{"signed by another key", "signature", func(p *store.Proof) { p.Checkpoint, p.Key = forged, other.Verifier() }},
		}
		for _, tt := range tests {
			p := good
			tt.edit(&p)
			if _, err := written(t, p).Verify(key); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
			}
		}
		if _, err := good.Verify(); err == nil {
			t.Error("verified without a key")
		}
	})
}

func TestReadProofRefuses(t *testing.T) {
	t.Parallel()
	const good = `{"format":"landwaiter-ledger-proof/1","key":"k","index":0,"leaf":"e30=","inclusion":[],"checkpoint":"c"}`
	if _, err := store.ReadProof(strings.NewReader(good)); err != nil {
		t.Fatalf("baseline: %v", err)
	}
	for name, text := range map[string]string{
		"empty": "", "no JSON": "proof", "cut": good[:50], "two": good + good,
		"unknown field":  strings.Replace(good, `"key"`, `"keys"`, 1),
		"another format": strings.Replace(good, "proof/1", "proof/2", 1),
		"hash too short": strings.Replace(good, "[]", `["AAAA"]`, 1),
	} {
		if _, err := store.ReadProof(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "not a ledger proof") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadProof(f *testing.F) {
	f.Add([]byte(`{"format":"landwaiter-ledger-proof/1","key":"k","index":0,"leaf":"e30=","inclusion":[],"checkpoint":"c\n1\nAA==\n\n— c AAAA\n"}`))
	f.Add([]byte(`{"format":"landwaiter-ledger-proof/1","index":-1,"report":"e30="}`))
	key, err := ledger.NewKey("example.org/ledger")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := store.ReadProof(bytes.NewReader(b))
		if err != nil {
			return
		}
		if _, err := p.Verify(key.Verifier()); err == nil {
			t.Fatal("a proof is accepted that this key never signed")
		}
	})
}

// TestLedgerTiles: the tiles of the database are a ledger that others can verify.
func TestLedgerTiles(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, f *fixture) {
		for i := range int64(260) {
			f.storeRecord(t, record("pr:1", i+1))
		}
		head, _, err := f.LedgerHead(t.Context())
		must(t, err)
		read := ledger.Source(func(path string, _ int64) ([]byte, error) {
			tile, err := ledger.ParseTile(path)
			if err != nil {
				return nil, err
			}
			return f.LedgerTile(t.Context(), tile)
		})
		must(t, ledger.VerifyTiles(read, head, nil))
		for _, path := range []string{"tile/0/001.p/5", "tile/0/002.p/1", "tile/entries/001", "tile/1/000.p/2", "tile/2/000.p/1"} {
			_, err := read(path, 0)
			wantError(t, err, store.ErrNotFound)
		}
		f.behindTheBack(t, `DELETE FROM report WHERE ledger_index = 3`, `DELETE FROM ledger_entry WHERE n = 3`)
		_, err = read("tile/entries/000", 0)
		wantTampered(t, "bundle with a hole", err, 3)
	})
}
