// Package cure says what to do about a package with known advisories: the command or the edit
// that moves it to a clean version, or what to do where there is none.
//
// It takes and gives plain values, imports nothing of ours, and reads nothing. What it gives is
// pasted into shells and shown on GitHub, so no name, version, range or path of others gets into
// a text unless it has the narrow form of plain.go. Start at Of, then see managers.go for the
// table of package managers. docs/remediation.md tells users the same.
package cure

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is a package that must move, at one place.
type Problem struct {
	Ecosystem string // the OSV name
	Manager   string // the tool that edits the file; "" when not known
	Name      string
	Version   string // the one that is there
	File      string // the manifest, relative to the root of the repository
	Line      int    // one-based; 0 when unknown

	Relation    Relation
	Development bool     // the project needs it for development only
	Via         []string // names from the direct dependency down to this package; nil when unknown
	// Requirers are who needs this very version; nil when the file does not tell.
	Requirers []Requirer
	// Partial says that there may be more requirers than those.
	Partial bool

	// Clean is the smallest version above Version without known advisories; "" when there is none.
	Clean string
	// Fixed says that some versions fix the advisory, though none of them is clean.
	Fixed bool
	// Malware says that the version itself is malicious.
	Malware bool

	// Ranges are shared by problems that are advised on one after the other; may be nil.
	Ranges *Ranges
}

// Relation says whether the project names the package itself. The zero Relation is unknown.
type Relation int

// The relations.
const (
	Unknown Relation = iota
	Direct
	Transitive
)

// Requirer is a package, or the project itself, that needs the one with the problem.
type Requirer struct {
	Name       string // "" is the project
	Version    string
	Constraint string // versions that it accepts; "" when not known
}

// Advice is what to do.
type Advice struct {
	Text string
	// Command says that Text is lines for a shell: commands, and comments that start with #.
	// Otherwise it is sentences, with what is to be copied between backquotes.
	Command bool
}

// Of says what to do about p. It never fails; where nothing exact can be said, it says what a
// person decides.
func Of(p Problem) Advice {
	row, known := managers[managerOf(p)]
	plain := plainName(p.Name)
	name := "the package"
	if plain {
		name = "`" + p.Name + "`"
	}
	switch {
	case p.Malware:
		return sentence(removal(p, name, row))
	case p.Clean == "" && p.Fixed:
		return sentence("No clean version yet: the versions that fix this have other known problems. " + instead(p, name))
	case p.Clean == "":
		return sentence("No fix yet. " + instead(p, name))
	case !plain || !plainVersion(p.Clean):
		return sentence("Upgrade to the fixed version by hand: name or version have characters that do not belong into a command.")
	case p.Ecosystem == "Go" && (p.Name == "stdlib" || p.Name == "toolchain"):
		return p.finish("", "go get go@"+strings.TrimPrefix(p.Clean, "v")+" && go mod tidy")
	case !known:
		return p.finish("", "Upgrade "+name+" to "+p.Clean+" or later.")
	case p.Relation == Transitive:
		return p.transitive(row)
	}
	return p.direct(row)
}

func sentence(text string) Advice { return Advice{Text: text} }

// direct raises a package that the project names itself, or may name.
func (p Problem) direct(row manager) Advice {
	text := row.direct
	if row.dev != "" && p.Development {
		text = row.dev
	}
	if row.within != "" && p.reachable() {
		text = row.within
	}
	rest := ""
	if held := p.holders(); len(held) > 0 && row.override != "" {
		rest = "also, " + p.heldText(held) + ": " + quoted(p.override(row))
	}
	return p.finish("", p.fill(text), rest)
}

// reachable reports whether the project's own constraint may admit the clean version: it
// does, or that is not known and the step is none that usual constraints exclude.
func (p Problem) reachable() bool {
	for _, r := range p.Requirers {
		if r.Name != "" {
			continue
		}
		if admitted, known := p.Ranges.Admits(p.Ecosystem, r.Constraint, p.Clean); known {
			return admitted
		}
	}
	return p.Relation == Unknown || StepOf(p.Ecosystem, p.Version, p.Clean) != Breaking
}

// transitive moves a package that others bring in.
//
// Where all of them accept the clean version, the lock file alone changes. Where one does not,
// the way out is a newer version of the direct dependency, or an override. Where the file does
// not tell, the first is to be tried before the second.
func (p Problem) transitive(row manager) Advice {
	if strings.Contains(row.override, "{group}") && !plainMaven().MatchString(p.Name) {
		row.override = ""
	}
	update, note, via := p.fill(row.update), p.fill(row.note), p.via()
	if row.raise == "" {
		via = ""
	}
	switch held := p.holders(); {
	case update == "" && row.override == "":
		return p.direct(row)
	case update == "":
		return p.finish("", p.override(row))
	case row.forced || p.admitted():
		return p.finish("", update, note)
	case len(held) > 0 && row.override != "":
		return p.overridden(row, held, via)
	case len(held) > 0 && via != "":
		return p.finish(fmt.Sprintf("%s, and %s has no override: raise %s, which brings it in, until it lets go", p.heldText(held), row.name, via), p.fill(row.raise))
	case row.override != "":
		return p.finish("", update, note, "if that stays below "+p.Clean+": "+quoted(p.override(row)))
	case via != "":
		return p.finish("", update, note, fmt.Sprintf("if that fails or stays below %s, raise %s, which brings it in: `%s`", p.Clean, via, p.fill(row.raise)))
	default:
		return p.finish("", update, note)
	}
}

// overridden is for a package that held hold back. via is the direct dependency to raise.
func (p Problem) overridden(row manager, held []Requirer, via string) Advice {
	why, rest := p.heldText(held), ""
	if via != "" {
		why += fmt.Sprintf(". If a newer %s lets go of it: `%s`, else override it", via, p.fill(row.raise))
	}
	if len(p.parts(row)) == 0 {
		rest = "that sets every copy of " + p.Name + ", also those that others need in another version"
	}
	return p.finish(why, p.override(row), rest)
}

// holders are the packages that need p and are known not to accept the clean version.
func (p Problem) holders() []Requirer {
	var held []Requirer
	for _, r := range p.Requirers {
		if admitted, known := p.Ranges.Admits(p.Ecosystem, r.Constraint, p.Clean); r.Name != "" && known && !admitted {
			held = append(held, r)
		}
	}
	return held
}

// admitted reports whether everyone who needs p is known to accept the clean version.
func (p Problem) admitted() bool {
	for _, r := range p.Requirers {
		if admitted, _ := p.Ranges.Admits(p.Ecosystem, r.Constraint, p.Clean); !admitted {
			return false
		}
	}
	return len(p.Requirers) > 0 && !p.Partial
}

// heldText names who holds p back: "mkdirp 0.5.1 asks for minimist 0.0.8".
func (p Problem) heldText(held []Requirer) string {
	r := held[0]
	text := "another package"
	if plainName(r.Name) && plainVersion(r.Version) {
		text = r.Name + " " + r.Version
	}
	if more := len(held) - 1; more > 0 {
		return fmt.Sprintf("%s and %d more do not accept %s %s", text, more, p.Name, p.Clean)
	}
	if plainConstraint().MatchString(r.Constraint) {
		return fmt.Sprintf("%s asks for %s %s", text, p.Name, r.Constraint)
	}
	return fmt.Sprintf("%s does not accept %s %s", text, p.Name, p.Clean)
}

// via is the direct dependency that brings p in, "" when it is not known or not plain.
func (p Problem) via() string {
	if len(p.Via) > 1 && plainName(p.Via[0]) {
		return p.Via[0]
	}
	return ""
}

// parts are what the override says for each requirer; nil when they are not all known, or when
// the manager cannot tell them apart.
func (p Problem) parts(row manager) []string {
	var parts []string
	for _, r := range p.Requirers {
		if r.Name == "" {
			continue
		}
		if row.each == "" || p.Partial || !plainName(r.Name) || !plainVersion(r.Version) {
			return nil
		}
		parts = append(parts, strings.NewReplacer("{by}", r.Name, "{byversion}", r.Version).Replace(row.each))
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

// override is the text that makes those who need p take the clean version: them alone where
// they can be told apart, else everybody.
func (p Problem) override(row manager) string {
	parts := p.parts(row)
	if len(parts) == 0 {
		parts = []string{row.all}
	}
	return p.fill(strings.ReplaceAll(row.override, "{each}", strings.Join(parts, row.joined)))
}

// finish makes an Advice of a text of the table, of remarks on why and on what else to do, and
// of what to know of the version. Remarks on a command become comments.
func (p Problem) finish(why, text string, rest ...string) Advice {
	warning := p.stepText()
	if isSentence(text) {
		if why != "" {
			why = "Held back: " + why // a name must not become a capital letter
		}
		return Advice{Text: joinSentences(append([]string{why, text}, append(rest, warning)...)...)}
	}
	folder, command := p.inFolder(text)
	lines := []string{comment(why), folder, command}
	for _, r := range append(rest, warning) {
		lines = append(lines, comment(r))
	}
	lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" })
	return Advice{Text: strings.Join(lines, "\n"), Command: true}
}
