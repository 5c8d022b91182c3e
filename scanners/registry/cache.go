package registry

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// Answers about a published version hardly ever change; only deprecation comes later, and a
	// version that is not known yet may be known soon.
	currentFor        = 24 * time.Hour
	currentForUnknown = time.Hour
	// staleFor is how long an answer is better than none when nobody answers.
	staleFor = 7 * 24 * time.Hour

	maxKept  = 100_000  // answers in memory; the oldest go first
	maxBytes = 32 << 20 // of the file; it is written anew when it grows over that
	maxLine  = 16 << 10 // bytes of one answer in the file
)

// cache keeps answers in memory and in a file of JSON lines, of which the last about a version
// counts. Several processes may append to it; what one loses by writing the file anew is asked
// for again. A file that cannot be read or written costs questions, not verdicts.
type cache struct {
	path string // "" keeps none
	now  func() time.Time

	mu      sync.Mutex
	loaded  bool
	answers map[version]answer
	added   []line // not in the file yet
}

// line is one line of the file.
type line struct {
	Ecosystem string `json:"e"`
	Name      string `json:"m"`
	Version   string `json:"v,omitempty"`
	answer
}

func newCache(dir string, now func() time.Time) *cache {
	c := &cache{now: now, answers: map[version]answer{}}
	if dir != "" {
		c.path = filepath.Join(dir, "facts.jsonl")
	}
	return c
}

// current returns an answer that need not be asked for again.
func (c *cache) current(v version) (answer, bool) {
	a, ok := c.get(v)
	limit := currentFor
	if !a.Known {
		limit = currentForUnknown
	}
	return a, ok && c.age(a) < limit
}

// stale returns an answer that is better than none. That nothing was known is not.
func (c *cache) stale(v version) (answer, bool) {
	a, ok := c.get(v)
	return a, ok && a.Known && c.age(a) < staleFor
}

// age is how old a is. One from the future, which a wrong clock left, is too old for any use.
func (c *cache) age(a answer) time.Duration {
	if age := c.now().Sub(a.Time); age >= -time.Minute {
		return age
	}
	return staleFor
}

func (c *cache) get(v version) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load()
	a, ok := c.answers[v]
	return a, ok
}

// put keeps an answer that was given now, and returns it with the time.
func (c *cache) put(v version, a answer) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load()
	a.Time = c.now().UTC().Truncate(time.Second)
	c.answers[v] = a
	c.added = append(c.added, line{v.ecosystem, v.name, v.version, a})
	if len(c.answers) > maxKept {
		c.forget()
	}
	return a
}

// forget drops the older half.
func (c *cache) forget() {
	keys := make([]version, 0, len(c.answers))
	for v := range c.answers {
		keys = append(keys, v)
	}
	slices.SortFunc(keys, func(a, b version) int { return c.answers[a].Time.Compare(c.answers[b].Time) })
	for _, v := range keys[:len(keys)/2] {
		delete(c.answers, v)
	}
}

// load reads the file at first use.
func (c *cache) load() {
	if c.loaded || c.path == "" {
		return
	}
	c.loaded = true
	f, err := os.Open(c.path)
	if err != nil {
		return // usually there is none yet
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 2*maxBytes))
	lines.Buffer(nil, maxLine)
	for lines.Scan() && len(c.answers) < maxKept {
		var l line
		if json.Unmarshal(lines.Bytes(), &l) != nil || l.Source == "" {
			continue // half a line, from a process that was ended
		}
		if c.age(l.answer) < staleFor {
			c.answers[version{l.Ecosystem, l.Name, l.Version}] = l.answer
		}
	}
}

// flush appends what was added to the file, or writes it anew when it has grown too large. An
// error is of no consequence: the answers stay in memory.
func (c *cache) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	added := c.added
	c.added = nil
	if c.path == "" || len(added) == 0 {
		return
	}
	var b bytes.Buffer
	for _, l := range added {
		b.Write(l.text())
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return
	}
	f, err := os.OpenFile(c.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	_, err = f.Write(b.Bytes())
	info, statErr := f.Stat()
	f.Close()
	if err != nil || statErr == nil && info.Size() > maxBytes {
		c.rewrite()
	}
}

// text returns the line with its end, nothing for one that is too long to be read again.
func (l line) text() []byte {
	text, err := json.Marshal(l)
	if err != nil || len(text) >= maxLine {
		return nil
	}
	return append(text, '\n')
}

// rewrite replaces the file by what is in memory, the newest answers first, up to half of what
// it may have.
func (c *cache) rewrite() {
	keys := make([]version, 0, len(c.answers))
	for v := range c.answers {
		keys = append(keys, v)
	}
	slices.SortFunc(keys, func(a, b version) int {
		if order := c.answers[b].Time.Compare(c.answers[a].Time); order != 0 {
			return order
		}
		return strings.Compare(a.name, b.name)
	})
	var b bytes.Buffer
	for _, v := range keys {
		text := line{v.ecosystem, v.name, v.version, c.answers[v]}.text()
		if b.Len()+len(text) > maxBytes/2 {
			break
		}
		b.Write(text)
	}
	part := c.path + ".new"
	if os.WriteFile(part, b.Bytes(), 0o600) == nil {
		_ = os.Rename(part, c.path) // as flush says
	}
}
