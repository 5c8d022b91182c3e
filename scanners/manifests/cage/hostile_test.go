package cage

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/checks/packed"
)

// hostileArgument is the argument of a child whose reader plays the tricks.
const hostileArgument = "hostile-reader"

// TestMain lets the test binary be the child, one whose reader does what the folder of a
// manifest is called, as if a file had taken over the parser.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == hostileArgument:
		os.Exit(serve(os.Stdin, os.Stdout, hostile))
	case len(os.Args) == 2 && os.Args[1] == "parent":
		beParent()
	}
	code := m.Run()
	if builtDir != "" {
		_ = os.RemoveAll(builtDir) // the system clears its temporary folder anyway
	}
	os.Exit(code)
}

// tricks end a child or keep it from answering.
var tricks = map[string]func(){
	"spin":  func() { spin() },
	"sleep": func() { select {} },
	"eat":   func() { eat() },
	"sink":  func() { fmt.Fprintln(os.Stderr, sink(0)) },
	"exit":  func() { os.Exit(0) },
	"crash": func() {
		go func() { panic("boom") }()
		select {}
	},
	"garbage":  func() { answerWith([]byte("HTTP/1.1 200 OK\r\n\r\n")) },
	"flood":    func() { flood() },
	"too-long": func() { answerWith(putHead(frameAnswer, 1<<31-1)) },
	"nothing":  func() { answerWith(answerOf(func(w *packed.Writer) { w.Num(0) }, nil)) },
	"other-file": func() {
		answerWith(answerOf(func(w *packed.Writer) { w.Num(1); w.Num(1); w.Manifest(&inventory.Manifest{}) }, nil))
	},
	"twice": func() {
		answerWith(answerOf(func(w *packed.Writer) {
			w.Num(2)
			w.Num(0)
			w.Manifest(&inventory.Manifest{})
			w.Num(0)
			w.Manifest(&inventory.Manifest{})
		}, nil))
	},
	"not-utf-8": func() {
		answerWith(answerOf(func(w *packed.Writer) { w.Num(1); w.Num(0); w.Manifest(&inventory.Manifest{Gap: "\xff"}) }, nil))
	},
	"odd-scope": func() {
		answerWith(answerOf(func(w *packed.Writer) {
			w.Num(1)
			w.Num(0)
			w.Manifest(&inventory.Manifest{Packages: []inventory.Package{{Name: "a", Scope: "none"}}})
		}, nil))
	},
	"no-name": func() {
		answerWith(answerOf(func(w *packed.Writer) {
			w.Num(1)
			w.Num(0)
			w.Manifest(&inventory.Manifest{Packages: []inventory.Package{{Version: "1"}}})
		}, nil))
	},
	"rest": func() {
		answerWith(answerOf(func(w *packed.Writer) { w.Num(1); w.Num(0); w.Manifest(&inventory.Manifest{}) }, []byte("rest")))
	},
	"shout": func() {
		for range 1000 {
			fmt.Fprintln(os.Stderr, strings.Repeat("loud ", 20_000))
		}
	},
}

func spin() {
	//lint:ignore SA5002 somebody else must end it
	for {
	}
}

var eaten [][]byte

func eat() {
	for {
		b := make([]byte, 1<<20)
		for i := range b {
			b[i] = byte(i)
		}
		eaten = append(eaten, b)
	}
}

//lint:ignore SA5007 the stack must end it
func sink(n int) int { return sink(n+1) + 1 }

func flood() {
	for i := uint32(0); ; i++ {
		if _, err := os.Stdout.Write(binary.LittleEndian.AppendUint32(putHead(frameReads, 4), 0)); err != nil {
			return
		}
	}
}

func answerWith(b []byte) {
	_, _ = os.Stdout.Write(b)
	select {}
}

func answerOf(write func(*packed.Writer), rest []byte) []byte {
	w := new(packed.Writer)
	write(w)
	w.Text = append(w.Text, rest...)
	var b strings.Builder
	_ = putAnswer(&b, w) // a Builder takes all
	return []byte(b.String())
}

// tells are what a child tries, and how that went.
var tells = map[string]func() error{
	"dial-tcp":   func() error { _, err := net.Dial("tcp", "127.0.0.1:9"); return err },
	"dial-udp":   func() error { _, err := net.Dial("udp", "127.0.0.1:9"); return err },
	"dial-unix":  func() error { _, err := net.Dial("unix", "/run/x"); return err },
	"listen":     func() error { _, err := net.Listen("tcp", "127.0.0.1:0"); return err },
	"resolve":    func() error { _, err := net.LookupHost("landwaiter.example"); return err },
	"exec":       func() error { return exec.Command("/bin/true").Run() },
	"exec-self":  func() error { return exec.Command("/proc/self/exe").Run() },
	"read-file":  func() error { _, err := os.ReadFile("/etc/passwd"); return err },
	"read-proc":  func() error { _, err := os.ReadFile("/proc/self/environ"); return err },
	"list-files": func() error { _, err := os.ReadDir("/"); return err },
	"write-file": func() error { return os.WriteFile(filepath.Join(os.TempDir(), "caged"), []byte("x"), 0o600) },
	"remove":     func() error { return os.Remove("/tmp/landwaiter-nothing") },
	"chdir":      func() error { return os.Chdir("/tmp") },
	"environ": func() error {
		if env := os.Environ(); len(env) > 0 {
			return fmt.Errorf("found %d variables", len(env))
		}
		return nil
	},
}

// hostile is readAll with tricks.
func hostile(ctx context.Context, files []inventory.File, begin func(string)) inventory.Inventory {
	whole := map[string]bool{}
	for _, f := range files {
		whole[f.Path] = f.Problem == ""
	}
	said := map[string]string{}
	inv := readAll(ctx, files, func(p string) {
		begin(p)
		trick := path.Base(path.Dir(p))
		if do := tricks[trick]; do != nil && whole[p] {
			do()
		}
		if do := tells[trick]; do != nil {
			said[p] = "nothing held it back"
			if err := do(); err != nil {
				said[p] = err.Error()
			}
		}
		if do := systemTells[trick]; do != nil {
			said[p] = do()
		}
	})
	for i := range inv.Manifests {
		if text := said[inv.Manifests[i].Path]; text != "" {
			inv.Manifests[i].Gap = text
		}
	}
	return inv
}

var builtDir string

// program is the test binary without the race detector, under which there is no limit of memory.
var program = sync.OnceValues(func() (string, error) {
	if !raced {
		return "", nil // the binary itself
	}
	dir, err := os.MkdirTemp("", "landwaiter-cage-")
	if err != nil {
		return "", err
	}
	builtDir = dir
	target := filepath.Join(dir, "cage.test")
	if out, err := exec.Command("go", "test", "-c", "-o", target, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the tests without the race detector: %w\n%s", err, out)
	}
	return target, nil
})

// open returns a pool of one child that is closed when the test ends.
func open(t testing.TB, c Config) *Pool {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	c.program, c.as = path, hostileArgument
	if c.Size == 0 {
		c.Size = 1
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	p := New(c)
	t.Cleanup(p.Close)
	return p
}

// file is a small requirements.txt in that folder.
func file(folder string) inventory.File {
	return inventory.File{Path: folder + "/requirements.txt", Digest: "d-" + folder, Data: []byte("requests==2.0\n")}
}

// readOne reads one file and returns its manifest.
func readOne(t testing.TB, p *Pool, f inventory.File) inventory.Manifest {
	t.Helper()
	inv := p.Read(t.Context(), []inventory.File{f})
	if len(inv.Manifests) != 1 || inv.Manifests[0].Path != f.Path {
		t.Fatalf("%s: got %d manifests, want its own", f.Path, len(inv.Manifests))
	}
	return inv.Manifests[0]
}

// wantWell fails unless the next job of the pool goes well.
func wantWell(t testing.TB, p *Pool) {
	t.Helper()
	if m := readOne(t, p, file("well")); m.Gap != "" || len(m.Packages) != 1 || m.Packages[0].Name != "requests" {
		t.Errorf("the next job: gap %q and %d packages", m.Gap, len(m.Packages))
	}
}
