package app

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadings names the files that are read to see what was touched.
func TestReadings(t *testing.T) {
	t.Parallel()
	side := listing{}
	for _, name := range []string{
		"requirements.txt", "requirements/base.txt", "docs/requirements.txt", "package.json", "package-lock.json",
		"web/package.json", "web/app/package.json", ".github/workflows/ci.yml", ".github/workflows/release.yml",
	} {
		side[name] = entry{}
	}
	for _, tt := range []struct {
		name    string
		touched []string
		want    []string
	}{
		{"a list of requirements, with those it may include", []string{"requirements.txt"},
			[]string{"docs/requirements.txt", "package-lock.json", "package.json", "requirements.txt", "requirements/base.txt"}},
		{"a manifest, with the folders above", []string{"web/app/package.json"},
			[]string{"package-lock.json", "package.json", "requirements.txt", "web/app/package.json", "web/package.json"}},
		{"a workflow alone", []string{".github/workflows/ci.yml"}, []string{".github/workflows/ci.yml"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := []string{}
			for _, r := range readings(side, tt.touched) {
				got = append(got, r.path)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}
