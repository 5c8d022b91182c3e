package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/handler"

	"github.com/landwaiter/landwaiter/checks/summary"
	"github.com/landwaiter/landwaiter/cmd/landwaiter/signer"
)

// This test binary is also a program sigstore-kms-testing: it keeps an ECDSA key in a file that
// the resource names, and waits at two named pipes when it is told to be slow.

const pluginName = "sigstore-kms-testing"

func isPlugin() bool { return filepath.Base(os.Args[0]) == pluginName }

// plugin answers one question of Sigstore's plugin protocol.
func plugin() int {
	args, err := handler.GetPluginArgs(os.Args)
	if err != nil {
		return 1
	}
	k, err := openPluginKey(args.InitOptions.KeyResourceID)
	if err != nil {
		if err := handler.WriteErrorResponse(os.Stdout, err); err != nil {
			return 1
		}
		return 0
	}
	if _, err := handler.Dispatch(os.Stdout, os.Stdin, args, k); err != nil {
		return 1
	}
	return 0
}

// pluginKey is a key "in a KMS".
type pluginKey struct {
	signature.SignerVerifier
	folder, manner string
}

func openPluginKey(resource string) (*pluginKey, error) {
	folder, manner, _ := strings.Cut(resource, "?")
	text, err := os.ReadFile(filepath.Join(folder, "key.pem"))
	if err != nil {
		return nil, errors.New("no such key")
	}
	block, _ := pem.Decode(text)
	private, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	sv, err := signature.LoadECDSASignerVerifier(private, crypto.SHA256)
	return &pluginKey{sv, folder, manner}, err
}

// SignMessage signs, or does what the resource says.
func (k *pluginKey) SignMessage(message io.Reader, o ...signature.SignOption) ([]byte, error) {
	switch k.manner {
	case "slow":
		if f, err := os.OpenFile(filepath.Join(k.folder, "asked"), os.O_WRONLY, 0); err == nil {
			_ = f.Close() // the test waits for it to be opened
		}
		if f, err := os.Open(filepath.Join(k.folder, "go")); err == nil {
			_ = f.Close()
		}
	case "denied":
		return nil, errors.New("access denied")
	case "wrong":
		message = strings.NewReader("something else")
	}
	return k.SignerVerifier.SignMessage(message, o...)
}

func (k *pluginKey) CreateKey(context.Context, string) (crypto.PublicKey, error) {
	return nil, errors.New("not here")
}

func (k *pluginKey) CryptoSigner(context.Context, func(error)) (crypto.Signer, crypto.SignerOpts, error) {
	return nil, nil, errors.New("not here")
}
func (k *pluginKey) SupportedAlgorithms() []string { return []string{"ecdsa-p256-sha256"} }
func (k *pluginKey) DefaultAlgorithm() string      { return "ecdsa-p256-sha256" }

// TestKMS: a key outside signs each summary; its public key verifies them with Sigstore's own
// library, and its refusals leave nothing behind.
func TestKMS(t *testing.T) {
	resource := installPlugin(t)
	f := newFixture(t)
	f.record(t, 1, report())
	size := f.size(t)
	for manner, says := range map[string]string{"denied": "access denied", "wrong": "does not fit its public key"} {
		s, err := signer.Open(t.Context(), signer.Config{Store: f.DB, KMS: resource + "?" + manner, Verifier: verifier})
		must(t, err)
		if _, err := s.Issue(t.Context(), subject, 1); err == nil || !strings.Contains(err.Error(), says) || f.size(t) != size {
			t.Errorf("%s: %v, and a ledger of %d", manner, err, f.size(t))
		}
	}
	s, err := signer.Open(t.Context(), signer.Config{Store: f.DB, KMS: resource, Verifier: verifier})
	must(t, err)
	got, err := s.Issue(t.Context(), subject, 1)
	must(t, err)
	text, err := signer.PublicKeys(t.Context(), "", resource, "", verifier.ID)
	must(t, err)
	block, _ := pem.Decode(text)
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	must(t, err)
	v, err := signature.LoadVerifier(public, crypto.SHA256)
	must(t, err)
	for line := range bytes.Lines(got.File) {
		var e summary.Envelope
		must(t, json.Unmarshal(line, &e))
		payload, err := base64.StdEncoding.DecodeString(e.Payload)
		must(t, err)
		sig, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
		must(t, err)
		if err := v.VerifySignature(bytes.NewReader(sig), bytes.NewReader(summary.PAE(e.PayloadType, payload))); err != nil || e.Signatures[0].KeyID != s.KeyID() {
			t.Errorf("key %s: %v", e.Signatures[0].KeyID, err)
		}
	}
	for resource, says := range map[string]string{
		"nobody://key": "sigstore-kms-NAME", "no resource": "sigstore-kms-NAME", "testing:///nowhere": "no such key",
	} {
		if _, err := signer.Open(t.Context(), signer.Config{Store: f.DB, KMS: resource, Verifier: verifier}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", resource, err)
		}
	}
}

// installPlugin puts the program into PATH and a key beside it, and returns the resource.
func installPlugin(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	self, err := os.Executable()
	must(t, err)
	must(t, os.Symlink(self, filepath.Join(folder, pluginName)))
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := x509.MarshalECPrivateKey(private)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(folder, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600))
	return "testing://" + folder
}
