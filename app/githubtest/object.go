package githubtest

import (
	"encoding/base64"
	"fmt"
)

// object is a JSON object on its way out.
type object = map[string]any

// nodeID makes the opaque id that GraphQL uses; only its uniqueness matters.
func nodeID(kind string, id any) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v", kind, id))
}

// with returns a copy of o with the pairs of more laid over it.
func with(o object, more object) object {
	merged := make(object, len(o)+len(more))
	for k, v := range o {
		merged[k] = v
	}
	for k, v := range more {
		merged[k] = v
	}
	return merged
}

// only returns a copy of o with these keys and no others.
func only(o object, keys ...string) object {
	kept := make(object, len(keys))
	for _, k := range keys {
		if v, ok := o[k]; ok {
			kept[k] = v
		}
	}
	return kept
}

// each renders every element of a list; the answer is never null.
func each[T any](list []T, render func(T) object) []object {
	rendered := make([]object, 0, len(list))
	for _, v := range list {
		rendered = append(rendered, render(v))
	}
	return rendered
}

// orNil turns the empty string into null.
func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
