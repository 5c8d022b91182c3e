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
