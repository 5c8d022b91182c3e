package cage

import (
	"errors"
	"fmt"
	"math"

	"github.com/landwaiter/landwaiter/checks"
)

// These have the fields that are carried, so that a new field of checks does not get lost: when
// one of the lines below them does not compile, add the field here, in put and in read.
type (
	manifestFields struct {
		Path, Digest, Format string // the parent's own
		Packages             []checks.Package
		Observations         []checks.Observation
		Gap                  string
	}
	packageFields struct {
		PURL, Ecosystem, Name, Version string
		Constraint                     string
		Line                           int
		Scope                          checks.Scope
		Relation                       checks.Relation
		Via                            []string
		Licence, Manager, Commit       string
		Deprecated                     string
		Requirers                      []checks.Requirer
	}
	requirerFields    struct{ Name, Version, Constraint string }
	observationFields struct {
		Rule     string
		Severity checks.Severity
		Line     int
		Subject  string
		Message  string
		Remedy   string
		Package  *checks.Package // nil in a manifest
	}
)

var (
	_ = manifestFields(checks.Manifest{})
	_ = packageFields(checks.Package{})
	_ = requirerFields(checks.Requirer{})
	_ = observationFields(checks.Observation{})
)

// What one answer may hold. manifests gives no more.
const (
	maxManifestPackages = 250_000
	maxPackages         = 1_000_000
	maxObservations     = 100_000
	maxList             = 64 // of Via and Requirers
)

var (
	errWord  = errors.New("a scope, relation or severity is none")
	errEmpty = errors.New("a package has no name")
)

// putManifest writes what was read of the file with that number.
func putManifest(w *writer, file int, m *checks.Manifest) {
	w.num(file)
	w.str(m.Gap)
	w.num(len(m.Packages))
	for i := range m.Packages {
		putPackage(w, &m.Packages[i])
	}
	w.num(len(m.Observations))
	for i := range m.Observations {
		o := &m.Observations[i]
		w.str(o.Rule)
		w.num(int(o.Severity))
		w.num(o.Line)
		w.str(o.Subject)
		w.str(o.Message)
		w.str(o.Remedy)
	}
}

func putPackage(w *writer, p *checks.Package) {
	w.str(p.PURL)
	w.str(p.Ecosystem)
	w.str(p.Name)
	w.str(p.Version)
	w.str(p.Constraint)
	w.num(p.Line)
	w.str(string(p.Scope))
	w.str(string(p.Relation))
	w.num(len(p.Via))
	for _, name := range p.Via {
		w.str(name)
	}
	w.str(p.Licence)
	w.str(p.Manager)
	w.str(p.Commit)
	w.str(p.Deprecated)
	w.num(len(p.Requirers))
	for i := range p.Requirers {
		w.str(p.Requirers[i].Name)
		w.str(p.Requirers[i].Version)
		w.str(p.Requirers[i].Constraint)
	}
}

// getManifest reads what putManifest wrote. The file must be one of files. packages and
// observations count those of the whole answer.
func getManifest(r *reader, files int, packages, observations *int) (file int, m checks.Manifest) {
	file = r.num(files - 1)
	m.Gap = r.str()
	n := r.count(maxManifestPackages)
	if *packages += n; *packages > maxPackages {
		r.fail(errNumber)
	}
	if n > 0 && r.err == nil {
		m.Packages = make([]checks.Package, n)
	}
	for i := range m.Packages {
		if getPackage(r, &m.Packages[i]); r.err != nil {
			return file, m
		}
	}
	n = r.count(maxObservations)
	if *observations += n; *observations > maxObservations {
		r.fail(errNumber)
	}
	for range n {
		if r.err != nil {
			break
		}
		m.Observations = append(m.Observations, checks.Observation{
			Rule: r.str(), Severity: checks.Severity(r.num(int(checks.SeverityCritical))), Line: r.num(math.MaxInt32),
			Subject: r.str(), Message: r.str(), Remedy: r.str(),
		})
	}
	return file, m
}

func getPackage(r *reader, p *checks.Package) {
	p.PURL, p.Ecosystem, p.Name, p.Version, p.Constraint = r.str(), r.str(), r.str(), r.str(), r.str()
	p.Line = r.num(math.MaxInt32)
	p.Scope, p.Relation = checks.Scope(r.str()), checks.Relation(r.str())
	p.Via = r.strs(maxList)
	p.Licence, p.Manager, p.Commit, p.Deprecated = r.str(), r.str(), r.str(), r.str()
	if n := r.count(maxList); n > 0 {
		p.Requirers = make([]checks.Requirer, n)
	}
	for i := range p.Requirers {
		p.Requirers[i] = checks.Requirer{Name: r.str(), Version: r.str(), Constraint: r.str()}
	}
	switch p.Scope {
	case "", checks.ScopeRuntime, checks.ScopeDevelopment, checks.ScopeOptional:
	default:
		r.fail(errWord)
	}
	switch p.Relation {
	case "", checks.Direct, checks.Transitive:
	default:
		r.fail(errWord)
	}
	if p.Name == "" {
		r.fail(errEmpty)
	}
}

// putInventory writes what was read of files, at most limit bytes of it: a manifest that would
// be beyond comes out with a Gap.
func putInventory(w *writer, inv checks.Inventory, fileOf map[string]int, limit int) {
	w.num(len(inv.Manifests))
	for i := range inv.Manifests {
		m := &inv.Manifests[i]
		before := w.mark()
		putManifest(w, fileOf[m.Path], m)
		if w.size() > limit || len(m.Packages) > maxManifestPackages {
			w.back(before)
			putManifest(w, fileOf[m.Path], &checks.Manifest{
				Gap: fmt.Sprintf("could not be read: what it holds takes more than %d MiB together with the other manifests; split the project", limit>>20),
			})
		}
	}
}

// getInventory reads what putInventory wrote and calls take with each manifest.
func getInventory(r *reader, files int, take func(file int, m checks.Manifest) error) error {
	packages, observations := 0, 0
	for range r.count(files) {
		file, m := getManifest(r, files, &packages, &observations)
		if r.err != nil {
			break
		}
		if err := take(file, m); err != nil {
			return err
		}
	}
	return r.end()
}
