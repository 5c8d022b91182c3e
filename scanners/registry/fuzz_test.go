package registry

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// FuzzVersion reads answers about a version: no text may make a Fact out of bounds.
func FuzzVersion(f *testing.F) {
	data, err := os.ReadFile("registrytest/versions.json")
	if err != nil {
		f.Fatal(err)
	}
	var messages []json.RawMessage
	if err := json.Unmarshal(data, &messages); err != nil {
		f.Fatal(err)
	}
	for _, m := range messages {
		f.Add([]byte(m))
	}
	f.Add([]byte(`{"versionKey":{"name":"x"},"publishedAt":"yesterday","licenses":["","MIT"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v versionAnswer
		if json.Unmarshal(data, &v) != nil {
			return
		}
		for _, ecosystem := range []string{"npm", "Go"} {
			a := v.answer(ecosystem)
			if !a.Known && a != (answer{}) {
				t.Fatalf("nothing is known, but %+v", a)
			}
			if len(a.Licence) > maxLicence || len(a.Deprecated) > maxReason+3 {
				t.Fatalf("licence of %d bytes, reason of %d", len(a.Licence), len(a.Deprecated))
			}
			if ecosystem == "Go" && a.Provenance == checks.No {
				t.Fatal("Go modules have no provenance to lack")
			}
			if !a.Published.IsZero() && a.Published.Year() < 1990 {
				t.Fatalf("published %v", a.Published)
			}
		}
	})
}
