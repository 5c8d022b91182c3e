package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Operation is one method on one path template.
type Operation struct {
	route *routers.Route
}

// ErrUnknown says that GitHub has no such operation or webhook.
var ErrUnknown = errors.New("unknown to GitHub")

// Operation returns the operation behind a method and a template, written as GitHub
// writes it, or ErrUnknown.
func (a *API) Operation(method, template string) (*Operation, error) {
	if a.source.paths[template] == nil {
		return nil, fmt.Errorf("%s %s: %w", method, template, ErrUnknown)
	}
	doc, err := a.source.path(template)
	if err != nil {
		return nil, err
	}
	item := doc.Paths.Value(template)
	if item.GetOperation(method) == nil {
		return nil, fmt.Errorf("%s %s: %w", method, template, ErrUnknown)
	}
	return &Operation{route: &routers.Route{
		Spec: doc, Path: template, PathItem: item, Method: method, Operation: item.GetOperation(method),
	}}, nil
}

// options leave authentication to the caller and report every problem at once.
func options() *openapi3filter.Options {
	return &openapi3filter.Options{
		AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
		MultiError:            true,
		IncludeResponseStatus: true,
	}
}

// Request judges what a client sent. params are the values of the template's
// parameters. Beyond the description it refuses query parameters and fields of the body
// that GitHub does not know: they are almost always slips, and GitHub ignores them silently.
func (o *Operation) Request(ctx context.Context, r *http.Request, params map[string]string, body []byte) error {
	if string(bytes.TrimSpace(body)) == "null" && !o.bodyRequired() {
		body = nil // ghinstallation sends null for "no options", and GitHub takes it
	}
	clone := r.Clone(ctx)
	clone.Body = io.NopCloser(bytes.NewReader(body))
	clone.ContentLength = int64(len(body))
	opts := options()
	binary := o.binaryBody()
	opts.ExcludeRequestBody = binary || (len(body) == 0 && !o.bodyRequired())
	if len(body) > 0 && !binary && clone.Header.Get("Content-Type") == "" {
		return fmt.Errorf("request has a body and no Content-Type")
	}
	input := &openapi3filter.RequestValidationInput{Request: clone, PathParams: params, Route: o.route, Options: opts}
	if err := openapi3filter.ValidateRequest(ctx, input); err != nil {
		return fmt.Errorf("request: %w", shorten(err))
	}
	if err := o.knownQuery(r.URL.Query()); err != nil {
		return err
	}
	if binary || len(body) == 0 {
		return nil
	}
	return o.knownFields(body)
}

func (o *Operation) requestSchema() *openapi3.SchemaRef {
	if o.route.Operation.RequestBody == nil {
		return nil
	}
	media := o.route.Operation.RequestBody.Value.Content["application/json"]
	if media == nil {
		return nil
	}
	return media.Schema
}

func (o *Operation) bodyRequired() bool {
	return o.route.Operation.RequestBody != nil && o.route.Operation.RequestBody.Value.Required
}

// binaryBody says that the body is a file and not JSON.
func (o *Operation) binaryBody() bool {
	return o.route.Operation.RequestBody != nil && o.route.Operation.RequestBody.Value.Content["application/octet-stream"] != nil
}

func (o *Operation) knownQuery(query url.Values) error {
	known := map[string]bool{}
	for _, list := range []openapi3.Parameters{o.route.PathItem.Parameters, o.route.Operation.Parameters} {
		for _, p := range list {
			known[p.Value.Name] = known[p.Value.Name] || p.Value.In == openapi3.ParameterInQuery
		}
	}
	for name := range query {
		if !known[name] {
			return fmt.Errorf("request: query parameter %q is unknown to GitHub", name)
		}
	}
	return nil
}

func (o *Operation) knownFields(body []byte) error {
	schema := o.requestSchema()
	if schema == nil {
		return fmt.Errorf("request: GitHub reads no body here")
	}
	known := map[string]bool{}
	if open := fields(schema.Value, known); open || len(known) == 0 {
		return nil
	}
	var sent map[string]json.RawMessage
	if json.Unmarshal(body, &sent) != nil {
		return nil // an array or a plain value, which the schema allowed
	}
	for name := range sent {
		if !known[name] {
			return fmt.Errorf("request: field %q is unknown to GitHub", name)
		}
	}
	return nil
}

// fields collects the properties that any branch of a schema names. It says whether one
// of them welcomes others.
func fields(s *openapi3.Schema, into map[string]bool) bool {
	open := s.AdditionalProperties.Schema != nil
	for name := range s.Properties {
		into[name] = true
	}
	for _, branch := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf) {
		// Branches that only demand fields say additionalProperties: true and mean nothing by it.
		open = fields(branch.Value, into) || open
	}
	return open
}

// Response judges what a server answered. Answers of 400 and above that the description
// does not list for the operation must have the shape of an error: an object with a
// message. 304 has no body.
func (o *Operation) Response(ctx context.Context, r *http.Request, params map[string]string, status int, header http.Header, body []byte) error {
	declared := o.route.Operation.Responses.Value(strconv.Itoa(status))
	switch {
	case status == http.StatusNotModified:
		return nil
	case declared == nil && status >= 300 && status < 400:
		return nil // redirects after a rename are not listed per operation
	case declared == nil && status >= 400:
		return errorShape(status, body)
	case declared == nil:
		return fmt.Errorf("answer: status %d is not in GitHub's description", status)
	case len(declared.Value.Content) == 0 && len(body) == 0:
		return nil
	case status == http.StatusOK && declared.Value.Content["application/json"] == nil && len(declared.Value.Content) > 0:
		return nil // a file or plain text
	}
	if !strings.Contains(header.Get("Content-Type"), "json") && len(body) > 0 {
		return nil // raw contents, asked for by Accept
	}
	request := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: o.route, Options: options()}
	plain := http.Header{"Content-Type": {"application/json"}}
	response := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: status, Header: plain, Options: options(),
	}
	response.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(ctx, response); err != nil {
		return fmt.Errorf("answer %d: %w", status, shorten(err))
	}
	return nil
}

func errorShape(status int, body []byte) error {
	var e struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Message == "" {
		return fmt.Errorf("answer %d: not an error in GitHub's form: %.200s", status, body)
	}
	return nil
}
