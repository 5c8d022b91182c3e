package contract

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Webhook judges the payload of an event; action is "" for events that have none. An
// event without a published schema is ErrUnknown.
func Webhook(event, action string, payload []byte) error {
	s, err := loadWebhooks()
	if err != nil {
		return err
	}
	name := "webhook-" + strings.ReplaceAll(event, "_", "-")
	if action != "" {
		name += "-" + strings.ReplaceAll(action, "_", "-")
	}
	if s.components["schemas"][name] == nil {
		return fmt.Errorf("webhook %s %s: %w", event, action, ErrUnknown)
	}
	schema, err := s.schema(name)
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal(payload, &value); err != nil {
		return fmt.Errorf("webhook %s %s: %w", event, action, err)
	}
	if err := schema.VisitJSON(value, openapi3.MultiErrors()); err != nil {
		return fmt.Errorf("webhook %s %s: %w", event, action, shorten(err))
	}
	return nil
}
