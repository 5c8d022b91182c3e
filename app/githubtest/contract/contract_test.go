package contract

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func operationOf(t *testing.T, method, template string) *Operation {
	t.Helper()
	api, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	op, err := api.Operation(method, template)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func TestUnknownOperation(t *testing.T) {
	t.Parallel()
	api, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"GET /nonsense", "PUT /repos/{owner}/{repo}", "GET /repos/{owner}/{name}"} {
		method, template, _ := strings.Cut(name, " ")
		if _, err := api.Operation(method, template); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v, want ErrUnknown", name, err)
		}
	}
}

func TestResponse(t *testing.T) {
	t.Parallel()
	label := `{"id":1,"node_id":"x","url":"https://example.com","name":"bug","description":null,"color":"ededed","default":false}`
	tests := map[string]struct {
		status int
		body   string
		wrong  string // part of the error, "" for none
	}{
		"right":                     {200, label, ""},
		"field missing":             {200, strings.Replace(label, `"color":"ededed",`, "", 1), "color"},
		"field of another type":     {200, strings.Replace(label, `"id":1`, `"id":"1"`, 1), "/id"},
		"null where none may be":    {200, strings.Replace(label, `"bug"`, `null`, 1), "/name"},
		"status nobody declared":    {204, "", "204"},
		"declared error":            {404, `{"message":"Not Found"}`, ""},
		"undeclared error":          {403, `{"message":"no"}`, ""},
		"undeclared error as HTML":  {502, `<html>`, "not an error"},
		"undeclared error, no text": {500, `{}`, "not an error"},
		"not modified":              {304, "", ""},
		"moved":                     {301, `{}`, ""},
		"cut short":                 {200, label[:20], "answer 200"},
	}
	op := operationOf(t, "GET", "/repos/{owner}/{repo}/labels/{name}")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequest("GET", "https://api.example.com/repos/a/b/labels/bug", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			params := map[string]string{"owner": "a", "repo": "b", "name": "bug"}
			err = op.Response(t.Context(), r, params, tt.status, http.Header{"Content-Type": {"application/json"}}, []byte(tt.body))
			if tt.wrong == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("got %v, want an error that names %q", err, tt.wrong)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, query, wrong string }{
		"right":            {`{"name":"bug","color":"ededed"}`, "", ""},
		"no name":          {`{"color":"ededed"}`, "", "name"},
		"unknown field":    {`{"name":"bug","colour":"ededed"}`, "", `"colour" is unknown`},
		"no JSON":          {`{`, "", "request"},
		"unknown query":    {`{"name":"bug"}`, "?force=1", `"force" is unknown`},
		"nothing where it": {``, "", "request"},
	}
	op := operationOf(t, "POST", "/repos/{owner}/{repo}/labels")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequest("POST", "https://api.example.com/repos/a/b/labels"+tt.query, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			err = op.Request(t.Context(), r, map[string]string{"owner": "a", "repo": "b"}, []byte(tt.body))
			if tt.wrong == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("got %v, want an error that names %q", err, tt.wrong)
			}
		})
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	if err := Webhook("push", "", []byte(`{}`)); err == nil || !strings.Contains(err.Error(), `"ref" is missing`) {
		t.Errorf("an empty push: %v", err)
	}
	if err := Webhook("push", "", []byte(`{`)); err == nil {
		t.Error("a cut push satisfies the schema")
	}
	if err := Webhook("pull_request", "sneezed", []byte(`{}`)); !errors.Is(err, ErrUnknown) {
		t.Errorf("an unknown action: %v, want ErrUnknown", err)
	}
}
