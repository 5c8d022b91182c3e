package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/cmd/landwaiter/signer"
	"github.com/landwaiter/landwaiter/store"
)

type summaryCommand struct {
	Key       summaryKeyCommand    `cmd:"" help:"Print the public keys that verify summaries."`
	RotateKey summaryRotateCommand `cmd:"" help:"Replace the signing key; older summaries stay verifiable."`
}

// Help shows an example.
func (summaryCommand) Help() string {
	return "docs/summaries.md explains it.\n\nExample:\n  landwaiter summary key --data /var/lib/landwaiter > summary.pub"
}

// summaryPlace is where the key of an installation lies. Flags win over the environment.
type summaryPlace struct {
	Config string `placeholder:"FILE" env:"LANDWAITER_CONFIG" type:"existingfile" help:"Configuration file of serve; the environment wins over it."`
	Data   string `placeholder:"DIR" help:"Data folder of serve. Default: LANDWAITER_DATA_DIR, or landwaiter-data."`
}

// load reads the settings about the key. The public address may be unset.
func (p summaryPlace) load(c *console) (config, error) {
	file, err := readConfigFile(p.Config)
	if err != nil {
		return config{}, err
	}
	env := func(name string) (string, bool) {
		if name == "LANDWAITER_DATA_DIR" && p.Data != "" {
			return p.Data, true
		}
		return c.env(name)
	}
	var conf config
	for _, s := range settings {
		if s.name != "DATA_DIR" && s.name != "SUMMARY_KEY" && s.name != "PUBLIC_URL" {
			continue
		}
		name, value, err := s.lookup(env, file)
		if err == nil && value != "" {
			err = s.set(&conf, value)
		}
		if err != nil {
			return conf, usage("%s %v; it should be %s", name, err, s.should)
		}
	}
	return conf, nil
}

func (conf config) summaryKeyFile() string  { return filepath.Join(conf.dataDir, "summary.key") }
func (conf config) retiredKeysFile() string { return filepath.Join(conf.dataDir, "summary.keys") }

// kms is the key outside, "" for the one in the data folder.
func (conf config) kms() string {
	if strings.Contains(conf.summaryKey, "://") {
		return conf.summaryKey
	}
	return ""
}

// setSummaryKey accepts file, off, or the name of a key outside.
func setSummaryKey(c *config, v string) error {
	name, key, outside := strings.Cut(v, "://")
	if v != "file" && v != "off" && (!outside || name == "" || key == "") {
		return fmt.Errorf("is %q", v)
	}
	c.summaryKey = v
	return nil
}

type summaryKeyCommand struct{ summaryPlace }

// Help shows an example.
func (summaryKeyCommand) Help() string {
	return `Prints the verifier's id and the public keys: the one in force first, then those it replaced. Give the
output to those who verify; landwaiter verify --vsa-key takes it as it is.

Example:
  landwaiter summary key --data /var/lib/landwaiter > summary.pub`
}

// Run prints the keys.
func (cmd *summaryKeyCommand) Run(c *console) error {
	conf, err := cmd.load(c)
	if err != nil {
		return err
	}
	text, err := conf.summaryKeys(c.ctx)
	if err != nil {
		return err
	}
	_, err = c.out.Write(text)
	return err
}

// summaryKeys returns the public keys of an installation, as signer.PublicKeys writes them.
func (conf config) summaryKeys(ctx context.Context) ([]byte, error) {
	text, err := signer.PublicKeys(ctx, conf.summaryKeyFile(), conf.kms(), conf.retiredKeysFile(), conf.publicURL)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage("there is no key in %s: landwaiter serve makes one at its first start", conf.dataDir)
	}
	if err != nil {
		return nil, usage("%w", err)
	}
	return text, nil
}

type summaryRotateCommand struct{ summaryPlace }

// Help shows an example.
func (summaryRotateCommand) Help() string {
	return `Makes a new key. Summaries that were signed with the old one stay verifiable: each names its key, and
the old public key is kept in summary.keys. Start the service again to sign with the new key. When it is
interrupted, run it again. With several machines copy summary.key and summary.keys to the others.

Example:
  landwaiter summary rotate-key --data /var/lib/landwaiter
  systemctl restart landwaiter
  landwaiter summary key --data /var/lib/landwaiter > summary.pub`
}

// Run rotates the key.
func (cmd *summaryRotateCommand) Run(c *console) error {
	conf, err := cmd.load(c)
	if err != nil {
		return err
	}
	if conf.kms() != "" {
		return usage("LANDWAITER_SUMMARY_KEY names a key outside, which is rotated where it is kept; keep its old public key for those who verify old summaries")
	}
	from, to, err := signer.Rotate(conf.summaryKeyFile(), conf.retiredKeysFile())
	if errors.Is(err, fs.ErrNotExist) {
		return usage("there is no key in %s: landwaiter serve makes one at its first start", conf.dataDir)
	}
	if err != nil {
		return usage("%w", err)
	}
	fmt.Fprintf(c.out, "The key of summaries is now %s\nIt was                      %s\n", to, from)
	if !c.quiet {
		fmt.Fprintln(c.out, "Start the service again, and give those who verify the output of landwaiter summary key.")
	}
	return nil
}

// summaries returns what issues summaries, nil when they are off. A key file that cannot be
// used is an error at start. A key outside that cannot be reached is told in the log and asked
// again for each release: verdicts do not wait for it.
func (s *service) summaries(ctx context.Context) (func(ctx context.Context, key string, generation int64) (store.StoredSummary, error), error) {
	if s.conf.summaryKey == "off" {
		return nil, nil
	}
	c := signer.Config{
		Store: s.store, KeyFile: s.conf.summaryKeyFile(), KMS: s.conf.kms(),
		Verifier: summary.Verifier{ID: s.conf.publicURL, Server: webServer(s.conf.apiURL)},
	}
	opened, err := signer.Open(ctx, c)
	if err != nil && c.KMS == "" {
		return nil, usage("LANDWAITER_SUMMARY_KEY: %w", err)
	}
	if err != nil {
		s.log.Error("the key of summaries cannot be reached; it is asked again for each release", "error", err.Error())
	}
	var mu sync.Mutex
	return func(ctx context.Context, key string, generation int64) (store.StoredSummary, error) {
		mu.Lock()
		if err != nil {
			opened, err = signer.Open(ctx, c)
		}
		by, fault := opened, err
		mu.Unlock()
		if fault != nil {
			return store.StoredSummary{}, fault
		}
		return by.Issue(ctx, key, generation)
	}, nil
}

// webServer is where people see repositories, by the address of the API.
func webServer(api string) string {
	root := strings.TrimSuffix(strings.TrimSuffix(api, "/"), "/api/v3")
	switch {
	case root == "https://api.github.com":
		return "https://github.com"
	case strings.HasPrefix(root, "https://api.") && strings.HasSuffix(root, ".ghe.com"):
		return "https://" + strings.TrimPrefix(root, "https://api.")
	}
	return root
}
