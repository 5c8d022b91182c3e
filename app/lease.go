package app

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/landwaiter/landwaiter/store"
)

// lease is how long this process may go on with a job, as far as it knows. A process that was
// frozen, or could not reach its database, has lost its jobs to others and is not told before the
// next heartbeat: until then its own clock, which runs on meanwhile, keeps it from writing.
type lease struct{ until atomic.Pointer[time.Time] }

type leaseKey struct{}

// withLease returns ctx for work under a lease that ends at until, a time with a monotonic reading
// taken before the store was asked: the store's own end is later.
func withLease(ctx context.Context, until time.Time) context.Context {
	l := &lease{}
	l.until.Store(&until)
	return context.WithValue(ctx, leaseKey{}, l)
}

// renewLease moves the end of ctx's lease, if it has one.
func renewLease(ctx context.Context, until time.Time) {
	if l, ok := ctx.Value(leaseKey{}).(*lease); ok {
		l.until.Store(&until)
	}
}

// mayWrite returns an error that is store.ErrLeaseLost when req changes something and the lease of
// its job has ended. Work without a lease, such as an answer to a page, has no end.
func mayWrite(req *http.Request) error {
	l, ok := req.Context().Value(leaseKey{}).(*lease)
	if !ok || req.Method == http.MethodGet {
		return nil
	}
	if over := time.Since(*l.until.Load()); over >= 0 {
		return fmt.Errorf("not sent, %v after the lease ended: %w", over.Round(time.Millisecond), store.ErrLeaseLost)
	}
	return nil
}
