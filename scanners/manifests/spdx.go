package manifests

import (
	"errors"
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// spdx2 reads SPDX 2.2 and 2.3 as JSON or YAML. Source: https://spdx.github.io/spdx-spec/v2.3/.
func (b *sbom) spdx2(root syntax.Node) error {
	if version := root.Get("spdxVersion"); !strings.HasPrefix(version.Text(), "SPDX-2.") {
		return fmt.Errorf("has a spdxVersion (line %d) that is not known; known are SPDX-2.0 to SPDX-2.3", version.Line())
	}
	if root.Get("packages").Kind() != syntax.List && root.Get("files").Kind() != syntax.List && root.Get("SPDXID").Kind() == syntax.Absent {
		return errors.New("has no packages")
	}
	for d := range root.Get("documentDescribes").All() {
		b.roots = append(b.roots, d.Text())
	}
	for p := range root.Get("packages").All() {
		c := component{ref: p.String("SPDXID"), line: p.Get("name").Line(), at: p.Line(), licence: licenceOf(p.String("licenseConcluded"), p.String("licenseDeclared"))}
		for r := range p.Get("externalRefs").All() {
			if r.String("referenceType") == "purl" {
				c.purl = r.String("referenceLocator")
			}
		}
		c.code = isSPDXCode(p.String("primaryPackagePurpose"))
		b.add(c)
	}
	for r := range root.Get("relationships").All() {
		b.spdxRelation(r.String("spdxElementId"), r.String("relationshipType"), r.String("relatedSpdxElement"))
	}
	b.described()
	return nil
}

// isSPDXCode reports whether a package of that purpose is one that others publish.
func isSPDXCode(purpose string) bool {
	switch strings.ToLower(purpose) {
	case "", "library", "framework":
		return true
	}
	return false
}

// spdxRelation takes in one relationship of SPDX 2.
func (b *sbom) spdxRelation(from, kind, to string) {
	switch kind {
	case "DESCRIBES":
		if from == "SPDXRef-DOCUMENT" {
			b.root(to)
		}
	case "DESCRIBED_BY":
		if to == "SPDXRef-DOCUMENT" {
			b.root(from)
		}
	case "DEPENDS_ON":
		b.needs = append(b.needs, sbomNeed{from, to, ""})
	case "DEPENDENCY_OF", "RUNTIME_DEPENDENCY_OF", "PROVIDED_DEPENDENCY_OF":
		b.needs = append(b.needs, sbomNeed{to, from, ""})
	case "OPTIONAL_DEPENDENCY_OF":
		b.needs = append(b.needs, sbomNeed{to, from, inventory.ScopeOptional})
	case "DEV_DEPENDENCY_OF", "BUILD_DEPENDENCY_OF", "TEST_DEPENDENCY_OF", "DEV_TOOL_OF", "BUILD_TOOL_OF", "TEST_TOOL_OF":
		b.needs = append(b.needs, sbomNeed{to, from, inventory.ScopeDevelopment})
	}
}

// root notes what the list is about, once.
func (b *sbom) root(ref string) {
	for _, r := range b.roots[:min(len(b.roots), 2)] {
		if r == ref {
			return
		}
	}
	b.roots = append(b.roots, ref)
}

// spdxTags reads SPDX 2 as lines of "Tag: value", of which a text in <text> may take several.
// Source: https://spdx.github.io/spdx-spec/v2.3/conformance/.
func (b *sbom) spdxTags() error {
	var c *component
	var relations [][3]string
	known, open, number := false, false, 0
	flush := func() {
		if c != nil {
			c.licence = licenceOf(c.licence)
			b.add(*c)
		}
	}
	for line := range strings.Lines(b.s.text) {
		number++
		line = strings.TrimSpace(line)
		if open {
			open = !strings.Contains(line, "</text>")
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		tag, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(tag, " \t") {
			return fmt.Errorf("is not valid as SPDX: line %d: expected a tag and a value", number)
		}
		value = strings.TrimSpace(value)
		open = strings.HasPrefix(value, "<text>") && !strings.Contains(value, "</text>")
		switch tag {
		case "SPDXVersion":
			if known = strings.HasPrefix(value, "SPDX-2."); !known {
				return fmt.Errorf("has a SPDXVersion (line %d) that is not known; known are SPDX-2.0 to SPDX-2.3", number)
			}
		case "PackageName":
			flush()
			c = &component{line: number, code: true}
		case "FileName", "SnippetSPDXID":
			flush()
			c = nil
		case "Relationship":
			if f := strings.Fields(value); len(f) == 3 {
				relations = append(relations, [3]string{f[0], f[1], f[2]})
			}
		default:
			c.tag(tag, value)
		}
	}
	flush()
	if !known {
		return errors.New("names no SPDXVersion, so it is no SPDX document")
	}
	for _, r := range relations {
		b.spdxRelation(r[0], r[1], r[2])
	}
	b.described()
	return nil
}

// tag takes in a tag of a package.
func (c *component) tag(tag, value string) {
	if c == nil {
		return
	}
	switch tag {
	case "SPDXID":
		c.ref = value
	case "PackageLicenseConcluded", "PackageLicenseDeclared":
		if licenceOf(c.licence) == "" {
			c.licence = value
		}
	case "PrimaryPackagePurpose":
		c.code = isSPDXCode(value)
	case "ExternalRef":
		if f := strings.Fields(value); len(f) == 3 && f[1] == "purl" {
			c.purl = f[2]
		}
	}
}

// spdx3 reads SPDX 3.0 as JSON-LD, in the form that its schema allows: a list of elements in
// "@graph". Source: https://spdx.github.io/spdx-spec/v3.0.1/serializations/.
func (b *sbom) spdx3(root syntax.Node) error {
	context := root.Get("@context")
	if !strings.Contains(context.Text(), "spdx.org/rdf/3.0") && !strings.Contains(context.Text(), "spdx.github.io") {
		return b.another("its @context is not that of SPDX 3.0")
	}
	for e := range root.Get("@graph").All() {
		switch kind := e.String("type"); kind {
		case "software_Package", "ai_AIPackage", "dataset_DatasetPackage":
			b.add(spdx3Package(e, kind))
		case "SpdxDocument", "software_Sbom", "Bom":
			for r := range e.Get("rootElement").All() {
				b.root(r.Text())
			}
		case "Relationship", "LifecycleScopedRelationship":
			b.spdx3Relation(e)
		}
	}
	if len(b.roots) > 1 { // the document is about the list, and the list about a package
		kept := b.roots[:0]
		for _, r := range b.roots {
			if _, ok := b.byRef[r]; ok {
				kept = append(kept, r)
			}
		}
		b.roots = kept
	}
	b.described()
	return nil
}

func spdx3Package(e syntax.Node, kind string) component {
	c := component{ref: e.String("spdxId"), purl: e.String("software_packageUrl"), line: e.Get("name").Line(), at: e.Line()}
	if c.ref == "" {
		c.ref = e.String("@id")
	}
	for id := range e.Get("externalIdentifier").All() {
		if c.purl == "" && id.String("externalIdentifierType") == "packageUrl" {
			c.purl = id.String("identifier")
		}
	}
	c.code = kind == "software_Package" && isSPDXCode(e.String("software_primaryPurpose"))
	return c
}

// spdx3Relation takes in a relationship of SPDX 3.
func (b *sbom) spdx3Relation(e syntax.Node) {
	scope := inventory.Scope("")
	switch e.String("relationshipType") {
	case "dependsOn":
	case "hasOptionalDependency":
		scope = inventory.ScopeOptional
	default:
		return
	}
	switch e.String("scope") {
	case "development", "test", "build":
		scope = inventory.ScopeDevelopment
	}
	for to := range e.Get("to").All() {
		b.needs = append(b.needs, sbomNeed{e.String("from"), to.Text(), scope})
	}
}

// spdxRDF reads SPDX 2 as RDF in XML. An element may lie inside of another that refers to it,
// so packages and relationships are looked for everywhere.
// Source: https://spdx.github.io/spdx-spec/v2.3/RDF-object-model-and-identifier-syntax/.
func (b *sbom) spdxRDF(n syntax.Node) {
	for c := range n.All() {
		switch c.Key() {
		case "Package":
			b.add(rdfPackage(c))
		case "describesPackage":
			b.root(rdfTarget(c))
		}
		for r := range c.All() {
			if relation := r.Get("Relationship"); r.Key() == "relationship" && relation.Kind() != syntax.Absent {
				_, kind, _ := strings.Cut(relation.Get("relationshipType").String("@resource"), "relationshipType_")
				b.rdfRelation(c.String("@about"), kind, rdfTarget(relation.Get("relatedSpdxElement")))
			}
		}
		b.spdxRDF(c)
	}
}

// rdfRelation takes in a relationship, whose kind RDF writes as one word: "dependsOn".
func (b *sbom) rdfRelation(from, kind, to string) {
	switch kind {
	case "describes":
		b.root(to)
	case "dependsOn":
		b.needs = append(b.needs, sbomNeed{from, to, ""})
	case "dependencyOf", "runtimeDependencyOf":
		b.needs = append(b.needs, sbomNeed{to, from, ""})
	case "devDependencyOf", "buildDependencyOf", "testDependencyOf":
		b.needs = append(b.needs, sbomNeed{to, from, inventory.ScopeDevelopment})
	}
}

// rdfTarget is what an element refers to: by an attribute, or by what lies in it.
func rdfTarget(n syntax.Node) string {
	if ref := n.String("@resource"); ref != "" {
		return ref
	}
	for c := range n.All() {
		if ref := c.String("@about"); ref != "" {
			return ref
		}
	}
	return ""
}

func rdfPackage(p syntax.Node) component {
	c := component{ref: p.String("@about"), line: p.Get("name").Line(), at: p.Line(), code: true}
	if purpose := p.Get("primaryPackagePurpose").String("@resource"); purpose != "" {
		c.code = isSPDXCode(purpose[strings.LastIndexByte(purpose, '_')+1:])
	}
	for r := range p.All() {
		ref := r.Get("ExternalRef")
		if r.Key() == "externalRef" && strings.HasSuffix(ref.Get("referenceType").String("@resource"), "/purl") {
			c.purl = ref.Get("referenceLocator").Text()
		}
	}
	return c
}
