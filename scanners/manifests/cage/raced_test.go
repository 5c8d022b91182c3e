//go:build race

package cage

const raced = true
