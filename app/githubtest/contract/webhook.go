package contract

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Webhook judges the payload of an event; action is "" for events that have none. An
// event without a published schema is an error.
func Webhook(event, action string, payload []byte) error {
	schemas, err := loadWebhooks()
	if err != nil {
		return err
	}
	name := "webhook-" + strings.ReplaceAll(event, "_", "-")
	if action != "" {
		name += "-" + strings.ReplaceAll(action, "_", "-")
	}
	schema := schemas[name]
	if schema == nil {
		return fmt.Errorf("webhook %s %s: GitHub has no schema %s", event, action, name)
	}
	var value any
	if err := json.Unmarshal(payload, &value); err != nil {
		return fmt.Errorf("webhook %s %s: %w", event, action, err)
	}
	if err := schema.Value.VisitJSON(value, openapi3.MultiErrors()); err != nil {
		return fmt.Errorf("webhook %s %s: %w", event, action, shorten(err))
	}
	return nil
}
