package licence

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
	"github.com/google/go-cmp/cmp"
)

// TestTruth is the table of truth: one rule of evaluate.go or of alias.go a row. "yes" stands
// for a licence that Allow lists, "no" for one that nobody lists.
func TestTruth(t *testing.T) {
	permissive := Rules{Allow: []string{"MIT", "Apache-2.0", "BSD-3-Clause"}}
	for _, test := range []struct {
		name, expression string
		rules            Rules
		want             Status
		part             string
	}{
		{"listed", "MIT", permissive, Allowed, ""},
		{"in any case", "mit", permissive, Allowed, ""},
		{"not listed", "GPL-3.0-only", permissive, Denied, "GPL-3.0-only"},
		{"or: one listed", "GPL-3.0-only OR MIT", permissive, Allowed, ""},
		{"or: none listed", "GPL-3.0-only OR ISC", permissive, Denied, "GPL-3.0-only"},
		{"and: all listed", "MIT AND Apache-2.0", permissive, Allowed, ""},
		{"and: one not", "MIT AND GPL-3.0-only", permissive, Denied, "GPL-3.0-only"},
		{"and binds closer", "GPL-3.0-only AND ISC OR MIT", permissive, Allowed, ""},
		{"parentheses", "GPL-3.0-only AND (ISC OR MIT)", permissive, Denied, "GPL-3.0-only"},
		{"second alternative of a nested or", "ISC OR (MIT AND (GPL-3.0-only OR Apache-2.0))", permissive, Allowed, ""},
		{"small operators", "gpl-3.0-only or mit", permissive, Allowed, ""},
		{"white space", "\t( MIT\n)  ", permissive, Allowed, ""},
		{"reference", "LicenseRef-Acme", permissive, Unknown, "LicenseRef-Acme"},
		{"reference: listed", "licenseref-Acme", Rules{Allow: []string{"LicenseRef-Acme"}}, Allowed, ""},
		{"reference: names are case-sensitive", "LicenseRef-acme", Rules{Allow: []string{"LicenseRef-Acme"}}, Unknown, "LicenseRef-acme"},
		{"reference: denied", "LicenseRef-Acme", Rules{Deny: []string{"LicenseRef-Acme"}}, Denied, "LicenseRef-Acme"},
		{"reference of a document", "DocumentRef-x:LicenseRef-y", Rules{}, Unknown, "DocumentRef-x:LicenseRef-y"},
		{"reference or listed", "LicenseRef-Acme OR MIT", permissive, Allowed, ""},
		{"reference or not listed", "LicenseRef-Acme OR ISC", permissive, Unknown, "LicenseRef-Acme"},
		{"reference and not listed", "LicenseRef-Acme AND ISC", permissive, Denied, "ISC"},
		{"reference and listed", "LicenseRef-Acme AND MIT", permissive, Unknown, "LicenseRef-Acme"},
		{"exception: base listed", "Apache-2.0 WITH LLVM-exception", permissive, Allowed, ""},
		{"exception: base not listed", "GPL-2.0-only WITH Classpath-exception-2.0", permissive, Denied, "GPL-2.0-only WITH Classpath-exception-2.0"},
		{"exception: listed with it", "GPL-2.0-only with classpath-exception-2.0", Rules{Allow: []string{"GPL-2.0-only WITH Classpath-exception-2.0"}}, Allowed, ""},
		{"exception: base alone not listed", "GPL-2.0-only", Rules{Allow: []string{"GPL-2.0-only WITH Classpath-exception-2.0"}}, Denied, "GPL-2.0-only"},
		{"exception: base denied, allowed with it", "GPL-2.0-only WITH Classpath-exception-2.0",
			Rules{Allow: []string{"MIT", "GPL-2.0-only WITH Classpath-exception-2.0"}, Deny: []string{"GPL-2.0-only"}}, Allowed, ""},
		{"exception: base denied", "GPL-2.0-only WITH Classpath-exception-2.0", Rules{Deny: []string{"GPL-2.0-only"}}, Denied, "GPL-2.0-only WITH Classpath-exception-2.0"},
		{"exception: denied with it only", "GPL-2.0-only", Rules{Deny: []string{"GPL-2.0-only WITH Classpath-exception-2.0"}}, Allowed, ""},
		{"exception nobody lists may take rights away", "MIT WITH Commons-Clause", permissive, Invalid, ""},
		{"exception by reference", "MIT WITH AdditionRef-Commons", permissive, Unknown, "MIT WITH AdditionRef-Commons"},
		{"exception by reference, base denied", "ISC WITH AdditionRef-Commons", permissive, Denied, "ISC WITH AdditionRef-Commons"},
		{"or later: itself listed", "GPL-2.0-or-later", Rules{Allow: []string{"GPL-2.0-only"}}, Allowed, ""},
		{"or later: a later one listed", "Apache-1.1+", permissive, Allowed, ""},
		{"or later: an earlier one listed", "Apache-2.0+", Rules{Allow: []string{"Apache-1.1"}}, Denied, "Apache-2.0+"},
		{"or later: an earlier version is no choice", "GPL-3.0-or-later", Rules{Allow: []string{"GPL-2.0-only"}}, Denied, "GPL-3.0-or-later"},
		{"or later without versions", "MIT+", permissive, Allowed, ""},
		{"or later with exception", "GPL-2.0+ WITH Classpath-exception-2.0", Rules{Allow: []string{"GPL-3.0-only"}}, Allowed, ""},
		{"entry or later covers later ones", "GPL-3.0-only", Rules{Allow: []string{"GPL-2.0-or-later"}}, Allowed, ""},
		{"entry or later does not cover earlier ones", "GPL-1.0-only", Rules{Allow: []string{"GPL-2.0-or-later"}}, Denied, "GPL-1.0-only"},
		{"denied or later", "GPL-3.0-or-later", Rules{Deny: []string{"GPL-2.0-or-later"}}, Denied, "GPL-3.0-or-later"},
		{"denied version leaves the choice of a later one", "GPL-2.0-or-later", Rules{Deny: []string{"GPL-2.0-only"}}, Allowed, ""},
		{"denied newest version", "GPL-3.0-or-later", Rules{Deny: []string{"GPL-3.0-only"}}, Denied, "GPL-3.0-or-later"},
		{"other families are others", "LGPL-3.0-only", Rules{Allow: []string{"GPL-2.0-or-later"}}, Denied, "LGPL-3.0-only"},
		{"years are no versions", "HP-1986+", Rules{Allow: []string{"HP-1989"}}, Denied, "HP-1986+"},
		{"deprecated: GPL-2.0", "GPL-2.0", Rules{Allow: []string{"GPL-2.0-only"}}, Allowed, ""},
		{"deprecated: in the rules", "GPL-2.0-only", Rules{Deny: []string{"GPL-2.0"}}, Denied, "GPL-2.0-only"},
		{"deprecated: with an exception in it", "GPL-2.0-with-classpath-exception", Rules{Allow: []string{"GPL-2.0-only WITH Classpath-exception-2.0"}}, Allowed, ""},
		{"deny alone allows the rest", "Artistic-2.0", Rules{Deny: []string{"GPL-3.0-only"}}, Allowed, ""},
		{"deny wins over allow", "MIT", Rules{Allow: []string{"MIT"}, Deny: []string{"MIT"}}, Denied, "MIT"},
		{"deny: another alternative stays", "AGPL-3.0-only OR MIT", Rules{Deny: []string{"AGPL-3.0-only"}}, Allowed, ""},
		{"deny: every alternative", "AGPL-3.0-only OR SSPL-1.0", Rules{Deny: []string{"AGPL-3.0-only", "SSPL-1.0"}}, Denied, "AGPL-3.0-only"},
		{"nothing told", "", Rules{}, Unknown, ""},
		{"NONE", "NONE", Rules{}, Unknown, "NONE"},
		{"NOASSERTION", "NOASSERTION", Rules{}, Unknown, "NOASSERTION"},
		{"npm: no right granted", "UNLICENSED", Rules{}, Unknown, "UNLICENSED"},
		{"npm: words of its own", "SEE LICENSE IN LICENSE.md", Rules{}, Unknown, "SEE LICENSE IN LICENSE.md"},
		{"deps.dev: in no list", "non-standard", Rules{}, Unknown, "non-standard"},
		{"npm: object", `{"type": "MIT", "url": "https://mit.example"}`, permissive, Allowed, ""},
		{"npm: list of objects is a choice", `[{"type": "GPL-3.0"}, {"type": "Apache-2.0"}]`, permissive, Allowed, ""},
		{"npm: list of names", `["GPL-3.0", "ISC"]`, permissive, Denied, "GPL-3.0-only"},
		{"classifier", "License :: OSI Approved :: MIT License", permissive, Allowed, ""},
		{"classifier of several", "License :: OSI Approved :: BSD License", permissive, Unknown, "License :: OSI Approved :: BSD License"},
		{"not closed", "(MIT", permissive, Invalid, ""},
		{"rules that are none let nothing through", "MIT", Rules{Deny: []string{"GLP-3.0"}}, Unknown, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Check(test.expression, test.rules)
			if got.Status != test.want || got.Part != test.part {
				t.Errorf("Check(%q) = %s, decided by %q; want %s by %q (%s)", test.expression, got.Status, got.Part, test.want, test.part, got.Reason)
			}
			if (got.Reason == "") != (got.Status == Allowed) {
				t.Errorf("the reason of %s is %q", got.Status, got.Reason)
			}
		})
	}
}

func TestNormalise(t *testing.T) {
	for text, want := range map[string]string{
		"mit":                              "MIT",
		"((MIT))":                          "MIT",
		"MIT or (apache-2.0 and isc)":      "MIT OR Apache-2.0 AND ISC",
		"(MIT OR ISC) AND (0BSD)":          "(MIT OR ISC) AND 0BSD",
		"MIT OR (ISC OR 0BSD)":             "MIT OR ISC OR 0BSD",
		"GPL-2.0":                          "GPL-2.0-only",
		"gpl-2.0+":                         "GPL-2.0-or-later",
		"GPL-2.0-or-later+":                "GPL-2.0-or-later",
		"Apache-2.0+":                      "Apache-2.0+",
		"eCos-2.0":                         "GPL-2.0-or-later WITH eCos-exception-2.0",
		"GPL-2.0-with-GCC-exception":       "GPL-2.0-only WITH GCC-exception-2.0",
		"DOCUMENTREF-a:licenseref-B":       "DocumentRef-a:LicenseRef-B",
		"MIT WITH additionref-Commons":     "MIT WITH AdditionRef-Commons",
		"gfdl-1.1-invariants":              "",
		"GFDL-1.1-invariants-or-later":     "GFDL-1.1-invariants-or-later",
		"MPL-2.0-no-copyleft-exception":    "MPL-2.0-no-copyleft-exception",
		"MIT AND":                          "",
		"MIT Apache-2.0":                   "",
		"AND":                              "",
		"()":                               "",
		"MIT)":                             "",
		"MIT WITH":                         "",
		"WITH LLVM-exception":              "",
		"eCos-2.0 WITH eCos-exception-2.0": "",
		"GPL-2.0-only+":                    "",
		"GPL-2.0 +":                        "",
		"MIT oR ISC":                       "",
		"LicenseRef-":                      "",
		"LicenseRef-a_b":                   "",
		"ＭＩＴ":                              "",
	} {
		got, err := Normalise(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Normalise(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestEveryIdentifierIsReadAndStays(t *testing.T) {
	for _, id := range slices.Concat(spdxlicenses.GetLicenses(), spdxlicenses.GetDeprecated()) {
		got, err := Normalise(strings.ToUpper(id))
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if !slices.Contains(spdxlicenses.GetDeprecated(), id) && got != id {
			t.Errorf("%s became %s", id, got)
		}
		if o := Check(id, Rules{Allow: []string{id}}); o.Status != Allowed {
			t.Errorf("%s is not allowed where it is listed: %s", id, o.Reason)
		}
	}
	for _, id := range spdxlicenses.GetExceptions() {
		if got, err := Normalise("MIT WITH " + strings.ToLower(id)); err != nil || got != "MIT WITH "+id {
			t.Errorf("%s: %q, %v", id, got, err)
		}
	}
	for old, l := range current {
		if !slices.Contains(spdxlicenses.GetDeprecated(), old) || !slices.Contains(spdxlicenses.GetLicenses(), l.id) {
			t.Errorf("%s is not deprecated, or %s is", old, l.id)
		}
		if l.exception != "" && !slices.Contains(spdxlicenses.GetExceptions(), l.exception) {
			t.Errorf("%s: %s is no exception", old, l.exception)
		}
	}
}

func TestTablesNameLicences(t *testing.T) {
	for text, id := range classifiers {
		if got, err := Normalise(id); err != nil || got != id {
			t.Errorf("%s: %q is not the normal form of a licence: %v", text, id, err)
		}
	}
	for key, suggestion := range spellings {
		for _, text := range strings.FieldsFunc(strings.ReplaceAll(suggestion, " or ", ","), func(r rune) bool { return r == ',' }) {
			if _, err := Normalise(text); err != nil {
				t.Errorf("%s: %v", suggestion, err)
			}
		}
		if squeeze(key) != key {
			t.Errorf("%q can never be met: it is squeezed to %q", key, squeeze(key))
		}
	}
}

func TestSuggestions(t *testing.T) {
	for text, want := range map[string]string{
		"Apache 2.0":                               "Apache-2.0",
		"Apache License, Version 2.0":              "Apache-2.0",
		"The Apache Software License, Version 2.0": "Apache-2.0",
		"Apache2":                                "Apache-2.0",
		"MIT License":                            "MIT",
		"The MIT License":                        "MIT",
		"MIT/X11":                                "MIT",
		"BSD":                                    "BSD-2-Clause or BSD-3-Clause",
		"BSD License":                            "BSD-2-Clause or BSD-3-Clause",
		"New BSD License":                        "BSD-3-Clause",
		"3-Clause BSD License":                   "BSD-3-Clause",
		"GPLv3":                                  "GPL-3.0-only",
		"GPLv3+":                                 "GPL-3.0-or-later",
		"GPL v2 or later":                        "GPL-2.0-or-later",
		"GNU General Public License v2":          "GPL-2.0-only",
		"GNU Lesser General Public License v2.1": "LGPL-2.1-only",
		"LGPLv2.1":                               "LGPL-2.1-only",
		"MPL 2.0":                                "MPL-2.0",
		"Mozilla Public License 2.0":             "MPL-2.0",
		"Eclipse Public License v2.0":            "EPL-2.0",
		"CC0":                                    "CC0-1.0",
		"ISC license":                            "ISC",
		"The Unlicense":                          "Unlicense",
		"Public Domain":                          "CC0-1.0 or Unlicense",
		"MIT/Apache-2.0":                         "MIT OR Apache-2.0",
		"MIT / Apache 2":                         "MIT OR Apache-2.0",
		"GPL 2.0":                                "GPL-2.0-only",
		"AGPL-3":                                 "AGPL-3.0-only",
		"CDDL + GPLv2 with classpath exception":  "CDDL-1.0 OR GPL-2.0-only WITH Classpath-exception-2.0",
		"BSD/GPL":                                "",
		"Acme Enterprise Terms":                  "",
		"GPL-2.0-only+":                          "",
	} {
		got := Check(text, Rules{})
		if got.Status != Invalid || got.Suggestion != want {
			t.Errorf("Check(%q) = %s with suggestion %q, want invalid with %q", text, got.Status, got.Suggestion, want)
		}
	}
}

func TestRulesThatAreNoneAreNamed(t *testing.T) {
	for _, test := range []struct{ entry, want string }{
		{"Apache 2.0", `"Apache 2.0" is no licence of the SPDX list; perhaps Apache-2.0 is meant`},
		{"MIT OR ISC", `"MIT OR ISC" is more than one licence; list each`},
		{"", `"" is no licence of the SPDX list: it ends where a licence of the SPDX list should follow`},
		{"*", `"*" is no licence of the SPDX list: "*" at byte 1 is not a licence of the SPDX list`},
	} {
		for _, r := range []Rules{{Allow: []string{"MIT", test.entry}}, {Deny: []string{test.entry}}} {
			_, err := New(r)
			if err == nil || err.Error() != test.want {
				t.Errorf("New(%v) = %v\nwant %s", r, err, test.want)
			}
		}
	}
}

func TestG22HostileExpressionsAreBounded(t *testing.T) {
	deep := strings.Repeat("(", maxDepth) + "MIT" + strings.Repeat(")", maxDepth)
	if o := Check(deep, Rules{}); o.Status != Allowed {
		t.Fatalf("%d parentheses: %s", maxDepth, o.Reason)
	}
	for name, text := range map[string]string{
		"deeper":           "(" + deep + ")",
		"only parentheses": strings.Repeat("(", maxLength),
		"1 MB":             strings.Repeat("MIT OR ", 150_000) + "MIT",
		"no end":           strings.Repeat("MIT AND ", maxLength/8),
		"one long word":    strings.Repeat("x", maxLength),
		"JSON, nested":     strings.Repeat("[", maxLength),
		"NUL":              "MIT\x00",
		"not UTF-8":        "MIT\xff",
	} {
		if o := Check(text, Rules{}); o.Status != Invalid || len(o.Reason) > 1000 {
			t.Errorf("%s: %s, reason of %d bytes", name, o.Status, len(o.Reason))
		}
	}
	// Multiplied out this would have 2^200 alternatives.
	wide := strings.Repeat("(MIT OR ISC) AND ", 200) + "(MIT OR ISC)"
	if o := Check(wide, Rules{Allow: []string{"ISC"}}); o.Status != Allowed {
		t.Errorf("wide: %+v", o)
	}
}

func ExampleCheck() {
	o := Check("Apache-2.0 AND (GPL-2.0+ OR MIT)", Rules{Allow: []string{"Apache-2.0"}})
	fmt.Println(o.Status, o.Part)
	fmt.Println(o.Expression)
	fmt.Println(o.Reason)
	// Output:
	// denied GPL-2.0-or-later
	// Apache-2.0 AND (GPL-2.0-or-later OR MIT)
	// GPL-2.0-or-later is not among the allowed licences
}

func TestOutcomeOfAnInvalidText(t *testing.T) {
	want := Outcome{
		Status: Invalid, Suggestion: "Apache-2.0",
		Reason: `"Apache 2.0" is no SPDX expression: "Apache" at byte 1 is not a licence of the SPDX list; perhaps Apache-2.0 is meant`,
	}
	if diff := cmp.Diff(want, Check("Apache 2.0", Rules{Allow: []string{"Apache-2.0"}})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
