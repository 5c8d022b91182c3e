package versions

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/osv-scalibr/semantic"
	"pgregory.net/rapid"
)

// packed are the ecosystems whose plain versions are compared as integers.
var packed = []string{"npm", "Go", "crates.io", "Hex", "SwiftURL", "Bitnami", "NuGet", "Pub", "PyPI", "Maven", "RubyGems", "Packagist", "Hackage", "CRAN"}

// FuzzPackedOrder: wherever two versions can be packed, the integers order them as
// osv-scalibr's semantic does.
func FuzzPackedOrder(f *testing.F) {
	for _, s := range []string{"1.2.3 1.2.4", "1.2 1.2.0", "v1 1", "1.10.0 1.9.0", "0.0.0 0", "2097151.0.0 2097152", "1.02.3 1.2.3", "1.2.3.4 1.2.3"} {
		a, b, _ := strings.Cut(s, " ")
		f.Add(a, b)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, ecosystem := range packed {
			comparePacked(t, ecosystem, a, b)
		}
	})
}

func comparePacked(t interface {
	Helper()
	Fatalf(string, ...any)
}, ecosystem, a, b string) {
	t.Helper()
	o := Of(ecosystem)
	p, okA := o.pack(a)
	q, okB := o.pack(b)
	if !okA || !okB {
		return
	}
	v, err := semantic.Parse(a, ecosystem)
	if err != nil {
		t.Fatalf("%s: %q is packed but not parsed: %v", ecosystem, a, err)
	}
	want, err := v.CompareStr(b)
	if err != nil {
		t.Fatalf("%s: %q is packed but not compared: %v", ecosystem, b, err)
	}
	got := 0
	if p < q {
		got = -1
	} else if p > q {
		got = 1
	}
	if got != want {
		t.Fatalf("%s: packed %q, %q are %d, semantic says %d", ecosystem, a, b, got, want)
	}
}

// plain generates what may be packed, near its limits as well.
var plain = rapid.Custom(func(t *rapid.T) string {
	part := rapid.SampledFrom([]string{"0", "1", "2", "9", "10", "19", "100", "2097151", "2097152", "007"})
	s := strings.Join(rapid.SliceOfN(part, 1, 4).Draw(t, "parts"), ".")
	return rapid.SampledFrom([]string{"", "", "", "v", "V", "="}).Draw(t, "prefix") + s
})

// tails are what versions of an ecosystem end in; those of the others are mixed.
var tails = map[string][]string{
	"Hackage": {""}, "CRAN": {"", "-1", "-2"},
	"Alpine": {"", "_rc1", "_p2", "-r0", "-r10", "_alpha1-r1"}, "Debian": {"", "-1", "~rc1", "+b1", "-1+deb12u1"},
	"": {"", "", "-alpha", "-beta.1", "-rc.2", "rc1", ".dev1", ".post2", "+build", "-SNAPSHOT", ".Final", ".pre", "-1", "b2", "-0.20220314-abc"},
}

// wild generates versions of the shapes that an ecosystem has.
func wild(ecosystem string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s, ends := plain.Draw(t, "plain"), tails[ecosystem]
		if ends == nil {
			ends = tails[""]
		} else {
			s = strings.TrimLeft(s, "vV=")
		}
		return s + rapid.SampledFrom(ends).Draw(t, "tail")
	})
}

func TestPackedOrder(t *testing.T) {
	t.Parallel()
	for _, ecosystem := range packed {
		t.Run(ecosystem, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				comparePacked(t, ecosystem, plain.Draw(t, "a"), plain.Draw(t, "b"))
			})
		})
	}
}

// TestOrderLaws: comparing is a total order, on what can be compared.
func TestOrderLaws(t *testing.T) {
	t.Parallel()
	for _, ecosystem := range append(slices.Clone(packed), "GitHub Actions", "Debian", "Alpine") {
		t.Run(ecosystem, func(t *testing.T) {
			t.Parallel()
			versions := wild(ecosystem)
			rapid.Check(t, func(t *rapid.T) {
				a, b, c := versions.Draw(t, "a"), versions.Draw(t, "b"), versions.Draw(t, "c")
				o := Of(ecosystem).Fixed()
				less := func(a, b string) int {
					v := o.Parse(a)
					n, err := v.Compare(b)
					if err != nil {
						if !errors.Is(err, ErrUnordered) {
							t.Fatalf("%q with %q: %v", a, b, err)
						}
						t.Skip("needs two versions that have an order: others are drawn")
					}
					return n
				}
				if n := less(a, a); n != 0 {
					t.Fatalf("%q with itself is %d", a, n)
				}
				if less(a, b) != -less(b, a) {
					t.Fatalf("%q, %q are %d and %d", a, b, less(a, b), less(b, a))
				}
				if less(a, b) <= 0 && less(b, c) <= 0 && less(a, c) > 0 {
					t.Fatalf("%q <= %q <= %q, but not the first and the last", a, b, c)
				}
			})
		})
	}
}

// tables are the oracle tables and their ecosystems.
var tables = map[string]string{
	"alpine-versions.txt": "Alpine", "alpine-versions-generated.txt": "Alpine",
	"cran-versions.txt": "CRAN", "cran-versions-generated.txt": "CRAN",
	"debian-versions.txt": "Debian", "debian-versions-generated.txt": "Debian",
	"hackage-versions.txt": "Hackage", "maven-versions.txt": "Maven", "maven-versions-generated.txt": "Maven",
	"nuget-versions.txt": "NuGet", "packagist-versions.txt": "Packagist", "packagist-versions-generated.txt": "Packagist",
	"pub-versions.txt": "Pub", "pypi-versions.txt": "PyPI", "pypi-versions-generated.txt": "PyPI", "redhat-versions.txt": "Red Hat",
	"rubygems-versions.txt": "RubyGems", "rubygems-versions-generated.txt": "RubyGems", "semver-versions.txt": "npm",
}

func TestVersionTables(t *testing.T) {
	t.Parallel()
	for file, ecosystem := range tables {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			checkTable(t, filepath.Join("testdata", "version-order", file), ecosystem)
		})
	}
}

// TestVersionTablesCorpus is TestVersionTables on the whole tables.
func TestVersionTablesCorpus(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("LANDWAITER_CORPUS")
	if corpus == "" {
		t.Skip("needs LANDWAITER_CORPUS, the folder of the large samples")
	}
	for file, ecosystem := range tables {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			checkTable(t, filepath.Join(corpus, "version-order", file), ecosystem)
		})
	}
}

// checkTable checks lines "a < b", "a = b" and "a > b".
func checkTable(t *testing.T, path, ecosystem string) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o := Of(ecosystem)
	checked := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || strings.HasPrefix(fields[0], "//") || strings.HasPrefix(fields[0], "#") {
			continue
		}
		want := map[string]int{"<": -1, "=": 0, ">": 1}[fields[1]]
		for _, way := range []struct {
			a, b string
			want int
		}{{fields[0], fields[2], want}, {fields[2], fields[0], -want}} {
			v := o.Parse(way.a)
			got, err := v.Compare(way.b)
			if errors.Is(err, ErrUnordered) {
				continue // a word that we do not take for a version; see looksLikeVersion
			}
			if err != nil || got != way.want {
				t.Errorf("%s: %q is %d, %v", lines.Text(), way.a, got, err)
			}
			checked++
		}
	}
	if checked < 20 {
		t.Errorf("only %d comparisons", checked)
	}
}

// TestFloatingTags: a tag such as v4 is moved to the newest release of its branch.
func TestFloatingTags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		tag, other string
		want       int
	}{
		{"v4", "4.1.3", +1}, {"v4", "4.0.0", +1}, {"v4", "5.0.0", -1}, {"v4", "3.9.9", +1}, {"4", "4.9.9", +1},
		{"v4.1", "4.1.3", +1}, {"v4.1", "4.2.0", -1}, {"v4.1.2", "4.1.3", -1}, {"v4.1.2", "4.1.2", 0},
		{"v4", "4.1.3-beta", +1}, {"v4", "5.0.0-beta", -1}, {"v4.1.2-beta", "4.1.2", -1}, {"v4", "v4", +1},
	}
	for _, tt := range tests {
		v := Of("GitHub Actions").Parse(tt.tag)
		if got, err := v.Compare(tt.other); err != nil || got != tt.want {
			t.Errorf("%s with %s is %d, want %d (%v)", tt.tag, tt.other, got, tt.want, err)
		}
	}
	for _, s := range []string{"main", "release/v4", "0123456789abcdef0123456789abcdef01234567", "v"} {
		if v := Of("GitHub Actions").Parse(s); v.unclear == nil {
			t.Errorf("%q is taken for a version", s)
		}
	}
}

func TestPrerelease(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ early, released []string }{
		"npm":       {[]string{"1.0.0-beta.1", "1.0.0-0"}, []string{"1.0.0", "1.0.0+a-b"}},
		"PyPI":      {[]string{"1.0a1", "1.0rc2", "1.0.dev3", "1.0b1"}, []string{"1.0", "1.0.post1", "v2.0"}},
		"RubyGems":  {[]string{"1.0.pre", "1.0.0.rc1"}, []string{"1.0.0", "1"}},
		"Maven":     {[]string{"1.0-alpha-1", "1.0-SNAPSHOT", "1.0-M2", "1.0-RC1"}, []string{"1.0", "1.0.Final", "33.0-jre", "5.0.RELEASE"}},
		"Packagist": {[]string{"1.0.0-RC1", "2.0-beta"}, []string{"1.0.0", "v1.0"}},
		"Go":        {[]string{"0.0.0-20220314-abc"}, []string{"1.2.3", "1.0.0+incompatible"}},
	}
	for ecosystem, tt := range tests {
		for _, s := range tt.early {
			if !Of(ecosystem).Prerelease(s) {
				t.Errorf("%s: %s counts as released", ecosystem, s)
			}
		}
		for _, s := range tt.released {
			if Of(ecosystem).Prerelease(s) {
				t.Errorf("%s: %s counts as not released", ecosystem, s)
			}
		}
	}
}
