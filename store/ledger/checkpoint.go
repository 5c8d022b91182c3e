package ledger

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// maxCheckpoint bounds a signed checkpoint in bytes; ours are below 300.
const maxCheckpoint = 64 << 10

// Checkpoint is the size and root of the ledger at one moment.
type Checkpoint struct {
	Origin string // the ledger's name
	Size   int64  // entries
	Root   Hash
}

// Text returns the body that is signed: origin, size and root on a line each.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// Sign returns c as a signed note. c.Origin must be the origin of the key.
func (k *Key) Sign(c Checkpoint) (string, error) {
	if c.Origin != k.Origin() {
		return "", fmt.Errorf("signing a checkpoint of %q with the key of %q", c.Origin, k.Origin())
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, k.signer)
	if err != nil {
		return "", fmt.Errorf("signing the checkpoint of size %d: %w", c.Size, err)
	}
	return string(signed), nil
}

// OpenCheckpoint reads a signed note and checks that one of verifiers (Key.Verifier's form)
// signed it for origin. Extension lines and further signatures are allowed and ignored.
func OpenCheckpoint(signed, origin string, verifiers ...string) (Checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return Checkpoint{}, fmt.Errorf("checkpoint is over %d bytes", maxCheckpoint)
	}
	known := make([]note.Verifier, 0, len(verifiers))
	for _, text := range verifiers {
		v, err := note.NewVerifier(text)
		if err != nil {
			return Checkpoint{}, fmt.Errorf("ledger public key %q: %w", text, err)
		}
		known = append(known, v)
	}
	n, err := note.Open([]byte(signed), note.VerifierList(known...))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("signature of the checkpoint: %w", err)
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: %w", err)
	}
	if c.Origin != origin {
		return Checkpoint{}, fmt.Errorf("checkpoint is of the ledger %q, not of %q", c.Origin, origin)
	}
	return c, nil
}

func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return Checkpoint{}, errors.New("fewer than three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	// The second comparison refuses signs and leading zeros: one tree, one text.
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, fmt.Errorf("size %q is not a number of entries", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != len(Hash{}) {
		return Checkpoint{}, fmt.Errorf("root %q is not 32 bytes in base64", lines[2])
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}, nil
}
