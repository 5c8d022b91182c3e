package app

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite app.yml")

// TestManifest compares app.yml with the tables it is written from.
func TestManifest(t *testing.T) {
	file := filepath.Join("..", "app.yml")
	got := Manifest(ManifestURL)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("app.yml differs from app/events.go; run `landwaiter manifest > app.yml`:\n%s", cmp.Diff(string(want), string(got)))
	}
	var read struct {
		Permissions map[string]string `yaml:"default_permissions"`
		Events      []string          `yaml:"default_events"`
	}
	if err := yaml.Unmarshal(got, &read); err != nil {
		t.Fatalf("app.yml is not YAML: %v", err)
	}
	for _, e := range events {
		if slices.Contains(read.Events, e.name) == e.unasked {
			t.Errorf("event %s: subscribed %v, unasked %v", e.name, !e.unasked, e.unasked)
		}
		if lacking := e.needs.missing(read.Permissions); len(lacking) > 0 {
			t.Errorf("event %s needs %s, which the manifest does not ask for", e.name, lacking)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(read.Permissions)) {
		if reasons[name] == "" {
			t.Errorf("permission %s has no reason", name)
		}
	}
}
