package pubkey

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Namespace is what a signature of a file says it is for (ssh-keygen -Y sign -n file).
const Namespace = "file"

// sshTypes are the algorithms that are accepted; DSA is not.
var sshTypes = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoRSA,
}

// isSSH reports whether a word of the line is the name of an SSH algorithm.
func isSSH(line string) bool {
	return slices.ContainsFunc(strings.Fields(line), isSSHType)
}

func isSSHType(word string) bool {
	return word == "ssh-dss" || slices.Contains(sshTypes, word) || strings.HasSuffix(word, "-cert-v01@openssh.com")
}

// readSSH reads a line of allowed_signers (ssh-keygen(1), "ALLOWED SIGNERS"), or the same
// without principals and options, as a .pub file has it.
func readSSH(line string) (Key, error) {
	if strings.Contains(line, "\n") {
		return Key{}, errors.New("there are several lines: give each SSH key by itself")
	}
	fields := sshFields(line)
	at := slices.IndexFunc(fields, isSSHType)
	if at < 0 || at+1 >= len(fields) || at > 2 {
		return Key{}, errors.New("the line should be: principals, options, algorithm and key, as in allowed_signers")
	}
	if at == 2 {
		if err := checkOptions(fields[1]); err != nil {
			return Key{}, err
		}
	}
	k := Key{Kind: SSH}
	if at > 0 {
		k.Principals = strings.Split(strings.Trim(fields[0], `"`), ",")
	}
	if !slices.Contains(sshTypes, fields[at]) {
		return Key{}, fmt.Errorf("SSH keys of the algorithm %s are not accepted: use ssh-ed25519", fields[at])
	}
	blob, err := base64.StdEncoding.DecodeString(fields[at+1])
	if err != nil {
		return Key{}, errors.New("the SSH key is not base64")
	}
	if k.SSH, err = ssh.ParsePublicKey(blob); err != nil {
		return Key{}, fmt.Errorf("the SSH key cannot be read: %w", err)
	}
	if k.SSH.Type() != fields[at] {
		return Key{}, fmt.Errorf("the SSH key is of the algorithm %s, but the line says %s", k.SSH.Type(), fields[at])
	}
	if c, ok := k.SSH.(ssh.CryptoPublicKey); ok {
		if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok {
			if err := checkRSA(r); err != nil {
				return Key{}, err
			}
		}
	}
	k.Identity = "ssh:" + ssh.FingerprintSHA256(k.SSH)
	return k, nil
}

// sshFields splits at spaces outside of quotes.
func sshFields(line string) []string {
	quoted := false
	return strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t')
	})
}

// checkOptions refuses options that would change what the key is good for, because an option
// that is written down and not applied is worse than none.
func checkOptions(options string) error {
	name, value, _ := strings.Cut(options, "=")
	if !strings.EqualFold(name, "namespaces") || strings.Count(value, `"`) != 2 {
		return fmt.Errorf("the option %s of the SSH key is not supported: leave it out; only namespaces=\"%s\" is", name, Namespace)
	}
	for _, n := range strings.Split(strings.Trim(value, `"`), ",") {
		if n == Namespace || n == "*" {
			return nil
		}
	}
	return fmt.Errorf("the SSH key is for other namespaces than %q, so it can sign no file", Namespace)
}

// KeyID returns the fingerprint of an Ed25519, ECDSA or RSA key as ssh-keygen prints it,
// "SHA256:...": the id that DSSE's libraries give a key (dsse.SHA256KeyID), and refuse an
// envelope over when it differs.
func KeyID(public crypto.PublicKey) (string, error) {
	k, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("taking the fingerprint of a public key: %w", err)
	}
	return ssh.FingerprintSHA256(k), nil
}
