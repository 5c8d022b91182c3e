package signer

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/landwaiter/landwaiter/checks/pubkey"
)

// key signs. Nothing returns its private half.
type key interface {
	id() string
	public() crypto.PublicKey
	// sign signs message: Ed25519 over the message, all others over its SHA-256.
	sign(ctx context.Context, message []byte) ([]byte, error)
}

// fileKey is an Ed25519 key in a file of its own.
type fileKey struct {
	keyID   string
	private ed25519.PrivateKey
}

func (k *fileKey) id() string               { return k.keyID }
func (k *fileKey) public() crypto.PublicKey { return k.private.Public() }
func (k *fileKey) sign(_ context.Context, message []byte) ([]byte, error) {
	return ed25519.Sign(k.private, message), nil
}

// openFile reads the key in path, or makes one.
func openFile(path string) (*fileKey, error) {
	k, err := readFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := makeFile(path, os.Link); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making the key of summaries: %w", err)
	}
	return readFile(path) // of this process, or of another one that was first
}

// readFile reads a key. It refuses a file that others may read.
func readFile(path string) (*fileKey, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key of summaries: %w", err)
	}
	if stat.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the key of summaries %s may be read by others (mode %04o): run chmod 600 on it", path, stat.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key of summaries: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("the key of summaries %s is no PEM block PRIVATE KEY", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok { // err is left out: it could say something of the key
		return nil, fmt.Errorf("the key of summaries %s is no Ed25519 key", path)
	}
	id, err := pubkey.KeyID(private.Public())
	return &fileKey{id, private}, err
}

// makeFile writes a new key to path. put moves the finished file there: os.Link fails with
// fs.ErrExist when there is one.
func makeFile(path string, put func(from, to string) error) error {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	return writeWhole(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), put)
}

// writeWhole writes a file of mode 0600 so that after a crash path holds all of it or what it
// held before.
func writeWhole(path string, content []byte, put func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	// After os.Rename there is nothing left to remove, and after a fault the fault is told.
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := put(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// replace makes the file next the one at path, durably.
func replace(next, path string) error {
	if err := os.Rename(next, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
