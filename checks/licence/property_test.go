package licence

import (
	"slices"
	"strings"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp"
	"pgregory.net/rapid"
)

var (
	anyLicence = rapid.SampledFrom([]string{
		"MIT", "ISC", "0BSD", "Apache-1.1", "Apache-2.0", "Apache-1.1+", "GPL-2.0-only", "GPL-2.0", "GPL-2.0+", "GPL-3.0-or-later", "GPL-3.0-only",
		"LGPL-2.1-or-later", "MPL-2.0", "LicenseRef-a", "Apache-2.0 WITH LLVM-exception", "GPL-2.0-only WITH Classpath-exception-2.0",
		"GPL-2.0-or-later WITH Classpath-exception-2.0", "MIT WITH AdditionRef-a",
	})
	anyRules = rapid.Custom(func(t *rapid.T) Rules {
		return Rules{Allow: rapid.SliceOfN(anyLicence, 0, 5).Draw(t, "allow"), Deny: rapid.SliceOfN(anyLicence, 0, 3).Draw(t, "deny")}
	})
)

func anyExpression(depth int) *rapid.Generator[string] {
	if depth == 0 {
		return anyLicence
	}
	return rapid.Custom(func(t *rapid.T) string {
		operator := rapid.SampledFrom([]string{"", " OR ", " AND "}).Draw(t, "operator")
		if operator == "" {
			return anyLicence.Draw(t, "licence")
		}
		parts := rapid.SliceOfN(anyExpression(depth-1), 2, 3).Draw(t, "parts")
		return "(" + strings.Join(parts, operator) + ")"
	})
}

// order of the statuses of expressions, as evaluate.go promises it.
var order = map[Status]standing{Denied: denied, Unknown: unknown, Allowed: allowed}

func TestOperatorsObeyTheirLaws(t *testing.T) {
	e := anyExpression(3)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := e.Draw(t, "a"), e.Draw(t, "b"), e.Draw(t, "c")
		r := anyRules.Draw(t, "rules")
		status := func(expression string) Status { return Check(expression, r).Status }
		same := func(law, x, y string) {
			if status(x) != status(y) {
				t.Fatalf("%s: %s is %s, %s is %s", law, x, status(x), y, status(y))
			}
		}
		for _, op := range []string{" OR ", " AND "} {
			same("commutative", a+op+b, b+op+a)
			same("associative", a+op+"("+b+op+c+")", "("+a+op+b+")"+op+c)
			same("idempotent", a+op+a, a)
		}
		same("distributive", a+" AND ("+b+" OR "+c+")", "("+a+" AND "+b+") OR ("+a+" AND "+c+")")
		same("absorption", a+" OR ("+a+" AND "+b+")", a)
		if got, want := order[status(a+" OR "+b)], max(order[status(a)], order[status(b)]); got != want {
			t.Fatalf("OR is not the better of its parts")
		}
		if got, want := order[status(a+" AND "+b)], min(order[status(a)], order[status(b)]); got != want {
			t.Fatalf("AND is not the worse of its parts")
		}
	})
}

func TestRulesAreMonotonic(t *testing.T) {
	e := anyExpression(3)
	rapid.Check(t, func(t *rapid.T) {
		r, more, text := anyRules.Draw(t, "rules"), anyLicence.Draw(t, "more"), e.Draw(t, "expression")
		before := order[Check(text, r).Status]
		stricter := Rules{Allow: r.Allow, Deny: append(slices.Clone(r.Deny), more)}
		if order[Check(text, stricter).Status] > before {
			t.Fatalf("denying %s made %s better", more, text)
		}
		if len(r.Allow) == 0 {
			return // the first entry of Allow ends "what is not denied is allowed"
		}
		laxer := Rules{Allow: append(slices.Clone(r.Allow), more), Deny: r.Deny}
		if order[Check(text, laxer).Status] < before {
			t.Fatalf("allowing %s made %s worse", more, text)
		}
	})
}

func TestNormalFormIsOne(t *testing.T) {
	e := anyExpression(3)
	rapid.Check(t, func(t *rapid.T) {
		text, r := e.Draw(t, "expression"), anyRules.Draw(t, "rules")
		once, err := Normalise(text)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := Normalise(once)
		if err != nil || once != twice {
			t.Fatalf("%s became %s, that %s (%v)", text, once, twice, err)
		}
		if a, b := Check(text, r), Check(once, r); a != b {
			t.Fatalf("the normal form is judged otherwise: %+v, %+v", a, b)
		}
	})
}

// TestAgreesWithLibrary compares with github.com/github/go-spdx where that is sound: a choice
// of plain licences, or all of them, and no deny list.
func TestAgreesWithLibrary(t *testing.T) {
	plain := rapid.SampledFrom([]string{"MIT", "ISC", "0BSD", "Apache-2.0", "GPL-2.0-only", "GPL-3.0-only", "MPL-2.0", "LGPL-2.1-only"})
	rapid.Check(t, func(t *rapid.T) {
		operator := rapid.SampledFrom([]string{" OR ", " AND "}).Draw(t, "operator")
		text := strings.Join(rapid.SliceOfN(plain, 1, 5).Draw(t, "licences"), operator)
		allow := rapid.SliceOfN(plain, 1, 4).Draw(t, "allow")
		want, err := spdxexp.Satisfies(text, allow)
		if err != nil {
			t.Fatal(err)
		}
		if got := Check(text, Rules{Allow: allow}).Status == Allowed; got != want {
			t.Fatalf("%s under %v: allowed %v, the library says %v", text, allow, got, want)
		}
	})
}

func FuzzCheck(f *testing.F) {
	for _, text := range []string{
		"MIT", "(MIT OR Apache-2.0) AND GPL-2.0+ WITH Classpath-exception-2.0", "LicenseRef-a", "DocumentRef-a:LicenseRef-b", "SEE LICENSE IN x",
		`[{"type":"MIT"},"ISC"]`, "License :: OSI Approved :: MIT License", "MIT/Apache-2.0", "GPL v3+", "((((", "AND OR WITH", "NONE", "\xff\x00",
	} {
		f.Add(text)
	}
	r := Rules{Allow: []string{"MIT", "GPL-2.0-or-later"}, Deny: []string{"ISC"}}
	f.Fuzz(func(t *testing.T, text string) {
		o := Check(text, r)
		switch o.Status {
		case Allowed, Denied, Unknown, Invalid:
		default:
			t.Fatalf("%q: status %q", text, o.Status)
		}
		if o.Status == Allowed && o.Expression == "" {
			t.Fatalf("%q is allowed without being an expression", text)
		}
		if o.Expression == "" {
			return
		}
		again := Check(o.Expression, r)
		if again != o {
			t.Fatalf("%q: %+v, its normal form: %+v", text, o, again)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	c, err := New(Rules{Allow: []string{"MIT", "ISC", "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MPL-2.0", "CC0-1.0"}, Deny: []string{"AGPL-1.0-or-later"}})
	if err != nil {
		b.Fatal(err)
	}
	for _, text := range []string{"MIT", "(MIT OR Apache-2.0) AND BSD-3-Clause AND GPL-2.0-or-later WITH Classpath-exception-2.0"} {
		b.Run(text[:3], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Check(text)
			}
		})
	}
}
