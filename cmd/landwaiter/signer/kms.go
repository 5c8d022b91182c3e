package signer

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"
	"github.com/sigstore/sigstore/pkg/signature/options"

	"github.com/landwaiter/landwaiter/checks/pubkey"
)

// kmsTimeout bounds one question to a key outside.
const kmsTimeout = 30 * time.Second

// kmsKey signs with a key that never leaves where it is kept. The clients of cloud providers
// are not linked in: each brings the whole SDK of its cloud. Sigstore's plugin protocol asks a
// program, sigstore-kms-NAME, for each signature instead.
type kmsKey struct {
	keyID    string
	resource string
	signer   signature.SignerVerifier
	known    crypto.PublicKey
}

func (k *kmsKey) id() string               { return k.keyID }
func (k *kmsKey) public() crypto.PublicKey { return k.known }

// openKMS finds the program of a resource NAME://KEY and asks it for the public key.
func openKMS(ctx context.Context, resource string) (*kmsKey, error) {
	sv, err := kms.Get(context.WithoutCancel(ctx), resource, crypto.SHA256)
	var missing *kms.ProviderNotFoundError
	if errors.As(err, &missing) {
		return nil, fmt.Errorf("the key of summaries %s: no program sigstore-kms-NAME for its NAME is in PATH: %w", resource, err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the key of summaries %s: %w", resource, err)
	}
	ctx, cancel := context.WithTimeout(ctx, kmsTimeout)
	defer cancel()
	public, err := sv.PublicKey(options.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("asking for the public key of %s: %w", resource, err)
	}
	id, err := pubkey.KeyID(public)
	return &kmsKey{id, resource, sv, public}, err
}

// sign asks the key, and checks the answer: a summary that nobody can verify is worse than none.
func (k *kmsKey) sign(ctx context.Context, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, kmsTimeout)
	defer cancel()
	made, err := k.signer.SignMessage(bytes.NewReader(message), options.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("asking %s for a signature: %w", k.resource, err)
	}
	check, err := signature.LoadVerifier(k.known, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("the key %s: %w", k.resource, err)
	}
	if err := check.VerifySignature(bytes.NewReader(made), bytes.NewReader(message)); err != nil {
		return nil, fmt.Errorf("the signature of %s does not fit its public key: %w", k.resource, err)
	}
	return made, nil
}
