package sigstoretest

import (
	"encoding/json"
	"testing"
)

// Subject is one subject of a statement.
type Subject struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

// Statement returns an in-toto statement of version 1.
func Statement(t testing.TB, predicateType string, predicate any, subjects ...Subject) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": predicateType, "predicate": predicate,
	})
	check(t, "encoding a statement", err)
	return data
}

// Provenance returns the statement that GitHub's attest action writes for a run of w.
func Provenance(t testing.TB, w Workflow, subjects ...Subject) []byte {
	t.Helper()
	const host = "https://github.com/"
	repository := host + w.Repository
	builder := repository + "/" + w.Path + "@" + w.Ref
	if w.Signer != "" {
		builder = host + w.Signer
	}
	return Statement(t, "https://slsa.dev/provenance/v1", map[string]any{
		"buildDefinition": map[string]any{
			"buildType":          "https://actions.github.io/buildtypes/workflow/v1",
			"externalParameters": map[string]any{"workflow": map[string]any{"ref": w.Ref, "repository": repository, "path": w.Path}},
			"internalParameters": map[string]any{"github": map[string]any{
				"event_name": w.Trigger, "repository_id": w.RepositoryID, "repository_owner_id": w.OwnerID, "runner_environment": w.Runner,
			}},
			"resolvedDependencies": []any{map[string]any{
				"uri": "git+" + repository + "@" + w.Ref, "digest": map[string]any{"gitCommit": w.Commit},
			}},
		},
		"runDetails": map[string]any{
			"builder":  map[string]any{"id": builder},
			"metadata": map[string]any{"invocationId": repository + "/actions/runs/7/attempts/1"},
		},
	}, subjects...)
}
