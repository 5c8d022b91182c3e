package manifests

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"
)

// readDockerfile reads a Dockerfile: the images that its stages begin with, copy from or mount.
// Stages of its own and "scratch" are left out, as is the frontend that a "# syntax" line names.
//
// Source: https://docs.docker.com/reference/dockerfile/.
func readDockerfile(s *source) error {
	if path.Ext(s.path) == ".dockerignore" {
		return nil // "app.Dockerfile.dockerignore" is a list of files
	}
	d := &dockerfile{s: s, values: map[string]string{}, stages: map[string]bool{}, escape: `\`}
	d.read()
	switch {
	case len(d.heredocs) > 0:
		return fmt.Errorf("is not valid as a Dockerfile: the text up to %s does not end", cut(d.heredocs[0], maxShown))
	case !d.from:
		return errors.New("names no image: it has no FROM")
	}
	return nil
}

// dockerfile is a Dockerfile while it is read.
type dockerfile struct {
	s      *source
	values map[string]string // of the ARG lines before the first FROM
	stages map[string]bool   // names met so far, in lower case
	from   bool
	escape string // what continues a line
	// heredocs are the marks that end the texts which follow the current instruction.
	heredocs []string
}

func (d *dockerfile) read() {
	var joined strings.Builder
	number, first := 0, 0
	for line := range strings.Lines(d.s.text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		held := strings.TrimSpace(line)
		switch {
		case len(d.heredocs) > 0:
			if held == d.heredocs[0] {
				d.heredocs = d.heredocs[1:]
			}
			continue
		case strings.HasPrefix(held, "#"):
			d.directive(held, number)
			continue
		case held == "" && joined.Len() > 0: // an old form that is still read
			continue
		}
		if joined.Len() == 0 {
			first = number
		}
		next, continued := strings.CutSuffix(strings.TrimRight(line, " \t"), d.escape)
		joined.WriteString(next)
		if !continued {
			d.instruction(joined.String(), first)
			joined.Reset()
		}
	}
	d.instruction(joined.String(), first)
}

// directive takes in "# escape=`", which stands before everything else.
func (d *dockerfile) directive(line string, number int) {
	key, value, _ := strings.Cut(strings.TrimPrefix(line, "#"), "=")
	if value = strings.TrimSpace(value); strings.EqualFold(strings.TrimSpace(key), "escape") && value == "`" && !d.from && number < 5 {
		d.escape = value
	}
}

// heredoc is a word that says which line ends the text that follows the instruction.
var heredoc = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]*<<-?["']?([A-Za-z_][A-Za-z0-9_]*)["']?$`) })

func (d *dockerfile) instruction(line string, number int) {
	line = strings.TrimSpace(line)
	word, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(word) {
	case "ARG":
		if !d.from {
			d.argument(rest)
		}
	case "FROM":
		d.stage(rest, number)
	case "COPY", "ADD":
		d.option(rest, "--from=", number)
		d.documents(rest)
	case "RUN":
		d.mounts(rest, number)
		d.documents(rest)
	}
}

// documents notes the texts that follow the instruction.
func (d *dockerfile) documents(rest string) {
	if !strings.Contains(rest, "<<") {
		return
	}
	for word := range strings.FieldsSeq(rest) {
		if m := match(heredoc, word); m != nil {
			d.heredocs = append(d.heredocs, m[1])
		}
	}
}

// argument takes in "name=value", of which a line may have several.
func (d *dockerfile) argument(rest string) {
	for field := range strings.FieldsSeq(rest) {
		if name, value, ok := strings.Cut(field, "="); ok {
			d.values[name] = expandVariables(strings.Trim(value, `"'`), d.values, false)
		}
	}
}

// stage takes in "[--platform=x] image [AS name]".
func (d *dockerfile) stage(rest string, number int) {
	d.from = true
	words := strings.Fields(rest)
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		words = words[1:]
	}
	if len(words) == 0 {
		return
	}
	d.image(words[0], number)
	if len(words) == 3 && strings.EqualFold(words[1], "as") {
		d.stages[strings.ToLower(words[2])] = true
	}
}

// image adds an image, unless it is a stage, whose name may hold a variable that only the
// build gives.
func (d *dockerfile) image(reference string, number int) {
	reference = expandVariables(strings.Trim(reference, `"'`), d.values, false)
	lower := strings.ToLower(reference)
	if lower == "scratch" || d.stages[lower] || strings.Trim(lower, "0123456789") == "" {
		return
	}
	if strings.Contains(lower, "$") && len(d.stages) <= maxVariants {
		pattern := variables().ReplaceAllString(cut(lower, maxShown), "*")
		for name := range d.stages {
			if ok, err := path.Match(pattern, name); ok && err == nil {
				return
			}
		}
	}
	d.s.image(reference, number)
}

var variables = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$(?:\{[^}]*\}|\w+)`) })

// option takes in the image that an option of an instruction names.
func (d *dockerfile) option(rest, name string, number int) {
	for strings.HasPrefix(rest, "--") {
		word, after, _ := strings.Cut(rest, " ")
		if image, ok := strings.CutPrefix(word, name); ok {
			d.image(image, number)
		}
		rest = strings.TrimLeft(after, " \t")
	}
}

// mounts takes in the images that RUN mounts: "--mount=type=bind,from=image,...".
func (d *dockerfile) mounts(rest string, number int) {
	for strings.HasPrefix(rest, "--") {
		word, after, _ := strings.Cut(rest, " ")
		if mount, ok := strings.CutPrefix(word, "--mount="); ok {
			for part := range strings.SplitSeq(mount, ",") {
				if image, ok := strings.CutPrefix(part, "from="); ok {
					d.image(image, number)
				}
			}
		}
		rest = strings.TrimLeft(after, " \t")
	}
}
