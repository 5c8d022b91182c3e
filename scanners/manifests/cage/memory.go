//go:build !race

package cage

// dataLimit bounds all writable memory of a child, in bytes.
const dataLimit = maxMemory
