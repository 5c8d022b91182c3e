package manifests

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/package-url/packageurl-go"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// imageReference is the name of a container image: repository, tag and digest.
// Source: distribution/reference:reference.go.
var imageReference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z0-9](?:[A-Za-z0-9._:/-]*?[A-Za-z0-9])?)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@([a-z0-9+._-]+:[0-9a-fA-F]{32,}))?$`)
})

// image adds a container image, and an Observation when nothing pins it. reference may still
// hold variables, which only a build or a start knows.
//
// There are no advisories about images, so none is unresolved: one without a tag is "latest",
// as engines take it.
func (s *source) image(reference string, line int) {
	held, constraint := reference, ""
	if at := strings.IndexByte(held, '$'); at >= 0 {
		colon := strings.LastIndexByte(held[:at], ':')
		if colon < 0 || strings.Contains(held[colon:at], "/") {
			s.unpinned(inventory.SeverityMedium, reference, line, "which image is used depends on a variable without a value in the file")
			return
		}
		held, constraint = held[:colon], held[colon+1:]
	}
	m := match(imageReference, held)
	if m == nil {
		s.unpinned(inventory.SeverityMedium, reference, line, "it is not written as the name of an image")
		return
	}
	name, tag, digest := imageName(m[1]), m[2], m[3]
	i := s.add(name, "", line)
	p := &s.packages[i]
	p.Relation, p.Via = inventory.Direct, []string{p.Name}
	p.Constraint, p.Commit = strings.Clone(cut(constraint, maxShown)), strings.Clone(digest)
	switch {
	case constraint != "":
		s.unpinned(inventory.SeverityMedium, reference, line, "its version depends on a variable without a value in the file")
	case digest != "":
		p.Version = strings.Clone(tag)
	case tag == "" || tag == "latest":
		p.Version = "latest"
		s.unpinned(inventory.SeverityMedium, reference, line, "it has no version, so what it holds changes with every release")
	default:
		p.Version = strings.Clone(tag)
		s.unpinned(inventory.SeverityLow, reference, line, "its tag can be moved to another content")
	}
	p.PURL = imagePURL(name, p.Version, digest)
}

// unpinned notes that nothing in the file pins the image, once for each.
func (s *source) unpinned(severity inventory.Severity, reference string, line int, why string) {
	shown := cut(reference, maxShown)
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	if s.seen[shown] || len(s.observations) >= maxObservations {
		return
	}
	s.seen[shown] = true
	s.observations = append(s.observations, inventory.Observation{
		Rule: inventory.RuleImage, Severity: severity, Line: line, Subject: shown,
		Message: fmt.Sprintf("The image %s is not pinned: %s.", shown, why),
		Remedy:  "Write the digest of the image that was tested behind its tag: name:tag@sha256:...",
	})
}

// maxObservations is how many images of one file are told of.
const maxObservations = 1000

// imageName is the repository without what engines put before a short name.
func imageName(repository string) string {
	for _, hub := range [...]string{"docker.io/", "index.docker.io/"} {
		repository = strings.TrimPrefix(repository, hub)
	}
	return strings.TrimPrefix(repository, "library/")
}

// imagePURL is the package URL of an image. Source: the type docker of the purl specification.
func imagePURL(name, tag, digest string) string {
	var qualifiers packageurl.Qualifiers
	host, path, ok := strings.Cut(name, "/")
	if ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		qualifiers, name = packageurl.Qualifiers{{Key: "repository_url", Value: host}}, path
	}
	namespace := ""
	if slash := strings.LastIndexByte(name, '/'); slash >= 0 {
		namespace, name = name[:slash], name[slash+1:]
	}
	version := tag
	if digest != "" {
		version = digest
		if tag != "" {
			qualifiers = append(qualifiers, packageurl.Qualifier{Key: "tag", Value: tag})
		}
	}
	return packageurl.NewPackageURL(packageurl.TypeDocker, namespace, name, version, qualifiers, "").ToString()
}

// expandVariables puts values in the place of $name, ${name}, ${name:-default} and the like.
// "$$" is a dollar where dollars says so. What has no value, or grows past maxExpansion, stays
// as it is written.
func expandVariables(text string, values map[string]string, dollars bool) string {
	if len(text) > maxExpansion {
		return text
	}
	var b strings.Builder
	for left := text; b.Len() <= maxExpansion; {
		before, rest, found := strings.Cut(left, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if dollars && strings.HasPrefix(rest, "$") {
			b.WriteByte('$')
			left = rest[1:]
			continue
		}
		written, value, ok := variable(rest, values)
		if ok {
			b.WriteString(value)
		} else {
			b.WriteString("$" + written)
		}
		left = rest[len(written):]
	}
	return text
}

// variable reads one variable behind its dollar: how it is written, and its value if it has
// one.
func variable(rest string, values map[string]string) (written, value string, ok bool) {
	name := rest[:wordLength(rest)]
	if !strings.HasPrefix(rest, "{") {
		value, ok = values[name]
		return name, value, ok && name != ""
	}
	end := strings.IndexByte(rest, '}')
	if end < 0 {
		return rest, "", false
	}
	written, inner := rest[:end+1], rest[1:end]
	name = inner[:wordLength(inner)]
	operator := inner[len(name):]
	value, ok = values[name]
	for _, o := range [...]string{":-", "-"} {
		if fallback, is := strings.CutPrefix(operator, o); is && !strings.Contains(fallback, "$") {
			if !ok || value == "" && o == ":-" {
				value, ok = fallback, true
			}
			return written, value, ok && name != ""
		}
	}
	return written, value, ok && operator == ""
}

// wordLength is how many bytes of s are a name of a variable.
func wordLength(s string) int {
	n := 0
	for n < len(s) && (isLetter(s[n]) || s[n] == '_' || n > 0 && s[n]-'0' <= 9) {
		n++
	}
	return n
}
