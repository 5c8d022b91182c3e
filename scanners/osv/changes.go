package osv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/scanners/osv/record"
)

const (
	// maxChanges is how many records are fetched one by one; for more, the archive is cheaper.
	maxChanges = 2000
	// fetchers is how many are fetched at once.
	fetchers = 8
	// overlap is how far before the newest known record the list is read: a record may
	// appear in the bucket a while after the time it bears. What is known is not fetched.
	overlap = 6 * time.Hour
	// listPart is how much of the list is fetched first, bytes; then twice as much each
	// time, up to maxPart. A quiet day of npm fits into the first two.
	listPart = 8 << 10
	maxPart  = 1 << 20
	maxList  = 256 << 20 // bytes of a whole list
)

// errWantsArchive says that fetching changes is not possible, or dearer than the archive.
var errWantsArchive = errors.New("the whole archive is wanted")

// change is one line of modified_id.csv.
type change struct {
	id       string
	modified time.Time
}

// changes fetches the records of an ecosystem that changed since meta.Newest.
//
// Whatever is odd (a list that ends before the watermark, a record that cannot be read or
// is gone) makes it errWantsArchive: the archive is judged as a whole.
func (u *updater) changes(ctx context.Context, name string, meta ecosystemMeta, fetched time.Time, note *ImportedEcosystem) error {
	list, n, err := u.changed(ctx, name, meta.Newest)
	note.Bytes += n
	if err != nil {
		return err
	}
	b, n, err := u.fetchRecords(ctx, name, list)
	note.Bytes += n
	if err != nil {
		return err
	}
	next := meta
	next.Fetched, next.Source = fetched, u.base
	for i := range b.rows {
		w := &b.rows[i]
		old, _, known := u.old.find(w.id, name)
		next.Records += one(!known)
		next.Withdrawn += one(w.withdrawn) - one(known && old.withdrawn)
		if at := time.UnixMicro(w.modified).UTC(); at.After(next.Newest) {
			next.Newest = at
		}
	}
	if u.lostTooMuch(meta, next) {
		return errWantsArchive
	}
	if len(b.rows) > 0 {
		u.partial[name] = b // commit moves its rows
	}
	u.meta[name] = next
	note.Changed, note.Partial = len(b.rows), b.partial
	note.Records, note.Withdrawn, note.Newest = next.Records, next.Withdrawn, next.Newest
	return nil
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// changed reads the list of an ecosystem down to the watermark and returns what is not
// known yet, and the bytes received.
func (u *updater) changed(ctx context.Context, name string, watermark time.Time) ([]change, int64, error) {
	l := &changeList{ctx: ctx, b: &u.bucket, path: name + "/modified_id.csv"}
	defer l.close()
	var list []change
	lines := bufio.NewScanner(l)
	lines.Buffer(make([]byte, 0, 4096), 4096)
	reached := false
	for lines.Scan() {
		c, err := parseChange(lines.Text())
		if err != nil {
			return nil, l.received, fmt.Errorf("%w: %s: %w", errWantsArchive, l.path, err)
		}
		if reached = !c.modified.After(watermark); c.modified.Before(watermark.Add(-overlap)) {
			break
		}
		if old, _, ok := u.old.find(c.id, name); ok && old.modified.Equal(c.modified) {
			continue
		}
		if list = append(list, c); len(list) > maxChanges {
			return nil, l.received, errWantsArchive
		}
	}
	if err := lines.Err(); err != nil {
		return nil, l.received, err
	}
	if !reached { // it does not go back to what is known
		return nil, l.received, errWantsArchive
	}
	return list, l.received, nil
}

// parseChange reads "<RFC 3339 time>,<id>".
func parseChange(line string) (change, error) {
	at, id, ok := strings.Cut(strings.TrimSpace(line), ",")
	t, err := time.Parse(time.RFC3339Nano, at)
	if !ok || err != nil || !plainID(id) {
		return change{}, fmt.Errorf("%.100q is no line of it", line)
	}
	return change{id, t.UTC().Truncate(time.Microsecond)}, nil
}

// plainID says whether an id can be part of a path as it is.
func plainID(id string) bool {
	if id == "" || len(id) > record.MaxText || id[0] == '.' {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("-_.:+~", rune(c)) {
			return false
		}
	}
	return true
}

// changeList reads modified_id.csv in parts, since only its head is wanted and the list of
// npm alone has ten megabytes. A server that does not send parts sends it all.
type changeList struct {
	ctx      context.Context
	b        *bucket
	path     string
	body     io.ReadCloser
	etag     string
	at       int64 // what has been read
	part     int64 // what to ask for next; 0 at first
	received int64
	whole    bool
}

func (l *changeList) Read(p []byte) (int, error) {
	for {
		if l.body == nil {
			if err := l.open(); err != nil {
				return 0, err
			}
		}
		n, err := l.body.Read(p)
		l.at += int64(n)
		l.received += int64(n)
		if l.received > maxList {
			return 0, fmt.Errorf("%s has more than %d bytes", l.path, int64(maxList))
		}
		if err == io.EOF && !l.whole {
			l.close()
			err = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// open asks for the next part.
func (l *changeList) open() error {
	l.part = min(max(listPart, 2*l.part), maxPart)
	header := map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", l.at, l.at+l.part-1)}
	if l.etag != "" {
		header["If-Match"] = l.etag
	}
	res, err := l.b.get(l.ctx, l.path, header)
	if err != nil {
		return err
	}
	switch {
	case res.StatusCode == http.StatusPartialContent:
		l.body, l.etag = res.Body, strongTag(res.Header.Get("ETag"))
		return nil
	case res.StatusCode == http.StatusOK && l.at == 0:
		l.body, l.whole = res.Body, true
		return nil
	}
	_ = res.Body.Close() // nothing is read from it
	switch res.StatusCode {
	case http.StatusRequestedRangeNotSatisfiable:
		return io.EOF // the list ended with the part before
	case http.StatusPreconditionFailed, http.StatusOK:
		return fmt.Errorf("%w: %s changed while it was read", errWantsArchive, l.path)
	case http.StatusNotFound:
		return fmt.Errorf("%w: there is no %s", errWantsArchive, l.path)
	}
	return &statusError{l.path, res.StatusCode}
}

func (l *changeList) close() {
	if l.body != nil {
		_ = l.body.Close() // it was read as far as wanted
		l.body = nil
	}
}

// fetchRecords fetches and compiles the records of list.
func (u *updater) fetchRecords(ctx context.Context, name string, list []change) (*batch, int64, error) {
	texts := make([]string, len(list))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(fetchers)
	for i, c := range list {
		g.Go(func() error {
			var err error
			texts[i], err = u.fetchRecord(gctx, name+"/"+c.id+".json")
			return err
		})
	}
	err := g.Wait()
	b := &batch{}
	var received int64
	var rec record.Record
	for i, text := range texts {
		received += int64(len(text))
		if err != nil {
			continue
		}
		if bad := b.compile(text, &rec, name); bad != nil || rec.ID != list[i].id {
			err = fmt.Errorf("%w: %s of %s cannot be read", errWantsArchive, list[i].id, name)
		}
	}
	return b, received, err
}

// fetchRecord fetches one record. One that is gone wants the archive.
func (u *updater) fetchRecord(ctx context.Context, path string) (string, error) {
	res, err := u.get(ctx, path, nil)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return "", fmt.Errorf("%w: there is no %s", errWantsArchive, path)
	}
	if res.StatusCode != http.StatusOK {
		return "", &statusError{path, res.StatusCode}
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, record.MaxSize+1))
	if err != nil {
		return "", fmt.Errorf("fetching %s: %w", path, err)
	}
	want, sent, err := sentHash(res.Header)
	if len(b) > record.MaxSize || err != nil || sent && crc32.Checksum(b, castagnoli) != want {
		return "", fmt.Errorf("%w: %s is too large or not what was stored", errWantsArchive, path)
	}
	return viewOf(b), nil
}
