package output

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// Limits of a summary.
const (
	maxRows     = 20  // rows of a table
	maxCommands = 20  // cures, of both kinds together
	maxReasons  = 20  // lines of why
	maxIDs      = 3   // problems in one row
	maxCured    = 5   // advisories that a sentence names
	maxShown    = 100 // characters of foreign text that a line of a list can do with
)

// row is one package version, or one subject of one rule in a file, with all its findings.
type row struct {
	findings []checks.Finding // the first is the worst
	change   checks.Change
}

// rows gathers the introduced findings by package version, those of files each by itself; what
// is accepted is left out.
func (p page) rows() []row {
	type id struct{ ecosystem, name, version, file string }
	index := map[id]int{}
	changes := map[id]checks.Change{}
	for _, c := range p.r.Changes {
		changes[id{c.Ecosystem, c.Name, c.To, ""}] = c
	}
	var rows []row
	for _, f := range p.r.Findings {
		if !f.Introduced || f.Level == checks.LevelAccepted {
			continue
		}
		at := id{f.Package.Ecosystem, f.Package.Name, f.Package.Version, ""}
		if ofFile(f) {
			at.file = f.Fingerprint
		}
		i, ok := index[at]
		if !ok {
			i = len(rows)
			index[at] = i
			rows = append(rows, row{change: changes[at]})
		}
		rows[i].findings = append(rows[i].findings, f)
	}
	return rows
}

// summary is the summary of landwaiter/pr, in the order of GITHUB.md section 5.
func (p page) summary() string {
	var b strings.Builder
	b.WriteString(p.head(p.headline()))
	rows := p.rows()
	p.table(&b, rows)
	p.cured(&b)
	p.unseen(&b)
	p.howToFix(&b, rows)
	p.why(&b)
	p.acceptedRisks(&b)
	for _, n := range p.r.Notices {
		fmt.Fprintf(&b, "\n> %s\n", Prose(n.Message))
	}
	b.WriteString(p.foot())
	return b.String()
}

func (p page) headline() string {
	subject := map[checks.Kind]string{checks.KindPullRequest: "this pull request", checks.KindMergeGroup: "this merge group"}[p.r.Subject.Kind]
	switch {
	case p.count.block > 0 && p.observe:
		return plural(p.count.block, "violation") + ", not enforced"
	case p.count.block == 1:
		return "1 violation blocks " + cmp.Or(subject, "this tree")
	case p.count.block > 0:
		return plural(p.count.block, "violation") + " block " + cmp.Or(subject, "this tree")
	case p.r.Verdict == checks.Fail && len(p.r.Reasons) > 0:
		return strings.ReplaceAll(Prose(p.r.Reasons[0].Message), "**", "")
	default:
		return p.title()
	}
}

func (p page) table(b *strings.Builder, rows []row) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n| Change | Package | From -> To | Problem | Fix |\n|---|---|---|---|---|\n")
	for _, r := range rows[:min(len(rows), maxRows)] {
		f := r.findings[0]
		kind, about, versions := cmp.Or(r.change.Type, "present"), Escape(f.Package.Name), Escape(f.Package.Version)
		if ofFile(f) {
			kind, about = "file", Escape(fmt.Sprintf("%s:%d", f.Location.Path, f.Location.Line))
		}
		if r.change.From != "" {
			versions = Escape(r.change.From) + " -> " + versions
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", kind, about, versions, problem(r.findings), fixText(r.findings))
	}
	if more := len(rows) - maxRows; more > 0 {
		fmt.Fprintf(b, "\nand %d more\n", more)
	}
}

// problem names the problems of one package or file: "`GHSA-…` high (known exploited), via `a` > `b`",
// "published 2 days ago, minimum 7".
func problem(findings []checks.Finding) string {
	var parts []string
	for _, f := range findings[:min(len(findings), maxIDs)] {
		text, notes := Escape(f.Advisory)+" "+severity(f), remarks(f)
		switch h, ok := ruleHelps[f.Rule]; {
		case ofFile(f) && ok:
			text = strings.TrimSuffix(h.short+": "+Escape(f.Subject), ": ")
		case f.Advisory == "":
			text = Prose(Plain(cmp.Or(f.Summary, f.Rule), 2*maxShown))
		}
		if f.Level == checks.LevelWarn {
			notes = append([]string{"warning"}, notes...)
		}
		if len(notes) > 0 {
			text += " (" + strings.Join(notes, ", ") + ")"
		}
		parts = append(parts, text)
	}
	if more := len(findings) - maxIDs; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	if path := findings[0].DependencyPath; len(path) > 1 {
		parts = append(parts, "via "+pathText(path))
	}
	return strings.Join(parts, ", ")
}

// pathText writes the way from a direct dependency, without the package itself.
func pathText(path []string) string {
	names := make([]string, 0, len(path))
	for _, name := range path[:len(path)-1] {
		names = append(names, Escape(name))
	}
	if len(names) > 6 {
		names = append(append(names[:3:3], "…"), names[len(names)-2:]...)
	}
	return strings.Join(names, " > ")
}

// fixText says in one cell what cures the worst finding of a row; what else is to be done
// follows below the table.
func fixText(findings []checks.Finding) string {
	f := findings[0]
	switch {
	case f.Malware:
		return "remove it"
	case f.FixedVersion != "":
		return Escape(f.FixedVersion)
	case f.Advisory != "":
		return "no fix yet"
	}
	return cmp.Or(Prose(shortFix(f)), "see below")
}

// cured praises what the change takes away.
func (p page) cured(b *strings.Builder) {
	n := len(p.r.Cured)
	if n == 0 {
		return
	}
	var names []string
	for _, c := range p.r.Cured[:min(n, maxCured)] {
		text := Escape(c.Advisory) + " of " + Escape(c.Package.Name)
		if c.Malware {
			text = Escape(c.Package.Name) + " (malware)"
		}
		names = append(names, text)
	}
	if n > maxCured {
		names = append(names, fmt.Sprintf("%d more", n-maxCured))
	}
	fmt.Fprintf(b, "\nThis change cures %s: %s.\n", curedText(n), strings.Join(names, ", "))
}

// curedText counts what was cured.
func curedText(n int) string {
	if n == 1 {
		return "1 known vulnerability"
	}
	return fmt.Sprintf("%d known vulnerabilities", n)
}

// unseen lists what could not be checked and why.
func (p page) unseen(b *strings.Builder) {
	reasons := slices.DeleteFunc(slices.Clone(p.r.Reasons), func(r checks.Reason) bool { return !r.Unknown() })
	if len(reasons) == 0 {
		return
	}
	b.WriteString("\n### What could not be checked\n")
	list(b, reasons, func(r checks.Reason) string { return Prose(r.Message) })
}

// list writes at most maxReasons lines.
func list(b *strings.Builder, reasons []checks.Reason, line func(checks.Reason) string) {
	for _, r := range reasons[:min(len(reasons), maxReasons)] {
		b.WriteString("- " + line(r) + "\n")
	}
	if more := len(reasons) - maxReasons; more > 0 {
		fmt.Fprintf(b, "- and %d more\n", more)
	}
}

// howToFix writes the cures: commands in one block, sentences below it, lines to put into a file
// in blocks of their own. A package with several advisories has one cure for all of them.
func (p page) howToFix(b *strings.Builder, rows []row) {
	var commands, sentences []string
	seen := map[string]bool{}
	for _, r := range rows {
		for i, f := range r.findings {
			if f.Remediation == "" || i > 0 && f.Advisory != "" {
				continue
			}
			block := !strings.Contains(f.Remediation, "```") && printable(f.Remediation)
			command := f.Command && block
			id := f.Remediation
			if !command {
				id = what(f) + "\x00" + f.Location.Path + "\x00" + id
			}
			if seen[id] {
				continue
			}
			seen[id] = true
			switch {
			case len(commands)+len(sentences) >= maxCommands:
			case command:
				commands = append(commands, f.Remediation)
			default:
				sentences = append(sentences, sentence(f, block))
			}
		}
	}
	if len(seen) == 0 {
		return
	}
	b.WriteString("\n### How to fix\n")
	if len(commands) > 0 {
		b.WriteString("```sh\n" + strings.Join(commands, "\n") + "\n```\n")
	}
	b.WriteString(strings.Join(sentences, ""))
	if more := len(seen) - maxCommands; more > 0 {
		fmt.Fprintf(b, "\nand %d more\n", more)
	}
}

// maxBlock is the most bytes of lines to put into a file.
const maxBlock = 1000

// sentence writes what to do about f as a list item. block says that it may stand in a block.
func sentence(f checks.Finding, block bool) string {
	about := Escape(what(f))
	if ofFile(f) {
		about += " in " + Escape(f.Location.Path)
		if f.Summary != "" {
			about += ": " + Prose(f.Summary)
		}
	}
	if block && (ofFile(f) || strings.Contains(f.Remediation, "\n")) && len(f.Remediation) <= maxBlock {
		return "- " + about + "\n\n```text\n" + strings.TrimRight(f.Remediation, "\n") + "\n```\n"
	}
	return "- " + about + ": " + Prose(f.Remediation) + "\n"
}

// printable reports whether s has only characters that belong into a command.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') })
}

func (p page) why(b *strings.Builder) {
	reasons := slices.DeleteFunc(slices.Clone(p.r.Reasons), func(r checks.Reason) bool { return r.Unknown() })
	if len(reasons) == 0 {
		return
	}
	b.WriteString("\n### Why\n")
	list(b, reasons, func(r checks.Reason) string { return Escape(r.Rule) + ": " + Prose(r.Message) })
}

func (p page) acceptedRisks(b *strings.Builder) {
	if p.count.block+p.count.warn+p.count.accepted == 0 {
		return
	}
	b.WriteString("\n### Accepted risks\n")
	shown := 0
	for _, f := range p.r.Findings {
		if f.Level != checks.LevelAccepted {
			continue
		}
		if shown++; shown > maxRows {
			continue
		}
		fmt.Fprintf(b, "- %s %s: %s %s, exception %s until %s\n", Escape(what(f)), Escape(cmp.Or(f.Package.Version, f.Location.Path)),
			Escape(name(f)), severity(f), Escape(f.Exception), Escape(f.Until))
	}
	switch {
	case shown == 0:
		b.WriteString("- none\n")
	case shown > maxRows:
		fmt.Fprintf(b, "- and %d more\n", shown-maxRows)
	}
}

// text holds one collapsed section for each manifest: what changed in it, and what was found.
// Nothing more is written once it has limit bytes; the caller cuts it.
func (p page) text(limit int) string {
	var paths []string
	changes, found := map[string][]checks.Change{}, map[string][]checks.Finding{}
	for _, c := range p.r.Changes {
		changes[c.Path] = append(changes[c.Path], c)
		paths = append(paths, c.Path)
	}
	for _, f := range p.r.Findings {
		if f.Introduced {
			found[f.Location.Path] = append(found[f.Location.Path], f)
			paths = append(paths, f.Location.Path)
		}
	}
	slices.Sort(paths)
	var b strings.Builder
	for _, path := range slices.Compact(paths) {
		fmt.Fprintf(&b, "<details><summary><code>%s</code>: %s, %s</summary>\n\n", html.EscapeString(Plain(path, maxPiece)),
			plural(len(changes[path]), "change"), plural(len(found[path]), "finding"))
		section(&b, changes[path], found[path], limit)
		b.WriteString("\n</details>\n\n")
		if b.Len() > limit {
			break
		}
	}
	return b.String()
}

func section(b *strings.Builder, changes []checks.Change, found []checks.Finding, limit int) {
	if len(found) > 0 {
		b.WriteString("| Line | What | Version | Advisory or rule | Severity | Risk | Summary |\n|---|---|---|---|---|---|---|\n")
	}
	for _, f := range found {
		if b.Len() > limit {
			return
		}
		fmt.Fprintf(b, "| %d | %s | %s | %s | %s | %s | %s |\n", f.Location.Line, Escape(what(f)), Escape(f.Package.Version),
			Escape(name(f)), severity(f), Prose(riskText(f)), Escape(f.Summary))
	}
	if len(changes) > 0 {
		b.WriteString("\n| Change | Package | From | To |\n|---|---|---|---|\n")
	}
	for _, c := range changes {
		if b.Len() > limit {
			return
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c.Type, Escape(c.Name), Escape(c.From), Escape(c.To))
	}
}
