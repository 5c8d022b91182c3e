package manifests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sameGoMod fails unless the reader of plain files leaves a go.mod to the library or reads what
// the library reads. It returns whether the file was plain.
func sameGoMod(t *testing.T, text string) bool {
	t.Helper()
	got, ok := plainGoMod(text)
	if !ok {
		return false
	}
	want, err := libraryGoMod("go.mod", text)
	if err != nil {
		t.Errorf("the library refuses what was read as plain: %v\n%s", err, text)
		return true
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(goFile{}, goRequire{})); diff != "" {
		t.Errorf("not what the library reads (-want +got):\n%s\n%s", diff, text)
	}
	return true
}

// plainGoMods are lines of a go.mod, those that are plain and their neighbours that are not.
var plainGoMods = []struct {
	name, text string
	plain      bool
}{
	{"all plain lines", "// the program\nmodule example.com/a // of ours\n\ngo 1.24.1\ntoolchain go1.24.2\nrequire b.example/c/v2 v2.0.1\nrequire ( // these\n\td.example/e v1.0.0\n\t// one\n\n\tgopkg.in/f.v3 v3.0.1 // indirect\n\tG.example/h_i v2.3.4+incompatible //indirect; for x\n\tj.example/~k v0.0.0-20240101000000-abcdefabcdef // indirectly\n) // end\n", true},
	{"no line end", "module a\nrequire b.example/c v1.0.0", true},
	{"order of lines", "require (\na.example/b v1.0.0\n)\nmodule a\n", true},
	{"comment at a name", "module a//b\nrequire b.example/c v1.0.0//indirect\n", true},
	{"three slashes", "module a\nrequire b.example/c v1.0.0 /// indirect\n", true},
	{"short version", "module a\nrequire b.example/c v1\n", true},
	{"build of a version", "module a\nrequire b.example/c v1.2.3+meta\n", true},
	{"directive as a name", "module a\nrequire (\nrequire v1.0.0\n)\n", true},
	{"module twice", "module a\nmodule b\n", false},
	{"no module", "go 1.24\n", false},
	{"go twice", "module a\ngo 1.24\ngo 1.25\n", false},
	{"go of no version", "module a\ngo 1.x\n", false},
	{"toolchain twice", "module a\ntoolchain go1.24\ntoolchain go1.24\n", false},
	{"toolchain of no version", "module a\ntoolchain x\n", false},
	{"two blocks in one", "module a\nrequire (\nrequire (\n)\n", false},
	{"block without an end", "module a\nrequire (\na.example/b v1.0.0\n", false},
	{"block of one line", "module a\nrequire ()\n", false},
	{"block without a space", "module a\nrequire(\na.example/b v1.0.0\n)\n", false},
	{"block of modules", "module (\na\n)\n", false},
	{"words after a block", "module a\nrequire (\n) b\n", false},
	{"bracket as a name", "module a\nrequire (\n( v1.0.0\n)\n", false},
	{"four words", "module a\nrequire b.example/c v1.0.0 v1.0.1\n", false},
	{"one word", "module a\nrequire b.example/c\n", false},
	{"version without v", "module a\nrequire b.example/c 1.0.0\n", false},
	{"major of another path", "module a\nrequire b.example/c v2.0.0\n", false},
	{"path of no major", "module a\nrequire b.example/c/v1 v1.0.0\n", false},
	{"old path without a major", "module a\nrequire gopkg.in/c v1.0.0\n", false},
	{"quotes", "module \"a\"\n", false},
	{"carriage returns", "module a\r\nrequire b.example/c v1.0.0 // indirect\r\n", false},
	{"no-break space", "module a\nrequire b.example/c\u00a0v1.0.0\n", false},
	{"long comment", "module a\n/* b */\n", false},
	{"replacement", "module a\nreplace b.example/c => ../c\n", false},
	{"exclusion", "module a\nexclude b.example/c v1.0.0\n", false},
	{"tool", "module a\ntool b.example/c\n", false},
	{"unknown line", "module a\nsurprise b\n", false},
}

func TestPlainGoMod(t *testing.T) {
	for _, c := range plainGoMods {
		t.Run(c.name, func(t *testing.T) {
			if got := sameGoMod(t, c.text); got != c.plain {
				t.Errorf("read as plain: %t, want %t", got, c.plain)
			}
		})
	}
}

// TestPlainGoModOfFiles reads all go.mod files at hand both ways.
func TestPlainGoModOfFiles(t *testing.T) {
	files, plain := 0, 0
	for _, root := range []string{"testdata", os.Getenv("LANDWAITER_CORPUS")} {
		if root == "" {
			continue
		}
		err := filepath.WalkDir(root, func(file string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(d.Name(), "go.mod") {
				return err
			}
			data, err := os.ReadFile(file)
			files++
			if sameGoMod(t, string(data)) {
				plain++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d files are plain", plain, files)
	if plain == 0 {
		t.Error("no file is plain, so nothing was compared")
	}
}

func FuzzPlainGoMod(f *testing.F) {
	fixtures(f, "go.mod")
	for _, c := range plainGoMods {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) <= 1<<16 {
			sameGoMod(t, text)
		}
	})
}
