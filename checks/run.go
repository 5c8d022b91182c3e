package checks

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Scanner is one engine. Scan looks at m and nothing else; it must not reach GitHub or the
// database, and it must not form a Verdict. It returns an error only when it could say
// nothing at all; partial sight is Evidence with Gaps. It is called from several
// goroutines at once.
type Scanner interface {
	Name() string
	Scan(ctx context.Context, m *Material) (Evidence, error)
}

// Run asks each scanner about m and judges what they saw at the time now.
func Run(ctx context.Context, m *Material, p *Policy, scanners []Scanner, now time.Time) Report {
	return Judge(m, p, Ask(ctx, m, scanners), now)
}

// Ask asks all scanners about m at once, since one of them may wait for a network, and returns
// what they saw in their order.
//
// A scanner that fails or panics leaves failed Evidence, which makes the Verdict Unknown.
func Ask(ctx context.Context, m *Material, scanners []Scanner) []Evidence {
	evidence := make([]Evidence, len(scanners))
	var asked sync.WaitGroup
	for i, s := range scanners {
		asked.Go(func() { evidence[i] = ask(ctx, s, m) })
	}
	asked.Wait()
	return evidence
}

// ask runs one scanner and turns an error or a panic into failed Evidence.
func ask(ctx context.Context, s Scanner, m *Material) (e Evidence) {
	defer func() {
		if r := recover(); r != nil {
			e = failed(s.Name(), fmt.Sprintf("stopped by an internal fault: %v", r))
		}
	}()
	e, err := s.Scan(ctx, m)
	if err != nil {
		return failed(s.Name(), err.Error())
	}
	e.Scanner = s.Name()
	return e
}

func failed(scanner, reason string) Evidence {
	return Evidence{Scanner: scanner, Gaps: []Gap{{Reason: reason}}}
}
