package main

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

type ledgerVerifyCommand struct {
	ledgerPlace
	ledgerSource
	Key ledgerKeys `placeholder:"KEY" help:"Public key, or a file that holds it; may be repeated. Default: that of the data folder. Needed with --from."`
}

// Help shows an example.
func (ledgerVerifyCommand) Help() string {
	return `Reads every entry, hash, checkpoint and report of the database and compares each with the others
and with the checkpoint file; with --from every entry and hash of a published ledger. It only reads.
Exit code 1 says that something was changed, and at which entry.

Example:
  landwaiter ledger verify --data /var/lib/landwaiter
  landwaiter ledger verify --from ./export --key ledger.pub`
}

// Run verifies a ledger.
func (cmd *ledgerVerifyCommand) Run(c *console) error {
	p := newProgress(c)
	defer p.done()
	verify := cmd.database
	if cmd.From != "" {
		verify = cmd.published
	}
	head, err := verify(c, p)
	p.done()
	if err != nil {
		return ledgerError(err)
	}
	if !c.quiet {
		fmt.Fprintf(c.out, "The ledger %s holds: %d entries, root %s.\n", head.Origin, head.Size, base64.StdEncoding.EncodeToString(head.Root[:]))
	}
	return nil
}

func (cmd *ledgerVerifyCommand) database(c *console, p *progress) (ledger.Checkpoint, error) {
	db, err := cmd.open(c, cmd.Key)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	defer db.Close()
	// The head before: what is verified is at least that.
	head, _, err := db.LedgerHead(c.ctx)
	if err != nil {
		return head, err
	}
	return head, db.VerifyLedger(c.ctx, func(done, total int64) { p.say("verified %d of %d entries", done, total) })
}

func (cmd *ledgerVerifyCommand) published(c *console, p *progress) (ledger.Checkpoint, error) {
	read, err := cmd.source(c)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	verifiers, err := cmd.Key.read()
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	if len(verifiers) == 0 {
		return ledger.Checkpoint{}, usage("--from needs --key: a ledger that brings its own key proves nothing")
	}
	head, _, _, err := publishedHead(read, verifiers)
	if err != nil {
		return head, err
	}
	return head, ledger.VerifyTiles(read, head, func(index int64, leaf []byte) error {
		p.say("verified %d of %d entries", index, head.Size)
		if _, err := store.ParseLeaf(leaf); err != nil {
			return &store.TamperedError{Index: index, Detail: err.Error()}
		}
		return nil
	})
}

// maxRotationsBytes bounds the rotations of a published ledger; one takes about 700 bytes.
const maxRotationsBytes = 1 << 20

// publishedHead reads and verifies the checkpoint of a published ledger, and returns the key that
// signed it: one of verifiers, or one that they were rotated to.
func publishedHead(read ledger.Source, verifiers []string) (c ledger.Checkpoint, signed, key string, err error) {
	origin, err := ledger.OriginOf(verifiers[0])
	if err != nil {
		return c, "", "", err
	}
	b, err := read("checkpoint", maxCheckpointBytes)
	if err != nil {
		return c, "", "", err
	}
	if c, key, err = openWithOne(string(b), origin, verifiers); err == nil {
		return c, string(b), key, nil
	}
	heirs, rotationErr := successors(read, verifiers)
	if rotationErr == nil {
		c, key, err = openWithOne(string(b), origin, heirs)
	}
	if err != nil {
		return c, "", "", &exitError{exitFail, fmt.Errorf("the checkpoint is not signed by the key given, nor by one that it was rotated to: %w", errors.Join(err, rotationErr))}
	}
	return c, string(b), key, nil
}

// openWithOne returns which of verifiers signed a checkpoint.
func openWithOne(signed, origin string, verifiers []string) (c ledger.Checkpoint, key string, err error) {
	for _, key = range verifiers {
		if c, err = ledger.OpenCheckpoint(signed, origin, key); err == nil && ledger.NextKey(signed) != "" {
			return c, heirOf(signed, origin, key), nil
		} else if err == nil {
			return c, key, nil
		}
	}
	return c, "", err
}

// heirOf returns the key that a checkpoint signed by key passes the ledger on to, when that key
// signed as well.
func heirOf(signed, origin, key string) string {
	heir := ledger.NextKey(signed)
	if _, err := (ledger.Rotation{Old: key, New: heir, Note: signed}).Check(); err != nil {
		return key
	}
	return heir
}

// successors returns what verifiers were rotated to, as the published ledger shows it.
func successors(read ledger.Source, verifiers []string) ([]string, error) {
	b, err := read("rotations", maxRotationsBytes)
	if err != nil {
		return nil, err
	}
	rotations, err := store.ParseRotations(b)
	if err != nil {
		return nil, err
	}
	var heirs []string
	for _, v := range verifiers {
		heir, err := ledger.Successor(v, rotations)
		if err != nil {
			return nil, err
		}
		heirs = append(heirs, heir)
	}
	return heirs, nil
}
