package contract

import (
	"errors"

	"github.com/getkin/kin-openapi/openapi3"
)

// errShape says that the description changed where amend expects something.
var errShape = errors.New("the description has another shape than expected")

// amend changes a part of the description where the service itself is known to differ
// from it. Each change names what was observed. template is "" for a schema.
func amend(template string, doc *openapi3.T) error {
	amendReleaseAsset(doc)
	amendHeads(doc)
	amendDiffEntry(doc)
	switch template {
	case "/repos/{owner}/{repo}/attestations/{subject_digest}", "/orgs/{org}/attestations/{subject_digest}":
		return amendAttestations(listed(template, doc))
	case "/app/installations":
		return amendInstallations(listed(template, doc))
	case "/repos/{owner}/{repo}/issues/{issue_number}/labels":
		amendLabels(doc.Paths.Value(template))
	}
	return nil
}

// listed is the schema of what GET answers on a template.
func listed(template string, doc *openapi3.T) *openapi3.Schema {
	return doc.Paths.Value(template).Get.Responses.Value("200").Value.Content["application/json"].Schema.Value
}

// amendReleaseAsset allows the state "starter", which an upload that did not finish leaves
// behind, docs.github.com/rest/releases/assets#upload-a-release-asset; the schema knows
// only "uploaded" and "open".
func amendReleaseAsset(doc *openapi3.T) {
	if asset := doc.Components.Schemas["release-asset"]; asset != nil {
		state := asset.Value.Properties["state"].Value
		state.Enum = append(state.Enum, "starter")
	}
}

// amendDiffEntry allows a changed file without blob_url and raw_url: a submodule,
// github.com/yanyongyu/githubkit/pull/134, seen in a comparison of jqlang/jq.
func amendDiffEntry(doc *openapi3.T) {
	entry := doc.Components.Schemas["diff-entry"]
	if entry == nil {
		return
	}
	for _, name := range []string{"blob_url", "raw_url"} {
		address := *entry.Value.Properties[name].Value // others may refer to the original
		address.Nullable = true
		entry.Value.Properties[name] = openapi3.NewSchemaRef("", &address)
	}
}

// amendHeads allows a pull request whose head has no repository: its fork was deleted.
func amendHeads(doc *openapi3.T) {
	for _, name := range []string{"pull-request", "pull-request-simple"} {
		if pull := doc.Components.Schemas[name]; pull != nil {
			head := pull.Value.Properties["head"].Value
			gone := *head.Properties["repo"].Value // others refer to the original
			gone.Nullable = true
			head.Properties["repo"] = openapi3.NewSchemaRef("", &gone)
		}
	}
}

// amendAttestations allows "bundle": null, which comes beside bundle_url; recorded from GET
// /repos/cli/cli/attestations/{digest} in 2026.
func amendAttestations(list *openapi3.Schema) error {
	items := list.Properties["attestations"]
	if items == nil || items.Value.Items == nil || items.Value.Items.Value.Properties["bundle"] == nil {
		return errShape
	}
	items.Value.Items.Value.Properties["bundle"].Value.Nullable = true
	return nil
}

// amendInstallations: the list wants each account to be a user and an enterprise at once;
// the schema of one installation says either.
func amendInstallations(list *openapi3.Schema) error {
	if list.Items == nil || list.Items.Value.Properties["account"] == nil {
		return errShape
	}
	account := list.Items.Value.Properties["account"].Value
	account.AnyOf, account.AllOf = account.AllOf, nil
	return nil
}

// amendLabels allows a bare list of names, which GitHub takes and go-github sends, beside
// {"labels": [...]}.
func amendLabels(item *openapi3.PathItem) {
	bare := openapi3.NewSchemaRef("", openapi3.NewArraySchema().WithItems(openapi3.NewStringSchema()))
	for _, op := range []*openapi3.Operation{item.Post, item.Put} {
		media := op.RequestBody.Value.Content["application/json"]
		media.Schema = openapi3.NewSchemaRef("", &openapi3.Schema{AnyOf: openapi3.SchemaRefs{media.Schema, bare}})
	}
}
