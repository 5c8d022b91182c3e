package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// listener returns a listener on loopback.
func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// get returns the status of GET url, or 0 when nobody answers.
func get(t *testing.T, url string) int {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	if err != nil {
		return 0
	}
	_ = r.Body.Close()
	return r.StatusCode
}

func TestServeTwoListeners(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	public, metrics := listener(t), listener(t)
	done := make(chan error, 1)
	go func() { done <- newServer(t, Config{}).Serve(ctx, public, metrics) }()
	for url, want := range map[string]int{
		"http://" + public.Addr().String() + "/livez":    200,
		"http://" + public.Addr().String() + "/metrics":  404,
		"http://" + metrics.Addr().String() + "/metrics": 200,
	} {
		if got := get(t, url); got != want {
			t.Errorf("GET %s = %d, want %d", url, got, want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Serve = %v, want nil after an orderly end", err)
	}
	if got := get(t, "http://"+public.Addr().String()+"/livez"); got != 0 {
		t.Errorf("after Serve GET /livez = %d, want nobody", got)
	}
}

func TestServeFinishesRequestsUnderWay(t *testing.T) {
	t.Parallel()
	arrived, finish := make(chan struct{}), make(chan struct{})
	s := newServer(t, Config{Hooks: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-finish
		if r.Context().Err() != nil {
			t.Error("a request under way was cancelled")
		}
		w.WriteHeader(http.StatusAccepted)
	})})
	ctx, stop := context.WithCancel(t.Context())
	l := listener(t)
	done, status := make(chan error, 1), make(chan int, 1)
	go func() { done <- s.Serve(ctx, l, nil) }()
	go func() {
		r, err := http.Post("http://"+l.Addr().String()+"/hooks", "application/json", http.NoBody)
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
		status <- r.StatusCode
	}()
	<-arrived
	stop()
	close(finish)
	if got := <-status; got != http.StatusAccepted {
		t.Errorf("request under way = %d, want 202", got)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

func TestServeSaysWhenAListenerBreaks(t *testing.T) {
	t.Parallel()
	l := listener(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := newServer(t, Config{}).Serve(t.Context(), l, nil); err == nil {
		t.Error("Serve on a closed listener = nil, want its error")
	}
}
