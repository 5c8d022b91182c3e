package main

import (
	"encoding/base64"
	"testing"

	"github.com/landwaiter/landwaiter/checks"
)

func TestNamesSHA512(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, data string
		want       bool
	}{
		{"plain", `{"digest":{"sha512":"00"}}`, true},
		{"base64 at 0", base64.StdEncoding.EncodeToString([]byte(`sha512":"ab"}`)), true},
		{"base64 at 1", base64.StdEncoding.EncodeToString([]byte(`"sha512":"ab"}`)), true},
		{"base64 at 2", base64.StdEncoding.EncodeToString([]byte(`{"sha512":"ab"}`)), true},
		{"sha256 alone", base64.StdEncoding.EncodeToString([]byte(`{"sha256":"ab"}`)), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := namesSHA512([]checks.Bundle{{Data: []byte(tt.data)}}); got != tt.want {
				t.Errorf("namesSHA512 = %v, want %v", got, tt.want)
			}
		})
	}
}
