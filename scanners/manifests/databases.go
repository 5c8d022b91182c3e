package manifests

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readAPK reads lib/apk/db/installed, what a root file system of Alpine has installed. Advisories
// name the source package ("o:"). Which release it is, the file does not say, so advisories of
// all releases count. Source: https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_database_V2.
func readAPK(s *source) error {
	return s.stanzas(func(f map[string]string, line int) error {
		if f["P"] == "" || f["V"] == "" {
			return fmt.Errorf("is not valid as a database of apk: line %d: the package has no name or no version", line)
		}
		s.installed(f["P"], f["o"], f["V"], f["L"], line)
		return nil
	})
}

// readDpkg reads var/lib/dpkg/status, and the files of status.d that images without dpkg have:
// what a root file system of Debian has installed. Advisories name the source package. Which
// release it is, the file does not say.
// Source: https://www.debian.org/doc/debian-policy/ch-controlfields.html.
func readDpkg(s *source) error {
	if path.Ext(s.path) == ".md5sums" {
		return nil // sums of the files of a package, beside its entry
	}
	return s.stanzas(func(f map[string]string, line int) error {
		if f["Package"] == "" || f["Version"] == "" {
			return fmt.Errorf("is not valid as a database of dpkg: line %d: the package has no name or no version", line)
		}
		if status := f["Status"]; status != "" && !strings.HasSuffix(status, " installed") {
			return nil // its configuration is left, or it is wanted only
		}
		origin, version := f["Source"], f["Version"]
		if name, rest, ok := strings.Cut(origin, " ("); ok {
			origin, version = name, strings.TrimSuffix(rest, ")")
		}
		s.installed(f["Package"], origin, version, "", line)
		return nil
	})
}

// installed adds a package under the name of its source package, which its binary packages
// share.
func (s *source) installed(name, origin, version, licence string, line int) {
	if origin == "" {
		origin = name
	}
	i := s.add(origin, version, line)
	s.packages[i].Licence = strings.Clone(licence)
}

// stanzas reads "key: value" lines in groups between blank lines and calls each with the group
// and the line that it begins in. Lines that are further in continue a value and are left out.
func (s *source) stanzas(each func(fields map[string]string, line int) error) error {
	fields, first, number := map[string]string{}, 0, 0
	for line := range strings.Lines(s.text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.TrimSpace(line) == "":
			if len(fields) > 0 {
				if err := each(fields, first); err != nil {
					return err
				}
			}
			fields, first = map[string]string{}, 0
			continue
		case line[0] == ' ' || line[0] == '\t':
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return fmt.Errorf("is not valid as a database of packages: line %d: expected a key and a value", number)
		}
		if first == 0 {
			first = number
		}
		if _, twice := fields[key]; !twice {
			fields[key] = strings.TrimSpace(value)
		}
	}
	if len(fields) > 0 {
		return each(fields, first)
	}
	return nil
}

// readScannerReport reads osv-scanner-custom.json, a report of osv-scanner that it also takes as
// input: packages that somebody lists by hand.
// Source: https://google.github.io/osv-scanner/usage/#custom-lockfiles.
func readScannerReport(s *source) error {
	root, err := syntax.JSON(s.text)
	if err != nil {
		return invalid("JSON", err)
	}
	results := root.Get("results")
	if results.Kind() != syntax.List {
		return errors.New("has no list of results")
	}
	for r := range results.All() {
		for entry := range r.Get("packages").All() {
			p := entry.Get("package")
			if p.String("name") == "" || p.String("ecosystem") == "" && p.String("commit") == "" {
				return fmt.Errorf("is not valid as a report of osv-scanner: line %d: the package has no name or no ecosystem", entry.Line())
			}
			i := s.add(p.String("name"), "", p.Get("name").Line())
			pkg := &s.packages[i]
			if pkg.Ecosystem = strings.Clone(p.String("ecosystem")); pkg.Ecosystem == "" {
				pkg.Ecosystem = "GIT"
			}
			s.name(i, p.String("name"), p.String("version"))
			pkg.Commit = strings.Clone(p.String("commit"))
			if pkg.PURL == "" { // of an ecosystem without a type: two packages must still differ
				pkg.PURL = purlOf("GIT", p.String("name"), p.String("version"))
			}
		}
	}
	return nil
}
