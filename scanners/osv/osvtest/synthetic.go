// Package osvtest makes advisories and lock files as large as real ones, for benchmarks.
package osvtest

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/flate"

	"github.com/landwaiter/landwaiter/checks"
)

// The synthetic npm database has the shape of the real one as docs/performance.md tells:
// 5,000 reports of vulnerabilities and 215,000 of malware, 1,350 bytes each on average,
// that hardly compress because most of it is hashes.
const (
	Vulnerable = 5_000   // reports of vulnerabilities, three of each package
	Malware    = 215_000 // reports of malware, each of a package of its own
)

// Name is the i-th package of the synthetic registry.
func Name(i int) string { return fmt.Sprintf("pkg-%x-%d", i*7919%99991, i) }

// Time is when record i changed: one a minute.
func Time(i int) time.Time {
	return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute)
}

func hexText(r *rand.Rand, n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[r.Uint64()&15]
	}
	return string(b)
}

// vulnerability is a report about package i%(n/3), of two ranges.
func vulnerability(r *rand.Rand, i int, modified time.Time) (id, text string) {
	id = fmt.Sprintf("GHSA-%04x-%04x-%s", i>>12, i&0xfff, hexText(r, 4))
	return id, fmt.Sprintf(`{"schema_version":"1.7.3","id":%q,"published":"2024-01-06T20:30:46Z","modified":%q,"aliases":["CVE-2024-%d"],`+
		`"summary":"Uncontrolled resource consumption in %s, case %d","details":"%s","affected":[{"package":{"name":%q,"ecosystem":"npm","purl":"pkg:npm/x"},`+
		`"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.%d.%d"}]},{"type":"SEMVER","events":[{"introduced":"2.0.0"},{"fixed":"2.%d.0"}]}]}],`+
		`"references":[{"type":"WEB","url":"https://advisories.example/%s"}],"database_specific":{"cwe_ids":["CWE-400"],"severity":"HIGH","github_reviewed":true},`+
		`"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}]}`,
		id, modified.Format(time.RFC3339Nano), i, Name(i/3), i, hexText(r, 900), Name(i/3), 1+i%30, i%7, 1+i%9, hexText(r, 60))
}

// Report is a report of malware about a package of its own.
func Report(r *rand.Rand, i int, modified time.Time) (id, text string) {
	id = fmt.Sprintf("MAL-2025-%d", i)
	name := "mal-" + Name(i)
	versions := `"versions":["1.0.0","1.0.1"]`
	if i%3 == 0 {
		versions = `"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]`
	}
	return id, fmt.Sprintf(`{"schema_version":"1.7.3","id":%q,"published":"2025-01-08T17:11:19Z","modified":%q,"aliases":["GHSA-m%03x-%04x-%04x"],`+
		`"summary":"Malicious code in %s (npm)","details":"\n---\n_-= Per source details. Do not edit below this line.=-_\n\n## Source: ghsa-malware (%s)\nAny computer that has this package installed or running should be considered fully compromised. %s",`+
		`"affected":[{"package":{"name":%q,"ecosystem":"npm","purl":"pkg:npm/%s"},%s,"database_specific":{"cwes":[{"cweId":"CWE-506","description":"The product contains code that appears to be malicious in nature.","name":"Embedded Malicious Code"}],"source":"https://advisories.example/%s"}}],`+
		`"references":[{"type":"ADVISORY","url":"https://advisories.example/%s"}],"database_specific":{"malicious-packages-origins":[{"id":"%s","import_time":"2025-01-09T00:35:48.404674353Z","modified_time":"2025-01-08T18:23:16Z","sha256":"%s","source":"ghsa-malware","versions":["1.0.0"]}]}}`,
		id, modified.Format(time.RFC3339Nano), i>>16, i&0xffff, i%0x9999, name, hexText(r, 64), hexText(r, 200), name, name, versions, hexText(r, 40), hexText(r, 40), hexText(r, 16), hexText(r, 64))
}

// WriteDatabase writes a database of so many reports as dir/npm/all.zip and returns its JSON bytes.
func WriteDatabase(dir string, vulnerable, malware int) (unpacked int64, err error) {
	if err := os.MkdirAll(filepath.Join(dir, "npm"), 0o755); err != nil {
		return 0, err
	}
	f, err := os.Create(filepath.Join(dir, "npm", "all.zip"))
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
		var id, text string
		if i < vulnerable {
			id, text = vulnerability(r, i, Time(i))
		} else {
			id, text = Report(r, i, Time(i))
		}
		e, err := z.Create(id + ".json")
		if err != nil {
			return 0, err
		}
		if _, err := e.Write([]byte(text)); err != nil {
			return 0, err
		}
		unpacked += int64(len(text))
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	return unpacked, f.Close()
}

// Inventory is a lock file of n packages, 80 in 100 of which no advisory names.
func Inventory(n int) checks.Inventory {
	m := checks.Manifest{Path: "package-lock.json", Format: "package-lock.json"}
	for i := range n {
		name := Name(i)
		if i%10 < 8 {
			name = strings.Replace(name, "pkg", "safe", 1)
		}
		version := fmt.Sprintf("1.%d.%d", i%40, i%11)
		m.Packages = append(m.Packages, checks.Package{Ecosystem: "npm", Name: name, Version: version, Line: i + 1})
	}
	return checks.Inventory{Manifests: []checks.Manifest{m}}
}

// PackageLock is a package-lock.json of the same packages as Inventory(n).
func PackageLock(n int) []byte {
	var b strings.Builder
	b.WriteString("{\n  \"name\": \"app\",\n  \"lockfileVersion\": 3,\n  \"requires\": true,\n  \"packages\": {\n    \"\": {\n      \"name\": \"app\"\n    }")
	for _, p := range Inventory(n).Manifests[0].Packages {
		fmt.Fprintf(&b, ",\n    \"node_modules/%s\": {\n      \"version\": %q,\n      \"resolved\": \"https://registry.example/%s/-/%s-%s.tgz\",\n", p.Name, p.Version, p.Name, p.Name, p.Version)
		b.WriteString("      \"integrity\": \"sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==\",\n")
		b.WriteString("      \"dev\": true,\n      \"license\": \"MIT\",\n      \"dependencies\": {\n        \"a-package\": \"^1.0.0\",\n        \"another-package\": \"^2.1.0\"\n      },\n")
		b.WriteString("      \"engines\": {\n        \"node\": \">=6.9.0\"\n      },\n      \"funding\": {\n        \"type\": \"opencollective\",\n        \"url\": \"https://funding.example/package\"\n      }\n    }")
	}
	b.WriteString("\n  }\n}\n")
	return []byte(b.String())
}
