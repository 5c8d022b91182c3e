package main

import (
	"fmt"
	"os"

	"github.com/landwaiter/landwaiter/store"
)

type migrateCommand struct {
	ledgerPlace
	Status bool `help:"Only say how far the schema is. Exit code 1 when it is behind."`
}

// Help shows an example.
func (migrateCommand) Help() string {
	return `Brings the schema of the database up to date. serve does the same at its start, so this is for those
who want it to happen at a time of their own, such as before the first of several replicas is replaced. It
only goes forward, and several processes may do it at once. Make a backup before.

Example:
  landwaiter migrate --status
  landwaiter migrate --data /var/lib/landwaiter`
}

// Run migrates, or says how far the schema is.
func (cmd *migrateCommand) Run(c *console) error {
	conf, err := cmd.load(c)
	if err != nil {
		return err
	}
	place := store.Config{URL: conf.databaseURL}
	before, err := store.Schema(c.ctx, place)
	if err != nil {
		return usage("the database (--database): %w", err)
	}
	switch {
	case before.Have > before.Known:
		return usage("the database has schema %d and this Landwaiter knows %d: use the newer version", before.Have, before.Known)
	case before.Have == before.Known:
		cmd.say(c, "The schema is up to date: %d.", before.Have)
		return nil
	case cmd.Status:
		cmd.say(c, "The schema is %d; this Landwaiter has %d. Run landwaiter migrate, or start serve.", before.Have, before.Known)
		return &exitError{code: exitFail}
	}
	if err := os.MkdirAll(conf.dataDir, 0o700); err != nil {
		return usage("LANDWAITER_DATA_DIR: %w", err)
	}
	if err := store.Migrate(c.ctx, place); err != nil {
		return usage("%w", err)
	}
	cmd.say(c, "The schema went from %d to %d.", before.Have, before.Known)
	return nil
}

func (cmd *migrateCommand) say(c *console, format string, args ...any) {
	if !c.quiet {
		fmt.Fprintf(c.out, format+"\n", args...)
	}
}
