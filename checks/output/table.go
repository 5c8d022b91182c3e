package output

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/landwaiter/landwaiter/checks"
)

// The colours of a terminal, ECMA-48 "select graphic rendition".
const (
	red, green, yellow, bold, plain = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[0m"
)

// Table writes r for a terminal: verdict, findings or assets, what could not be seen, cures.
// No text of others reaches the terminal with control characters in it.
func Table(w io.Writer, r checks.Report, color bool) error {
	t := terminal{page: page{r: r, count: count(r), observe: r.Policy.Mode == string(checks.ModeObserve)}, color: color}
	if t.isRelease() {
		t.assets()
	} else {
		t.findings()
	}
	t.reasons()
	t.cures()
	if _, err := w.Write(t.out.Bytes()); err != nil {
		return fmt.Errorf("writing the report as a table: %w", err)
	}
	return nil
}

// terminal is a page on its way to a terminal.
type terminal struct {
	page
	color bool
	out   bytes.Buffer
}

func (t *terminal) paint(code, s string) string {
	if !t.color {
		return s
	}
	return code + s + plain
}

// verdict writes the first line.
func (t *terminal) verdict(title string) {
	code := map[checks.Verdict]string{checks.Pass: green, checks.Fail: red}[t.r.Verdict]
	fmt.Fprintf(&t.out, "%s  %s\n", t.paint(cmp.Or(code, yellow), strings.ToUpper(t.r.Verdict.String())), title)
}

func (t *terminal) findings() {
	t.verdict(t.title())
	rows := [][]string{{"LEVEL", "SEVERITY", "RISK", "WHAT", "VERSION", "FIXED IN", "WHERE", "PROBLEM"}}
	for _, f := range t.r.Findings {
		if f.Introduced {
			rows = append(rows, []string{f.Level, severity(f), strconv.Itoa(f.Risk), cut(Plain(what(f), maxPiece), maxWhat), orDash(f.Package.Version), orDash(f.FixedVersion),
				fmt.Sprintf("%s:%d", f.Location.Path, f.Location.Line), cut(problemLine(f), maxShown)})
		}
	}
	t.grid(rows)
	t.cured()
	if t.count.older > 0 {
		fmt.Fprintf(&t.out, "\n%s not caused by this change\n", plural(t.count.older, "older finding"))
	}
}

// maxWhat is the most characters of the column WHAT: subjects of files can be long.
const maxWhat = 44

// problemLine is the problem of f in one line of plain text. What is wrong in a file takes more
// than a line; it stands beside the cure.
func problemLine(f checks.Finding) string {
	if h, ok := ruleHelps[f.Rule]; ok && ofFile(f) {
		return h.short
	}
	if f.Advisory == "" {
		return Plain(cmp.Or(f.Summary, f.Rule), maxPiece)
	}
	return strings.Join(append([]string{Plain(f.Advisory, maxPiece)}, remarks(f)...), ", ")
}

// cured tells what the change takes away.
func (t *terminal) cured() {
	if len(t.r.Cured) == 0 {
		return
	}
	fmt.Fprintf(&t.out, "\n%s\n", t.paint(bold, "This change cures "+curedText(len(t.r.Cured))))
	for i, c := range t.r.Cured {
		if i == maxRows {
			fmt.Fprintf(&t.out, "  and %d more\n", len(t.r.Cured)-maxRows)
			break
		}
		fmt.Fprintf(&t.out, "  %s  %s %s\n", Plain(c.Advisory, maxPiece), Plain(c.Package.Name, maxPiece), Plain(c.Package.Version, maxPiece))
	}
}

func (t *terminal) assets() {
	defer t.drift()
	t.verdict(t.releaseTitle())
	rows := [][]string{{"ASSET", "STATE", "LEVEL", "SIGNER", "BUILT FROM", "RUNNER"}}
	for _, a := range t.r.Assets {
		rows = append(rows, []string{a.Name, stateText(a), orDash(a.Builder.Level), orDash(signerText(a.Signer)), orDash(sourceText(a.Source)), orDash(a.Builder.Runner)})
	}
	t.grid(rows)
	for _, a := range t.r.Assets {
		if len(a.Chain) > 0 {
			fmt.Fprintf(&t.out, "\n%s\n  proven by %s\n", Plain(a.Name, maxPiece), Plain(chainText(a.Chain), 4*maxPiece))
		}
		if a.ExpectedSigner != nil {
			fmt.Fprintf(&t.out, "\n%s\n  expected  %s  (%s)\n  found     %s  (%s)\n", Plain(a.Name, maxPiece),
				Plain(a.ExpectedSigner.Identity, maxPiece), orDash(Plain(a.ExpectedSigner.Issuer, maxPiece)),
				Plain(a.Signer.Identity, maxPiece), orDash(Plain(a.Signer.Issuer, maxPiece)))
		}
	}
}

// grid writes rows in columns as wide as their widest cell. The first row is the heading; a
// grid of nothing else is left out.
func (t *terminal) grid(rows [][]string) {
	if len(rows) < 2 {
		return
	}
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i := range r {
			r[i] = Plain(r[i], maxPiece)
			width[i] = max(width[i], utf8.RuneCountInString(r[i]))
		}
	}
	t.out.WriteString("\n")
	for n, r := range rows {
		var line strings.Builder
		for i, cell := range r {
			line.WriteString(cell)
			if i < len(r)-1 {
				line.WriteString(strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		text := line.String()
		if n == 0 {
			text = t.paint(bold, text)
		}
		t.out.WriteString(text + "\n")
	}
}

func (t *terminal) reasons() {
	for i, group := range [][]checks.Reason{t.r.Reasons, t.r.Notices} {
		if len(group) > 0 {
			t.out.WriteString("\n" + t.paint(bold, []string{"Why", "Notes"}[i]) + "\n")
		}
		for _, r := range group {
			fmt.Fprintf(&t.out, "  %s  %s\n", Plain(r.Code, 40), Plain(r.Message, 4*maxPiece))
		}
	}
}

// cures writes at most maxCommands cures, each once.
func (t *terminal) cures() {
	seen := map[string]bool{}
	for _, r := range t.rows() {
		for i, f := range r.findings {
			text := plainLines(f.Remediation)
			if !f.Command {
				text = inWords(f, text)
			}
			if f.Remediation == "" || seen[text] || i > 0 && f.Advisory != "" {
				continue
			}
			if len(seen) == 0 {
				t.out.WriteString("\n" + t.paint(bold, "How to fix") + "\n")
			}
			if seen[text] = true; len(seen) <= maxCommands {
				t.out.WriteString("  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n")
			}
		}
	}
	if more := len(seen) - maxCommands; more > 0 {
		fmt.Fprintf(&t.out, "  and %d more\n", more)
	}
}

// inWords puts before a cure what it is for, and why where the table could not say it.
func inWords(f checks.Finding, cure string) string {
	about := cut(Plain(what(f), maxPiece), maxWhat) + ":"
	switch {
	case ofFile(f) && f.Summary != "":
		about += " " + Plain(f.Summary, 2*maxPiece)
	case !strings.Contains(cure, "\n"):
		return about + " " + cure
	}
	return about + "\n  " + strings.ReplaceAll(cure, "\n", "\n  ")
}
