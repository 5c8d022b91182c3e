package main

import (
	"fmt"

	"github.com/landwaiter/landwaiter/store"
)

type ledgerRotateCommand struct{ ledgerPlace }

// Help shows an example.
func (ledgerRotateCommand) Help() string {
	return `Makes a new key and has the old one sign for it, so that those who trust the old key can follow.
Stop every process of the service first; those that run on append nothing until they are started
again with the new key. When it is interrupted, run it again. With PostgreSQL and several machines copy
ledger.key and ledger.rotations from this data folder to the others before you start them.

Example:
  systemctl stop landwaiter
  landwaiter ledger rotate-key --data /var/lib/landwaiter
  systemctl start landwaiter`
}

// Run rotates the key.
func (cmd *ledgerRotateCommand) Run(c *console) error {
	conf, err := cmd.load(c)
	if err != nil {
		return err
	}
	if _, err := conf.publicKey(); err != nil { // says what to do without one
		return err
	}
	r, err := store.RotateLedgerKey(c.ctx, store.Config{URL: conf.databaseURL, CheckpointFile: conf.checkpointFile()}, conf.ledgerKeyFile(), conf.rotationsFile())
	if err != nil {
		return ledgerError(err)
	}
	fmt.Fprintf(c.out, "The ledger's key is now %s\nIt was             %s\n", r.New, r.Old)
	if !c.quiet {
		fmt.Fprintln(c.out, "Start the service again. Tell auditors the new key; who has the old one finds the way in ledger.rotations.")
	}
	return nil
}
