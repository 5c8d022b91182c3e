package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/store"
)

// maxKept is the largest answer kept with its ETag, in bytes. What is larger is a tree or a
// blob, which has its own entry by digest.
const maxKept = 256 << 10

// maxPending bounds the bytes that wait to be kept; with more, keeping waits for the store.
const maxPending = 64 << 20

// cache keeps answers in the store's bounded cache. Losing it costs calls and nothing else,
// so no fault of it is an error.
//
// Keys hold the repository: what one repository may see is never served to another, even
// where the content has the same digest.
//
// Writing to it waits until the job at hand is done: nobody should wait for a verdict while
// the disk takes a copy.
type cache struct {
	db *store.DB

	mu      sync.Mutex
	pending []pendingWrite
	bytes   int
}

// pendingWrite is something to keep, of so many bytes.
type pendingWrite struct {
	save  func(context.Context)
	bytes int
}

// later runs save after the job at hand, or now when too much waits.
func (c *cache) later(ctx context.Context, size int, save func(context.Context)) {
	c.mu.Lock()
	full := c.bytes+size > maxPending
	if !full {
		c.pending = append(c.pending, pendingWrite{save, size})
		c.bytes += size
	}
	c.mu.Unlock()
	if full {
		save(ctx)
	}
}

// flush writes what waits, all at once, so that it shares commits.
func (c *cache) flush(ctx context.Context) {
	c.mu.Lock()
	pending := c.pending
	c.pending, c.bytes = nil, 0
	c.mu.Unlock()
	var writing sync.WaitGroup
	for _, w := range pending {
		writing.Go(func() { w.save(ctx) })
	}
	writing.Wait()
}

// get returns what is kept for r under kind and name.
func (c *cache) get(ctx context.Context, r repo, kind, name string) ([]byte, bool) {
	kept, err := c.db.Cached(ctx, cacheKey(r, kind, name))
	return kept.Body, err == nil
}

// keep keeps body for r under kind and name, which must say all that it depends on.
func (c *cache) keep(ctx context.Context, r repo, kind, name string, body []byte) {
	c.later(ctx, len(body), func(ctx context.Context) {
		// A full or failing cache costs a call next time, and the store logs its own faults.
		_ = c.db.SaveCached(ctx, cacheKey(r, kind, name), store.Cached{Body: body})
	})
}

func cacheKey(r repo, kind, name string) string {
	return fmt.Sprintf("%s:%d:%d:%s", kind, r.InstallationID, r.ID, name)
}

// answer is a kept answer of the API.
type answer struct {
	ETag string      `json:"-"`
	Head http.Header `json:"head"` // Content-Type and Link only
	Body []byte      `json:"body"`
}

// conditional reports whether answers to req are worth asking for with an ETag. Trees, blobs
// and comparisons are named by digests and are kept by those instead.
func conditional(req *http.Request) bool {
	path := req.URL.Path
	return req.Method == http.MethodGet && !isDownload(req) && !strings.HasSuffix(req.Header.Get("Accept"), "raw") &&
		!strings.Contains(path, "/git/trees/") && !strings.Contains(path, "/git/blobs/") && !strings.Contains(path, "/compare/") &&
		strings.Contains(path, "/repos/")
}

func answerName(req *http.Request) string {
	sum := sha256.Sum256([]byte(req.URL.String() + "\n" + req.Header.Get("Accept")))
	return hex.EncodeToString(sum[:])
}

// answer returns the kept answer to req, or nil.
func (c *cache) answer(ctx context.Context, r repo, req *http.Request) *answer {
	if !conditional(req) {
		return nil
	}
	kept, err := c.db.Cached(ctx, cacheKey(r, "answer", answerName(req)))
	if err != nil || kept.ETag == "" {
		return nil
	}
	known := &answer{ETag: kept.ETag}
	if err := json.Unmarshal(kept.Body, known); err != nil {
		return nil
	}
	return known
}

// keeps returns what to keep of resp, or nil. Its body stays readable.
func (c *cache) keeps(req *http.Request, resp *http.Response) *answer {
	etag := resp.Header.Get("Etag")
	if !conditional(req) || etag == "" || resp.StatusCode != http.StatusOK || resp.ContentLength > maxKept {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	head := http.Header{}
	for _, name := range []string{"Content-Type", "Link"} {
		if v := resp.Header.Get(name); v != "" {
			head.Set(name, v)
		}
	}
	return &answer{ETag: etag, Head: head, Body: body}
}

// save keeps known as the answer to req.
func (c *cache) save(ctx context.Context, r repo, req *http.Request, known *answer) {
	body, err := json.Marshal(known)
	if err != nil {
		return
	}
	key := cacheKey(r, "answer", answerName(req))
	c.later(ctx, len(body), func(ctx context.Context) {
		// As in keep: losing it costs a call.
		_ = c.db.SaveCached(ctx, key, store.Cached{ETag: known.ETag, Body: body})
	})
}

// response returns the kept answer as if GitHub had sent it again.
func (k *answer) response(req *http.Request) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: k.Head.Clone(), Body: io.NopCloser(bytes.NewReader(k.Body)),
		ContentLength: int64(len(k.Body)), Request: req,
	}
}
