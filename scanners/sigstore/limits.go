package sigstore

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Limits of one Scan (THREATS.md V18). What is over a limit is Unknown, never wrong and
// never right. Limits of one text are in the package intoto.
const (
	maxPair     = 1 << 20 // bytes of a signature file or a certificate file
	maxPieces   = 20_000  // pieces of evidence that are read
	maxExamined = 1_000   // pieces of evidence that reach cryptography
)

// parallel calls do for 0 to n-1 on as many goroutines as there are processors and waits.
// It stops early, with the error of ctx, when ctx ends.
func parallel(ctx context.Context, n int, do func(i int)) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			if ctx.Err() == nil {
				do(i)
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}
