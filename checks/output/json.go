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
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("writing the report as JSON: %w", err)
	}
	return nil
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
