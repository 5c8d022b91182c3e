package manifests

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/scanners/manifests/syntax"
)

// readPods reads Podfile.lock:
//
//	PODS:
//	  - Texture/Core (3.1.0):
//	    - PINCache (~> 3.0)
//	DEPENDENCIES:
//	  - Texture (~> 3.1)
//
// Parts of a pod ("Texture/Core") are the pod. Pods that are folders of the repository are left
// out. Source: CocoaPods/Core:lib/cocoapods-core/lockfile.rb.
func readPods(s *source) error {
	root, err := oneDocument(s.text)
	if err != nil {
		return err
	}
	pods := root.Get("PODS")
	if pods.Kind() != syntax.List {
		if root.Get("PODFILE CHECKSUM").Kind() != syntax.Absent && (pods.Kind() == syntax.Absent || pods.Empty()) {
			return nil // CocoaPods writes no list when there are none
		}
		return errors.New("has no list of pods")
	}
	l := podLock{s: s, byName: map[string]int{}, from: map[string]syntax.Node{}}
	for _, section := range [...]string{"EXTERNAL SOURCES", "CHECKOUT OPTIONS"} {
		for p := range root.Get(section).All() {
			l.from[p.Key()] = p // the second says which commit the first gave
		}
	}
	for p := range pods.All() {
		if err := l.add(p); err != nil {
			return err
		}
	}
	l.relate(root)
	return nil
}

// podLock is a Podfile.lock while it is read.
type podLock struct {
	s      *source
	byName map[string]int
	from   map[string]syntax.Node // where a pod comes from that is of no public list
}

// podSpec takes apart "Name/Part (1.2.3)", "Name (~> 1.0)", "Name (from `../x`)".
var podSpec = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([^\s()]+)(?: \(([^()]*)\))?$`) })

// podOf returns the text of a pod, which is the key of a table when it needs others.
func podOf(n syntax.Node) (text string, needs syntax.Node) {
	for c := range n.All() {
		return c.Key(), c
	}
	return n.Text(), syntax.Node{}
}

func (l *podLock) add(p syntax.Node) error {
	text, _ := podOf(p)
	m := match(podSpec, text)
	if m == nil || m[2] == "" {
		return fmt.Errorf("is not valid as Podfile.lock: line %d: expected a pod with its version", p.Line())
	}
	name, _, _ := strings.Cut(m[1], "/")
	if _, known := l.byName[name]; !known {
		kept, origin := name, l.from[name]
		if origin.Get(":path").Kind() != syntax.Absent || origin.Get("path").Kind() != syntax.Absent {
			kept = "" // a folder, but what it needs is needed by the project
		}
		i := l.s.add(kept, m[2], p.Line())
		l.byName[name] = i
		if commit := origin.Get(":commit").Text(); isCommit(commit) {
			l.s.packages[i].Commit = strings.Clone(commit)
		}
	}
	return nil
}

// relate notes what each pod needs, and what the Podfile names.
func (l *podLock) relate(root syntax.Node) {
	var g graph
	for p := range root.Get("PODS").All() {
		text, needs := podOf(p)
		from, ok := l.find(text)
		for d := range needs.All() {
			to, known := l.find(d.Text())
			switch {
			case !ok || !known || from == to:
			case l.s.packages[from].Name == "":
				g.direct(to, inventory.ScopeRuntime)
			default:
				g.need(from, to, false)
			}
		}
	}
	for d := range root.Get("DEPENDENCIES").All() {
		if to, ok := l.find(d.Text()); ok {
			g.direct(to, inventory.ScopeRuntime)
		}
	}
	g.apply(l.s.packages)
	for i := range l.s.packages {
		l.s.packages[i].Scope = "" // which target needs a pod, the Podfile tells, a program
	}
}

// find returns the package of a pod, a part of one, or a dependency on one.
func (l *podLock) find(text string) (int, bool) {
	name, _, _ := strings.Cut(text, " ")
	name, _, _ = strings.Cut(name, "/")
	i, ok := l.byName[name]
	return i, ok
}

var (
	podLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*pod[ (]\s*["']([^"'/]+)(?:/[^"']*)?["']\s*(.*)$`)
	})
	exactPod = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^=?\s*([0-9]+(?:\.[0-9A-Za-z-]+)+)$`) })
)

// wantsPodfile finds the lines of a Podfile that name a pod in the plain way. A Podfile is a
// program: pods that it names in another way are seen only in its lock file.
func wantsPodfile(text string) ([]want, error) { return plainLines(text, podLine, exactPod), nil }
