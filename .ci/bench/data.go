package main

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The synthetic npm database has the shape of the real one (docs/performance.md): reports of
// vulnerabilities and of malware, 1,350 bytes each on average, mostly hashes. The seed is
// fixed, so every run and every machine has the same.
const (
	vulnerable = 5_000
	malware    = 215_000
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
	}{{&d.full, "full", malware}, {&d.small, "small", 0}} {
		parent := filepath.Join(dir, b.name)
		*b.database = database{
			name: b.name, parent: parent, bucket: filepath.Join(parent, "osv-scalibr"), index: filepath.Join(dir, b.name+"-index"),
			records: vulnerable + b.malware,
		}
		var err error
		if b.database.zipped, err = writeDatabase(filepath.Join(b.database.bucket, "npm"), b.malware); err != nil {
			return nil, err
		}
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

// packageName is the i-th package of the synthetic registry.
func packageName(i int) string { return fmt.Sprintf("pkg-%x-%d", i*7919%99991, i) }

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
		return strings.Replace(packageName(i), "pkg", "safe", 1)
	}
	return packageName(i)
}

// writeDatabase writes folder/all.zip and returns its size.
func writeDatabase(folder string, malware int) (int64, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return 0, err
	}
	file := filepath.Join(folder, "all.zip")
	f, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	defer f.Close() // again, for what goes wrong before the end
	w := bufio.NewWriterSize(f, 1<<20)
	z := zip.NewWriter(w)
	deflater, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		return 0, err
	}
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { // one entry is open at a time
		deflater.Reset(w)
		return deflater, nil
	})
	r := rand.New(rand.NewPCG(1, 2))
	for i := range vulnerable + malware {
		id, text := record(r, i)
		e, err := z.Create(id + ".json")
		if err != nil {
			return 0, err
		}
		if _, err := io.WriteString(e, text); err != nil {
			return 0, err
		}
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), f.Close()
}

// record is the i-th advisory: a vulnerability of two ranges, or a report of malware about a
// package of its own.
func record(r *rand.Rand, i int) (id, text string) {
	modified := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute).Format(time.RFC3339Nano)
	if i < vulnerable {
		id = fmt.Sprintf("GHSA-%04x-%04x-%s", i>>12, i&0xfff, digits(r, 4))
		name := packageName(i / 3)
		return id, fmt.Sprintf(`{"schema_version":"1.7.3","id":%q,"published":"2024-01-06T20:30:46Z","modified":%q,"aliases":["CVE-2024-%d"],`+
			`"summary":"Uncontrolled resource consumption in %s, case %d","details":"%s","affected":[{"package":{"name":%q,"ecosystem":"npm","purl":"pkg:npm/%s"},`+
			`"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.%d.%d"}]},{"type":"SEMVER","events":[{"introduced":"2.0.0"},{"fixed":"2.%d.0"}]}]}],`+
			`"references":[{"type":"WEB","url":"https://advisories.example/%s"}],"database_specific":{"cwe_ids":["CWE-400"],"severity":"HIGH","github_reviewed":true},`+
			`"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}]}`,
			id, modified, 10_000+i, name, i, digits(r, 900), name, name, 1+i%30, i%7, 1+i%9, digits(r, 60))
	}
	id = fmt.Sprintf("MAL-2025-%d", i)
	name := "mal-" + packageName(i)
	versions := `"versions":["1.0.0","1.0.1"]`
	if i%3 == 0 {
		versions = `"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]`
	}
	return id, fmt.Sprintf(`{"schema_version":"1.7.3","id":%q,"published":"2025-01-08T17:11:19Z","modified":%q,"aliases":["GHSA-m%03x-%04x-%04x"],`+
		`"summary":"Malicious code in %s (npm)","details":"\n---\n_-= Per source details. Do not edit below this line.=-_\n\n## Source: ghsa-malware (%s)\nAny computer that has this package installed or running should be considered fully compromised. %s",`+
		`"affected":[{"package":{"name":%q,"ecosystem":"npm","purl":"pkg:npm/%s"},%s,"database_specific":{"cwes":[{"cweId":"CWE-506","description":"The product contains code that appears to be malicious in nature.","name":"Embedded Malicious Code"}],"source":"https://advisories.example/%s"}}],`+
		`"references":[{"type":"ADVISORY","url":"https://advisories.example/%s"}],"database_specific":{"malicious-packages-origins":[{"id":"%s","import_time":"2025-01-09T00:35:48.404674353Z","modified_time":"2025-01-08T18:23:16Z","sha256":"%s","source":"ghsa-malware","versions":["1.0.0"]}]}}`,
		id, modified, i>>16, i&0xffff, i%0x9999, name, digits(r, 64), digits(r, 200), name, name, versions, digits(r, 40), digits(r, 40), digits(r, 16), digits(r, 64))
}

// digits is n hexadecimal digits.
func digits(r *rand.Rand, n int) string {
	const all = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = all[r.Uint64()&15]
	}
	return string(b)
}
