package cage

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests"
	"github.com/landwaiter/landwaiter/scanners/manifests/goimports"
)

// corpus are the files that the readers of all formats are tested with.
func corpus(t testing.TB) []inventory.File {
	t.Helper()
	root := os.DirFS("../testdata/read")
	var files []inventory.File
	err := walk(root, func(path string, data []byte) {
		files = append(files, inventory.File{Path: path, Digest: "digest of " + path, Data: data})
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found %d files", len(files))
	}
	return files
}

// TestG20SameAsUncaged reads files of every format in a child and without one.
func TestG20SameAsUncaged(t *testing.T) {
	t.Parallel()
	files := corpus(t)
	files = append(files,
		inventory.File{Path: "link/yarn.lock", Problem: "is a symbolic link"},
		inventory.File{Path: "odd\xff/go.mod", Data: []byte("module a\ngo 1.24\nrequire b.example/c v1.0.0\n")},
		inventory.File{Path: "README.md", Data: []byte("no manifest")},
	)
	p := open(t, Config{})
	for range 2 {
		if diff := cmp.Diff(manifests.Read(t.Context(), files), p.Read(t.Context(), files)); diff != "" {
			t.Fatalf("without and with a cage (-without +with):\n%s", diff)
		}
	}
	if n := len(p.all); n != 1 {
		t.Errorf("%d children for two jobs", n)
	}
}

// TestG20GoSource: what Go source imports is read in a child as well, and comes out as it does
// without one; a file that cannot be read is a Gap of itself alone.
func TestG20GoSource(t *testing.T) {
	t.Parallel()
	p := open(t, Config{})
	files := []inventory.File{
		{Path: "a.go", Data: []byte("package a\n\nimport (\n\t\"fmt\"\n\tx \"example.com/x\"\n)\n")},
		{Path: "b.go", Data: []byte("import")},
		{Path: "c.go", Data: []byte("package c\n\nimport \"example.com/y\"\n")},
	}
	if diff := cmp.Diff(goimports.Read(t.Context(), files), p.Read(t.Context(), files)); diff != "" {
		t.Errorf("-uncaged +caged:\n%s", diff)
	}
	c := goimports.New(t.Context(), p.Read)
	for _, f := range files {
		c.Add(f.Path, f.Data)
	}
	want := &inventory.Imports{Packages: []string{"example.com/x", "example.com/y", "fmt"}, Gap: `"b.go" is not valid Go: line 1: expected 'package', found 'import'`}
	if diff := cmp.Diff(want, c.Imports()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNothingToRead(t *testing.T) {
	t.Parallel()
	p := open(t, Config{})
	inv := p.Read(t.Context(), []inventory.File{{Path: "README.md", Data: []byte("x")}})
	if len(inv.Manifests) != 0 || len(p.all) != 0 {
		t.Errorf("%d manifests, %d children; want neither", len(inv.Manifests), len(p.all))
	}
}

// TestG20Tricks lets a parser do its worst. The manifest must come out with the reason, the one
// beside it whole, and the next job well.
func TestG20Tricks(t *testing.T) {
	t.Parallel()
	for trick, want := range map[string]string{
		"spin":       "took more than 200ms",
		"sleep":      "took more than 200ms",
		"exit":       "no valid answer",
		"crash":      "its reader stopped",
		"garbage":    "no valid answer",
		"too-long":   "no valid answer",
		"flood":      "the manifests of the change took more than 3s",
		"nothing":    "no valid answer",
		"other-file": "no valid answer",
		"twice":      "no valid answer",
		"not-utf-8":  "no valid answer",
		"odd-scope":  "no valid answer",
		"no-name":    "no valid answer",
		"rest":       "no valid answer",
	} {
		t.Run(trick, func(t *testing.T) {
			t.Parallel()
			p := open(t, Config{file: time.Minute, wall: time.Minute})
			// A child that starts slowly is no trick: the first one is there before.
			wantWell(t, p)
			if strings.HasPrefix(want, "took") {
				p.config.file = 200 * time.Millisecond
			}
			if trick == "flood" {
				p.config.wall = 3 * time.Second
			}
			m := readOne(t, p, file(trick))
			if !strings.HasPrefix(m.Gap, "could not be read: ") || !strings.Contains(m.Gap, want) || len(m.Packages) > 0 {
				t.Errorf("gap %q with %d packages, want one about %q", m.Gap, len(m.Packages), want)
			}
			if m.Digest != "d-"+trick || m.Format != "requirements.txt" {
				t.Errorf("digest %q, format %q", m.Digest, m.Format)
			}
			p.config.file, p.config.wall = time.Minute, time.Minute // a new child may take its time to start
			wantWell(t, p)
		})
	}
}

// TestG20Memory fills the memory and the stack.
func TestG20Memory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux, which limits memory")
	}
	for _, trick := range []string{"eat", "sink"} {
		t.Run(trick, func(t *testing.T) {
			t.Parallel()
			p := open(t, Config{file: time.Minute, wall: time.Minute})
			if m := readOne(t, p, file(trick)); !strings.Contains(m.Gap, "needed more than 512 MiB of memory") {
				t.Errorf("gap %q", m.Gap)
			}
			wantWell(t, p)
		})
	}
}

// TestG20OnlyTheGuilty reads many manifests, two of which end their child.
func TestG20OnlyTheGuilty(t *testing.T) {
	t.Parallel()
	p := open(t, Config{file: time.Minute, wall: 2 * time.Minute})
	inv := p.Read(t.Context(), []inventory.File{file("a"), file("crash"), file("b"), file("exit"), file("z")})
	got := map[string]string{}
	for _, m := range inv.Manifests {
		got[m.Path] = m.Gap
		if (m.Gap == "") != (len(m.Packages) == 1) {
			t.Errorf("%s: gap %q and %d packages", m.Path, m.Gap, len(m.Packages))
		}
	}
	want := map[string]string{
		"a/requirements.txt": "", "b/requirements.txt": "", "z/requirements.txt": "",
		"crash/requirements.txt": "could not be read: its reader stopped" + reportIt,
		"exit/requirements.txt":  "could not be read: its reader gave no valid answer" + againIt,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestG20TooManyGuilty gives up on what was not read, in words.
func TestG20TooManyGuilty(t *testing.T) {
	t.Parallel()
	var files []inventory.File
	for _, folder := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		files = append(files, file(folder+"/exit"))
	}
	files = append(files, file("well"))
	inv := open(t, Config{file: time.Minute, wall: 2 * time.Minute}).Read(t.Context(), files)
	if len(inv.Manifests) != len(files) {
		t.Fatalf("%d manifests of %d", len(inv.Manifests), len(files))
	}
	for _, m := range inv.Manifests {
		if m.Gap == "" || len(m.Packages) > 0 {
			t.Errorf("%s: gap %q with %d packages", m.Path, m.Gap, len(m.Packages))
		}
	}
	if last := inv.Manifests[len(files)-1]; !strings.HasPrefix(last.Gap, "was not read: other manifests") {
		t.Errorf("%s: gap %q", last.Path, last.Gap)
	}
}

// TestG20Noise: what a child prints neither stops it nor fills the parent.
func TestG20Noise(t *testing.T) {
	t.Parallel()
	p := open(t, Config{file: time.Minute})
	if m := readOne(t, p, file("shout")); m.Gap != "" || len(m.Packages) != 1 {
		t.Errorf("gap %q and %d packages", m.Gap, len(m.Packages))
	}
	for child := range p.all {
		if n := len(child.stderr.String()); n != maxExcerpt {
			t.Errorf("kept %d bytes of what it printed, want %d", n, maxExcerpt)
		}
	}
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	p := open(t, Config{file: time.Minute})
	wantWell(t, p)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	inv := p.Read(ctx, []inventory.File{file("sleep")})
	if gap := inv.Manifests[0].Gap; !strings.Contains(gap, "not read in time") {
		t.Errorf("gap %q", gap)
	}
	inv = p.Read(ctx, []inventory.File{file("well")})
	if gap := inv.Manifests[0].Gap; gap == "" {
		t.Error("an ended context reads a manifest")
	}
	wantWell(t, p)
}

// TestIdle ends children without work, and starts a new one for the next job.
func TestIdle(t *testing.T) {
	t.Parallel()
	p := open(t, Config{file: time.Minute, idle: time.Millisecond})
	wantWell(t, p)
	p.living.Wait()
	p.mu.Lock()
	if n := len(p.idle) + len(p.all); n != 0 {
		t.Errorf("%d children are kept", n)
	}
	p.mu.Unlock()
	wantWell(t, p)
}

// TestUsedUp replaces a child that has worked for long.
func TestUsedUp(t *testing.T) {
	t.Parallel()
	p := open(t, Config{})
	wantWell(t, p)
	first := p.idle[0]
	first.used = maxUse + 1
	wantWell(t, p)
	<-first.done
	if len(p.idle) != 0 {
		t.Error("a child that is used up waits for jobs")
	}
	wantWell(t, p)
}

// TestClose ends a job under way, all children and all goroutines.
func TestClose(t *testing.T) {
	t.Parallel()
	p := open(t, Config{Size: 2, file: time.Minute})
	wantWell(t, p)
	gap := make(chan string)
	go func() { gap <- p.Read(context.Background(), []inventory.File{file("sleep")}).Manifests[0].Gap }()
	for { // until the job has the child
		p.mu.Lock()
		working := len(p.idle) == 0
		p.mu.Unlock()
		if working {
			break
		}
		runtime.Gosched()
	}
	p.Close()
	if got := <-gap; !strings.Contains(got, "the service is stopping") {
		t.Errorf("gap %q", got)
	}
	if n := len(p.all); n != 0 {
		t.Errorf("%d children are left", n)
	}
	if got := readOne(t, p, file("well")).Gap; !strings.Contains(got, "the service is stopping") {
		t.Errorf("a closed pool reads: gap %q", got)
	}
}

func TestNoProgram(t *testing.T) {
	t.Parallel()
	p := New(Config{Size: 1, program: "/nowhere/landwaiter"})
	defer p.Close()
	if got := readOne(t, p, file("well")).Gap; !strings.Contains(got, "could not be started") {
		t.Errorf("gap %q", got)
	}
	if _, err := p.Missing(t.Context()); err == nil {
		t.Error("a program that is not there says what it lacks")
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	missing, err := open(t, Config{}).Missing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" && len(missing) > 0 {
		t.Errorf("the cage lacks %q", missing)
	}
}

// TestTooMuchInput leaves out what is beyond the bytes of a job, and says so.
func TestTooMuchInput(t *testing.T) {
	t.Parallel()
	big := []byte(strings.Repeat("# a comment\n", 2<<20))
	inv := open(t, Config{file: time.Minute, wall: time.Minute}).Read(t.Context(), []inventory.File{
		{Path: "1/requirements.txt", Data: big}, {Path: "2/requirements.txt", Data: big}, {Path: "3/requirements.txt", Data: big}, file("4"),
	})
	for i, want := range []string{"", "", "is beyond the 64 MiB of manifests", ""} {
		if got := inv.Manifests[i].Gap; !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: gap %q, want %q", inv.Manifests[i].Path, got, want)
		}
	}
}
