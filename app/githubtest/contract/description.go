package contract

import (
	"context"
	"net/http"
)

// Description judges traffic by the name of its operation. It is a githubtest.Contract.
type Description struct{}

// Request judges a request; see Operation.Request.
func (Description) Request(ctx context.Context, method, template string, r *http.Request, params map[string]string, body []byte) error {
	op, err := operation(method, template)
	if err != nil {
		return err
	}
	return op.Request(ctx, r, params, body)
}

// Response judges an answer; see Operation.Response.
func (Description) Response(ctx context.Context, method, template string, r *http.Request, params map[string]string, status int, header http.Header, body []byte) error {
	op, err := operation(method, template)
	if err != nil {
		return err
	}
	return op.Response(ctx, r, params, status, header, body)
}

// Webhook judges a payload; see Webhook.
func (Description) Webhook(event, action string, payload []byte) error {
	return Webhook(event, action, payload)
}

func operation(method, template string) (*Operation, error) {
	api, err := Load()
	if err != nil {
		return nil, err
	}
	return api.Operation(method, template)
}
