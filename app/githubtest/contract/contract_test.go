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
	if _, ok := api.Operation("GET", "/repos/{owner}/{repo}"); !ok {
		t.Error("no GET /repos/{owner}/{repo}")
	}
	start = time.Now()
	if err := Webhook("push", "", []byte(`{}`)); err == nil {
		t.Error("an empty push satisfies the schema")
	} else {
		t.Logf("webhook schemas read in %v: %v", time.Since(start), err)
	}
}
