//go:build race

package manifests

import "time"

// hostileLimit bounds the reading of one hostile file in the tests. The race detector makes
// everything about ten times slower; what is quadratic takes hours.
const hostileLimit = 5 * time.Minute
