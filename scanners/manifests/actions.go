package manifests

import (
	"errors"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
	"github.com/landwaiter/landwaiter/scanners/workflows"
)

// readActions reads a workflow, or the action.yml of a composite action: every `uses:` of a
// job or step that names another repository. Actions of the same repository and images are
// left out. What else is wrong with the file becomes its Observations.
//
// Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax.
func readActions(s *source) error {
	docs, err := syntax.YAML(s.text)
	if err != nil {
		return invalid("YAML", err)
	}
	if len(docs) != 1 || docs[0].Kind() != syntax.Table {
		return errors.New("is no YAML table")
	}
	lines := strings.Split(s.text, "\n")
	root := docs[0]
	if base := path.Base(s.path); base == "action.yml" || base == "action.yaml" {
		for step := range root.Get("runs").Get("steps").All() {
			s.addUse(step.Get("uses"), lines)
		}
		return s.observe(root, true)
	}
	jobs := root.Get("jobs")
	if jobs.Kind() != syntax.Table {
		return errors.New("has no jobs, so it is no workflow")
	}
	for job := range jobs.All() {
		s.addUse(job.Get("uses"), lines)
		for step := range job.Get("steps").All() {
			s.addUse(step.Get("uses"), lines)
		}
	}
	return s.observe(root, false)
}

// observe looks for what lets strangers run code. What keeps it from looking at all does not
// touch the packages, but without a Gap the file would pass for one without problems.
func (s *source) observe(root syntax.Node, action bool) error {
	found, problem := workflows.Observe(root, s.text, action)
	s.observations = found
	if problem != nil {
		return gap{what: "cannot be judged as a workflow: " + problem.Error(), todo: s.format.remedy, partial: true}
	}
	return nil
}

var (
	// use is owner/repository, maybe a folder in it, and a ref.
	use = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)(?:/[^@]*)?@(\S+)$`)
	})
	// versionRef is a ref that looks like a version; others are branches or tags that move.
	versionRef = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^v?[0-9]+(?:\.[0-9]+)*(?:[-+.][0-9A-Za-z.+-]+)?$`) })
	// versionNote is the comment that tools keep behind a commit.
	versionNote = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`#\s*(?:tag=|ratchet:\S*@|pin@)?(v?[0-9]+(?:\.[0-9]+)*(?:[-+][0-9A-Za-z.+-]+)?)(?:\s|$)`)
	})
)

// addUse adds what one uses value names.
//
// A version tag is the Version. A commit is the Commit, and a version in the comment behind it
// is only a claim, kept as Constraint. Any other ref is a Constraint.
func (s *source) addUse(n syntax.Node, lines []string) {
	value := n.Text()
	if n.Kind() != syntax.Text || strings.HasPrefix(value, "./") || strings.HasPrefix(value, "../") || strings.HasPrefix(value, "docker://") {
		return
	}
	m := match(use, value)
	if m == nil { // without a ref, or computed: GitHub runs neither, but a person should see it
		s.add(cut(value, maxShown), "", n.Line())
		return
	}
	name, ref := m[1], m[2]
	version := ""
	if match(versionRef, ref) != nil && !isCommit(ref) {
		version = ref
	}
	i := s.add(name, version, n.Line())
	p := &s.packages[i]
	p.Relation, p.Via = inventory.Direct, []string{p.Name}
	switch {
	case isCommit(ref):
		p.Commit = strings.ToLower(ref)
		p.PURL = purlOf(p.Ecosystem, p.Name, p.Commit)
		if note := match(versionNote, lineAt(lines, n.Line())); note != nil {
			p.Constraint = note[1]
		}
	case version == "":
		p.Constraint = strings.Clone(ref)
	}
}

func lineAt(lines []string, n int) string {
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimRight(lines[n-1], "\r")
}
