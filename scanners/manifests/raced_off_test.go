//go:build !race

package manifests

import "time"

// hostileLimit bounds the reading of one hostile file in the tests.
const hostileLimit = 30 * time.Second
