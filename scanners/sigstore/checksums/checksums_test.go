package checksums_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/sigstore/checksums"
)

var (
	sum256 = strings.Repeat("a1", 32)
	sum512 = strings.Repeat("b2", 64)
)

func entry(name, algorithm, digest string, line int) checks.Checksum {
	return checks.Checksum{Name: name, Algorithm: algorithm, Digest: digest, Line: line}
}

// TestParse reads the forms that tools write; coreutils(1), cksum(1) of BSD, openssl-dgst(1).
func TestParse(t *testing.T) {
	t.Parallel()
	one := checksums.List{Entries: []checks.Checksum{entry("app.tar.gz", "sha256", sum256, 1)}}
	for _, c := range []struct {
		name, text, only string
		want             checksums.List
	}{
		{"coreutils", sum256 + "  app.tar.gz\n", "", one},
		{"binary mark", sum256 + " *app.tar.gz\n", "", one},
		{"one space", sum256 + " app.tar.gz", "", one},
		{"tab", sum256 + "\tapp.tar.gz\n", "", one},
		{"upper case", strings.ToUpper(sum256) + "  app.tar.gz\n", "", one},
		{"line ends of Windows", sum256 + "  app.tar.gz\r\n", "", one},
		{"byte order mark", "\ufeff" + sum256 + "  app.tar.gz\n", "", one},
		{"current folder", sum256 + "  ./app.tar.gz\n", "", one},
		{"BSD", "SHA256 (app.tar.gz) = " + sum256 + "\n", "", one},
		{"openssl", "SHA2-256(app.tar.gz)= " + sum256 + "\n", "", one},
		{"digest alone", sum256 + "\n", "app.tar.gz", one},
		{"name where none is needed", sum256 + "  app.tar.gz\n", "other", one},
		{"comments", "# release\n\n; one\n" + sum256 + "  app.tar.gz\n", "", checksums.List{Entries: []checks.Checksum{entry("app.tar.gz", "sha256", sum256, 4)}}},
		{"star in the name", sum256 + "  *app\n", "", checksums.List{Entries: []checks.Checksum{entry("*app", "sha256", sum256, 1)}}},
		{"spaces in the name", sum256 + "  an app.txt\n", "", checksums.List{Entries: []checks.Checksum{entry("an app.txt", "sha256", sum256, 1)}}},
		{"SHA-512", sum512 + "  app\nSHA512 (app) = " + sum512 + "\n", "", checksums.List{
			Entries: []checks.Checksum{entry("app", "sha512", sum512, 1), entry("app", "sha512", sum512, 2)}}},
		{"weak ones are read as such", sum256[:32] + "  a\n" + sum256[:40] + "  a\nMD5 (b) = " + sum256[:32] + "\n", "", checksums.List{
			Entries: []checks.Checksum{entry("a", "md5", sum256[:32], 1), entry("a", "sha1", sum256[:40], 2), entry("b", "md5", sum256[:32], 3)}}},
		{"the same name twice", sum256 + "  a\n" + sum512[:64] + "  a\n", "", checksums.List{
			Entries: []checks.Checksum{entry("a", "sha256", sum256, 1), entry("a", "sha256", sum512[:64], 2)}}},
		{"folders are refused", sum256 + "  dist/app\n" + sum256 + "  ../app\n" + sum256 + "  /app\n" + sum256 + "  ok\n", "", checksums.List{
			Entries: []checks.Checksum{entry("ok", "sha256", sum256, 4)}, Refused: 3}},
		{"escaped names with line breaks are refused", "\\" + sum256 + "  a\\nb\n\\" + sum256 + "  a\\\\b\n" + sum256 + "  ok\n", "", checksums.List{
			Entries: []checks.Checksum{entry("ok", "sha256", sum256, 3)}, Refused: 2}},
		{"escape mark without escapes", "\\" + sum256 + "  app.tar.gz\n", "", one},
		{"other algorithms of the same length", "SHA512-256 (a) = " + sum256 + "\nBLAKE2b (a) = " + sum512 + "\n", "", checksums.List{Refused: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := checksums.Parse([]byte(c.text), c.only)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"nothing", "", checksums.ErrFormat},
		{"comments only", "# a\n", checksums.ErrFormat},
		{"prose", "Download from our site.\n", checksums.ErrFormat},
		{"page of an error", "<html>", checksums.ErrFormat},
		{"not UTF-8", sum256 + "  a\xff\n", checksums.ErrFormat},
		{"digest without name", sum256 + "\n", checksums.ErrFormat},
		{"digest of odd length", sum256[:62] + "  app\n", checksums.ErrFormat},
		{"tag of another length", "SHA512 (app) = " + sum256 + "\n", checksums.ErrFormat},
		{"signed inside", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n" + sum256 + "  app\n", checksums.ErrFormat},
		{"broken escape", "\\" + sum256 + "  a\\x\n", checksums.ErrFormat},
		{"one bad line", sum256 + "  app\nhello\n", checksums.ErrFormat},
		{"too many lines", strings.Repeat(sum256+"  app\n", 10_001), checksums.ErrTooLarge},
		{"a long line", sum256 + "  " + strings.Repeat("a", 4<<10) + "\n", checksums.ErrTooLarge},
		{"too many bytes", strings.Repeat("\n", 8<<20+1), checksums.ErrTooLarge},
	} {
		if got, err := checksums.Parse([]byte(c.text), ""); !errors.Is(err, c.want) {
			t.Errorf("%s: got %+v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// FuzzParse holds that entries are names without folders and digests of the right length.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"../testdata/corpus/github-release/gh_2.96.0_checksums.txt"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "")
	}
	f.Add([]byte("SHA256 (a) = "+sum256), "")
	f.Add([]byte("\\"+sum256+" *a\\\\b\r\n"), "a")
	f.Add([]byte(sum512), "a")
	lengths := map[string]int{"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
	f.Fuzz(func(t *testing.T, data []byte, only string) {
		if strings.ContainsAny(only, "/\\") {
			return
		}
		l, err := checksums.Parse(data, only)
		if err != nil {
			return
		}
		for _, e := range l.Entries {
			if e.Name == "" || strings.ContainsAny(e.Name, "/\\\n\r") || len(e.Digest) != lengths[e.Algorithm] || e.Digest != strings.ToLower(e.Digest) || e.Line < 1 {
				t.Fatalf("entry %+v", e)
			}
		}
	})
}
