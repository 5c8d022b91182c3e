package manifests

import "testing"

func TestCutCabal(t *testing.T) {
	t.Parallel()
	for constraint, want := range map[string][2]string{
		"any.aeson ==2.2.0.0":         {"aeson", "==2.2.0.0"},
		"aeson ==2.2":                 {"aeson", "==2.2"},
		"aeson==2.2":                  {"aeson", "==2.2"},
		"happy:setup.Cabal (>=3)":     {"Cabal", ">=3)"},
		"happy:Cabal >=3":             {"Cabal", ">=3"},
		"setup.base ( ==4.18 )":       {"base", "==4.18 )"},
		"any.base installed":          {"base", "installed"},
		"base (":                      {"base", "("},
		"a ^>=1 && <2":                {"a", "^>=1 && <2"},
		"aeson -cffi +ordered-keymap": {},
		"any. ==1":                    {},
		"Any.x ==1":                   {},
		"":                            {},
		"==1":                         {},
		"x:y:z ==1":                   {},
		"aeson":                       {},
	} {
		name, says, ok := cutCabal(constraint)
		if got := [2]string{name, says}; got != want || ok != (want[0] != "") {
			t.Errorf("cutCabal(%q) = %q, %t, want %q", constraint, got, ok, want)
		}
	}
	for says, want := range map[string]string{
		"==1": "1", "== 1.2.3 ": "1.2.3", "==4.18 )": "4.18", "==1.*": "", "==1.": "", "==.1": "", "==": "", "==1..2": "", ">=1": "", "==1 || ==2": "",
	} {
		if got, ok := exactHaskell(says); got != want || ok != (want != "") {
			t.Errorf("exactHaskell(%q) = %q, %t, want %q", says, got, ok, want)
		}
	}
}
