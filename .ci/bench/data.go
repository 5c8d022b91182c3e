package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/osv/osvtest"
)

// data is what is measured on.
type data struct {
	dir string
	// full and small are databases, with and without reports of malware, in the layout of the
	// OSV bucket; osv-scanner wants it in a folder osv-scalibr.
	full, small database
	locks       map[int]string // folders with one package-lock.json, by number of packages
}

type database struct {
	name    string
	bucket  string // holds npm/all.zip
	parent  string // holds osv-scalibr/npm/all.zip, the same file
	index   string // landwaiter's data folder
	records int
	zipped  int64 // bytes
}

func makeData(dir string) (*data, error) {
	d := &data{dir: dir, locks: map[int]string{}}
	for _, b := range []struct {
		database *database
		name     string
		malware  int
	}{{&d.full, "full", osvtest.Malware}, {&d.small, "small", 0}} {
		parent := filepath.Join(dir, b.name)
		*b.database = database{
			name: b.name, parent: parent, bucket: filepath.Join(parent, "osv-scalibr"), index: filepath.Join(dir, b.name+"-index"),
			records: osvtest.Vulnerable + b.malware,
		}
		var err error
		if _, err = osvtest.WriteDatabase(b.database.bucket, osvtest.Vulnerable, b.malware); err != nil {
			return nil, err
		}
		st, err := os.Stat(filepath.Join(b.database.bucket, "npm", "all.zip"))
		if err != nil {
			return nil, err
		}
		b.database.zipped = st.Size()
	}
	for _, n := range []int{1_500, 5_000, 20_000} {
		folder := filepath.Join(dir, fmt.Sprint("lock-", n))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(folder, "package-lock.json"), lock(n, 0), 0o644); err != nil {
			return nil, err
		}
		d.locks[n] = folder
	}
	return d, nil
}

// lock is a package-lock.json of n packages, one in five of which has advisories. salt makes
// files with other contents and the same packages.
func lock(n, salt int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "{\n  \"name\": \"app-%d\",\n  \"version\": \"1.0.0\",\n  \"lockfileVersion\": 3,\n  \"requires\": true,\n  \"packages\": {\n    \"\": {\n      \"name\": \"app\",\n      \"dependencies\": {\n        %q: \"^1.0.0\"\n      }\n    }", salt, lockName(0))
	for i := range n {
		name := lockName(i)
		version := fmt.Sprintf("1.%d.%d", i%40, i%11)
		fmt.Fprintf(&b, ",\n    \"node_modules/%s\": {\n      \"version\": %q,\n      \"resolved\": \"https://npm.example/%s/-/%s-%s.tgz\",\n"+
			"      \"integrity\": \"sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==\",\n      \"license\": \"MIT\",\n"+
			"      \"engines\": {\n        \"node\": \">=6.9.0\"\n      },\n      \"dependencies\": {\n        %q: \"^1.0.0\",\n        %q: \"^1.0.0\"\n      }\n    }",
			name, version, name, name, version, lockName((i*3+1)%n), lockName((i*3+2)%n))
	}
	b.WriteString("\n  }\n}\n")
	return []byte(b.String())
}

func lockName(i int) string {
	if i%10 < 8 {
		return strings.Replace(osvtest.Name(i), "pkg", "safe", 1)
	}
	return osvtest.Name(i)
}
