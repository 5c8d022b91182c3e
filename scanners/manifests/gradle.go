package manifests

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readGradleLock reads gradle.lockfile and buildscript-gradle.lockfile: a line
// "group:artifact:version=configuration,..." for each module, and one "empty=..." for
// configurations without any. Source: https://docs.gradle.org/current/userguide/dependency_locking.html.
func readGradleLock(s *source) error {
	number, lines := 0, 0
	for line := range strings.Lines(s.text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		lines++
		module, used, ok := strings.Cut(line, "=")
		if module == "empty" && ok {
			continue
		}
		parts := strings.Split(module, ":")
		if !ok || len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
			return fmt.Errorf("is not valid as %s: line %d: expected group:artifact:version=configurations", s.format.Name, number)
		}
		i := s.add(parts[0]+":"+parts[1], parts[2], number)
		if path.Base(s.path) == "gradle.lockfile" {
			s.packages[i].Scope = gradleScope(used)
		}
	}
	if lines == 0 && !strings.Contains(s.text, "Gradle") {
		return errors.New("names neither modules nor empty configurations")
	}
	return nil
}

// gradleScope tells what the configurations say of a module: development when each is one of
// tests, runtime when one is what the program runs with, else unknown.
func gradleScope(configurations string) inventory.Scope {
	tests := true
	for c := range strings.SplitSeq(configurations, ",") {
		isTest := strings.HasPrefix(c, "test") || strings.Contains(c, "Test")
		if !isTest && (c == "runtimeClasspath" || strings.HasSuffix(c, "RuntimeClasspath")) {
			return inventory.ScopeRuntime
		}
		tests = tests && isTest
	}
	if tests {
		return inventory.ScopeDevelopment
	}
	return ""
}

// readVerificationMetadata reads gradle/verification-metadata.xml, which lists every module
// that the build has ever needed to check.
// Source: https://docs.gradle.org/current/userguide/dependency_verification.html.
func readVerificationMetadata(s *source) error {
	root, err := syntax.XML(s.text)
	if err != nil {
		return invalid("XML", err)
	}
	if root.Key() != "verification-metadata" {
		return errors.New("is no verification metadata: its root element is not <verification-metadata>")
	}
	for c := range root.Get("components").All() {
		if c.Key() != "component" {
			continue
		}
		group, name, version := c.String("@group"), c.String("@name"), c.String("@version")
		if name == "" || version == "" { // what comes from an Ivy repository may have no group
			return fmt.Errorf("is not valid as verification metadata: line %d: the component lacks a name or a version", c.Line())
		}
		s.add(group+":"+name, version, c.Line())
	}
	return nil
}
