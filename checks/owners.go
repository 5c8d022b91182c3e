package checks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hmarr/codeowners"
)

// MaxCodeowners is the largest CODEOWNERS file that is read, in bytes. GitHub ignores files
// of 3 MB and more (docs.github.com, "About code owners", CODEOWNERS file size).
const MaxCodeowners = 3 << 20

// maxOwnerRules bounds the rules of a CODEOWNERS file, because each is one compiled pattern.
// The number is a guess: the largest public files have some thousands.
const maxOwnerRules = 20_000

// ErrTooLarge says that a file is larger than what is read of its kind.
var ErrTooLarge = errors.New("larger than the limit")

// Owner is one owner of a path. Exactly one of User, Team and Email is set.
type Owner struct {
	User  string // login, without "@"
	Team  string // "org/team", without "@"
	Email string
	// Line is the one-based line of the rule that names the owner, Pattern its path pattern.
	Line    int
	Pattern string
}

// Codeowners is a parsed CODEOWNERS file.
type Codeowners struct {
	rules codeowners.Ruleset
	// Skipped are the lines that GitHub would skip too, because they cannot be read.
	Skipped []Gap
}

// ParseCodeowners reads a CODEOWNERS file. A line that cannot be read is left out, as GitHub
// does, and listed in Skipped. The only error wraps ErrTooLarge.
func ParseCodeowners(data []byte) (*Codeowners, error) {
	if len(data) >= MaxCodeowners {
		return nil, fmt.Errorf("reading CODEOWNERS of %d bytes, at most %d: %w", len(data), MaxCodeowners, ErrTooLarge)
	}
	c := &Codeowners{}
	for i, line := range strings.Split(string(data), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		// One line at a time: the library gives up on the whole file at the first bad line,
		// and silently at the first line longer than 64 KiB.
		rules, err := codeowners.ParseFile(strings.NewReader(line))
		if err == nil && len(line) > maxGlobPattern {
			err = fmt.Errorf("line of %d bytes: %w", len(line), ErrTooLarge)
		}
		if err != nil {
			c.Skipped = append(c.Skipped, Gap{Path: fmt.Sprintf("CODEOWNERS:%d", i+1), Reason: err.Error()})
			continue
		}
		for _, r := range rules {
			r.LineNumber = i + 1
			c.rules = append(c.rules, r)
		}
		if len(c.rules) > maxOwnerRules {
			return nil, fmt.Errorf("reading CODEOWNERS of more than %d rules: %w", maxOwnerRules, ErrTooLarge)
		}
	}
	return c, nil
}

// Owners returns the owners of path by the last rule that matches it, none when no rule does
// or when that rule names nobody. A nil Codeowners has no rules.
func (c *Codeowners) Owners(path string) []Owner {
	if c == nil {
		return nil
	}
	rule, err := c.rules.Match(strings.TrimPrefix(path, "/"))
	if err != nil || rule == nil {
		return nil // a pattern that cannot be matched matches nothing, as on GitHub
	}
	var owners []Owner
	for _, o := range rule.Owners {
		owner := Owner{Line: rule.LineNumber, Pattern: rule.RawPattern()}
		switch o.Type {
		case codeowners.TeamOwner:
			owner.Team = o.Value
		case codeowners.EmailOwner:
			owner.Email = o.Value
		default:
			owner.User = o.Value
		}
		owners = append(owners, owner)
	}
	return owners
}

// Responsible returns who owns problems at path and why: the owners of p first, then those of
// c. Both may be nil. It returns none when neither names anybody.
func Responsible(p *Policy, c *Codeowners, path string) (owners []Owner, why string) {
	if p != nil {
		for _, rule := range p.Owners {
			for _, pattern := range rule.Paths {
				if GlobMatch(pattern, path) {
					return []Owner{{User: rule.User, Team: rule.Team, Line: rule.Line, Pattern: pattern}},
						fmt.Sprintf("from the policy, `%s`", pattern)
				}
			}
		}
	}
	if owners = c.Owners(path); len(owners) > 0 {
		return owners, fmt.Sprintf("from CODEOWNERS `%s`", owners[0].Pattern)
	}
	return nil, ""
}
