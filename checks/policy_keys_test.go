package checks_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

// TestParsePolicyPGPKeys reads an armored key as people paste it, and refuses two in one.
func TestParsePolicyPGPKeys(t *testing.T) {
	t.Parallel()
	var blocks []string
	for _, name := range []string{"release.pub.asc", "other.pub.asc"} {
		data, err := os.ReadFile(filepath.Join("pubkey", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, string(data))
	}
	policy := func(keys ...string) ([]byte, string) {
		text := "version: 1\nreleases:\n  trust:\n    pgp_keys:\n"
		for _, k := range keys {
			text += "      - |\n        " + strings.ReplaceAll(strings.TrimSpace(k), "\n", "\n        ") + "\n"
		}
		return []byte(text), "p.yml"
	}
	p, err := checks.ParsePolicy(policy(blocks...))
	if err != nil || len(p.Releases.Trust.PGPKeys) != 2 || len(p.Releases.Trust.AllKeys()) != 2 {
		t.Fatalf("got %+v, %v", p, err)
	}
	if _, err := checks.ParsePolicy(policy(blocks[0] + blocks[1])); err == nil || !strings.Contains(err.Error(), "p.yml:5: needs one armored block") || !strings.Contains(err.Error(), "each key by itself") {
		t.Errorf("two in one: got %v", err)
	}
}

// TestPolicyDigestWithoutKeys: policies from before the keys of other tools keep their digest.
func TestPolicyDigestWithoutKeys(t *testing.T) {
	t.Parallel()
	const key = "RWRAkKc7YaVvMKzd12PmBYxlj3vS18TZxVQoKDN/z2omqmUOZ9Ytdc56"
	without, err := checks.ParsePolicy([]byte("version: 1\n"), "p.yml")
	if err != nil {
		t.Fatal(err)
	}
	with, err := checks.ParsePolicy([]byte("version: 1\nreleases: {trust: {minisign_keys: ["+key+"]}}\n"), "p.yml")
	if err != nil || with.Digest == without.Digest {
		t.Errorf("a key more does not change the digest: %v", err)
	}
	empty, err := checks.ParsePolicy([]byte("version: 1\nreleases: {trust: {minisign_keys: []}}\n"), "p.yml")
	if err != nil || empty.Digest != without.Digest {
		t.Errorf("no key changes the digest: %v", err)
	}
}
