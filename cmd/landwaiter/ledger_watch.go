package main

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landwaiter/landwaiter/store"
)

// The whole ledger is verified at these times. It reads every entry, so not more often: what is
// written is checked against the newest checkpoint each time anyway.
const (
	ledgerVerifyFirst = time.Minute // after the start, which checks the newest entries itself
	ledgerVerifyEvery = 6 * time.Hour
)

// newLedgerVerified returns the metric of what verification found. A ledger that was opened
// passed the check at start.
func newLedgerVerified() prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "landwaiter_ledger_verified", Help: "1 while the last verification found the ledger to be what was signed, 0 when it was tampered with.",
	})
	g.Set(1)
	return g
}

// watchLedger verifies the ledger now and then until ctx ends.
func (s *service) watchLedger(ctx context.Context) {
	for wait := ledgerVerifyFirst; ; wait = ledgerVerifyEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		s.verifyLedger(ctx)
	}
}

// verifyLedger verifies the ledger once. A database that does not answer says nothing about it.
func (s *service) verifyLedger(ctx context.Context) {
	err := s.store.VerifyLedger(ctx, nil)
	var tampered *store.TamperedError
	switch {
	case err == nil:
		s.ledgerVerified.Set(1)
	case errors.As(err, &tampered):
		s.ledgerVerified.Set(0)
		s.log.Error("the ledger is not what was signed: see docs/operations.md", "error", err.Error())
	case ctx.Err() == nil:
		s.log.Warn("the ledger was not verified", "error", err.Error())
	}
}
