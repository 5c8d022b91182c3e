// Package contract holds traffic against GitHub's own OpenAPI description.
//
// It embeds the description (see README.md beside it for origin and licence), finds the
// operation behind a method and template, and judges requests, answers and webhook
// payloads. It opens no connection. Start at Description and Load; Operation.Request and
// Operation.Response judge traffic, Webhook judges payloads.
package contract

import (
	_ "embed"
	"fmt"
	"sync"
)

//go:embed api.github.com.trimmed.json.gz
var apiGz []byte

//go:embed webhooks.openapi.json.gz
var webhooksGz []byte

// API is the description of the REST API.
type API struct {
	source *source
}

// Load returns the description of the REST API, unpacked once per process. Each path is
// read when it is first asked for, because reading all of them takes about a second.
func Load() (*API, error) { return loadAPI() }

var loadAPI = sync.OnceValues(func() (*API, error) {
	s, err := unpack(apiGz)
	if err != nil {
		return nil, fmt.Errorf("reading GitHub's API description: %w", err)
	}
	return &API{source: s}, nil
})

var loadWebhooks = sync.OnceValues(func() (*source, error) {
	s, err := unpack(webhooksGz)
	if err != nil {
		return nil, fmt.Errorf("reading GitHub's webhook schemas: %w", err)
	}
	return s, nil
})
