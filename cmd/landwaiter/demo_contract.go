//go:build contract

package main

import "github.com/landwaiter/landwaiter/app/githubtest/contract"

// demoDescription is GitHub's published description of its API. `make demo` builds with it.
func demoDescription() held { return contract.Description{} }
