package main

import (
	"errors"
	"fmt"

	"github.com/landwaiter/landwaiter/store"
)

type ledgerRestartCommand struct {
	ledgerPlace
	Lost int64 `required:"" placeholder:"N" help:"How many entries you give up: the number that restore and serve name."`
}

// Help shows an example.
func (ledgerRestartCommand) Help() string {
	return `For after an older backup was restored, when newer ones are lost. The key that signed the lost entries must
never sign another tree. So its ledger ends, at the last size known, and a new one begins with the entries that are left,
with a name and a key of its own. The end is kept in ledger.endings, signed by both keys. Stop the service
first. When it is interrupted, run it again. With several machines copy ledger.key, ledger.rotations and
ledger.endings to the others.

Example:
  landwaiter ledger restart --data /var/lib/landwaiter --lost 12`
}

// Run restarts the ledger.
func (cmd *ledgerRestartCommand) Run(c *console) error {
	conf, err := cmd.load(c)
	if err != nil {
		return err
	}
	if _, err := conf.publicKey(); err != nil {
		return err
	}
	p := newProgress(c)
	defer p.done()
	files := store.LedgerFiles{Key: conf.ledgerKeyFile(), Rotations: conf.rotationsFile(), Checkpoint: conf.checkpointFile(), Endings: conf.endingsFile()}
	e, err := store.RestartLedger(c.ctx, store.Config{URL: conf.databaseURL}, files, cmd.Lost, p.of())
	p.done()
	var lost *store.LostError
	if errors.Is(err, store.ErrNothingLost) || errors.As(err, &lost) {
		return usage("nothing was changed: %w", err)
	}
	if err != nil {
		return keepError(err)
	}
	fmt.Fprintf(c.out, "A new ledger begins with the %d entries that are left. Its key is %s\nThe ledger of    %s ended.\n", e.Kept, e.New, e.Old)
	if !c.quiet {
		fmt.Fprintf(c.out, "Start the service. Tell auditors and witnesses: the new key, and %s.\n", conf.endingsFile())
	}
	return nil
}
