package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"github.com/landwaiter/landwaiter/store"
)

type databaseExportCommand struct {
	ledgerPlace
	File string `arg:"" help:"File to write; it must not exist."`
}

// Help shows an example.
func (databaseExportCommand) Help() string {
	return `Writes every row of the database to a file that landwaiter import reads into the other engine, SQLite or
PostgreSQL. Stop the service first: what arrives after an export is not in it. docs/backup.md walks through
the move.

Example:
  landwaiter export --data /var/lib/landwaiter landwaiter.export
  landwaiter import --data /var/lib/landwaiter --database postgres://landwaiter@db/landwaiter landwaiter.export`
}

// Run exports.
func (cmd *databaseExportCommand) Run(c *console) error {
	_, keyed, err := cmd.keyed(c)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(cmd.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return keepError(err)
	}
	p := newProgress(c)
	defer p.done()
	done, err := store.Export(c.ctx, keyed, f, p.of())
	p.done()
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return keepError(errors.Join(err, os.Remove(cmd.File)))
	}
	printCarried(c, cmd.File+" holds the whole database", done)
	return nil
}

type databaseImportCommand struct {
	ledgerPlace
	File string `arg:"" help:"File that landwaiter export wrote."`
}

// Help shows an example.
func (databaseImportCommand) Help() string {
	return `Fills an empty database with what landwaiter export wrote, in one transaction: all of it, or nothing. Every
table is read back and compared, and the whole ledger is verified. The data folder must hold ledger.key, and
ledger.rotations if there is one.

Example:
  landwaiter import --data /var/lib/landwaiter --database postgres://landwaiter@db/landwaiter landwaiter.export`
}

// Run imports.
func (cmd *databaseImportCommand) Run(c *console) error {
	_, keyed, err := cmd.keyed(c)
	if err != nil {
		return err
	}
	f, err := os.Open(cmd.File)
	if err != nil {
		return keepError(err)
	}
	defer f.Close()
	p := newProgress(c)
	defer p.done()
	done, err := store.Import(c.ctx, keyed, bufio.NewReaderSize(f, 1<<20), p.of())
	p.done()
	if err != nil {
		return keepError(fmt.Errorf("nothing was imported: %w", err))
	}
	printCarried(c, "The database holds all of "+cmd.File, done)
	return nil
}

// printCarried prints what was carried, so that two runs can be compared.
func printCarried(c *console, what string, done store.Carried) {
	if c.quiet {
		return
	}
	for _, t := range done.Tables {
		fmt.Fprintf(c.out, "%-20s %10d rows  %s\n", t.Table, t.Rows, t.Digest[:16])
	}
	fmt.Fprintf(c.out, "%s, each table with these rows and this digest.\nIts ledger was verified: %s.\n", what, headLine(done.Head))
}
