package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// nullArgument is the first argument of a process that is the yardstick of goal 12.
const nullArgument = "null-service"

// nullService reads a webhook, compares its signature and answers: what every receiver must do
// before anything is stored. It serves on address until it is ended.
func nullService(address, secret string) int {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("X-Hub-Signature-256") != signatureOf(body, secret) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	err := (&http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: time.Minute}).ListenAndServe()
	fmt.Println(err)
	return 1
}

func signatureOf(body []byte, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write(body)
	return "sha256=" + hex.EncodeToString(h.Sum(nil))
}

// loadPayload is a pull_request event of 21 KB whose title was edited: nothing follows from it,
// so what is measured is receiving. number makes each one different.
func loadPayload(installation, repository int64, number int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"action":"edited","number":%d,"changes":{"title":{"from":"x"}},"installation":{"id":%d},"repository":{"id":%d,"full_name":"harbour/shop"},`, number, installation, repository)
	const sha = "3c1d76a28b5a1f3dca4f2d6f8d5c1f0a5e8a8f3d"
	fmt.Fprintf(&b, `"pull_request":{"number":%d,"state":"open","head":{"sha":"%s"},"base":{"sha":"%s","ref":"main"}},"links":[`, number, sha, sha)
	for i := 0; b.Len() < 21_000; i++ {
		fmt.Fprintf(&b, `{"url":"https://api.github.com/repos/octo-org/octo-repo/pulls/%d","id":%d,"node_id":"MDExOlB1bGw%x"},`, number+i, i*7919, i*104729)
	}
	b.WriteString(`{}]}`)
	return b.Bytes()
}

// intake is what a burst of webhooks came to.
type intake struct {
	accepted []string // GUIDs answered 202
	refused  int      // other answers, and none
	took     time.Duration
	times    []time.Duration // of all answers, ascending
}

func (l intake) rate() float64 { return float64(len(l.accepted)) / l.took.Seconds() }

func (l intake) quantile(q float64) time.Duration {
	if len(l.times) == 0 {
		return 0
	}
	return l.times[min(int(q*float64(len(l.times))), len(l.times)-1)]
}

// burst sends signed webhooks over so many connections for so long. The bodies are made and
// signed beforehand, so that the sender costs as little as it can.
func burst(ctx context.Context, url, secret string, installation, repository int64, connections int, length time.Duration) (intake, error) {
	const bodies = 256
	var ready [bodies]struct {
		body      []byte
		signature string
	}
	for i := range ready {
		ready[i].body = loadPayload(installation, repository, i+1)
		ready[i].signature = signatureOf(ready[i].body, secret)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	run := fmt.Sprintf("%08x", time.Now().UnixNano()&0xffffffff)
	var mu sync.Mutex
	var all intake
	var group sync.WaitGroup
	started := time.Now()
	for c := range connections {
		group.Go(func() {
			var mine intake
			for n := 0; time.Since(started) < length && ctx.Err() == nil; n++ {
				guid := fmt.Sprintf("%s-0000-4000-8000-%04x%08x", run, c, n)
				from := ready[(c*31+n)%bodies]
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(from.body))
				if err != nil {
					break
				}
				r.Header = http.Header{
					"Content-Type": {"application/json"}, "X-Github-Event": {"pull_request"}, "X-Github-Delivery": {guid},
					"X-Hub-Signature-256": {from.signature},
				}
				sent := time.Now()
				answer, err := client.Do(r)
				if err != nil {
					mine.refused++
					continue
				}
				_, _ = io.Copy(io.Discard, answer.Body) // the answer is a line
				answer.Body.Close()
				mine.times = append(mine.times, time.Since(sent))
				if answer.StatusCode == http.StatusAccepted {
					mine.accepted = append(mine.accepted, guid)
				} else {
					mine.refused++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all.accepted = append(all.accepted, mine.accepted...)
			all.times = append(all.times, mine.times...)
			all.refused += mine.refused
		})
	}
	group.Wait()
	all.took = time.Since(started)
	slices.Sort(all.times)
	if len(all.accepted) == 0 {
		return all, errors.New("no webhook was accepted")
	}
	return all, nil
}
