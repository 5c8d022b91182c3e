package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/store"
	"github.com/landwaiter/landwaiter/store/ledger"
)

type ledgerCommand struct {
	Verify    ledgerVerifyCommand  `cmd:"" help:"Check the whole ledger: the database's, or a published one."`
	Proof     ledgerProofCommand   `cmd:"" help:"Print the proof that a report is in the ledger."`
	Check     ledgerCheckCommand   `cmd:"" help:"Check such a proof, offline and without the database."`
	Export    ledgerExportCommand  `cmd:"" help:"Write the ledger to a folder that any web server can publish."`
	Witness   ledgerWitnessCommand `cmd:"" help:"Follow a published ledger: it may only grow."`
	RotateKey ledgerRotateCommand  `cmd:"" help:"Replace the signing key; the old one signs for the new one."`
	Restart   ledgerRestartCommand `cmd:"" help:"Begin a new ledger after entries were lost with an older backup."`
	Key       ledgerKeyCommand     `cmd:"" help:"Print the public key."`
}

// Help shows an example.
func (ledgerCommand) Help() string {
	return "docs/ledger.md explains it.\n\nExample:\n  landwaiter ledger verify --data /var/lib/landwaiter"
}

// ledgerPlace is where the ledger of an installation lies. Flags win over the environment.
type ledgerPlace struct {
	Config   string `placeholder:"FILE" env:"LANDWAITER_CONFIG" type:"existingfile" help:"Configuration file of serve; the environment wins over it."`
	Data     string `placeholder:"DIR" help:"Data folder of serve. Default: LANDWAITER_DATA_DIR, or landwaiter-data."`
	Database string `placeholder:"URL" help:"Database of serve. Default: LANDWAITER_DATABASE_URL, or a SQLite file in the data folder."`
}

// load reads the two settings that say where the ledger is.
func (p ledgerPlace) load(c *console) (config, error) {
	file, err := readConfigFile(p.Config)
	if err != nil {
		return config{}, err
	}
	flags := map[string]string{"LANDWAITER_DATA_DIR": p.Data, "LANDWAITER_DATABASE_URL": p.Database}
	env := func(name string) (string, bool) {
		if v := flags[name]; v != "" {
			return v, true
		}
		return c.env(name)
	}
	var conf config
	for _, s := range settings {
		if s.name != "DATA_DIR" && s.name != "DATABASE_URL" {
			continue
		}
		name, value, err := s.lookup(env, file)
		if err == nil {
			err = s.set(&conf, value)
		}
		if err != nil {
			return conf, usage("%s %v; it should be %s", name, err, s.should)
		}
	}
	return conf, nil
}

func (conf config) ledgerKeyFile() string  { return filepath.Join(conf.dataDir, "ledger.key") }
func (conf config) checkpointFile() string { return filepath.Join(conf.dataDir, "ledger.checkpoint") }

func (conf config) rotationsFile() string { return filepath.Join(conf.dataDir, "ledger.rotations") }

func (conf config) endingsFile() string { return filepath.Join(conf.dataDir, "ledger.endings") }

// open opens the database for reading. Without keys the public half of the installation's own
// key counts.
func (p ledgerPlace) open(c *console, keys ledgerKeys) (*store.DB, error) {
	conf, err := p.load(c)
	if err != nil {
		return nil, err
	}
	rotations, err := store.ReadRotations(conf.rotationsFile())
	if err != nil {
		return nil, usage("%w", err)
	}
	verifiers, err := conf.trusted(keys, rotations)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(c.ctx, store.Config{
		URL: conf.databaseURL, ReadOnly: true, LedgerVerifiers: verifiers, LedgerRotations: rotations, CheckpointFile: conf.checkpointFile(),
	})
	if err != nil {
		return nil, usage("opening the database (--database): %w", err)
	}
	return db, nil
}

// trusted returns the public keys that the command line trusts, each with what it was rotated to,
// or else the installation's own.
func (conf config) trusted(keys ledgerKeys, rotations []ledger.Rotation) ([]string, error) {
	verifiers, err := keys.read()
	if err != nil {
		return nil, err
	}
	if len(verifiers) == 0 {
		key, err := conf.publicKey()
		return []string{key}, err
	}
	for i, v := range verifiers {
		if verifiers[i], err = ledger.Successor(v, rotations); err != nil {
			return nil, &exitError{exitFail, fmt.Errorf("%s: %w", conf.rotationsFile(), err)}
		}
	}
	slices.Sort(verifiers)
	return slices.Compact(verifiers), nil
}

// publicKey returns the public half of the key in the data folder.
func (conf config) publicKey() (string, error) {
	key, err := store.ReadLedgerKey(conf.ledgerKeyFile())
	if errors.Is(err, fs.ErrNotExist) {
		return "", usage("there is no ledger key in %s: name the data folder of serve with --data", conf.dataDir)
	}
	if err != nil {
		return "", usage("%w", err)
	}
	return key.Verifier(), nil
}

// ledgerKeys are public keys on the command line: the text itself, or a file that holds it.
type ledgerKeys []string

// maxKeyFile bounds a file with a public key in bytes; a key is about a hundred.
const maxKeyFile = 4 << 10

func (keys ledgerKeys) read() ([]string, error) {
	var verifiers []string
	for _, k := range keys {
		text := k
		if _, err := ledger.OriginOf(k); err != nil {
			stat, statErr := os.Stat(k)
			if statErr != nil || stat.Size() > maxKeyFile {
				return nil, usage("--key: %w, or a file that holds it", err)
			}
			content, err := os.ReadFile(k)
			if err != nil {
				return nil, usage("reading --key: %w", err)
			}
			text = strings.TrimSpace(string(content))
		}
		if _, err := ledger.OriginOf(text); err != nil {
			return nil, usage("--key %s: %w", k, err)
		}
		verifiers = append(verifiers, text)
	}
	return verifiers, nil
}

// ledgerError gives an error of reading the ledger its exit code.
func ledgerError(err error) error {
	var tampered *store.TamperedError
	var bad *ledger.BadTileError
	switch {
	case errors.As(err, &tampered), errors.As(err, &bad):
		return &exitError{exitFail, fmt.Errorf("the ledger is not what was signed: %w", err)}
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrKeyRotated):
		return usage("%w", err)
	}
	return err
}

type ledgerKeyCommand struct{ ledgerPlace }

// Help shows an example.
func (ledgerKeyCommand) Help() string {
	return "The public key is what others verify with. Give it to them by a way that does not lead through\nthe ledger.\n\nExample:\n  landwaiter ledger key > landwaiter-ledger.pub"
}

// Run prints the public key.
func (cmd *ledgerKeyCommand) Run(c *console) error {
	conf, err := cmd.load(c)
	if err != nil {
		return err
	}
	key, err := conf.publicKey()
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, key)
	return nil
}
