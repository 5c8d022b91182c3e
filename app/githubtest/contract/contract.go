// Package contract holds traffic against GitHub's own OpenAPI description.
//
// It embeds the description (see README.md beside it for origin and licence), finds the
// operation behind a method and template, and judges requests, answers and webhook
// payloads. It keeps no state and opens no connection. Start at Load; Operation.Request
// and Operation.Response judge, Webhook judges payloads.
package contract

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed api.github.com.trimmed.json.gz
var apiGz []byte

//go:embed webhooks.openapi.json.gz
var webhooksGz []byte

// API is the description of the REST API.
type API struct {
	doc *openapi3.T
}

// Load returns the description of the REST API. Reading it takes about a second, once
// per process.
func Load() (*API, error) { return loadAPI() }

var loadAPI = sync.OnceValues(func() (*API, error) {
	doc, err := read(apiGz)
	if err != nil {
		return nil, fmt.Errorf("reading GitHub's API description: %w", err)
	}
	if err := amend(doc); err != nil {
		return nil, fmt.Errorf("amending GitHub's API description: %w", err)
	}
	return &API{doc: doc}, nil
})

var loadWebhooks = sync.OnceValues(func() (openapi3.Schemas, error) {
	doc, err := read(webhooksGz)
	if err != nil {
		return nil, fmt.Errorf("reading GitHub's webhook schemas: %w", err)
	}
	return doc.Components.Schemas, nil
})

func read(packed []byte) (*openapi3.T, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	raw, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	return openapi3.NewLoader().LoadFromData(raw)
}

// amend changes the description where the service itself is known to differ from it.
// Each change names what was observed.
func amend(doc *openapi3.T) error {
	// The list of attestations sends "bundle": null beside bundle_url; recorded from
	// GET /repos/cli/cli/attestations/{digest} in 2026.
	for _, path := range []string{"/repos/{owner}/{repo}/attestations/{subject_digest}", "/orgs/{org}/attestations/{subject_digest}"} {
		item := doc.Paths.Value(path)
		if item == nil || item.Get == nil {
			return fmt.Errorf("no GET %s", path)
		}
		list := item.Get.Responses.Value("200").Value.Content["application/json"].Schema.Value.Properties["attestations"]
		list.Value.Items.Value.Properties["bundle"].Value.Nullable = true
	}
	// An upload that did not finish leaves an asset in the state "starter",
	// docs.github.com/rest/releases/assets#upload-a-release-asset; the schema knows only
	// "uploaded" and "open".
	asset := doc.Components.Schemas["release-asset"]
	if asset == nil {
		return fmt.Errorf("no schema release-asset")
	}
	state := asset.Value.Properties["state"].Value
	state.Enum = append(state.Enum, "starter")
	return nil
}
