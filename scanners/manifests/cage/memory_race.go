//go:build race

package cage

// dataLimit is none: the race detector maps more memory for itself than any program may have.
const dataLimit = ^uint64(0)
