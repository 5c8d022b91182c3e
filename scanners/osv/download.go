package osv

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	maxArchive = 4 << 30 // bytes of a zip file
	// stallLimit ends a transfer in which nothing arrives any more.
	stallLimit = time.Minute
)

// bucket is the OSV bucket, or a mirror of it.
type bucket struct {
	base   string
	client *http.Client
}

// get asks for an object. Its path is <ecosystem>/<name>. The caller closes the body.
func (b *bucket) get(ctx context.Context, path string, header map[string]string) (*http.Response, error) {
	ecosystem, name, _ := strings.Cut(path, "/")
	// The checksum is over the bytes as stored: the transport must not ask for others.
	all := map[string]string{"Accept-Encoding": "identity"}
	maps.Copy(all, header)
	res, err := request(ctx, b.client, b.base+"/"+url.PathEscape(ecosystem)+"/"+url.PathEscape(name), all)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", path, err)
	}
	return res, nil
}

// request asks for a URL and watches that the answer does not stall. The caller closes the body.
func request(ctx context.Context, client *http.Client, address string, header map[string]string) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	req.Header.Set("User-Agent", "landwaiter")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	stalled := fmt.Errorf("nothing arrived for %s", stallLimit)
	timer := time.AfterFunc(stallLimit, func() { cancel(stalled) })
	res, err := client.Do(req)
	if err != nil {
		timer.Stop()
		cancel(nil)
		return nil, err
	}
	res.Body = &watched{ReadCloser: res.Body, timer: timer, cancel: cancel, cause: func() error { return context.Cause(ctx) }}
	return res, nil
}

// watched is a body whose transfer ends when it stalls.
type watched struct {
	io.ReadCloser
	timer  *time.Timer
	cancel context.CancelCauseFunc
	cause  func() error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.timer.Reset(stallLimit)
	if err != nil && err != io.EOF {
		if cause := w.cause(); cause != nil {
			err = cause
		}
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	defer w.cancel(nil)
	return w.ReadCloser.Close()
}

// statusError is an answer that is not what was asked for.
type statusError struct {
	path   string
	status int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("fetching %s: HTTP %d %s", e.path, e.status, http.StatusText(e.status))
}

// download fetches an object into the file to, by way of to+".part", and returns the bytes
// received. What an earlier attempt left there is gone on with, if the object is still the
// same: its ETag lies beside.
func (b *bucket) download(ctx context.Context, path, to string, progress func(done, total int64)) (int64, error) {
	part, tag := to+".part", to+".etag"
	header := map[string]string{}
	var have int64
	if etag, err := os.ReadFile(tag); err == nil && len(etag) > 0 {
		if info, err := os.Stat(part); err == nil && info.Size() > 0 {
			have = info.Size()
			header["Range"] = fmt.Sprintf("bytes=%d-", have)
			header["If-Range"] = string(etag)
		}
	}
	res, err := b.get(ctx, path, header)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		have = 0
	case http.StatusPartialContent:
		if !strings.HasPrefix(res.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)) {
			return 0, fmt.Errorf("fetching %s: asked for bytes from %d, got %q", path, have, res.Header.Get("Content-Range"))
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return 0, errors.Join(&statusError{path, res.StatusCode}, forget(part, tag))
	default:
		return 0, &statusError{path, res.StatusCode}
	}
	if err := os.WriteFile(tag, []byte(strongTag(res.Header.Get("ETag"))), 0o644); err != nil {
		return 0, err
	}
	n, err := b.receive(res, part, have, progress)
	if err != nil {
		return n, fmt.Errorf("fetching %s: %w", path, err)
	}
	if err := verifyHash(part, res.Header); err != nil {
		return n, errors.Join(fmt.Errorf("%w: %s: %w", ErrRefused, path, err), forget(part, tag))
	}
	if err := os.Rename(part, to); err != nil {
		return n, err
	}
	return n, forget(tag)
}

// strongTag returns an ETag that may be used to go on with a download, else "".
func strongTag(etag string) string {
	if strings.HasPrefix(etag, `"`) && len(etag) < 200 {
		return etag
	}
	return ""
}

// receive writes the body behind the first have bytes of part.
func (b *bucket) receive(res *http.Response, part string, have int64, progress func(done, total int64)) (int64, error) {
	if res.ContentLength > maxArchive-have {
		return 0, fmt.Errorf("%w: it has %d bytes", ErrRefused, res.ContentLength)
	}
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := f.Truncate(have); err != nil {
		return 0, err
	}
	if _, err := f.Seek(have, io.SeekStart); err != nil {
		return 0, err
	}
	total := int64(0)
	if res.ContentLength >= 0 {
		total = have + res.ContentLength
	}
	meter := &meter{done: have, total: total, tell: progress}
	n, err := io.Copy(io.MultiWriter(f, meter), io.LimitReader(res.Body, maxArchive-have+1))
	switch {
	case err != nil:
		return n, err
	case have+n > maxArchive:
		return n, fmt.Errorf("%w: it has more than %d bytes", ErrRefused, int64(maxArchive))
	case res.ContentLength >= 0 && n != res.ContentLength:
		return n, fmt.Errorf("%d bytes arrived of %d", n, res.ContentLength)
	}
	return n, f.Close()
}

// meter tells how much has arrived.
type meter struct {
	done, total int64
	tell        func(done, total int64)
}

func (m *meter) Write(p []byte) (int, error) {
	m.done += int64(len(p))
	m.tell(m.done, m.total)
	return len(p), nil
}

// verifyHash compares a file with the crc32c that the bucket sends, if it sends one
// (https://cloud.google.com/storage/docs/xml-api/reference-headers#xgooghash).
func verifyHash(path string, header http.Header) error {
	want, ok, err := sentHash(header)
	if err != nil || !ok {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := crc32.New(castagnoli)
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := h.Sum32(); got != want {
		return fmt.Errorf("its checksum is %08x, the bucket says %08x", got, want)
	}
	return nil
}

// sentHash returns the crc32c of an answer's object, and whether there is one.
func sentHash(header http.Header) (uint32, bool, error) {
	for _, line := range header.Values("X-Goog-Hash") {
		for value := range strings.SplitSeq(line, ",") {
			encoded, ok := strings.CutPrefix(strings.TrimSpace(value), "crc32c=")
			if !ok {
				continue
			}
			b, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil || len(b) != 4 {
				return 0, false, fmt.Errorf("x-goog-hash %s is no crc32c", strconv.Quote(encoded))
			}
			return binary.BigEndian.Uint32(b), true, nil
		}
	}
	return 0, false, nil
}

// forget removes files that may or may not be there.
func forget(paths ...string) error {
	var errs []error
	for _, p := range paths {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
