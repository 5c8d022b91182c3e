package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/landwaiter/landwaiter/checks/pubkey"
)

// maxRetired bounds the file of replaced public keys, in bytes; one takes about 200.
const maxRetired = 1 << 20

// PublicKeys returns what those who verify need, as PEM: the key in force, then those in the
// file retired that it replaced, the newest first. Text before each block names its id and
// verifierID, so that a reader can compare both; it is not part of the key. With kmsResource
// the key in force is that one, and keyFile is not read.
func PublicKeys(ctx context.Context, keyFile, kmsResource, retired, verifierID string) ([]byte, error) {
	var k key
	var err error
	if kmsResource != "" {
		k, err = openKMS(ctx, kmsResource)
	} else {
		k, err = readFile(keyFile)
	}
	if err != nil {
		return nil, err
	}
	text, err := publicText(k.public(), "in force")
	if err != nil {
		return nil, err
	}
	old, err := readRetired(retired)
	return bytes.Join([][]byte{[]byte("Verifier-ID: " + verifierID + "\n"), text, old}, nil), err
}

// publicText is one public key with its id above it.
func publicText(public crypto.PublicKey, state string) ([]byte, error) {
	id, err := pubkey.KeyID(public)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("writing a public key: %w", err)
	}
	return append([]byte("Key-ID: "+id+" ("+state+")\n"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...), nil
}

// readRetired reads the file of replaced public keys; without a file there were none.
func readRetired(path string) ([]byte, error) {
	stat, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && stat.Size() > maxRetired {
		err = fmt.Errorf("it has more than %d bytes", maxRetired)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the replaced keys of summaries: %w", err)
	}
	return text, nil
}

// Rotate replaces the key in keyFile by a new one, and adds the public half of the old one to
// the file retired. Summaries that the old key signed stay verifiable with it: each names its
// key. It returns the ids of both.
//
// Its steps, each durable before the next: the new key is written to keyFile+".next"; the old
// public key is added to retired; the new key replaces the old one, whose private half is gone
// then. After an interruption doing it again finishes the same rotation. A process that runs
// on signs with the old key until it is started again.
func Rotate(keyFile, retired string) (from, to string, err error) {
	old, err := readFile(keyFile)
	if err != nil {
		return "", "", err
	}
	next, err := openFile(keyFile + ".next")
	if err != nil {
		return "", "", err
	}
	list, err := readRetired(retired)
	if err != nil {
		return "", "", err
	}
	text, err := publicText(old.public(), "replaced")
	if err != nil {
		return "", "", err
	}
	if !bytes.Contains(list, text) {
		if err := writeWhole(retired, append(text, list...), os.Rename); err != nil {
			return "", "", fmt.Errorf("writing the replaced keys of summaries: %w", err)
		}
	}
	if err := replace(keyFile+".next", keyFile); err != nil {
		return "", "", fmt.Errorf("replacing the key of summaries: %w", err)
	}
	return old.keyID, next.keyID, nil
}
