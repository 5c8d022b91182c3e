package git

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestNames compares with what the git program says for the same objects.
func TestNames(t *testing.T) {
	t.Parallel()
	s := New()
	who := Signature{Name: "A U Thor", Email: "author@example.com", When: time.Unix(1700000000, 0)}
	hello := s.PutBlob([]byte("hello\n"))
	tree := s.PutFiles(map[string]Entry{
		"a.b":     {Mode: ModeFile, SHA: hello},
		"a/x.txt": {Mode: ModeExecutable, SHA: hello},
		"a0":      {Mode: ModeSymlink, SHA: hello},
	})
	root := s.PutCommit(Commit{Tree: tree, Message: "first\n", Author: who, Committer: who})
	tag := s.PutTag(Tag{Name: "v1", Message: "one\n", Object: root, Type: "commit", Tagger: who})
	want := map[string]string{
		"empty blob": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
		"blob":       "ce013625030ba8dba906f756967f9e9ca394464a",
		"empty tree": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
		"tree":       "5fedb59bc2a02ac22217f6593478bc3bab171642",
		"commit":     "12990fc34b13e20961cd0584374965b1340a4805",
		"tag":        "9923647c0cebf81445402635984988b842d0adc2",
	}
	got := map[string]string{
		"empty blob": s.PutBlob(nil), "blob": hello, "empty tree": s.PutTree(nil), "tree": tree, "commit": root, "tag": tag,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if c, err := s.Peel(tag); err != nil || c.SHA != root {
		t.Errorf("the tag peels to %q, %v; want %q", c.SHA, err, root)
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	s := New()
	_, blob := s.Blob("00")
	_, tree := s.Tree("00")
	_, commit := s.Commit("00")
	_, tag := s.Tag("00")
	_, base := s.MergeBase("00", "01")
	_, path := s.Lookup(s.PutTree(nil), "a/b")
	for name, err := range map[string]error{"blob": blob, "tree": tree, "commit": commit, "tag": tag, "merge base": base, "path": path} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
	}
}

// history makes commits from "name: parents" and returns their names.
func history(s *Store, shape [][]string) map[string]string {
	names := map[string]string{}
	for i, row := range shape {
		var parents []string
		for _, p := range row[1:] {
			parents = append(parents, names[p])
		}
		who := Signature{Name: "a", Email: "a@example.com", When: time.Unix(int64(i), 0)}
		names[row[0]] = s.PutCommit(Commit{Tree: s.PutTree(nil), Parents: parents, Message: row[0], Author: who, Committer: who})
	}
	return names
}

func TestMergeBase(t *testing.T) {
	t.Parallel()
	s := New()
	n := history(s, [][]string{
		{"root"}, {"a", "root"}, {"b", "a"}, {"c", "a"}, {"d", "b", "c"}, {"e", "c"}, {"island"},
	})
	tests := map[string]struct{ a, b, want string }{
		"same":              {"b", "b", "b"},
		"ancestor":          {"root", "d", "root"},
		"siblings":          {"b", "c", "a"},
		"through a merge":   {"d", "e", "c"},
		"after merging one": {"e", "d", "c"},
	}
	for name, tt := range tests {
		got, err := s.MergeBase(n[tt.a], n[tt.b])
		if err != nil || got != n[tt.want] {
			t.Errorf("%s: %s, %v; want %s", name, got, err, n[tt.want])
		}
	}
	if _, err := s.MergeBase(n["island"], n["d"]); !errors.Is(err, ErrNotFound) {
		t.Errorf("unrelated: %v, want ErrNotFound", err)
	}
	var log []string
	for _, c := range s.Log(n["c"], n["d"]) {
		log = append(log, c.Message)
	}
	if diff := cmp.Diff([]string{"d", "b"}, log); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	s := New()
	put := func(files map[string]string) string {
		entries := map[string]Entry{}
		for path, text := range files {
			entries[path] = Entry{Mode: ModeFile, SHA: s.PutBlob([]byte(text))}
		}
		return s.PutFiles(entries)
	}
	base := put(map[string]string{"keep": "k", "dir/change": "1", "dir/gone": "g", "move/me": "m", "thing": "file"})
	head := put(map[string]string{"keep": "k", "dir/change": "2", "new/file": "n", "moved/me": "m", "thing/inside": "i"})
	changes, err := s.Diff(base, head)
	if err != nil {
		t.Fatal(err)
	}
	var got [][3]string
	for _, c := range changes {
		got = append(got, [3]string{c.Status, c.Path, c.Previous})
	}
	want := [][3]string{
		{"modified", "dir/change", ""}, {"removed", "dir/gone", ""}, {"renamed", "moved/me", "move/me"}, {"added", "new/file", ""},
		{"removed", "thing", ""}, {"added", "thing/inside", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if none, err := s.Diff(head, head); err != nil || len(none) != 0 {
		t.Errorf("a tree differs from itself: %v, %v", none, err)
	}
}
