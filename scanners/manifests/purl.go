package manifests

import (
	"strings"

	"github.com/package-url/packageurl-go"
)

// purlType says how an ecosystem's names become package URLs, as its page in the types of
// the purl specification says. split is the mark between namespace and name, "" for none.
type purlType struct{ name, split string }

// purlTypes has a row for each ecosystem of the table of formats.
var purlTypes = map[string]purlType{
	"Go":             {packageurl.TypeGolang, "/"},
	"npm":            {packageurl.TypeNPM, "/"},
	"PyPI":           {packageurl.TypePyPi, ""},
	"crates.io":      {packageurl.TypeCargo, ""},
	"RubyGems":       {packageurl.TypeGem, ""},
	"Packagist":      {packageurl.TypeComposer, "/"},
	"Maven":          {packageurl.TypeMaven, ":"},
	"NuGet":          {packageurl.TypeNuget, ""},
	"GitHub Actions": {packageurl.TypeGithub, "/"},
	"Pub":            {packageurl.TypePub, ""},
	"Hex":            {packageurl.TypeHex, ""},
	"Hackage":        {packageurl.TypeHackage, ""},
	"CRAN":           {packageurl.TypeCran, ""},
	"ConanCenter":    {packageurl.TypeConan, ""},
	"SwiftURL":       {packageurl.TypeSwift, "/"},
	"Alpine":         {"apk/alpine", ""},
	"Debian":         {"deb/debian", ""},
	"GIT":            {packageurl.TypeGeneric, ""},
	"JSR":            {"jsr", "/"},
	"Docker":         {packageurl.TypeDocker, "/"},
	"Bioconductor":   {"bioconductor", ""},
	"CocoaPods":      {packageurl.TypeCocoapods, ""},
}

// purlOf returns the package URL of a package, "" for an ecosystem without a type.
func purlOf(ecosystem, name, version string) string {
	t, ok := purlTypes[ecosystem]
	if !ok || name == "" {
		return ""
	}
	if ecosystem == "Go" && version != "" {
		version = "v" + version // the version of the module as Go writes it
	}
	// Nearly all names and versions need no escape. The library takes a microsecond for each,
	// which is a third of the time a lock file may take.
	if t.split != ":" && plain(version) && !strings.Contains(version, "/") {
		if scoped := ecosystem == "npm" && strings.HasPrefix(name, "@"); scoped && plain(name[1:]) {
			return "pkg:npm/%40" + name[1:] + at(version)
		} else if !scoped && plain(name) && (t.split == "/" || !strings.Contains(name, "/")) {
			return "pkg:" + t.name + "/" + name + at(version)
		}
	}
	namespace := ""
	if t.split != "" {
		if i := strings.LastIndex(name, t.split); i >= 0 {
			namespace, name = name[:i], name[i+len(t.split):]
		}
	}
	return packageurl.NewPackageURL(t.name, namespace, name, version, nil, "").ToString()
}

func at(version string) string {
	if version == "" {
		return ""
	}
	return "@" + version
}

// plain reports whether a package URL keeps s as it is in every type: lower case, digits and
// marks that need no escape.
func plain(s string) bool {
	last := byte('/')
	for i := range len(s) {
		c := s[i]
		if c-'a' > 'z'-'a' && c-'0' > 9 && c != '-' && (c != '.' && c != '/' || c == last) {
			return false
		}
		last = c
	}
	return s == "" || last != '/'
}
