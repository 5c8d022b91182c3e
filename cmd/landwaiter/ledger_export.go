package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

type ledgerExportCommand struct {
	ledgerPlace
	HashesOnly bool   `help:"Leave the entries out, which hold reports with names of repositories: what is left shows no report."`
	Dir        string `arg:"" help:"Folder to write; it may hold an earlier export of the same ledger."`
}

// Help shows an example.
func (ledgerExportCommand) Help() string {
	return `Writes the ledger as files in the layout of C2SP tlog-tiles: checkpoint, tile/..., and the public key.
Run it again to add what is new; what is complete is not read again. Files are readable for you alone:
entries hold reports on private repositories.

Example:
  landwaiter ledger export ./export
  landwaiter ledger verify --from ./export --key ledger.pub`
}

// Run exports the ledger.
func (cmd *ledgerExportCommand) Run(c *console) error {
	db, err := cmd.open(c, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	p := newProgress(c)
	defer p.done()
	e := &ledgerExport{db: db, dir: cmd.Dir, hashesOnly: cmd.HashesOnly, p: p, rotations: db.LedgerRotations()}
	head, err := e.run(c)
	p.done()
	if err != nil {
		return ledgerError(err)
	}
	if !c.quiet {
		fmt.Fprintf(c.out, "%s holds the ledger %s up to its entry count of %d; %d files were written.\n", cmd.Dir, head.Origin, head.Size, e.written)
	}
	return nil
}

// ledgerExport writes one export.
type ledgerExport struct {
	db         *store.DB
	dir        string
	hashesOnly bool
	rotations  []ledger.Rotation
	p          *progress
	written    int
}

// run writes what the folder lacks, the checkpoint last: it promises all the rest.
func (e *ledgerExport) run(c *console) (ledger.Checkpoint, error) {
	head, signed, err := e.db.LedgerHead(c.ctx)
	if err != nil {
		return head, err
	}
	key := e.db.LedgerSignedBy(signed)
	if err := e.continues(c, head, key); err != nil {
		return head, err
	}
	err = ledger.Tiles(head.Size, func(t ledger.Tile) error {
		if t.Entries() && e.hashesOnly {
			return nil
		}
		e.p.say("exporting %s of %d entries", t.Path(), head.Size)
		if t.Full() && e.has(t) {
			return nil
		}
		return e.tile(c, t)
	})
	if err != nil {
		return head, err
	}
	rotations, err := store.FormatRotations(e.rotations)
	if err != nil {
		return head, err
	}
	if err := e.write("rotations", rotations); err != nil {
		return head, err
	}
	if err := e.write("key", []byte(key+"\n")); err != nil {
		return head, err
	}
	return head, e.write("checkpoint", []byte(signed))
}

// continues refuses a folder that holds another ledger, or a part that this one lacks.
func (e *ledgerExport) continues(c *console, head ledger.Checkpoint, key string) error {
	signed, err := os.ReadFile(filepath.Join(e.dir, "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return usage("reading the earlier export: %w", err)
	}
	older, err := ledger.OpenCheckpoint(string(signed), head.Origin, e.db.LedgerVerifiers()...)
	if err != nil {
		return &exitError{exitFail, fmt.Errorf("%s holds an export that is not of this ledger (key %s): %w", e.dir, key, err)}
	}
	if older.Size > head.Size {
		return &exitError{exitFail, fmt.Errorf("%s holds %d entries of this ledger, the database only %d: entries were removed, or an older copy was restored", e.dir, older.Size, head.Size)}
	}
	proof, err := e.db.ProveConsistency(c.ctx, older.Size, head.Size)
	if err != nil {
		return err
	}
	if err := ledger.VerifyConsistency(older, head, proof); err != nil {
		return &exitError{exitFail, fmt.Errorf("the ledger does not continue what was exported to %s: %w", e.dir, err)}
	}
	return nil
}

// has says whether a full tile was exported before. Files appear whole or not at all.
func (e *ledgerExport) has(t ledger.Tile) bool {
	stat, err := os.Stat(filepath.Join(e.dir, filepath.FromSlash(t.Path())))
	return err == nil && stat.Mode().IsRegular()
}

// tile writes a tile. Entries are compared with the hashes beside them first.
func (e *ledgerExport) tile(c *console, t ledger.Tile) error {
	b, err := e.db.LedgerTile(c.ctx, t)
	if err != nil {
		return err
	}
	if t.Entries() {
		if err := e.checkBundle(c, t, b); err != nil {
			return err
		}
	}
	return e.write(t.Path(), b)
}

func (e *ledgerExport) checkBundle(c *console, t ledger.Tile, b []byte) error {
	leaves, err := ledger.ReadBundle(b, t.Width)
	if err != nil {
		return err
	}
	hashes, err := e.db.LedgerTile(c.ctx, ledger.Tile{N: t.N, Width: t.Width})
	if err != nil {
		return err
	}
	for i, leaf := range leaves {
		h := ledger.LeafHash(leaf)
		if !bytes.Equal(h[:], hashes[i*len(h):(i+1)*len(h)]) {
			return &store.TamperedError{Index: t.N*ledger.TileWidth + int64(i), Detail: "its bytes do not give its hash"}
		}
	}
	return nil
}

// write writes a file whole or not at all.
func (e *ledgerExport) write(name string, content []byte) error {
	path := filepath.Join(e.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return usage("writing the export: %w", err)
	}
	if err := writeWhole(path, content); err != nil {
		return usage("writing the export: %w", err)
	}
	e.written++
	return nil
}

// writeWhole writes a file of mode 0600 so that after a crash the path holds all of content or
// what it held before.
func writeWhole(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing left to remove
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
