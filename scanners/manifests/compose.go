package manifests

import (
	"errors"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readCompose reads a file of Docker Compose: the images of its services. Where a service is
// built here, its image is the name of what comes out, and is left out.
//
// Source: https://docs.docker.com/reference/compose-file/services/.
func readCompose(s *source) error {
	root, err := oneTable(syntax.YAMLWithMerges(s.text))
	if err != nil {
		return err
	}
	services := root.Get("services")
	if services.Kind() == syntax.Absent {
		services = root // version 1 has its services at the top
	}
	known := services.Kind() == syntax.Table && root.Get("services").Kind() != syntax.Absent
	for service := range services.All() {
		image, build := inherited(service, "image"), inherited(service, "build")
		known = known || image.Kind() != syntax.Absent || build.Kind() != syntax.Absent
		if image.Kind() == syntax.Text && build.Kind() == syntax.Absent {
			s.image(expandVariables(strings.TrimSpace(image.Text()), nil, true), image.Line())
		}
	}
	for _, part := range [...]string{"include", "volumes", "networks", "configs", "secrets", "name"} {
		known = known || root.Get(part).Kind() != syntax.Absent
	}
	if !known {
		return errors.New("has no services, so it is no file of Docker Compose")
	}
	return nil
}

// inherited is the member of a table, or of those that it takes over with "<<".
func inherited(n syntax.Node, key string) syntax.Node {
	if v := n.Get(key); v.Kind() != syntax.Absent {
		return v
	}
	from := n.Get("<<")
	if from.Kind() != syntax.List {
		return from.Get(key)
	}
	for one := range from.All() {
		if v := one.Get(key); v.Kind() != syntax.Absent {
			return v
		}
	}
	return syntax.Node{}
}
