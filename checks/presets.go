package checks

// DefaultPolicy returns the policy of a repository without a policy file.
func DefaultPolicy() *Policy {
	return &Policy{Version: 1, Mode: ModeObserve, Source: "landwaiter:recommended@1"}
}
