package app

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sameAsEncodingJSON compares what is read of body with what encoding/json reads.
func sameAsEncodingJSON(t *testing.T, name string, body []byte) {
	t.Helper()
	var want payload
	wanted := json.Unmarshal(body, &want)
	got, err := parsePayload(body)
	if (err == nil) != (wanted == nil) {
		t.Errorf("%s: error %v, encoding/json says %v", name, err, wanted)
		return
	}
	if wanted != nil {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-encoding/json +ours):\n%s", name, diff)
	}
}

func TestPayloadIsReadAsByEncodingJSON(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"plain":             `{"action":"opened","installation":{"id":7},"repository":{"id":9,"full_name":"a/b"},"pull_request":{"number":3}}`,
		"null objects":      `{"action":null,"installation":null,"repository":null,"pull_request":null,"changes":{"base":null},"repositories":null}`,
		"base changed":      `{"changes":{"base":{"ref":{"from":"main"}},"body":{"from":"before"}}}`,
		"name twice":        `{"action":"opened","action":"closed"}`,
		"invalid UTF-8":     "{\"action\":\"opened\",\"comment\":{\"body\":\"\xff\"}}",
		"half a surrogate":  `{"action":"opened","comment":{"body":"\ud800"}}`,
		"unknown and deep":  `{"action":"opened","x":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`,
		"too deep":          `{"x":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `}`,
		"text behind":       `{"action":"opened"} {`,
		"number as text":    `{"installation":{"id":"7"}}`,
		"number of a float": `{"installation":{"id":7.5}}`,
		"number too large":  `{"installation":{"id":99999999999999999999}}`,
		"cut off":           `{"action":"opened"`,
		"not an object":     `[]`,
		"empty":             ``,
	} {
		sameAsEncodingJSON(t, name, []byte(body))
	}
}

// TestPayloadsOfGitHub reads every recorded webhook.
func TestPayloadsOfGitHub(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("LANDWAITER_CORPUS")
	if dir == "" {
		t.Skip("needs LANDWAITER_CORPUS, the folder of the shared corpus")
	}
	read := 0
	err := filepath.WalkDir(filepath.Join(dir, "webhooks"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		body, err := os.ReadFile(path)
		sameAsEncodingJSON(t, path, body)
		read++
		return err
	})
	if err != nil || read < 100 {
		t.Fatalf("read %d webhooks: %v", read, err)
	}
}
