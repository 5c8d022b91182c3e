package app

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/landwaiter/landwaiter/checks"
)

// The limits of the source of one commit. They are guesses: ten times what large repositories
// in Go have. What is beyond them is a Gap, and then an import that is missing says nothing.
const (
	maxArchive  = 200 << 20 // bytes as they arrive
	maxUnpacked = 1 << 30   // bytes of the archive unpacked
	maxSource   = 200_000   // Go files
	archiveTime = 2 * time.Minute
	// maxStrays is how many Go files are fetched one by one because the archive lacks them.
	maxStrays = 20
	// importsVersion is raised when the same commit may give other imports.
	importsVersion = "1"
)

// GoSource gathers what Go source imports. It bounds what it takes and parses hostile text.
type GoSource interface {
	// Wanted reports whether the file at path is Go source that counts.
	Wanted(path string) bool
	// Add adds a file. It reports false when no more are taken.
	Add(path string, source []byte) bool
	// Gap notes that not all was read, and why.
	Gap(format string, args ...any)
	// Imports returns what was gathered.
	Imports() *checks.Imports
}

// addImports completes m with what its head's Go source imports, if the judgment can use it.
// Nothing else makes it ask GitHub for source.
func (a *App) addImports(ctx context.Context, c *installation, m *checks.Material, head string, evidence []checks.Evidence) error {
	if a.cfg.GoSource == nil || !checks.AsksImports(m, evidence) {
		return nil
	}
	name := head + "/" + importsVersion
	if b, ok := a.github.cache.get(ctx, c.Repo, "imports", name); ok {
		var known checks.Imports
		if json.Unmarshal(b, &known) == nil {
			m.Head.Imports = &known
			return nil
		}
	}
	source := a.cfg.GoSource(ctx)
	if err := a.readSource(ctx, c, head, source); err != nil {
		return fmt.Errorf("reading the Go source of %s: %w", head, err)
	}
	m.Head.Imports = source.Imports()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("reading the Go source of %s: %w", head, err)
	}
	if b, err := json.Marshal(m.Head.Imports); err == nil && m.Head.Imports.Gap == "" {
		a.github.cache.keep(ctx, c.Repo, "imports", name, b)
	}
	return nil
}

// readSource reads the Go files of a commit: their names and digests from its tree, their
// content from the archive that GitHub makes of it, and one by one what the archive lacks or
// alters. The tree decides: .gitattributes of the head, which is hostile, can keep files out of
// an archive and change their text. An error means that GitHub's API must be asked later.
func (a *App) readSource(ctx context.Context, c *installation, head string, into GoSource) error {
	files, err := c.goFiles(ctx, head, into)
	if err != nil || len(files) == 0 {
		return err
	}
	if len(files) > maxStrays {
		limited, cancel := context.WithTimeout(ctx, archiveTime)
		err = a.readArchive(limited, c, head, files, into)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errAPI):
			return err
		case err != nil:
			into.Gap("the source archive could not be read: %v", err)
			return nil
		}
	}
	if len(files) > maxStrays {
		into.Gap("%d Go files are not in the source archive as they are in the repository (export-ignore or export-subst in .gitattributes)", len(files))
		return nil
	}
	var strays []reading
	for path, e := range files {
		strays = append(strays, reading{path, e})
	}
	blobs, err := c.blobs(ctx, strays)
	if err != nil {
		return err
	}
	for _, s := range strays {
		into.Add(s.path, blobs[s.SHA])
	}
	return nil
}

// goFiles lists the Go source of a commit. What git keeps elsewhere, and links, are Gaps.
func (c *installation) goFiles(ctx context.Context, head string, into GoSource) (listing, error) {
	answer, _, err := c.Git.GetTree(ctx, c.Repo.Owner, c.Repo.Name, head, true)
	if err != nil {
		return nil, fmt.Errorf("listing tree %s: %w", head, err)
	}
	if answer.GetTruncated() {
		into.Gap("the tree has more entries than GitHub lists at once")
	}
	files := listing{}
	for _, e := range answer.Entries {
		item := entry{SHA: e.GetSHA(), Mode: e.GetMode(), Size: int64(e.GetSize())}
		switch {
		case e.GetType() == "commit":
			into.Gap("%.200q is a submodule", e.GetPath())
		case e.GetType() != "blob" || !into.Wanted(e.GetPath()):
		case item.problem() != "":
			into.Gap("%.200q %s", e.GetPath(), item.problem())
		case len(files) == maxSource:
			into.Gap("it has more than %d Go files", maxSource)
			return files, nil
		default:
			files[e.GetPath()] = item
		}
	}
	return files, nil
}

// readArchive adds those of files that the archive of the commit holds unaltered, and takes
// them out of files. Its error is errAPI, or says why the archive cannot be used.
func (a *App) readArchive(ctx context.Context, c *installation, head string, files listing, into GoSource) error {
	select {
	case a.downloads.slots <- struct{}{}:
		defer func() { <-a.downloads.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	address, err := c.archive(ctx, head)
	if err != nil {
		return err
	}
	body, err := a.downloads.open(ctx, address, maxArchive)
	if err != nil {
		return err
	}
	defer body.Close()
	packed := &io.LimitedReader{R: body, N: maxArchive}
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		return fmt.Errorf("it is no gzip: %w", err)
	}
	plain := &io.LimitedReader{R: unpacked, N: maxUnpacked}
	err = readTar(plain, files, into)
	switch {
	case packed.N == 0:
		return fmt.Errorf("it is larger than %d MiB", maxArchive>>20)
	case plain.N == 0:
		return fmt.Errorf("it is larger than %d MiB unpacked", maxUnpacked>>20)
	}
	return err
}

// archive asks GitHub's API where the archive of a commit is. The address is followed without
// the installation's token (THREATS G13).
func (c *installation) archive(ctx context.Context, head string) (string, error) {
	q, err := c.NewRequest(http.MethodGet, c.path()+"/tarball/"+head, nil)
	if err != nil {
		return "", err
	}
	answer, err := c.Client.Client().Do(q.WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errAPI, err)
	}
	_ = answer.Body.Close() // what is asked is in the status and the header
	switch code := answer.StatusCode; {
	case code == http.StatusFound:
		to, err := answer.Location()
		if err != nil {
			return "", errors.New("GitHub answers without an address to go to")
		}
		return to.String(), nil
	case code >= 400 && code < 500 && code != http.StatusUnauthorized:
		return "", fmt.Errorf("asking GitHub: %w", answered{code})
	default:
		return "", fmt.Errorf("%w: %w", errAPI, answered{code})
	}
}

// readTar adds those of files that the archive holds unaltered, and takes them out of files. All
// names of an archive lie in one folder. Nothing is written anywhere, and links are passed over.
func readTar(archive io.Reader, files listing, into GoSource) error {
	r := tar.NewReader(archive)
	for len(files) > 0 {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		_, name, _ := strings.Cut(h.Name, "/")
		e, ok := files[name]
		if !ok || h.Typeflag != tar.TypeReg || h.Size != e.Size {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(r, e.Size))
		if err != nil {
			return err
		}
		if blobName(e.SHA, data) != e.SHA {
			continue
		}
		delete(files, name)
		if !into.Add(name, data) {
			clear(files)
		}
	}
	return nil
}
