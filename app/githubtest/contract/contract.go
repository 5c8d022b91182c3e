// Package contract holds traffic against GitHub's own OpenAPI description.
//
// It embeds the description (see README.md beside it for origin and licence), finds the
// operation behind a method and template, and judges requests, answers and webhook
// payloads. It opens no connection. Start at Load; Operation.Request and
// Operation.Response judge traffic, Webhook judges payloads.
package contract

import (
	_ "embed"
	"errors"
	"fmt"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
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

// amend changes a path of the description where the service itself is known to differ
// from it. Each change names what was observed.
func amend(template string, doc *openapi3.T) error {
	switch template {
	// The list of attestations sends "bundle": null beside bundle_url; recorded from
	// GET /repos/cli/cli/attestations/{digest} in 2026.
	case "/repos/{owner}/{repo}/attestations/{subject_digest}", "/orgs/{org}/attestations/{subject_digest}":
		get := doc.Paths.Value(template).Get
		list := get.Responses.Value("200").Value.Content["application/json"].Schema.Value.Properties["attestations"]
		if list == nil || list.Value.Items.Value.Properties["bundle"] == nil {
			return errors.New("the list of attestations has another shape than expected")
		}
		list.Value.Items.Value.Properties["bundle"].Value.Nullable = true
	// The list of installations wants each account to be a user and an enterprise at
	// once; the schema of one installation says either.
	case "/app/installations":
		list := doc.Paths.Value(template).Get.Responses.Value("200").Value.Content["application/json"].Schema
		account := list.Value.Items.Value.Properties["account"]
		if account == nil {
			return errors.New("the list of installations has another shape than expected")
		}
		account.Value.AnyOf, account.Value.AllOf = account.Value.AllOf, nil
	}
	// An upload that did not finish leaves an asset in the state "starter",
	// docs.github.com/rest/releases/assets#upload-a-release-asset; the schema knows only
	// "uploaded" and "open".
	if asset := doc.Components.Schemas["release-asset"]; asset != nil {
		state := asset.Value.Properties["state"].Value
		state.Enum = append(state.Enum, "starter")
	}
	// The head of a pull request has no repository once its fork is deleted; the webhook
	// schemas say so ("pull-request-webhook" aside), these two do not.
	for _, name := range []string{"pull-request", "pull-request-simple"} {
		if pull := doc.Components.Schemas[name]; pull != nil {
			head := pull.Value.Properties["head"].Value
			gone := *head.Properties["repo"].Value
			gone.Nullable = true
			head.Properties["repo"] = openapi3.NewSchemaRef("", &gone)
		}
	}
	return nil
}
