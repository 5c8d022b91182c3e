package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// maxAnswer bounds the body of one answer, in bytes. 100 versions have some 400 KB, and the
	// list of a package's versions, of which some have thousands, about as much.
	maxAnswer = 16 << 20
	maxPages  = 10 // of one question
	// maxWait bounds what a source may ask for in Retry-After.
	maxWait = 5 * time.Minute
)

// fault is why a question has no answer. Its wording does not vary from call to call.
type fault struct {
	reason   string
	outage   bool          // others would get no answer either
	passing  bool          // the next try may succeed
	wait     time.Duration // as the source asks for
	absent   bool          // 404: the source does not know it, or has no such method
	noMethod bool          // it has no such method
	question bool          // 400: it does not like the question
}

// source is an API of deps.dev.
type source struct {
	base   string // "https://api.deps.dev"
	host   string
	client *http.Client
	called func(outcome string)
	// patience bounds one call with its body. It is less than all questions of a Scan may take,
	// so that a source that hangs is told from a change that asks for much.
	patience time.Duration
	// single says that the source has no method for many versions at once: v3alpha, the only
	// one with it, is promised to nobody.
	single atomic.Bool
	// alive says that the stable v3 has known something. Before that a 404 may come from a server
	// that is no deps.dev.
	alive atomic.Bool
}

func newSource(base string, deadline time.Duration, called func(string)) (*source, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is no address of an API; write one such as %s", base, DefaultURL)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, fmt.Errorf("%q is not https", base)
	}
	if called == nil {
		called = func(string) {}
	}
	return &source{base: strings.TrimSuffix(base, "/"), host: u.Host, client: newClient(u, base == DefaultURL), called: called, patience: deadline * 4 / 5}, nil
}

// versions asks about versions, at most batch of them. What it found before a fault counts.
func (s *source) versions(ctx context.Context, asked []version) (map[version]answer, *fault) {
	found := map[version]answer{}
	if s.single.Load() {
		return found, s.oneByOne(ctx, asked, found)
	}
	f := s.together(ctx, asked, found)
	switch {
	case f == nil:
		return found, nil
	case f.absent || f.noMethod:
		s.single.Store(true)
		return found, s.oneByOne(ctx, asked, found)
	case f.question && len(asked) > 1:
		// One odd name must not hide the others.
		for half := range slices.Chunk(asked, (len(asked)+1)/2) {
			some, fault := s.versions(ctx, half)
			maps.Copy(found, some)
			if fault != nil {
				f = fault
			}
		}
	}
	return found, f
}

// together asks about versions by the one method for many.
func (s *source) together(ctx context.Context, asked []version, found map[version]answer) *fault {
	question := batchQuestion{Requests: make([]batchRequest, len(asked))}
	keys := make(map[versionKey]version, len(asked))
	for i, v := range asked {
		question.Requests[i].VersionKey = keyOf(v)
		keys[keyOf(v)] = v
	}
	for range maxPages {
		var page batchAnswer
		if f := s.call(ctx, http.MethodPost, "/v3alpha/versionbatch", question, &page); f != nil {
			return f
		}
		for _, r := range page.Responses {
			if v, ok := keys[r.Request.VersionKey]; ok {
				found[v] = s.stamp(r.Version.answer(v.ecosystem))
			}
		}
		if question.PageToken = page.NextPageToken; question.PageToken == "" {
			break
		}
	}
	return nil
}

// oneByOne asks about each version by the stable v3.
func (s *source) oneByOne(ctx context.Context, asked []version, found map[version]answer) *fault {
	unknown := map[version]answer{}
	var odd *fault
	for _, v := range asked {
		if _, ok := found[v]; ok {
			continue
		}
		k := keyOf(v)
		var known versionAnswer
		f := s.call(ctx, http.MethodGet, "/v3/systems/"+k.System+"/packages/"+url.PathEscape(k.Name)+"/versions/"+url.PathEscape(k.Version), nil, &known)
		switch {
		case f == nil:
			s.alive.Store(true)
			found[v] = s.stamp(known.answer(v.ecosystem))
		case f.absent:
			unknown[v] = s.stamp(answer{})
		case f.question:
			odd = f
		default:
			return f
		}
	}
	if len(unknown) > 0 && !s.alive.Load() {
		return &fault{reason: s.host + " answers HTTP 404 Not Found to everything; its address may be wrong"}
	}
	maps.Copy(found, unknown)
	return odd
}

// newest asks when the newest version of the package p was published.
func (s *source) newest(ctx context.Context, p version) (map[version]answer, *fault) {
	var known packageAnswer
	f := s.call(ctx, http.MethodGet, "/v3/systems/"+systems[p.ecosystem]+"/packages/"+url.PathEscape(p.name), nil, &known)
	switch {
	case f == nil:
		return map[version]answer{p: s.stamp(known.answer())}, nil
	case f.absent:
		return map[version]answer{p: s.stamp(answer{})}, nil
	}
	return nil, f
}

// stamp says who answered. The time is set by whoever keeps the answer.
func (s *source) stamp(a answer) answer {
	a.Source = s.host
	return a
}

// call makes one call and decodes the answer.
func (s *source) call(ctx context.Context, method, path string, question, into any) *fault {
	f := s.exchange(ctx, method, path, question, into)
	switch {
	case f == nil:
		s.called("ok")
	case f.absent:
		s.called("not-found")
	case f.wait > 0:
		s.called("limited")
	case ctx.Err() != nil:
		s.called("timeout")
	default:
		s.called("failed")
	}
	if f != nil && f.reason != "" {
		f.reason = s.host + " " + f.reason
	}
	return f
}

func (s *source) exchange(ctx context.Context, method, path string, question, into any) *fault {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	var body io.Reader
	if question != nil {
		text, err := json.Marshal(question)
		if err != nil {
			return &fault{reason: "could not be asked: " + err.Error(), question: true}
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, body)
	if err != nil {
		return &fault{reason: "could not be asked: the name of a package makes no address", question: true}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "landwaiter")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := s.client.Do(req)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer res.Body.Close()
	if f := refused(res); f != nil {
		return f
	}
	return decode(ctx, res, into)
}

// unreachable is the fault of a call without an answer. Errors of the network vary in their
// words, so only those that a person can act on are told.
func unreachable(ctx context.Context, err error) *fault {
	var address *addressError
	switch {
	case ctx.Err() != nil:
		return &fault{reason: "did not answer in time", outage: true}
	case errors.As(err, &address):
		return &fault{reason: "could not be asked: " + address.Error(), outage: true}
	}
	return &fault{reason: "cannot be reached", outage: true, passing: true}
}

// refused is the fault of an answer with another status than 200, nil for that one.
func refused(res *http.Response) *fault {
	f := &fault{reason: fmt.Sprintf("answered HTTP %d %s", res.StatusCode, http.StatusText(res.StatusCode))}
	switch res.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotFound:
		f.absent = true
	case http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented:
		f.noMethod = true
	case http.StatusBadRequest:
		f.question = true
	case http.StatusTooManyRequests:
		f.outage, f.wait = true, time.Second
		if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
			f.wait = min(time.Duration(seconds)*time.Second, maxWait)
		}
	default:
		f.outage, f.passing = true, res.StatusCode >= 500
	}
	return f
}

// decode reads a JSON answer within bounds.
func decode(ctx context.Context, res *http.Response, into any) *fault {
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return &fault{reason: "answered with something that is not JSON", outage: true}
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case len(data) > maxAnswer:
		return &fault{reason: fmt.Sprintf("answered with more than %d MiB", maxAnswer>>20)}
	case err != nil && ctx.Err() != nil:
		return &fault{reason: "did not answer in time", outage: true}
	case err != nil:
		return &fault{reason: "ended its answer early", outage: true, passing: true}
	case json.Unmarshal(data, into) != nil:
		return &fault{reason: "answered with JSON of another form", outage: true}
	}
	return nil
}
