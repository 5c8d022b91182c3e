package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/landwaiter/landwaiter/scanners/osv"
)

// keptIndexes is how many compiled folders of advisories stay in the user's cache.
const keptIndexes = 4

// compiledIndex opens the advisories of a folder in the layout of the OSV bucket. The
// folder is compiled once and kept in the user's cache; names, sizes and times of its
// archives say whether it is still the same.
func compiledIndex(c *console, dir string, p *progress) (*osv.Index, func(), error) {
	key, err := archivesKey(dir)
	if err != nil {
		return nil, nil, err
	}
	home, temporary, err := compiledHome(c.cache)
	if err != nil {
		return nil, nil, err
	}
	target := filepath.Join(home, key)
	index, err := osv.Open(target)
	if err != nil || index.Status().Records == 0 {
		// Not compiled yet, or by another version of the format.
		if err := compile(c, dir, home, target, p); err != nil {
			return nil, nil, err
		}
		forgetOldIndexes(home, key)
		if index, err = osv.Open(target); err != nil {
			return nil, nil, usage("opening the compiled advisories %s: %w", target, err)
		}
	}
	return index, func() {
		index.Close()
		if temporary {
			os.RemoveAll(home) // best effort: the system clears its temporary folder anyway
		}
	}, nil
}

// compile imports dir into a new folder and gives it its name only when it is complete.
func compile(c *console, dir, home, target string, p *progress) error {
	work, err := os.MkdirTemp(home, "new-")
	if err != nil {
		return usage("preparing advisories: %w", err)
	}
	defer os.RemoveAll(work)
	index, err := osv.Open(work)
	if err != nil {
		return usage("preparing advisories: %w", err)
	}
	done, err := index.Import(c.ctx, dir, osv.ImportOptions{Progress: sayProgress(p)})
	index.Close()
	if err != nil {
		return usage("reading the advisories in %s: %w", dir, err)
	}
	for _, e := range done.Ecosystems {
		if e.Bad > 0 {
			fmt.Fprintf(c.err, "landwaiter: %s: left out %d unreadable advisories, such as %s\n", e.Ecosystem, e.Bad, strings.Join(e.BadNames, ", "))
		}
	}
	if err := os.RemoveAll(target); err != nil {
		return usage("replacing the compiled advisories: %w", err)
	}
	// Another process may have been faster; what it made of the same archives is as good.
	if err := os.Rename(work, target); err != nil && !isFolder(target) {
		return usage("keeping the compiled advisories: %w", err)
	}
	return nil
}

// archivesKey names the state of what an import takes from dir.
func archivesKey(dir string) (string, error) {
	h, found := sha256.New(), 0
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", usage("--advisories: %w", err)
	}
	fmt.Fprintln(h, absolute)
	err = filepath.WalkDir(absolute, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !osv.Recognised(d.Name()) {
			return err
		}
		st, err := os.Stat(name)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, ".zip") {
			found++
		}
		fmt.Fprintln(h, name, st.Size(), st.ModTime().UnixNano())
		return nil
	})
	if err != nil {
		return "", usage("--advisories: %w", err)
	}
	if found == 0 {
		return "", usage("--advisories %s holds no archives; it should hold <ecosystem>/all.zip as the OSV bucket does", dir)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// compiledHome returns the folder of compiled advisories under cache, "" meaning the user's,
// or a temporary one where that cannot be written.
func compiledHome(cache string) (dir string, temporary bool, err error) {
	if cache == "" {
		if user, err := os.UserCacheDir(); err == nil {
			cache = filepath.Join(user, "landwaiter")
		}
	}
	if cache != "" {
		dir := filepath.Join(cache, "compiled")
		if err := os.MkdirAll(dir, 0o755); err == nil {
			return dir, false, nil
		}
	}
	dir, err = os.MkdirTemp("", "landwaiter-")
	if err != nil {
		return "", false, usage("preparing advisories: %w", err)
	}
	return dir, true, nil
}

// forgetOldIndexes removes all but the newest compiled folders. What cannot be removed
// stays: it costs space, nothing else.
func forgetOldIndexes(home, keep string) {
	entries, err := os.ReadDir(home)
	if err != nil {
		return
	}
	type aged struct {
		name string
		at   int64
	}
	var old []aged
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.IsDir() && e.Name() != keep {
			old = append(old, aged{e.Name(), info.ModTime().UnixNano()})
		}
	}
	sort.Slice(old, func(i, j int) bool { return old[i].at > old[j].at })
	for i := keptIndexes - 1; i < len(old); i++ {
		os.RemoveAll(filepath.Join(home, old[i].name))
	}
}
