package githubtest

import (
	"context"
	"fmt"
	"sync"
)

// startDelivering starts the goroutine that sends queued webhooks in order. The caller
// holds the lock.
func (g *GitHub) startDelivering() {
	g.hooks.wake = sync.NewCond(&g.mu)
	g.hooks.stopped = make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(g.hooks.stopped)
		defer cancel()
		for g.deliverNext(ctx) {
		}
	}()
}

// enqueue puts a delivery at the end of the queue. Before Start nobody would send it, and
// it is dropped. The caller holds the lock.
func (g *GitHub) enqueue(d Delivery) {
	if g.hooks.wake == nil {
		return
	}
	g.hooks.queue = append(g.hooks.queue, d)
	g.hooks.wake.Broadcast()
}

// deliverNext waits for a queued webhook and sends it; false means that it is time to stop.
func (g *GitHub) deliverNext(ctx context.Context) bool {
	g.mu.Lock()
	for len(g.hooks.queue) == 0 && !g.hooks.closing {
		g.hooks.wake.Wait()
	}
	if g.hooks.closing {
		g.mu.Unlock()
		return false
	}
	d := g.hooks.queue[0]
	g.hooks.queue = g.hooks.queue[1:]
	g.hooks.busy = true
	g.mu.Unlock()

	// A refused or failed delivery is in the list of deliveries, as on GitHub; there is
	// nobody else to tell.
	_, _ = g.send(ctx, d, nil)

	g.mu.Lock()
	g.hooks.busy = false
	g.hooks.wake.Broadcast()
	g.mu.Unlock()
	return true
}

// stopDelivering waits for the webhook under way and drops the rest.
func (g *GitHub) stopDelivering() {
	g.mu.Lock()
	g.hooks.closing = true
	g.hooks.queue = nil
	g.hooks.wake.Broadcast()
	stopped := g.hooks.stopped
	g.mu.Unlock()
	<-stopped
}

// Settle waits until every queued webhook was sent and answered, or ctx ends.
func (g *GitHub) Settle(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.hooks.wake.Broadcast()
	})
	defer stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for (len(g.hooks.queue) > 0 || g.hooks.busy) && ctx.Err() == nil && !g.hooks.closing {
		g.hooks.wake.Wait()
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("waiting for webhooks to be sent: %w", err)
	}
	return nil
}
