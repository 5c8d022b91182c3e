package licence

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// noLicence says what is known when text stands in place of a licence and names none; "" when
// it may be an expression.
//
//	""                      nothing is told
//	NONE, NOASSERTION       SPDX 2.3, clause 7.13: there is none; nobody says
//	UNLICENSED              npm: no right is granted (package.json, field license)
//	SEE LICENSE IN file     npm: in words of its own
//	non-standard            deps.dev: there is one, and it is in no list
//	proprietary             Composer: not an open one (composer.json, field license)
//	UNKNOWN                 Python's packaging tools: the field was left empty
//
// "License :: OSI Approved" and the other Python classifiers that name a group of licences are
// in the table classifiers, with "".
func noLicence(text string) string {
	low := strings.ToLower(text)
	switch {
	case low == "":
		return "no licence is told"
	case low == "noassertion", low == "unknown", low == "license :: osi approved":
		return "no licence is told: " + text
	case low == "none":
		return "there is no licence"
	case low == "unlicensed":
		return "no licence is granted: UNLICENSED"
	case low == "non-standard", low == "proprietary", low == "commercial", low == "other":
		return fmt.Sprintf("the licence is not in the SPDX list: %s", clip(text))
	case strings.HasPrefix(low, "see license in "), strings.HasPrefix(low, "see licence in "), strings.HasPrefix(low, "file://"):
		return fmt.Sprintf("the licence is in words of its own: %s", clip(text))
	case strings.HasPrefix(low, "license :: "):
		if classifiers[text] == "" {
			return fmt.Sprintf("%q does not say which licence it is", clip(text))
		}
	}
	return ""
}

// classifiers are the Python classifiers that name exactly one licence. The others, such as
// "BSD License" or "Apache Software License", name several and mean none.
var classifiers = map[string]string{
	"License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication":                    "CC0-1.0",
	"License :: OSI Approved :: Academic Free License (AFL)":                             "AFL-3.0",
	"License :: OSI Approved :: Blue Oak Model License (BlueOak-1.0.0)":                  "BlueOak-1.0.0",
	"License :: OSI Approved :: Boost Software License 1.0 (BSL-1.0)":                    "BSL-1.0",
	"License :: OSI Approved :: Eclipse Public License 1.0 (EPL-1.0)":                    "EPL-1.0",
	"License :: OSI Approved :: Eclipse Public License 2.0 (EPL-2.0)":                    "EPL-2.0",
	"License :: OSI Approved :: European Union Public Licence 1.0 (EUPL 1.0)":            "EUPL-1.0",
	"License :: OSI Approved :: European Union Public Licence 1.1 (EUPL 1.1)":            "EUPL-1.1",
	"License :: OSI Approved :: European Union Public Licence 1.2 (EUPL 1.2)":            "EUPL-1.2",
	"License :: OSI Approved :: GNU Affero General Public License v3":                    "AGPL-3.0-only",
	"License :: OSI Approved :: GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
	"License :: OSI Approved :: GNU General Public License v2 (GPLv2)":                   "GPL-2.0-only",
	"License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)":         "GPL-2.0-or-later",
	"License :: OSI Approved :: GNU General Public License v3 (GPLv3)":                   "GPL-3.0-only",
	"License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)":         "GPL-3.0-or-later",
	"License :: OSI Approved :: GNU Lesser General Public License v2 (LGPLv2)":           "LGPL-2.0-only",
	"License :: OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
	"License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)":           "LGPL-3.0-only",
	"License :: OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
	"License :: OSI Approved :: Historical Permission Notice and Disclaimer (HPND)":      "HPND",
	"License :: OSI Approved :: ISC License (ISCL)":                                      "ISC",
	"License :: OSI Approved :: MIT License":                                             "MIT",
	"License :: OSI Approved :: MIT No Attribution License (MIT-0)":                      "MIT-0",
	"License :: OSI Approved :: Mozilla Public License 1.0 (MPL)":                        "MPL-1.0",
	"License :: OSI Approved :: Mozilla Public License 1.1 (MPL 1.1)":                    "MPL-1.1",
	"License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)":                    "MPL-2.0",
	"License :: OSI Approved :: Mulan Permissive Software License v2 (MulanPSL-2.0)":     "MulanPSL-2.0",
	"License :: OSI Approved :: The Unlicense (Unlicense)":                               "Unlicense",
	"License :: OSI Approved :: Universal Permissive License (UPL)":                      "UPL-1.0",
	"License :: OSI Approved :: University of Illinois/NCSA Open Source License":         "NCSA",
	"License :: OSI Approved :: zlib/libpng License":                                     "Zlib",
}

// otherForm reads what is not an expression but says exactly one thing: a Python classifier of
// the table, and npm's old forms, {"type": "MIT", "url": ...} and a list of those or of names,
// from which one may choose (package.json, field license, "old package metadata").
func otherForm(text string) (expression string, ok bool) {
	if id := classifiers[text]; id != "" {
		return id, true
	}
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return "", false
	}
	var one npmLicence
	if json.Unmarshal([]byte(text), &one) == nil {
		return one.Type, one.Type != ""
	}
	var many []npmLicence
	if json.Unmarshal([]byte(text), &many) != nil || len(many) == 0 {
		return "", false
	}
	names := make([]string, len(many))
	for i, m := range many {
		if names[i] = "(" + m.Type + ")"; m.Type == "" {
			return "", false
		}
	}
	return strings.Join(names, " OR "), true
}

// npmLicence is an entry of npm's old forms: an object with a type, or the type alone.
type npmLicence struct{ Type string }

// UnmarshalJSON reads either form.
func (l *npmLicence) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &l.Type)
	}
	type plain npmLicence
	return json.Unmarshal(data, (*plain)(l))
}

// spellings are what people write for a licence, as squeeze leaves it.
var spellings = map[string]string{
	"afl21": "AFL-2.1", "afl3": "AFL-3.0",
	"agpl": "AGPL-3.0-only or AGPL-3.0-or-later", "agpl3": "AGPL-3.0-only", "agpl3plus": "AGPL-3.0-or-later",
	"gnuafferogeneralpublic3": "AGPL-3.0-only",
	"apache":                  "Apache-2.0", "apache2": "Apache-2.0", "asl2": "Apache-2.0", "apachesoftware": "Apache-2.0", "apachesoftware2": "Apache-2.0",
	"apachesoftware20": "Apache-2.0", "apl2": "Apache-2.0",
	"artistic2": "Artistic-2.0", "perl": "Artistic-1.0-Perl OR GPL-1.0-or-later",
	"boost": "BSL-1.0", "boostsoftware10": "BSL-1.0", "boostsoftware1": "BSL-1.0",
	"bsd": "BSD-2-Clause or BSD-3-Clause", "bsdlike": "BSD-2-Clause or BSD-3-Clause", "bsdstyle": "BSD-2-Clause or BSD-3-Clause",
	"2clausebsd": "BSD-2-Clause", "bsd2": "BSD-2-Clause", "simplifiedbsd": "BSD-2-Clause", "freebsd": "BSD-2-Clause",
	"3clausebsd": "BSD-3-Clause", "bsd3": "BSD-3-Clause", "newbsd": "BSD-3-Clause", "modifiedbsd": "BSD-3-Clause", "revisedbsd": "BSD-3-Clause",
	"ccby4": "CC-BY-4.0", "ccbysa4": "CC-BY-SA-4.0", "cc0": "CC0-1.0", "cc01": "CC0-1.0", "cc010universal": "CC0-1.0",
	"cddl": "CDDL-1.0", "cddl1": "CDDL-1.0", "cddlplusgpl2withclasspathexception": "CDDL-1.0 OR GPL-2.0-only WITH Classpath-exception-2.0",
	"edl10": "BSD-3-Clause", "eclipsedistribution10": "BSD-3-Clause",
	"epl1": "EPL-1.0", "epl2": "EPL-2.0", "eclipsepublic10": "EPL-1.0", "eclipsepublic20": "EPL-2.0", "eclipsepublic1": "EPL-1.0", "eclipsepublic2": "EPL-2.0",
	"gpl": "GPL-2.0-only, GPL-2.0-or-later, GPL-3.0-only or GPL-3.0-or-later", "gpl2": "GPL-2.0-only", "gpl3": "GPL-3.0-only", "gpl2plus": "GPL-2.0-or-later",
	"gpl3plus": "GPL-3.0-or-later", "gnugpl2": "GPL-2.0-only", "gnugpl3": "GPL-3.0-only", "gnugeneralpublic2": "GPL-2.0-only", "gnugeneralpublic3": "GPL-3.0-only",
	"gnugeneralpublic2orlater": "GPL-2.0-or-later", "gnugeneralpublic3orlater": "GPL-3.0-or-later",
	"gpl2wclasspathexception": "GPL-2.0-only WITH Classpath-exception-2.0", "gpl2withclasspathexception": "GPL-2.0-only WITH Classpath-exception-2.0",
	"gpl2orlater": "GPL-2.0-or-later", "gpl3orlater": "GPL-3.0-or-later",
	"iscl": "ISC",
	"lgpl": "LGPL-2.1-only, LGPL-2.1-or-later, LGPL-3.0-only or LGPL-3.0-or-later", "lgpl2": "LGPL-2.0-only", "lgpl3": "LGPL-3.0-only",
	"lgpl21plus": "LGPL-2.1-or-later", "lgpl3plus": "LGPL-3.0-or-later", "gnulesser21": "LGPL-2.1-only", "gnulgpl21": "LGPL-2.1-only", "gnulgpl3": "LGPL-3.0-only",
	"gnulessergeneralpublic21": "LGPL-2.1-only", "gnulessergeneralpublic3": "LGPL-3.0-only",
	"mitx11": "MIT", "x11mit": "MIT", "expat": "MIT", "mitexpat": "MIT",
	"mpl": "MPL-2.0", "mpl1": "MPL-1.0", "mpl2": "MPL-2.0", "mozillapublic2": "MPL-2.0", "mozillapublic20": "MPL-2.0", "mozillapublic11": "MPL-1.1",
	"psf": "PSF-2.0", "psfl": "PSF-2.0", "pythonsoftwarefoundation": "PSF-2.0",
	"publicdomain": "CC0-1.0 or Unlicense", "un": "Unlicense", "zope": "ZPL-2.1", "zpl": "ZPL-2.1", "zliblibpng": "Zlib", "libpng": "Libpng",
	"ruby": "Ruby", "rubys": "Ruby", "wtfpl2": "WTFPL", "dowhatthefuckyouwanttopublic": "WTFPL",
}

// suggest returns the expression that text probably means: a known spelling, an identifier that
// differs in punctuation only, or such with the separators of old Cargo and Maven files.
func suggest(text string) string {
	if id := spelling(text); id != "" {
		return id
	}
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '|' })
	if len(parts) < 2 || len(parts) > 8 {
		return ""
	}
	for i, p := range parts {
		if n, err := parse(p); err == nil && n.operator == "" {
			parts[i] = n.String()
		} else {
			parts[i] = spelling(p)
		}
		if parts[i] == "" || strings.Contains(parts[i], " or ") {
			return ""
		}
	}
	return strings.Join(parts, " OR ")
}

func spelling(text string) string {
	key := squeeze(text)
	if key == "" {
		return ""
	}
	if id := spellings[key]; id != "" {
		return id
	}
	return squeezed()[key]
}

// squeeze keeps of text what tells licences apart: small letters and digits, without the words
// "the", "license", "licence", "version" and "v" before a digit. A plus becomes "plus".
func squeeze(text string) string {
	if len(text) > 200 {
		return ""
	}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '+'
	})
	var b strings.Builder
	for _, w := range words {
		switch w {
		case "the", "license", "licence", "version", "ver", "v":
			continue
		}
		w = strings.TrimSuffix(strings.TrimSuffix(w, "license"), "licence")
		b.WriteString(strings.ReplaceAll(w, "+", "plus"))
	}
	key := []byte(b.String())
	kept := key[:0]
	for i, c := range key {
		if c == 'v' && i > 0 && i+1 < len(key) && key[i+1] >= '0' && key[i+1] <= '9' {
			continue
		}
		kept = append(kept, c)
	}
	return string(kept)
}
