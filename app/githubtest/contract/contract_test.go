package contract

import (
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	start := time.Now()
	api, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("API description read in %v", time.Since(start))
	for _, p := range []string{"/repos/{owner}/{repo}", "/repos/{owner}/{repo}/pulls/{pull_number}", "/repos/{owner}/{repo}/check-runs", "/repos/{owner}/{repo}/attestations/{subject_digest}", "/repos/{owner}/{repo}/releases"} {
		start = time.Now()
		if _, err := api.Operation("GET", p); err != nil {
			t.Error(err)
		}
		t.Logf("%s: %v", p, time.Since(start))
	}
	start = time.Now()
	if err := Webhook("push", "", []byte(`{}`)); err == nil {
		t.Error("an empty push satisfies the schema")
	} else {
		t.Logf("webhook schemas read in %v: %v", time.Since(start), err)
	}
}
