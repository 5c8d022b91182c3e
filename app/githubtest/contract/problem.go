package contract

import (
	"errors"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// shorten turns the library's errors, which quote whole schemas and values, into one
// line per problem: where, and what is wrong.
func shorten(err error) error {
	var lines []string
	collect(err, "", &lines)
	if len(lines) > 12 {
		lines = append(lines[:12], fmt.Sprintf("and %d more", len(lines)-12))
	}
	return errors.New(strings.Join(lines, "; "))
}

func collect(err error, prefix string, lines *[]string) {
	var many openapi3.MultiError
	var request *openapi3filter.RequestError
	var schema *openapi3.SchemaError
	switch {
	case errors.As(err, &request) && request.Parameter != nil && request.Err != nil:
		collect(request.Err, fmt.Sprintf("%sparameter %q: ", prefix, request.Parameter.Name), lines)
	case errors.As(err, &many):
		for _, e := range many {
			collect(e, prefix, lines)
		}
	case errors.As(err, &schema):
		where := "/" + strings.Join(schema.JSONPointer(), "/")
		if schema.Origin != nil {
			var inner *openapi3.SchemaError
			var innerMany openapi3.MultiError
			if errors.As(schema.Origin, &innerMany) || errors.As(schema.Origin, &inner) {
				collect(schema.Origin, prefix, lines)
				return
			}
		}
		*lines = append(*lines, fmt.Sprintf("%s%s: %.300s", prefix, where, schema.Reason))
	default:
		text, _, _ := strings.Cut(err.Error(), "\nSchema:")
		*lines = append(*lines, fmt.Sprintf("%s%.400s", prefix, text))
	}
}
