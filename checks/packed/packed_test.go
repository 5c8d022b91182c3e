package packed

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

func sample() inventory.Manifest {
	return inventory.Manifest{
		Path: "app/package-lock.json", Digest: "b1", Format: "package-lock.json", Gap: "names a package twice",
		Packages: []inventory.Package{
			{PURL: "pkg:npm/a@1.0.0", Ecosystem: "npm", Name: "a", Version: "1.0.0", Line: 7, Scope: inventory.ScopeRuntime, Relation: inventory.Direct, Via: []string{"a"}},
			{PURL: "pkg:npm/é@2.0.0", Ecosystem: "npm", Name: "é", Version: "2.0.0", Line: 1 << 20, Via: []string{"a", "é"}, Requirers: []inventory.Requirer{{Name: "a", Version: "1.0.0", Constraint: "^2"}, {}}},
		},
		Observations: []inventory.Observation{{Rule: "workflow-unpinned-action", Severity: inventory.SeverityHigh, Line: 3, Subject: "a/b@v1", Message: "m", Remedy: "r"}},
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]inventory.Manifest{"full": sample(), "empty": {}} {
		got, err := Decode(Encode(&want))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestDecodeDamaged changes one thing in bytes that can be read.
func TestDecodeDamaged(t *testing.T) {
	t.Parallel()
	m := sample()
	whole := Encode(&m)
	for name, change := range map[string]func(b []byte) []byte{
		"nothing":         func([]byte) []byte { return nil },
		"another version": func(b []byte) []byte { b[0]++; return b },
		"JSON":            func([]byte) []byte { return []byte(`{"Path":"a"}`) },
		"cut":             func(b []byte) []byte { return b[:len(b)-1] },
		"longer":          func(b []byte) []byte { return append(b, 'x') },
		"odd length":      func(b []byte) []byte { b[1]++; return b },
		"odd scope":       func(b []byte) []byte { return bytes.Replace(b, []byte("runtime"), []byte("runtimE"), 1) },
		"half a letter":   func(b []byte) []byte { return bytes.Replace(b, []byte("\xc3\xa9"), []byte("\xc3("), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := Decode(change(bytes.Clone(whole))); err == nil {
				t.Errorf("read as %+v", got)
			}
		})
	}
}

// FuzzDecode: no bytes make reading panic or give text that is not valid.
func FuzzDecode(f *testing.F) {
	m := sample()
	f.Add(Encode(&m))
	f.Add(Encode(&inventory.Manifest{}))
	f.Add([]byte{version, 4, 0, 0, 0, 1, 1, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		for _, p := range m.Packages {
			if p.Name == "" || strings.ToValidUTF8(p.Name, "") != p.Name {
				t.Fatalf("%+v", p)
			}
		}
	})
}
