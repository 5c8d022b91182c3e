package goimports

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

func TestReadFolder(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, x := range []struct {
		name   string
		folder fstest.MapFS
		want   inventory.Imports
	}{
		{"all kinds of files", fstest.MapFS{
			"a.go":                      file("package a\n\nimport (\n\t\"fmt\"\n\tx \"example.com/x\"\n\t_ `example.com/blank`\n\t. \"example.com/dot\"\n)\n\nfunc f() { not go }\n"),
			"a_test.go":                 file("package a\n\nimport \"example.com/test\"\n"),
			"a_windows.go":              file("//go:build windows\n\npackage a\n\nimport \"example.com/windows\"\n"),
			"c.go":                      file("package a\n\n/*\n#include <x.h>\n*/\nimport \"C\"\n"),
			"vendor/example.com/v/v.go": file("package v\n\nimport \"example.com/vendored\"\n"),
			"_old/o.go":                 file("package o\n\nimport \"example.com/old\"\n"),
			"testdata/t.go":             file("package t\n\nimport \"example.com/testdata\"\n"),
			"x/testdata/t.go":           file("broken"),
			"README.md":                 file("import \"example.com/readme\""),
		}, inventory.Imports{Packages: []string{"C", "example.com/blank", "example.com/dot", "example.com/old", "example.com/test", "example.com/vendored", "example.com/windows", "example.com/x", "fmt"}}},
		{"nothing", fstest.MapFS{"README.md": file("")}, inventory.Imports{}},
		{"not valid", fstest.MapFS{"a.go": file("package a\n\nimport \"x\"\n"), "b.go": file("package b\n\nimport (\n")},
			inventory.Imports{Packages: []string{"x"}, Gap: `"b.go" is not valid Go: line 3: expected ')', found 'EOF'`}},
		{"a link", fstest.MapFS{"a.go": {Mode: fs.ModeSymlink, Data: []byte("/etc/passwd")}}, inventory.Imports{Gap: `"a.go" is a link or a special file`}},
		{"too large", fstest.MapFS{"a.go": file("package a\n" + strings.Repeat(" ", maxFile))}, inventory.Imports{Gap: `"a.go" is larger than 4 MiB`}},
		{"an import that is too long", fstest.MapFS{"a.go": file("package a\n\nimport \"" + strings.Repeat("a", maxPath+1) + "\"\n")},
			inventory.Imports{Gap: `"a.go" is not valid Go: an import is no path`}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(&x.want, ReadFolder(t.Context(), x.folder, nil)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	stopped := ReadFolder(over, fstest.MapFS{"a.go": file("package a")}, nil)
	if want := "the reading was ended: context canceled"; stopped.Gap != want {
		t.Errorf("gap %q, want %q", stopped.Gap, want)
	}
}

// TestG20CollectionIsBounded: past the limits nothing more is taken, and that is told.
func TestG20CollectionIsBounded(t *testing.T) {
	t.Parallel()
	var c Collection
	var b strings.Builder
	b.WriteString("package a\n\nimport (\n")
	for i := range maxPaths + 1 {
		fmt.Fprintf(&b, "\"x/%d\"\n", i)
	}
	b.WriteString(")\n")
	source := b.String() + strings.Repeat(" ", maxFile-b.Len()) // read at once
	if c.Add("a.go", []byte(source)) || len(c.Imports().Packages) != maxPaths || c.Imports().Gap == "" {
		t.Errorf("%d packages, gap %q", len(c.Imports().Packages), c.Imports().Gap)
	}
	c = Collection{files: maxFiles}
	if c.Add("a.go", []byte("package a")) || c.Imports().Gap == "" {
		t.Errorf("gap %q after too many files", c.Imports().Gap)
	}
	c = Collection{bytes: maxTotal}
	if c.Add("a.go", []byte("package a")) || c.Imports().Gap == "" {
		t.Errorf("gap %q after too many bytes", c.Imports().Gap)
	}
}

func FuzzOf(f *testing.F) {
	f.Add([]byte("package a\n\nimport (\n\t\"fmt\"\n\tx \"example.com/x\"\n)\n"))
	f.Add([]byte("package a; import `a`"))
	f.Add([]byte("/*"))
	f.Fuzz(func(t *testing.T, source []byte) {
		paths, err := Of(source)
		if err != nil && paths != nil {
			t.Errorf("paths %q beside error %v", paths, err)
		}
		for _, p := range paths {
			if len(p) > maxPath {
				t.Errorf("a path of %d bytes", len(p))
			}
		}
	})
}
