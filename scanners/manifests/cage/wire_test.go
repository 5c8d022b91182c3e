package cage

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/checks/packed"
	"github.com/landwaiter/landwaiter/scanners/manifests"
)

// fill gives every field of v a value, so that a field which is not carried shows.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d é", *n))
	case reflect.Int:
		v.SetInt(int64(*n%3 + 1))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer: // Observation.Package, nil in a manifest
	default:
		panic(v.Kind().String() + " is not carried yet")
	}
}

// full is a Manifest with something in each field.
func full() inventory.Manifest {
	var m inventory.Manifest
	n := 0
	fill(reflect.ValueOf(&m).Elem(), &n)
	m.Path, m.Digest, m.Format = "", "", "" // the parent's own
	for i := range m.Packages {
		m.Packages[i].Scope, m.Packages[i].Relation = inventory.ScopeOptional, inventory.Transitive
	}
	return m
}

// carry sends an Inventory and returns what comes out.
func carry(t testing.TB, inv inventory.Inventory, limit int) ([]inventory.Manifest, error) {
	t.Helper()
	fileOf := map[string]int{}
	for i, m := range inv.Manifests {
		fileOf[m.Path] = i
	}
	w := &packed.Writer{Clean: true}
	putInventory(w, inv, fileOf, limit)
	var pipe bytes.Buffer
	if err := putAnswer(&pipe, w); err != nil {
		t.Fatal(err)
	}
	kind, body, err := getFrame(&pipe, maxAnswer)
	if err != nil || kind != frameAnswer {
		t.Fatalf("frame %q, %v", kind, err)
	}
	got := make([]inventory.Manifest, len(inv.Manifests))
	err = getAnswer(body, len(got), func(file int, m inventory.Manifest) error {
		got[file] = m
		return nil
	})
	return got, err
}

func TestEveryFieldIsCarried(t *testing.T) {
	t.Parallel()
	want := []inventory.Manifest{full(), {}, full()}
	inv := inventory.Inventory{Manifests: []inventory.Manifest{full(), {}, full()}}
	for i := range inv.Manifests {
		inv.Manifests[i].Path = fmt.Sprint(i)
	}
	got, err := carry(t, inv, maxAnswer)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTextIsMadeValid: a parser may leave half a character; that costs the character only.
func TestTextIsMadeValid(t *testing.T) {
	t.Parallel()
	got, err := carry(t, inventory.Inventory{Manifests: []inventory.Manifest{{Gap: "a\xffb"}}}, maxAnswer)
	if err != nil || got[0].Gap != "a\ufffdb" {
		t.Errorf("%q, %v", got[0].Gap, err)
	}
}

// TestG20AnswerIsBounded: what does not fit becomes a Gap; what comes behind it is whole.
func TestG20AnswerIsBounded(t *testing.T) {
	t.Parallel()
	big := inventory.Manifest{Path: "big"}
	for i := range 1000 {
		big.Packages = append(big.Packages, inventory.Package{Name: strings.Repeat(fmt.Sprint(i), 1000)})
	}
	small := inventory.Manifest{Path: "small", Packages: []inventory.Package{{Name: "a"}, {Name: "a", Version: "1"}}}
	got, err := carry(t, inventory.Inventory{Manifests: []inventory.Manifest{small, big, small}}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got[1].Gap, "takes more than 1 MiB") || got[1].Packages != nil {
		t.Errorf("the big one: gap %q, %d packages", got[1].Gap, len(got[1].Packages))
	}
	if diff := cmp.Diff(small.Packages, got[2].Packages); diff != "" {
		t.Error(diff)
	}
}

func TestJobIsCarried(t *testing.T) {
	t.Parallel()
	jobs := [][]inventory.File{
		{{Path: "a\xff", Data: []byte("x")}, {Path: "b", Problem: "is a link"}, {Path: "c", Data: bytes.Repeat([]byte("y"), 100_000)}, {Path: "d", Data: []byte("z")}},
		{{Path: "e"}, {Path: "f", Link: "0123456789012345678901234567890123456789"}},
	}
	var pipe bytes.Buffer
	w := new(packed.Writer)
	for _, files := range jobs {
		if err := putJob(&pipe, w, files); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range jobs {
		got, err := getJob(&pipe)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if want[i].Data == nil {
				want[i].Data = []byte{}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := getJob(&pipe); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

// FuzzAnswer is what a parent does with whatever a child sends.
func FuzzAnswer(f *testing.F) {
	w := new(packed.Writer)
	m := full()
	putInventory(w, inventory.Inventory{Manifests: []inventory.Manifest{m, m, {}}}, map[string]int{"": 1}, maxAnswer)
	var b bytes.Buffer
	if err := putAnswer(&b, w); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	for _, cut := range []int{1, 5, 9, 12, b.Len() / 2, b.Len() - 1} {
		f.Add(b.Bytes()[:cut])
	}
	f.Add(append(putHead(frameReads, 4), 1, 0, 0, 0))
	f.Add(putHead(frameAnswer, 1<<31-1))
	f.Add(append(putHead(frameReady, 3), "a\nb"...))
	f.Fuzz(func(t *testing.T, sent []byte) {
		const files = 3
		in := bytes.NewReader(sent)
		for {
			kind, body, err := getFrame(in, 1<<20)
			if err != nil {
				return
			}
			switch kind {
			case frameReady:
				getReady(body)
			case frameAnswer:
				err := getAnswer(body, files, func(file int, m inventory.Manifest) error {
					if file < 0 || file >= files {
						t.Fatalf("file %d of %d", file, files)
					}
					checkManifest(t, m)
					return nil
				})
				_ = err // most are wrong
			}
		}
	})
}

func checkManifest(t *testing.T, m inventory.Manifest) {
	t.Helper()
	for _, p := range m.Packages {
		if p.Name == "" || p.Line < 0 || len(p.Via) > 64 || len(p.Requirers) > 64 {
			t.Fatalf("%+v", p)
		}
	}
	text, err := json.Marshal(m)
	if err != nil || strings.Contains(string(text), `\ufffd`) && !strings.Contains(fmt.Sprint(m), "\ufffd") {
		t.Fatalf("holds text that is not valid: %v", err)
	}
}

// BenchmarkWire compares ways to carry what was read of a lock file of 1,500 packages.
func BenchmarkWire(b *testing.B) {
	inv := manifests.Read(b.Context(), []inventory.File{{Path: "package-lock.json", Data: lockOf(1500)}})
	b.Run("own", func(b *testing.B) {
		w := &packed.Writer{Clean: true}
		for b.Loop() {
			w.Reset()
			putInventory(w, inv, map[string]int{}, maxAnswer)
			body := append([]byte{byte(len(w.Numbers)), byte(len(w.Numbers) >> 8), byte(len(w.Numbers) >> 16), 0}, w.Numbers...)
			body = append(body, w.Text...)
			if err := getAnswer(body, 1, func(int, inventory.Manifest) error { return nil }); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(len(body)), "bytes")
		}
	})
	b.Run("gob", func(b *testing.B) {
		for b.Loop() {
			var pipe bytes.Buffer
			var got inventory.Inventory
			if err := errors.Join(gob.NewEncoder(&pipe).Encode(inv), gob.NewDecoder(&pipe).Decode(&got)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		for b.Loop() {
			text, err := json.Marshal(inv)
			if err != nil {
				b.Fatal(err)
			}
			var got inventory.Inventory
			if err := json.Unmarshal(text, &got); err != nil {
				b.Fatal(err)
			}
		}
	})
}
