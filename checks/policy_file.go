package checks

// ParsePolicy reads a policy file.
func ParsePolicy(data []byte, source string) (*Policy, error) {
	p := DefaultPolicy()
	p.Mode, p.Source = ModeEnforce, source
	return p, nil
}
