package manifests

import (
	"fmt"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// knownCyclone reports whether a version of CycloneDX is one that is read: 1.0 to 1.7.
func knownCyclone(version string) bool {
	minor, ok := strings.CutPrefix(version, "1.")
	return ok && len(minor) == 1 && minor >= "0" && minor <= "7"
}

// cycloneJSON reads CycloneDX in JSON, 1.2 to 1.7. Source: https://cyclonedx.org/specification/overview/.
func (b *sbom) cycloneJSON(root syntax.Node) error {
	if format := root.String("bomFormat"); format != "CycloneDX" {
		return b.another("its bomFormat is not CycloneDX")
	}
	version := root.Get("specVersion")
	if !knownCyclone(version.Text()) {
		return fmt.Errorf("has a specVersion (line %d) that is not known; known are 1.0 to 1.7", version.Line())
	}
	if ref := root.Get("metadata").Get("component").String("bom-ref"); ref != "" {
		b.roots = append(b.roots, ref)
	}
	b.components(root.Get("components"), "")
	for d := range root.Get("dependencies").All() {
		for to := range d.Get("dependsOn").All() {
			b.needs = append(b.needs, sbomNeed{d.String("ref"), to.Text(), ""})
		}
	}
	return nil
}

// cycloneXML reads CycloneDX in XML, 1.0 to 1.7, whose version stands in the name space.
func (b *sbom) cycloneXML(root syntax.Node) error {
	space := root.String("@xmlns")
	for a := range root.All() { // with a prefix, "xmlns:b"
		if strings.HasPrefix(a.Key(), "@") && strings.Contains(a.Text(), "cyclonedx.org/schema/bom/") && space == "" {
			space = a.Text()
		}
	}
	version := space[strings.LastIndexByte(space, '/')+1:]
	if !strings.Contains(space, "cyclonedx.org/schema/bom/") || !knownCyclone(version) {
		return fmt.Errorf("has a name space (line %d) that is not known; known are those of CycloneDX 1.0 to 1.7", root.Line())
	}
	if ref := root.Get("metadata").Get("component").String("@bom-ref"); ref != "" {
		b.roots = append(b.roots, ref)
	}
	b.components(root.Get("components"), "@")
	for d := range root.Get("dependencies").All() {
		for to := range d.All() {
			if to.Key() == "dependency" {
				b.needs = append(b.needs, sbomNeed{d.String("@ref"), to.String("@ref"), ""})
			}
		}
	}
	return nil
}

// components adds components and those inside of them. mark stands before the names of
// attributes.
func (b *sbom) components(list syntax.Node, mark string) {
	for c := range list.All() {
		if mark != "" && c.Key() != "component" {
			continue
		}
		kind := c.String(mark + "type")
		b.add(component{
			ref: c.String(mark + "bom-ref"), purl: c.Get("purl").Text(), licence: cycloneLicence(c.Get("licenses")), line: c.Get("purl").Line(), at: c.Line(),
			scope: cycloneScope(c.Get("scope").Text()), code: kind == "library" || kind == "framework",
		})
		b.components(c.Get("components"), mark)
	}
}

// cycloneScope is what a component is for: without a scope it is required.
func cycloneScope(scope string) inventory.Scope {
	switch scope {
	case "optional":
		return inventory.ScopeOptional
	case "excluded":
		return inventory.ScopeDevelopment
	}
	return inventory.ScopeRuntime
}

// cycloneLicence is the licence of a component: an expression, or all of several.
func cycloneLicence(list syntax.Node) string {
	var ids []string
	for l := range list.All() {
		entry := l
		if l.Get("license").Kind() == syntax.Table {
			entry = l.Get("license")
		}
		if expression := l.Get("expression").Text(); expression != "" {
			return expression
		}
		if l.Key() == "expression" {
			return l.Text()
		}
		if id := entry.Get("id").Text(); id != "" {
			ids = append(ids, id)
		}
	}
	return strings.Join(ids, " AND ")
}
