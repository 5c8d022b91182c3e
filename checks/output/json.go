package output

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/landwaiter/landwaiter/checks"
)

// JSON writes r as docs/report.md documents it, indented, with a line end.
func JSON(w io.Writer, r checks.Report) error {
	compact, err := json.Marshal(r)
	if err == nil {
		_, err = w.Write(append(indented(compact), '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the report as JSON: %w", err)
	}
	return nil
}

// indented is json.Indent with two spaces for what json.Marshal wrote, which need not be checked
// letter by letter again: that would take as long as all of the rest of writing it.
func indented(compact []byte) []byte {
	out := make([]byte, 0, len(compact)*3/2)
	depth := 0
	for i := 0; i < len(compact); i++ {
		c := compact[i]
		switch c {
		case '"':
			end := i + 1
			for compact[end] != '"' {
				if compact[end] == '\\' {
					end++
				}
				end++
			}
			out = append(out, compact[i:end+1]...)
			i = end
		case '{', '[':
			if closing := compact[i+1]; closing == '}' || closing == ']' {
				out = append(out, c, closing)
				i++
				continue
			}
			depth++
			out = newLine(append(out, c), depth)
		case '}', ']':
			depth--
			out = append(newLine(out, depth), c)
		case ',':
			out = newLine(append(out, c), depth)
		case ':':
			out = append(out, c, ' ')
		default:
			out = append(out, c)
		}
	}
	return out
}

func newLine(out []byte, depth int) []byte {
	out = append(out, '\n')
	for range depth {
		out = append(out, "  "...)
	}
	return out
}

// Markdown writes r as the summary and text that a check run would show, cut at no limit.
func Markdown(w io.Writer, r checks.Report) error {
	p := page{r: r, count: count(r), observe: r.Policy.Mode == string(checks.ModeObserve)}
	text := p.summary() + "\n" + p.text(math.MaxInt)
	if p.isRelease() {
		text = p.releaseSummary() + "\n" + p.releaseText()
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("writing the report as Markdown: %w", err)
	}
	return nil
}
