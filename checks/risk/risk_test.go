package risk_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/landwaiter/landwaiter/checks/risk"
)

func TestScore(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name string
		in   risk.Input
		want int
	}{
		{"nothing known", risk.Input{}, 28},
		{"malware outranks everything", risk.Input{Malware: true, Severity: "low", Scope: "development"}, 100},
		{"high, direct", risk.Input{Severity: "high", Depth: 1}, 45},
		{"score before severity", risk.Input{Severity: "low", Score: 9.8, Depth: 1}, 54},
		{"exploited and likely", risk.Input{Score: 9.8, EPSS: 0.94, Exploited: true, Depth: 1, Reach: risk.Imported}, 100},
		{"development only", risk.Input{Severity: "high", Depth: 1, Scope: "development"}, 25},
		{"deep below", risk.Input{Severity: "high", Depth: 7}, 40},
		{"direct and not imported", risk.Input{Severity: "high", Depth: 1, Reach: risk.NotImported}, 30},
		{"transitive and not imported", risk.Input{Severity: "high", Depth: 2, Reach: risk.NotImported}, 38},
		{"never below zero", risk.Input{Score: 0.1, Scope: "development", Depth: 4, Reach: risk.NotImported}, 0},
		{"licence denied", risk.Input{Licence: risk.LicenceDenied, Severity: "critical", Depth: 1}, 35},
	} {
		got, parts := risk.Score(x.in)
		if got != x.want {
			t.Errorf("%s: %d, want %d: %+v", x.name, got, x.want, parts)
		}
	}
}

func TestPartsAreInWords(t *testing.T) {
	t.Parallel()
	_, got := risk.Score(risk.Input{Score: 9.8, EPSS: 0.94, Exploited: true, Depth: 1})
	want := []risk.Part{
		{Name: "severity", Points: 49, Why: "CVSS 9.8"}, {Name: "exploitation", Points: 19, Why: "EPSS 94.0 %"},
		{Name: "known-exploited", Points: 25, Why: "in CISA's catalogue of known exploited vulnerabilities"},
		{Name: "depth", Points: 5, Why: "direct dependency"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

// TestScoreIsMonotone: whatever else holds, more danger never lowers the score, the score stays
// on its scale, and its parts add up to it.
func TestScoreIsMonotone(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	score := func(in risk.Input) int {
		n, parts := risk.Score(in)
		sum := 0
		for _, p := range parts {
			sum += p.Points
			if p.Why == "" || p.Name == "" {
				t.Fatalf("a part says nothing: %+v of %+v", p, in)
			}
		}
		if n != sum || n < 0 || n > 100 {
			t.Fatalf("score %d, parts %+v", n, parts)
		}
		return n
	}
	for range 20_000 {
		in := risk.Input{
			Score: float64(r.IntN(101)) / 10, Severity: pick("critical", "high", "medium", "low", "unknown"), EPSS: r.Float64(),
			Exploited: r.IntN(2) == 0, Scope: pick("runtime", "optional", "development", ""), Depth: r.IntN(6),
			Reach: pick(risk.Imported, risk.NotImported, ""), Licence: pick("", "", "", risk.LicenceDenied, risk.LicenceUnclear),
		}
		change := func(f func(*risk.Input)) risk.Input { c := in; f(&c); return c }
		for name, worse := range map[string]risk.Input{
			"malware":   change(func(c *risk.Input) { c.Malware = true }),
			"more EPSS": change(func(c *risk.Input) { c.EPSS += r.Float64() }),
			"exploited": change(func(c *risk.Input) { c.Exploited = true }),
			"runtime":   change(func(c *risk.Input) { c.Scope = "runtime" }),
			"imported":  change(func(c *risk.Input) { c.Reach = risk.Imported }),
			"higher CVSS": change(func(c *risk.Input) {
				if c.Score > 0 {
					c.Score += r.Float64()
				}
			}),
		} {
			if score(worse) < score(in) {
				t.Fatalf("%s lowers the score of %+v from %d to %d", name, in, score(in), score(worse))
			}
		}
		deeper := change(func(c *risk.Input) { c.Depth++ })
		if in.Depth > 0 && in.Reach != risk.NotImported && score(deeper) > score(in) {
			t.Fatalf("deeper raises the score of %+v", in)
		}
		dev, opt := change(func(c *risk.Input) { c.Scope = "development" }), change(func(c *risk.Input) { c.Scope = "optional" })
		if score(dev) > score(opt) {
			t.Fatalf("development above optional: %+v", in)
		}
	}
	for _, order := range []string{"low medium", "medium high", "high critical", "unknown high"} {
		var a, b string
		for i, c := range order {
			if c == ' ' {
				a, b = order[:i], order[i+1:]
			}
		}
		if score(risk.Input{Severity: a}) >= score(risk.Input{Severity: b}) {
			t.Errorf("%s is not below %s", a, b)
		}
	}
}
