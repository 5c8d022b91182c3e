package checks

// Verdict is the outcome of a judgment. The zero value is Unknown.
type Verdict int

// The verdicts. Unknown is never Pass: it says that something needed could not be seen.
const (
	Unknown Verdict = iota
	Pass
	Fail
)

// String returns "unknown", "pass" or "fail".
func (v Verdict) String() string {
	switch v {
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	default:
		return "unknown"
	}
}

// MarshalText writes the verdict as in reports.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote. Any other text is Unknown.
func (v *Verdict) UnmarshalText(text []byte) error {
	switch string(text) {
	case "pass":
		*v = Pass
	case "fail":
		*v = Fail
	default:
		*v = Unknown
	}
	return nil
}

// Severity is how bad a finding is. The zero value is unknown, which sorts lowest but is
// never taken for harmless: a Policy that blocks from medium on blocks unknown too.
type Severity int

// The severities, ascending.
const (
	SeverityUnknown Severity = iota
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

var severityNames = [...]string{"unknown", "low", "medium", "high", "critical"}

// String returns the name used in reports and policies.
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityNames) {
		return severityNames[0]
	}
	return severityNames[s]
}

// ParseSeverity returns the severity with that name, in lower case, and whether there is one.
func ParseSeverity(name string) (Severity, bool) {
	for i, n := range severityNames {
		if n == name {
			return Severity(i), true
		}
	}
	return SeverityUnknown, false
}

// MarshalText writes the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a severity's name. An unknown name is SeverityUnknown.
func (s *Severity) UnmarshalText(text []byte) error {
	*s, _ = ParseSeverity(string(text))
	return nil
}
