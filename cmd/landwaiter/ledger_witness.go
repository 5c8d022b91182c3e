package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/landwaiter/landwaiter/store/ledger"
)

type ledgerWitnessCommand struct {
	ledgerSource
	Key   ledgerKeys `placeholder:"KEY" help:"Public key of the ledger, or a file that holds it. Needed the first time; later the state file has it."`
	State string     `required:"" placeholder:"FILE" help:"File that keeps the last checkpoint seen."`
}

// Help shows an example.
func (ledgerWitnessCommand) Help() string {
	return `Reads the newest checkpoint of a published ledger, verifies its signature and that the ledger only
grew since the last one seen, and keeps it. Run it now and then on a machine of your own: what it has
seen cannot be taken back unnoticed. It needs hashes, not entries.

Exit code 1 says that the ledger was rolled back or forked, or that somebody else signed; the state
file stays as it is then. Exit code 3 says that the ledger could not be read.

Example:
  landwaiter ledger witness --from https://landwaiter.example.com/ledger --key ledger.pub --state seen.json`
}

// witnessed is the state file.
type witnessed struct {
	Pinned     string    `json:"pinned"`     // the key that was given the first time
	Key        string    `json:"key"`        // the key followed now
	Checkpoint string    `json:"checkpoint"` // the newest one seen, as it was signed
	Seen       time.Time `json:"seen"`
}

// Run looks at the ledger once.
func (cmd *ledgerWitnessCommand) Run(c *console) error {
	if cmd.From == "" {
		return usage("--from is needed: the ledger to watch")
	}
	read, err := cmd.source(c)
	if err != nil {
		return err
	}
	state, err := cmd.load()
	if err != nil {
		return err
	}
	head, signed, key, err := publishedHead(read, []string{state.Key})
	if err != nil {
		return err
	}
	seen, err := state.compare(read, head, signed)
	if err != nil {
		return err
	}
	if key != state.Key {
		fmt.Fprintf(c.err, "landwaiter: the ledger's key was rotated to %s, signed by the one followed so far\n", key)
	}
	before := state.Seen
	state.Key = key
	state.Checkpoint, state.Seen = signed, time.Now().UTC().Truncate(time.Second)
	b, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	if err := writeWhole(cmd.State, append(b, '\n')); err != nil {
		return usage("writing --state: %w", err)
	}
	switch {
	case c.quiet:
	case before.IsZero():
		fmt.Fprintf(c.out, "The ledger %s has %d entries; it is followed from here on.\n", head.Origin, head.Size)
	default:
		fmt.Fprintf(c.out, "The ledger %s has %d entries and continues the %d seen at %s.\n", head.Origin, head.Size, seen.Size, day(before))
	}
	return nil
}

// load reads the state file, or begins one with the key given.
func (cmd *ledgerWitnessCommand) load() (witnessed, error) {
	keys, err := cmd.Key.read()
	if err != nil {
		return witnessed{}, err
	}
	content, err := os.ReadFile(cmd.State)
	if errors.Is(err, fs.ErrNotExist) {
		if len(keys) != 1 {
			return witnessed{}, usage("there is no state file %s yet: give one --key, the public key that the operator of the ledger told you", cmd.State)
		}
		return witnessed{Pinned: keys[0], Key: keys[0]}, nil
	}
	if err != nil {
		return witnessed{}, usage("reading --state: %w", err)
	}
	var state witnessed
	err = json.Unmarshal(content, &state)
	if err == nil {
		_, err = ledger.OriginOf(state.Key)
	}
	if err == nil && state.Checkpoint == "" {
		err = errors.New("it holds no checkpoint")
	}
	if err != nil {
		return state, usage("--state %s is damaged (%w): without it nothing is known of the past; find a copy, or begin with another file", cmd.State, err)
	}
	if len(keys) > 0 && !slices.Contains(keys, state.Pinned) && !slices.Contains(keys, state.Key) {
		return state, usage("--state %s follows the key %s, which is not the one given", cmd.State, state.Key)
	}
	return state, nil
}

// compare returns the checkpoint seen before when head continues it.
func (state witnessed) compare(read ledger.Source, head ledger.Checkpoint, signed string) (ledger.Checkpoint, error) {
	if state.Checkpoint == "" {
		return head, nil
	}
	// The keys of the past signed it; it was verified when it was seen.
	seen, err := ledger.OpenCheckpoint(state.Checkpoint, head.Origin, state.Key)
	if err != nil {
		return seen, usage("the state file is damaged: %w", err)
	}
	if head.Size < seen.Size {
		return seen, state.alarm(signed, "the ledger was rolled back: it has %d entries, and %d were seen at %s", head.Size, seen.Size, day(state.Seen))
	}
	proof, err := ledger.ProveConsistency(seen.Size, head.Size, read.Hashes(head))
	var unread *exitError
	if errors.As(err, &unread) {
		return seen, err
	}
	if err == nil {
		err = ledger.VerifyConsistency(seen, head, proof)
	}
	if err != nil {
		return seen, state.alarm(signed, "the ledger was forked: what it shows now with %d entries does not continue the %d seen at %s (%w)", head.Size, seen.Size, day(state.Seen), err)
	}
	return seen, nil
}

// alarm returns the error that shows both checkpoints: signed by one key, together they are the
// proof.
func (state witnessed) alarm(signed, format string, args ...any) error {
	return &exitError{exitFail, fmt.Errorf("%w\nKeep both checkpoints, they are the evidence.\nSeen before:\n%s\nShown now:\n%s", fmt.Errorf(format, args...), state.Checkpoint, signed)}
}
