package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

type backupCommand struct {
	ledgerPlace
	File string `arg:"" help:"File to write; it must not exist."`
}

// Help shows an example.
func (backupCommand) Help() string {
	return `Copies the SQLite database to a file while the service runs, and verifies the copy: its structure, and its
whole ledger. The file holds payloads and reports of private repositories, and appears whole or not at all.
It does not hold the keys; what else must be kept, and where, is printed. PostgreSQL has tools of its own:
docs/backup.md.

Example:
  landwaiter backup --data /var/lib/landwaiter /srv/backup/landwaiter-$(date +%F).db`
}

// Run makes a backup.
func (cmd *backupCommand) Run(c *console) error {
	conf, keyed, err := cmd.keyed(c)
	if err != nil {
		return err
	}
	p := newProgress(c)
	defer p.done()
	found, err := store.Backup(c.ctx, keyed, cmd.File, p.of())
	p.done()
	if err != nil {
		return keepError(err)
	}
	if c.quiet {
		return nil
	}
	fmt.Fprintf(c.out, "%s holds the database: %d bytes, schema %d.\nIts ledger was verified: %s.\n", cmd.File, found.Bytes, found.Schema, headLine(found.Head))
	fmt.Fprintf(c.out, `
Keep as well, in another place than this file:
  %s         signs the ledger: without it nothing can be recorded, with it a thief can forge
  %s   how that key was replaced, if there is such a file
  %s        signs verification summaries, and %s has the public keys that it replaced
  the configuration: the App's private key, the webhook secret, the database's address
Keep where whoever can change the database and the backups cannot change it:
  %s  the newest checkpoint: it shows that a restored database lacks nothing
Not needed: advisories and trust roots, which are fetched again.
`, conf.ledgerKeyFile(), conf.rotationsFile(), conf.summaryKeyFile(), conf.retiredKeysFile(), conf.checkpointFile())
	return nil
}

type restoreCommand struct {
	ledgerPlace
	Replace bool   `help:"Put the backup in the place of the database that is there; that is moved aside."`
	Older   bool   `help:"Take a backup that lacks entries of the ledger. The service does not start until landwaiter ledger restart."`
	File    string `arg:"" help:"Backup that landwaiter backup wrote."`
}

// Help shows an example.
func (restoreCommand) Help() string {
	return `Verifies a backup and makes it the SQLite database. Stop the service first. The keys must be in the data
folder: put ledger.key and ledger.rotations back before. When the checkpoint file tells of more
entries than the backup has, it is refused: docs/backup.md says how to go on.

Example:
  systemctl stop landwaiter
  landwaiter restore --data /var/lib/landwaiter --replace /srv/backup/landwaiter-2026-11-28.db
  systemctl start landwaiter`
}

// Run restores a backup.
func (cmd *restoreCommand) Run(c *console) error {
	conf, keyed, err := cmd.keyed(c)
	if err != nil {
		return err
	}
	p := newProgress(c)
	defer p.done()
	done, err := store.Restore(c.ctx, keyed, cmd.File, store.RestoreOptions{Replace: cmd.Replace, Older: cmd.Older}, p.of())
	p.done()
	var older *store.OlderError
	if errors.As(err, &older) {
		return &exitError{exitFail, fmt.Errorf("nothing was changed: %w.\n"+
			"Use a newer backup. Without one, --older takes this one; the service then refuses to start, because the ledger's key\n"+
			"must never sign another tree, until you give the %d entries up: landwaiter ledger restart --lost %d", err, older.Lacks(), older.Lacks())}
	}
	if err != nil {
		return keepError(err)
	}
	if c.quiet {
		return nil
	}
	fmt.Fprintf(c.out, "The database is the backup %s: schema %d, %s.\n", cmd.File, done.Schema, headLine(done.Head))
	if done.Aside != "" {
		fmt.Fprintf(c.out, "The database that was there is now %s; remove it when you are sure.\n", done.Aside)
	}
	switch {
	case done.Lacks() > 0:
		fmt.Fprintf(c.out, "The last %d entries of the ledger are lacking, and the service does not start. To give them up:\n  landwaiter ledger restart --lost %d\n", done.Lacks(), done.Lacks())
	case done.Outside.Origin == "":
		fmt.Fprintf(c.out, "There is no checkpoint file %s: nothing here tells whether entries are lacking. Compare with a checkpoint from elsewhere.\n", conf.checkpointFile())
	default:
		fmt.Fprintln(c.out, "It lacks no entry that the checkpoint file tells of. Start the service: it asks GitHub for what it missed.")
	}
	return nil
}

// keyed returns the configuration of an installation and what opens its database with the public
// half of its key.
func (p ledgerPlace) keyed(c *console) (config, store.Config, error) {
	conf, err := p.load(c)
	if err != nil {
		return conf, store.Config{}, err
	}
	key, err := conf.publicKey()
	if err != nil {
		return conf, store.Config{}, err
	}
	rotations, err := store.ReadRotations(conf.rotationsFile())
	if err != nil {
		return conf, store.Config{}, usage("%w", err)
	}
	return conf, store.Config{
		URL: conf.databaseURL, LedgerVerifiers: []string{key}, LedgerRotations: rotations, CheckpointFile: conf.checkpointFile(),
	}, nil
}

// headLine describes a ledger in a line.
func headLine(head ledger.Checkpoint) string {
	return fmt.Sprintf("%d entries of %s, root %s", head.Size, head.Origin, base64.StdEncoding.EncodeToString(head.Root[:]))
}

// keepError gives an error of backup, restore, export and import its exit code: 1 for a ledger that
// is not what was signed, 2 for a file or database that is not what was asked for.
func keepError(err error) error {
	var tampered *store.TamperedError
	switch {
	case errors.As(err, &tampered):
		return ledgerError(err)
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, store.ErrOccupied):
		return usage("%w; --replace moves it aside", err)
	case errors.Is(err, fs.ErrExist):
		return usage("%w; nothing is overwritten, choose another name", err)
	}
	return usage("%w", err)
}

// of returns what tells the store's progress to a person.
func (p *progress) of() store.Progress {
	return func(doing string, done, total int64) {
		if total > 0 {
			p.say("%s: %d of %d", doing, done, total)
			return
		}
		p.say("%s: %d", doing, done)
	}
}
