package packed

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// These have the fields that are carried, so that a new field of checks does not get lost: when
// one of the lines below them does not compile, add the field here, in put and in read.
type (
	manifestFields struct {
		Path, Digest, Format string // only Encode carries them
		Packages             []inventory.Package
		Observations         []inventory.Observation
		Gap                  string
	}
	packageFields struct {
		PURL, Ecosystem, Name, Version string
		Constraint                     string
		Line                           int
		Scope                          inventory.Scope
		Relation                       inventory.Relation
		Via                            []string
		Licence, Manager, Commit       string
		Deprecated                     string
		Requirers                      []inventory.Requirer
	}
	requirerFields    struct{ Name, Version, Constraint string }
	observationFields struct {
		Rule     string
		Severity inventory.Severity
		Line     int
		Subject  string
		Message  string
		Remedy   string
		Package  *inventory.Package // nil in a manifest
	}
)

var (
	_ = manifestFields(inventory.Manifest{})
	_ = packageFields(inventory.Package{})
	_ = requirerFields(inventory.Requirer{})
	_ = observationFields(inventory.Observation{})
)

// What one message may hold. The readers of manifests give no more.
const (
	MaxPackages     = 250_000 // of one Manifest
	maxPackages     = 1_000_000
	maxObservations = 100_000
	maxList         = 64 // of Via and Requirers
)

var (
	errWord  = errors.New("a scope, relation or severity is none")
	errEmpty = errors.New("a package has no name")
)

// Manifest writes m without Path, Digest and Format.
func (w *Writer) Manifest(m *inventory.Manifest) {
	w.Str(m.Gap)
	w.Num(len(m.Packages))
	for i := range m.Packages {
		w.pack(&m.Packages[i])
	}
	w.Num(len(m.Observations))
	for i := range m.Observations {
		o := &m.Observations[i]
		w.Str(o.Rule)
		w.Num(int(o.Severity))
		w.Num(o.Line)
		w.Str(o.Subject)
		w.Str(o.Message)
		w.Str(o.Remedy)
	}
}

// What a package has beside what all have, as bits.
const (
	hasConstraint = 1 << iota
	hasVia
	hasLicence
	hasCommit
	hasDeprecated
	hasRequirers
	hasAll = 1<<iota - 1
)

// has returns the bits of p.
func has(p *inventory.Package) (bits int) {
	for _, field := range [...]struct {
		bit int
		is  bool
	}{
		{hasConstraint, p.Constraint != ""}, {hasVia, len(p.Via) > 0}, {hasLicence, p.Licence != ""},
		{hasCommit, p.Commit != ""}, {hasDeprecated, p.Deprecated != ""}, {hasRequirers, len(p.Requirers) > 0},
	} {
		if field.is {
			bits |= field.bit
		}
	}
	return bits
}

func (w *Writer) pack(p *inventory.Package) {
	bits := has(p)
	w.Num(bits)
	w.Str(p.PURL)
	w.Str(p.Ecosystem)
	w.Str(p.Name)
	w.Str(p.Version)
	w.Num(p.Line)
	w.Str(string(p.Scope))
	w.Str(string(p.Relation))
	w.Str(p.Manager)
	for _, field := range [...]struct {
		bit  int
		text string
	}{{hasConstraint, p.Constraint}, {hasLicence, p.Licence}, {hasCommit, p.Commit}, {hasDeprecated, p.Deprecated}} {
		if bits&field.bit != 0 {
			w.Str(field.text)
		}
	}
	if bits&hasVia != 0 {
		w.Num(len(p.Via))
		for _, name := range p.Via {
			w.Str(name)
		}
	}
	if bits&hasRequirers != 0 {
		w.Num(len(p.Requirers))
		for i := range p.Requirers {
			w.Str(p.Requirers[i].Name)
			w.Str(p.Requirers[i].Version)
			w.Str(p.Requirers[i].Constraint)
		}
	}
}

// Manifest reads what Writer.Manifest wrote.
func (r *Reader) Manifest() (m inventory.Manifest) {
	m.Gap = r.Str()
	n := r.Count(MaxPackages)
	if r.packages += n; r.packages > maxPackages {
		r.fail(errNumber)
	}
	if n > 0 && r.err == nil {
		m.Packages = make([]inventory.Package, n)
		r.heard = slices.Grow(r.heard, 4*n)
	}
	for i := range m.Packages {
		if r.unpack(&m.Packages[i]); r.err != nil {
			return m
		}
	}
	n = r.Count(maxObservations)
	if r.observations += n; r.observations > maxObservations {
		r.fail(errNumber)
	}
	for range n {
		if r.err != nil {
			break
		}
		m.Observations = append(m.Observations, inventory.Observation{
			Rule: r.Str(), Severity: inventory.Severity(r.Num(int(inventory.SeverityCritical))), Line: r.Num(math.MaxInt32),
			Subject: r.Str(), Message: r.Str(), Remedy: r.Str(),
		})
	}
	return m
}

func (r *Reader) unpack(p *inventory.Package) {
	bits := r.Num(hasAll)
	p.PURL, p.Ecosystem, p.Name, p.Version = r.Str(), r.Str(), r.Str(), r.Str()
	p.Line = r.Num(math.MaxInt32)
	p.Scope, p.Relation, p.Manager = inventory.Scope(r.Str()), inventory.Relation(r.Str()), r.Str()
	if bits&hasConstraint != 0 {
		p.Constraint = r.Str()
	}
	if bits&hasLicence != 0 {
		p.Licence = r.Str()
	}
	if bits&hasCommit != 0 {
		p.Commit = r.Str()
	}
	if bits&hasDeprecated != 0 {
		p.Deprecated = r.Str()
	}
	if bits&hasVia != 0 {
		p.Via = r.strs(maxList)
	}
	if bits&hasRequirers != 0 {
		p.Requirers = r.requirers()
	}
	switch p.Scope {
	case "", inventory.ScopeRuntime, inventory.ScopeDevelopment, inventory.ScopeOptional:
	default:
		r.fail(errWord)
	}
	switch p.Relation {
	case "", inventory.Direct, inventory.Transitive:
	default:
		r.fail(errWord)
	}
	if p.Name == "" {
		r.fail(errEmpty)
	}
}

func (r *Reader) requirers() []inventory.Requirer {
	n := r.Count(maxList)
	if n == 0 {
		return nil
	}
	list := make([]inventory.Requirer, n)
	for i := range list {
		list[i] = inventory.Requirer{Name: r.Str(), Version: r.Str(), Constraint: r.Str()}
	}
	return list
}

// version begins what Encode writes. It rises with every change of it.
const version = 2

var errVersion = errors.New("was written by another version")

// Encode returns the whole of m as bytes.
func Encode(m *inventory.Manifest) []byte {
	w := new(Writer)
	w.Str(m.Path)
	w.Str(m.Digest)
	w.Str(m.Format)
	w.Manifest(m)
	b := make([]byte, 0, 5+w.Size())
	b = binary.LittleEndian.AppendUint32(append(b, version), uint32(len(w.Numbers)))
	return append(append(b, w.Numbers...), w.Text...)
}

// Decode reads what Encode returned.
func Decode(b []byte) (inventory.Manifest, error) {
	if len(b) < 5 || b[0] != version {
		return inventory.Manifest{}, errVersion
	}
	length := uint64(binary.LittleEndian.Uint32(b[1:]))
	b = b[5:]
	if length > uint64(len(b)) {
		return inventory.Manifest{}, errShort
	}
	r := NewReader(b[:length], b[length:])
	path, digest, format := r.Str(), r.Str(), r.Str()
	m := r.Manifest()
	m.Path, m.Digest, m.Format = path, digest, format
	if err := r.End(); err != nil {
		return inventory.Manifest{}, err
	}
	return m, nil
}

// NewReader reads the two parts of a message whose text must be valid.
func NewReader(numbers, text []byte) *Reader {
	r := &Reader{Numbers: numbers, Text: string(text), Strict: true}
	if !utf8.ValidString(r.Text) {
		r.fail(errText)
	}
	return r
}
