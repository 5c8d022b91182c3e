package lookalike

import (
	"bufio"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/landwaiter/landwaiter/checks"
)

func manifest(path string, packages ...checks.Package) checks.Manifest {
	return checks.Manifest{Path: path, Packages: packages}
}

func npm(name string, line int) checks.Package {
	return checks.Package{Ecosystem: "npm", Name: name, Version: "1.0.0", Line: line}
}

func TestScanTellsOfNewNames(t *testing.T) {
	t.Parallel()
	squat := npm("axois", 7)
	m := &checks.Material{
		Compared: true,
		Base:     checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{manifest("a.json", npm("loadsh", 3), npm("react", 4))}}},
		Head: checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{
			manifest("b.json", squat, squat, npm("lodash", 8)),
			manifest("a.json", npm("loadsh", 3), squat, npm("vue", 9)),
			manifest("sub/c.json", npm("loadsh", 1)),
		}}},
	}
	e, err := New().Scan(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	seen := func(path string) checks.Observed {
		return checks.Observed{Side: checks.Head, Path: path, Observation: checks.Observation{
			Rule: checks.RuleLookalike, Severity: checks.SeverityMedium, Line: 7, Subject: "axois", Package: &squat,
			Message: `axois looks like the popular axios: "i" and "o" are swapped`,
			Remedy:  "If axios is meant, correct the name. If axois is right, list it under dependencies.lookalikes.allow.",
		}}
	}
	want := checks.Evidence{Scanner: "lookalike", Complete: true, Observations: []checks.Observed{seen("a.json"), seen("b.json")}}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m.Base, m.Compared = checks.Tree{}, false
	if e, _ = New().Scan(context.Background(), m); len(e.Observations) != 4 {
		t.Errorf("without a base: %d observations, want loadsh twice more", len(e.Observations))
	}
}

// TestKnownSquats is the recall: testdata/squats.tsv says of each name whether it is seen, and
// what is seen must stay.
func TestKnownSquats(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/squats.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen, all := 0, 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		row := strings.Split(lines.Text(), "\t")
		missed := len(row) == 4 && row[3] == "missed"
		found := find(row[0], row[1])
		all++
		if found.popular != "" {
			seen++
		}
		if (found.popular == "") != missed {
			t.Errorf("%s %s, which imitates %s: found %+v", row[0], row[1], row[2], found)
		}
	}
	t.Logf("%d of %d known squats are seen (%d %%)", seen, all, 100*seen/all)
	if all < 100 || 100*seen < 80*all {
		t.Errorf("%d of %d is less than promised", seen, all)
	}
}

// TestHonestNames are pairs of real packages that a careless rule takes for each other.
func TestHonestNames(t *testing.T) {
	t.Parallel()
	for ecosystem, names := range map[string]string{
		"npm": "preact inferno enquirer redux-saga babel-core babel-types react-dom esbuild-linux-arm64 base32 base64-js uuidv4 lodash.set lodash.get lodash-es date-fns-tz " +
			"node-fetch-npm is-odd mquery jquery js-cookie es-cookie uglify-es csv-parser css-parse tslint-config-prettier vue-server-renderer just-diff @rslint/core @storyblok/js " +
			"@acme/react @acme/lodash acme-client internal-tools requestify expressive reactor angular-ui momentum colors-plus",
		"PyPI": "httpx2 httpcore2 mypy-boto3-eks mypy-boto3-ecs faiss-gpu faiss-cpu grequests pytest-csv jsonpath jsonpatch beautifulsoup djangocms pandas-gbq numpydoc acme-requests",
		"Go": "github.com/acme/mux github.com/acme/logrus github.com/spf13/viper github.com/golang-jwt/jwt/v5 golang.org/x/net gopkg.in/yaml.v3 k8s.io/api example.com/x/net " +
			"github.com/kubernetes-sigs/yaml",
		"Maven":                           "commons-io:commons-io org.apache.commons:commons-io com.acme:guava jakarta.servlet:jakarta.servlet-api javax.servlet:servlet-api",
		"GitHub Actions":                  "acme/checkout acme/setup-node actions/checkout Docker/Login-Action",
		"Packagist":                       "acme/console laravel/framework drupal/console",
		"crates.io":                       "rand_core serde_yaml_ng toml_edit sha3 md5 tokio-postgres bitvec bit-vec",
		"RubyGems":                        "rails-html-sanitizer rspec-its sassc pry-nav",
		"NuGet":                           "Newtonsoft.Json.Bson Acme.Json System.Text.Json",
		"Hex":                             "phoenx", // no list
		"Maven:https://repo.acme.example": "org.fasterxml.jackson.core:jackson-databind",
	} {
		for name := range strings.FieldsSeq(names) {
			if found := find(ecosystem, name); found.popular != "" {
				t.Errorf("%s %s looks like %s: %s", ecosystem, name, found.popular, found.why)
			}
		}
	}
}

// TestListedNames leaves each popular name out of its list and looks whether it is taken for
// another: what a package that gets popular would meet before it is listed.
func TestListedNames(t *testing.T) {
	t.Parallel()
	taken, all := 0, 0
	for osv, e := range ecosystems {
		n := load(e) // a copy of its own
		for _, name := range read(e.list) {
			name = e.normal(name)
			at, flat := n.flat.place[name]
			delete(n.flat.place, name)
			delete(n.whole, name)
			if found := n.find(name); found.popular != "" && found.popular != name {
				taken++
				t.Logf("%s %s: %+v", osv, name, found)
			}
			n.whole[name] = true
			if flat {
				n.flat.place[name] = at
			}
			all++
		}
	}
	t.Logf("%d of %d", taken, all)
	if taken*500 > all {
		t.Errorf("%d of %d popular names are taken for others, more than 1 in 500", taken, all)
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, popular string
		kind          edit
		words         string
	}{
		{"lodash", "lodash", same, ""},
		{"loadhs", "lodash", other, ""},
		{"loadsh", "lodash", swapped, `"d" and "a" are swapped`},
		{"lodahs", "lodash", swapped, `"s" and "h" are swapped`},
		{"axois", "axios", swapped, `"i" and "o" are swapped`},
		{"expresss", "express", doubled, `"s" is written once more`},
		{"expres", "express", doubled, `"s" is written once less`},
		{"reqests", "requests", omitted, `"u" is missing`},
		{"colourama", "colorama", added, `"u" is added`},
		{"mumpy", "numpy", slipped, `"m" stands for "n"`},
		{"reqzests", "requests", changed, `"z" stands for "u"`},
		{"", "a", omitted, `"a" is missing`},
		{"ab", "ba", swapped, `"b" and "a" are swapped`},
		{"abc", "xyz", other, ""},
	} {
		kind, at := difference(test.name, test.popular)
		if kind != test.kind {
			t.Errorf("difference(%q, %q) = %d, want %d", test.name, test.popular, kind, test.kind)
		}
		if test.words != "" && words(test.name, test.popular, kind, at) != test.words {
			t.Errorf("words(%q, %q) = %s, want %s", test.name, test.popular, words(test.name, test.popular, kind, at), test.words)
		}
	}
}

func TestOtherAlphabets(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"lodаsh": "lodash", "ｒｅａｃｔ": "react", "re\u200bact": "react", "еxprеss": "express", "日本語": "", "reäct": "",
	} {
		if got := find("npm", name); got.popular != want {
			t.Errorf("%q: %+v, want %q", name, got, want)
		}
	}
}

// TestIndexFindsWhatComparingFinds compares the search by removals with comparing each name.
func TestIndexFindsWhatComparingFinds(t *testing.T) {
	t.Parallel()
	n := loaders["npm"]()
	rapid.Check(t, func(t *rapid.T) {
		name := []byte(rapid.SampledFrom(n.flat.popular).Draw(t, "popular"))
		for range rapid.IntRange(1, 2).Draw(t, "edits") {
			at := rapid.IntRange(0, len(name)-1).Draw(t, "at")
			c := byte(rapid.SampledFrom([]rune("abcdefghijklmnopqrstuvwxyz-.0123456789")).Draw(t, "character"))
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				name[at] = c
			case 1:
				name = append(name[:at], append([]byte{c}, name[at:]...)...)
			case 2:
				name = append(name[:at], name[at+1:]...)
			case 3:
				name[at], name[(at+1)%len(name)] = name[(at+1)%len(name)], name[at]
			}
			if len(name) == 0 {
				return
			}
		}
		want := ""
		for i, popular := range n.flat.popular {
			if len(popular) > maxName {
				continue
			}
			if kind, at := difference(string(name), popular); telling(string(name), popular, kind, at, i < topFamous) {
				want = popular
				break
			}
		}
		if got, _ := n.flat.typo(string(name)); got.popular != want {
			t.Fatalf("%s: found %q, comparing finds %q", name, got.popular, want)
		}
	})
}

func FuzzFind(f *testing.F) {
	for _, name := range []string{"lodash", "@types/node", "@", "@/", "github.com/x", "a:b", "", "\xff", "lodаsh", strings.Repeat("a", 300), "-.-", "node-.js"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for osv := range ecosystems {
			found := find(osv, name)
			if (found.popular == "") != (found.why == "") {
				t.Fatalf("%s %q: %+v", osv, name, found)
			}
			if found.popular != "" && find(osv, found.popular).popular != "" {
				t.Fatalf("%s %q looks like %q, which is a look-alike itself", osv, name, found.popular)
			}
		}
	})
}

// BenchmarkNames compares 1,500 names that no list has, and BenchmarkLoad reads the lists.
func BenchmarkNames(b *testing.B) {
	var packages []checks.Package
	for i, name := range loaders["npm"]().flat.popular[:1500] {
		packages = append(packages, npm("acme-"+name, i))
	}
	m := &checks.Material{Head: checks.Tree{Inventory: checks.Inventory{Manifests: []checks.Manifest{manifest("package-lock.json", packages...)}}}}
	s := New()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Scan(context.Background(), m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		load(ecosystems["npm"])
	}
}
