package licence

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

// list is the SPDX licence list, by identifier in lower case.
type list struct {
	licences   map[string]string
	exceptions map[string]string
	// later has, for a versioned licence, its own and all later versions, ascending.
	later map[string][]string
}

var spdx = sync.OnceValue(func() *list {
	x := &list{licences: map[string]string{}, exceptions: map[string]string{}}
	for _, id := range slices.Concat(spdxlicenses.GetDeprecated(), spdxlicenses.GetLicenses()) {
		x.licences[strings.ToLower(id)] = id
	}
	for _, id := range spdxlicenses.GetExceptions() {
		x.exceptions[strings.ToLower(id)] = id
	}
	x.later = versions(spdxlicenses.GetLicenses())
	return x
})

// current are the deprecated identifiers that stand for something else than themselves; those
// of the GNU licences, which got "-only" and "-or-later", need no row. The other deprecated
// ones (Net-SNMP, Nunit) have no equivalent and stay.
var current = map[string]licence{
	"BSD-2-Clause-FreeBSD":             {id: "BSD-2-Clause-Views"},
	"BSD-2-Clause-NetBSD":              {id: "BSD-2-Clause"},
	"bzip2-1.0.5":                      {id: "bzip2-1.0.6"},
	"eCos-2.0":                         {id: "GPL-2.0-only", later: true, exception: "eCos-exception-2.0"},
	"GPL-2.0-with-autoconf-exception":  {id: "GPL-2.0-only", exception: "Autoconf-exception-2.0"},
	"GPL-2.0-with-bison-exception":     {id: "GPL-2.0-only", exception: "Bison-exception-2.2"},
	"GPL-2.0-with-classpath-exception": {id: "GPL-2.0-only", exception: "Classpath-exception-2.0"},
	"GPL-2.0-with-font-exception":      {id: "GPL-2.0-only", exception: "Font-exception-2.0"},
	"GPL-2.0-with-GCC-exception":       {id: "GPL-2.0-only", exception: "GCC-exception-2.0"},
	"GPL-3.0-with-autoconf-exception":  {id: "GPL-3.0-only", exception: "Autoconf-exception-3.0"},
	"GPL-3.0-with-GCC-exception":       {id: "GPL-3.0-only", exception: "GCC-exception-3.1"},
	"StandardML-NJ":                    {id: "SMLNJ"},
	"wxWindows":                        {id: "LGPL-2.0-only", later: true, exception: "WxWindows-exception-3.1"},
}

// reference is a name that a document gives to a licence, or to an exception, that SPDX does
// not list (SPDX 2.3, annex D.2; AdditionRef since 3.0).
var reference = regexp.MustCompile(`^(?i:(DocumentRef)-([0-9A-Za-z.-]+):)?(?i:(LicenseRef|AdditionRef))-([0-9A-Za-z.-]+)$`)

// findReference returns the reference of a kind, "LicenseRef" or "AdditionRef", that word is.
// Its name is case-sensitive, the words before it are not.
func findReference(word, kind string) (string, bool) {
	if len(word) <= len(kind) {
		return "", false // spares most words the expression
	}
	m := reference.FindStringSubmatch(word)
	if m == nil || !strings.EqualFold(m[3], kind) {
		return "", false
	}
	if m[1] != "" {
		return "DocumentRef-" + m[2] + ":" + kind + "-" + m[4], true
	}
	return kind + "-" + m[4], true
}

// isReference tells what findReference returns from identifiers of the SPDX list.
func isReference(id string) bool { return strings.Contains(id, "Ref-") }

// findLicence returns the licence that word names, without exception unless a deprecated
// identifier implies one.
func findLicence(word string) (licence, bool) {
	if id, ok := findReference(word, "LicenseRef"); ok {
		return licence{id: id}, true
	}
	name, plus := strings.CutSuffix(word, "+")
	id, ok := spdx().licences[strings.ToLower(name)]
	if !ok || plus && strings.HasSuffix(id, "-only") {
		return licence{}, false
	}
	l := licence{id: id}
	if instead, ok := current[id]; ok {
		l = instead
	}
	if base, gnu := strings.CutSuffix(id, "-or-later"); gnu {
		l.id, l.later = base+"-only", true
	} else if only, gnu := spdx().licences[strings.ToLower(id)+"-only"]; gnu {
		l.id = only
	}
	l.later = l.later || plus
	return l, true
}

// findException returns the exception that word names.
func findException(word string) (string, bool) {
	if id, ok := findReference(word, "AdditionRef"); ok {
		return id, true
	}
	id, ok := spdx().exceptions[strings.ToLower(word)]
	return id, ok
}

// versioned are the identifiers that end in a version. Years and dates are none: HP-1989 is no
// later version of HP-1986.
var versioned = regexp.MustCompile(`^(.+?)-([0-9]+(?:\.[0-9]+)+)([a-z]?)((?:-no-invariants|-invariants)?-only)?$`)

// versions finds the licences that are versions of one.
func versions(ids []string) map[string][]string {
	families := map[string][]string{}
	for _, id := range ids {
		if m := versioned.FindStringSubmatch(id); m != nil {
			families[m[1]+m[4]] = append(families[m[1]+m[4]], id)
		}
	}
	later := map[string][]string{}
	for _, family := range families {
		slices.SortFunc(family, byVersion)
		for i, id := range family {
			later[id] = family[i:]
		}
	}
	return later
}

func byVersion(a, b string) int {
	x, y := versioned.FindStringSubmatch(a), versioned.FindStringSubmatch(b)
	order := slices.CompareFunc(strings.Split(x[2], "."), strings.Split(y[2], "."), func(a, b string) int {
		m, _ := strconv.Atoi(a) // digits, by the expression; an overflow would sort last
		n, _ := strconv.Atoi(b)
		return m - n
	})
	return cmp.Or(order, strings.Compare(x[3], y[3]))
}

// squeezed are the normal forms of all identifiers by what squeeze leaves of them, with ".0"
// and without.
var squeezed = sync.OnceValue(func() map[string]string {
	keys := map[string]string{}
	for _, id := range slices.Concat(spdxlicenses.GetLicenses(), spdxlicenses.GetDeprecated()) {
		l, _ := findLicence(id) // every identifier of the list is one; a test reads them all
		short := strings.Replace(id, ".0", "", 1)
		for _, key := range []string{squeeze(id), squeeze(short)} {
			if keys[key] == "" {
				keys[key] = l.String()
			}
		}
	}
	return keys
})
