package osv

import (
	"bytes"
	stdcmp "cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks"
	"github.com/landwaiter/landwaiter/scanners/osv/osvtest"
)

// fakeBucket serves the OSV bucket over HTTP, with ranges, ETags and checksums, and counts
// what it sends. Its fields may be changed between requests, under mu.
type fakeBucket struct {
	mu      sync.Mutex
	records map[string]string    // npm, by id
	times   map[string]time.Time // of their last change
	archive []byte               // all.zip; nil means that of records
	cutAt   int                  // bytes of all.zip after which the connection breaks, once; 0 never
	wrong   bool                 // the checksum of all.zip is of something else
	noRange bool                 // ranges are not understood
	gone    string               // a record that is listed but not there
	sent    int64
	asked   []string // method, path and range of each request
}

func newBucket(n int) *fakeBucket {
	b := &fakeBucket{records: make(map[string]string), times: make(map[string]time.Time)}
	for i := range n {
		b.set(i, "2.0.0", -10*i)
	}
	return b
}

// lock keeps the server out until the returned function is called: a handler may outlive
// the answer that its client saw.
func (b *fakeBucket) lock() (unlock func()) {
	b.mu.Lock()
	return b.mu.Unlock
}

// set writes record i: everything of p<i> before fixed is affected, changed at a minute.
func (b *fakeBucket) set(i int, fixed string, minute int) string {
	id := fmt.Sprintf("GHSA-0000-0000-%04d", i)
	at := osvtest.Time(minute)
	b.records[id] = strings.Replace(advisory(id, fmt.Sprintf("p%d", i), below(fixed)), "2025-03-01T00:00:00Z", at.Format(time.RFC3339), 1)
	b.times[id] = at
	return id
}

func (b *fakeBucket) list() []byte {
	ids := slices.SortedFunc(maps.Keys(b.times), func(x, y string) int {
		return stdcmp.Or(b.times[y].Compare(b.times[x]), strings.Compare(x, y))
	})
	var out bytes.Buffer
	for _, id := range ids {
		fmt.Fprintf(&out, "%s,%s\n", b.times[id].Format(time.RFC3339), id)
	}
	return out.Bytes()
}

func (b *fakeBucket) serve(t *testing.T) *httptest.Server {
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	return s
}

func (b *fakeBucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
	name, ok := strings.CutPrefix(r.URL.Path, "/npm/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	var data []byte
	switch id := strings.TrimSuffix(name, ".json"); {
	case name == "all.zip":
		data = b.archive
	case name == "modified_id.csv":
		data = b.list()
	case id == b.gone || b.records[id] == "":
		http.NotFound(w, r)
		return
	default:
		data = []byte(b.records[id])
	}
	sum := crc32.Checksum(data, castagnoli)
	w.Header().Set("ETag", fmt.Sprintf(`"%08x"`, sum))
	if b.wrong && name == "all.zip" {
		sum++
	}
	w.Header().Set("X-Goog-Hash", "crc32c="+base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum)))
	w.Header().Add("X-Goog-Hash", "md5=AAAA")
	if b.noRange {
		r.Header.Del("Range")
	}
	out := &counting{ResponseWriter: w, sent: &b.sent}
	if name == "all.zip" && b.cutAt > 0 {
		out.left, b.cutAt = b.cutAt, 0
	}
	http.ServeContent(out, r, name, time.Time{}, bytes.NewReader(data))
}

// counting counts the bytes of bodies, and breaks off when left bytes are sent.
type counting struct {
	http.ResponseWriter
	sent *int64
	left int
}

func (c *counting) Write(p []byte) (int, error) {
	if c.left > 0 {
		p = p[:min(len(p), c.left)]
		if c.left -= len(p); c.left == 0 {
			_, _ = c.ResponseWriter.Write(p)
			*c.sent += int64(len(p))
			panic(http.ErrAbortHandler)
		}
	}
	*c.sent += int64(len(p))
	return c.ResponseWriter.Write(p)
}

// started is an index after its first update from b, and the server of b.
func started(t *testing.T, b *fakeBucket) (*Index, UpdateOptions) {
	t.Helper()
	b.archive = zipped(t, b.records)
	o := UpdateOptions{URL: b.serve(t).URL, Ecosystems: []string{"npm"}, Now: func() time.Time { return osvtest.Time(1 << 20) }}
	x := open(t, t.TempDir())
	out, err := x.Update(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.lock()()
	if e := out.Ecosystems[0]; !e.Full || !e.First || e.Records != len(b.records) || e.Bytes != int64(len(b.archive)) {
		t.Fatalf("the first update: %+v", e)
	}
	b.sent, b.asked = 0, nil
	return x, o
}

func TestUpdateOnlyChanges(t *testing.T) {
	t.Parallel()
	b := newBucket(3000)
	x, o := started(t, b)
	unlock := b.lock()
	b.set(7, "3.0.0", 2000)
	b.set(3000, "2.0.0", 2001)
	withdrawn := b.set(8, "2.0.0", 2002)
	b.records[withdrawn] = strings.Replace(b.records[withdrawn], "{", `{"withdrawn":"2025-05-05T00:00:00Z",`, 1)
	unlock()
	out, err := x.Update(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.lock()()
	e := out.Ecosystems[0]
	if e.Full || e.Changed != 3 || e.Records != 3001 || e.Withdrawn != 1 || !e.Newest.Equal(osvtest.Time(2002)) || e.Bytes > b.sent {
		t.Errorf("update %+v, sent %d", e, b.sent)
	}
	if b.sent > listPart+3*500 {
		t.Errorf("%d bytes were sent for 3 records: %v", b.sent, b.asked)
	}
	want := []PackageKey{{"npm", "p3000"}, {"npm", "p7"}, {"npm", "p8"}}
	if diff := cmp.Diff(want, out.Changed); diff != "" {
		t.Errorf("changed packages: %s", diff)
	}
	for pkg, want := range map[string]int{"p7@2.5.0": 1, "p7@3.0.0": 0, "p3000@1.0.0": 1, "p8@1.0.0": 0, "p9@1.0.0": 1, "p9@2.5.0": 0} {
		name, version, _ := strings.Cut(pkg, "@")
		if got := ids(t, x, name, version); len(got) != want {
			t.Errorf("%s: %v", pkg, got)
		}
	}
	if s := x.Status(); s.Records != 3001 || !s.Ecosystems[0].Fetched.Equal(o.Now()) {
		t.Errorf("status %+v", s)
	}
}

// TestUpdateNothingNew asks for the list alone and notes that the data is current.
func TestUpdateNothingNew(t *testing.T) {
	t.Parallel()
	b := newBucket(50)
	x, o := started(t, b)
	later := o.Now().Add(time.Hour)
	o.Now = func() time.Time { return later }
	out, err := x.Update(t.Context(), o)
	if err != nil || len(out.Changed) != 0 {
		t.Fatal(out, err)
	}
	defer b.lock()()
	if diff := cmp.Diff([]string{fmt.Sprintf("/npm/modified_id.csv bytes=0-%d", listPart-1)}, b.asked); diff != "" {
		t.Error(diff)
	}
	if got := x.Status().Ecosystems[0].Fetched; !got.Equal(later) {
		t.Errorf("fetched %v, want %v", got, later)
	}
}

// TestUpdateMany: overlays on overlays, until they become a new base, say the same as an
// index made at once.
func TestUpdateMany(t *testing.T) {
	t.Parallel()
	b := newBucket(400)
	x, o := started(t, b)
	for round := range 12 {
		unlock := b.lock()
		for i := range 4 {
			b.set((round*3+i)%400, fmt.Sprintf("%d.0.0", 3+round), 2000+10*round+i)
		}
		b.set(400+round, "2.0.0", 2005+10*round)
		unlock()
		if _, err := x.Update(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if round%4 == 3 { // as another process would see it
			x = open(t, filepath.Dir(x.dir))
		}
	}
	defer b.lock()()
	fresh := newBucket(0)
	fresh.records, fresh.times = b.records, b.times
	y, _ := started(t, fresh)
	for i := range 412 {
		for _, v := range []string{"1.0.0", "2.5.0", "7.5.0", "20.0.0"} {
			p := checks.Package{Ecosystem: "npm", Name: fmt.Sprintf("p%d", i), Version: v}
			got, err := x.Lookup(p)
			if err != nil {
				t.Fatal(err)
			}
			want, err := y.Lookup(p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("p%d %s: %s", i, v, diff)
			}
		}
	}
	if diff := cmp.Diff(y.Status().Ecosystems[0].Records, x.Status().Ecosystems[0].Records); diff != "" {
		t.Error(diff)
	}
}

// TestUpdateWantsArchive: whatever is odd about the changes ends in the whole archive,
// which is judged as a whole.
func TestUpdateWantsArchive(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(b *fakeBucket, o *UpdateOptions)
		full   bool
	}{
		{"nothing odd", func(*fakeBucket, *UpdateOptions) {}, false},
		{"a server without ranges", func(b *fakeBucket, _ *UpdateOptions) { b.noRange = true }, false},
		{"asked for", func(_ *fakeBucket, o *UpdateOptions) { o.Full = true }, true},
		{"a record that is gone", func(b *fakeBucket, _ *UpdateOptions) { b.gone = b.set(9, "2.0.0", 2001) }, true},
		{"a record that cannot be read", func(b *fakeBucket, _ *UpdateOptions) { b.records[b.set(9, "2.0.0", 2001)] = "{" }, true},
		{"a record under another's name", func(b *fakeBucket, _ *UpdateOptions) {
			b.records[b.set(9, "2.0.0", 2001)] = advisory("GHSA-x", "x", everyVersion)
		}, true},
		{"a list that is no list", func(b *fakeBucket, _ *UpdateOptions) { b.times["../../secret"] = osvtest.Time(9999) }, true},
		{"a list that ends too early", func(b *fakeBucket, _ *UpdateOptions) {
			b.times = map[string]time.Time{"GHSA-0000-0000-0001": osvtest.Time(2000)}
		}, true},
		{"more changes than are worth it", func(b *fakeBucket, _ *UpdateOptions) {
			for i := range maxChanges + 1 {
				b.set(i, "2.0.0", 2000)
			}
		}, true},
		{"a third withdrawn at once", func(b *fakeBucket, _ *UpdateOptions) {
			for i := range 40 {
				id := b.set(i, "2.0.0", 2000)
				b.records[id] = strings.Replace(b.records[id], "{", `{"withdrawn":"2025-05-05T00:00:00Z",`, 1)
			}
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBucket(100)
			x, o := started(t, b)
			unlock := b.lock()
			b.set(5, "4.0.0", 2000)
			b.archive = zipped(t, b.records)
			tt.change(b, &o)
			unlock()
			out, err := x.Update(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer b.lock()()
			if out.Ecosystems[0].Full != tt.full {
				t.Errorf("full %v; asked %v", out.Ecosystems[0].Full, b.asked)
			}
			if got := ids(t, x, "p5", "3.0.0"); len(got) != 1 {
				t.Errorf("p5: %v", got)
			}
		})
	}
}

// TestUpdateFailures: whatever goes wrong leaves the index as it was.
func TestUpdateFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		change  func(t *testing.T, b *fakeBucket)
		refused bool
		want    string
	}{
		{"a truncated archive", func(_ *testing.T, b *fakeBucket) { b.archive = b.archive[:len(b.archive)-30] }, true, "truncated"},
		{"an archive with fewer records", func(t *testing.T, b *fakeBucket) { b.archive = zipped(t, numbered(60)) }, true, "60 records in force"},
		{"a wrong checksum", func(_ *testing.T, b *fakeBucket) { b.wrong = true }, true, "checksum"},
		{"a page instead of an archive", func(_ *testing.T, b *fakeBucket) { b.archive = []byte("<html>") }, true, "truncated"},
		{"a broken connection", func(_ *testing.T, b *fakeBucket) { b.cutAt = 1000 }, false, "npm/all.zip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBucket(100)
			x, o := started(t, b)
			before := x.Status()
			unlock := b.lock()
			b.set(5, "4.0.0", 2000)
			tt.change(t, b)
			unlock()
			o.Full = true
			out, err := x.Update(t.Context(), o)
			if err == nil || errors.Is(err, ErrRefused) != tt.refused || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v", err)
			}
			if out.Ecosystems[0].Err == nil {
				t.Errorf("outcome %+v", out.Ecosystems[0])
			}
			if diff := cmp.Diff(before, x.Status()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUpdateUnreachable(t *testing.T) {
	t.Parallel()
	b := newBucket(10)
	x, o := started(t, b)
	o.URL = "http://127.0.0.1:1"
	if _, err := x.Update(t.Context(), o); err == nil || !strings.Contains(err.Error(), "npm") {
		t.Errorf("error %v", err)
	}
	if got := ids(t, x, "p5", "1.0.0"); len(got) != 1 {
		t.Errorf("p5: %v", got)
	}
	for _, url := range []string{"ftp://example.com", "bucket", "http://"} {
		o.URL = url
		if _, err := x.Update(t.Context(), o); err == nil || !strings.Contains(err.Error(), "URL") {
			t.Errorf("%s: error %v", url, err)
		}
	}
}

// TestUpdateResumes: a download that broke goes on where it stopped, unless the archive is
// another one by then.
func TestUpdateResumes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		changed bool
	}{{"the same archive", false}, {"another archive", true}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBucket(500)
			b.archive = zipped(t, b.records)
			b.cutAt = len(b.archive) * 3 / 4
			o := UpdateOptions{URL: b.serve(t).URL, Ecosystems: []string{"npm"}}
			x := open(t, t.TempDir())
			if _, err := x.Update(t.Context(), o); err == nil {
				t.Fatal("the broken download gave no error")
			}
			unlock := b.lock()
			if tt.changed {
				b.set(0, "9.0.0", 50)
				b.archive = zipped(t, b.records)
			}
			b.sent, b.asked = 0, nil
			unlock()
			out, err := x.Update(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if out.Ecosystems[0].Records != 500 {
				t.Errorf("outcome %+v", out.Ecosystems[0])
			}
			defer b.lock()()
			if resumed := b.sent < int64(len(b.archive)); resumed == tt.changed || !strings.Contains(b.asked[0], "bytes=") {
				t.Errorf("%d of %d bytes were sent: %v", b.sent, len(b.archive), b.asked)
			}
			left, err := os.ReadDir(filepath.Join(x.dir, "partial"))
			if err != nil || len(left) != 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// TestUpdateDefaults: without a list the ecosystems of the index are refreshed.
func TestUpdateDefaults(t *testing.T) {
	t.Parallel()
	b := newBucket(10)
	x, o := started(t, b)
	o.Ecosystems = nil
	out, err := x.Update(t.Context(), o)
	if err != nil || len(out.Ecosystems) != 1 || out.Ecosystems[0].Ecosystem != "npm" {
		t.Errorf("%+v, %v", out, err)
	}
}
