package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// maxManifest is the largest manifest that is read whole, in bytes. A larger one makes the
// result unknown. 32 MiB is ten times the largest lockfile seen in public repositories.
const maxManifest = 32 << 20

// readFolder returns the files under dir that wanted asks for, sorted by path. Links are
// never followed, and nothing outside dir is read; a link or an unreadable file comes back
// with a Problem. Folders of installed packages and of git itself are not entered.
func readFolder(dir string, wanted func(string) bool, p *progress) ([]checks.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, usage("cannot read the folder %s: %w", dir, errors.Unwrap(err))
	}
	defer root.Close()
	var files []checks.File
	seen := 0
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if seen++; seen%1000 == 0 {
			p.say("reading %s: %d entries, %d manifests", dir, seen, len(files))
		}
		if err != nil {
			if name == "." {
				return err
			}
			files = append(files, checks.File{Path: name, Problem: "cannot be read: " + reasonOf(err)})
			return nil
		}
		if d.IsDir() {
			if base := d.Name(); base == ".git" || base == "node_modules" {
				return fs.SkipDir
			}
			return nil
		}
		if wanted(name) {
			files = append(files, readRegular(root, name, d))
		}
		return nil
	})
	if err != nil {
		return nil, usage("reading the folder %s: %w", dir, err)
	}
	return files, nil
}

// readRegular reads one file of root within the limit.
func readRegular(root *os.Root, name string, d fs.DirEntry) checks.File {
	f := checks.File{Path: name}
	if !d.Type().IsRegular() {
		f.Problem = "is a symbolic link or special file; links are not followed"
		return f
	}
	r, err := root.Open(name)
	if err != nil {
		f.Problem = "cannot be read: " + reasonOf(err)
		return f
	}
	defer r.Close()
	f.Data, f.Problem = readBounded(r)
	return f
}

// readBounded returns what r holds, or why that is not whole.
func readBounded(r io.Reader) ([]byte, string) {
	data, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	switch {
	case err != nil:
		return nil, "cannot be read: " + reasonOf(err)
	case len(data) > maxManifest:
		return nil, fmt.Sprintf("is larger than %d MiB", maxManifest>>20)
	}
	return data, ""
}

// reasonOf returns the cause of err without the path, which the caller shows already.
func reasonOf(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// gitTree reads the files that wanted asks for, and the submodules, from revision rev of the
// repository that dir lies in, as they stand under dir there. It also returns the full commit.
func gitTree(ctx context.Context, dir, rev string, wanted func(string) bool) ([]checks.File, string, error) {
	commit, err := git(ctx, dir, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return nil, "", usage("--base %s is neither a folder nor a revision of the git repository at %s", rev, dir)
	}
	sha := strings.TrimSpace(string(commit))
	listing, err := git(ctx, dir, nil, "ls-tree", "-r", "-z", "-l", sha, "--", ".")
	if err != nil {
		return nil, "", usage("listing %s: %w", rev, err)
	}
	var files []checks.File
	var ask bytes.Buffer
	for _, row := range strings.Split(strings.TrimSuffix(string(listing), "\x00"), "\x00") {
		f, read, ok := treeRow(row)
		if !ok || f.Link == "" && (!wanted(f.Path) || ignoredFolder(f.Path)) {
			continue
		}
		if read {
			fmt.Fprintln(&ask, f.Digest)
		}
		files = append(files, f)
	}
	if err := readBlobs(ctx, dir, &ask, files); err != nil {
		return nil, "", err
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files, sha, nil
}

// treeRow reads one row of `git ls-tree -l`: "mode type object size<TAB>path". read is
// false for entries without content to read: links, submodules and large files.
func treeRow(row string) (f checks.File, read, ok bool) {
	head, name, found := strings.Cut(row, "\t")
	fields := strings.Fields(head)
	switch {
	case !found || len(fields) != 4:
		return f, false, false
	case fields[0] == modeSubmodule:
		return checks.File{Path: name, Digest: fields[2], Link: fields[2]}, false, true
	case fields[1] != "blob":
		return f, false, false
	}
	f = checks.File{Path: name, Digest: fields[2]}
	size, err := strconv.ParseInt(fields[3], 10, 64)
	switch {
	case fields[0] == "120000":
		f.Problem = "is a symbolic link or special file; links are not followed"
	case err != nil || size > maxManifest:
		f.Problem = fmt.Sprintf("is larger than %d MiB", maxManifest>>20)
	default:
		return f, true, true
	}
	return f, false, true
}

func ignoredFolder(name string) bool {
	for _, part := range strings.Split(path.Dir(name), "/") {
		if part == "node_modules" {
			return true
		}
	}
	return false
}

// readBlobs fills in the data of the files without a Problem, in the order asked for.
func readBlobs(ctx context.Context, dir string, ask io.Reader, files []checks.File) error {
	out, err := git(ctx, dir, ask, "cat-file", "--batch")
	if err != nil {
		return usage("reading the base from git: %w", err)
	}
	r := bufio.NewReader(bytes.NewReader(out))
	for i := range files {
		if files[i].Problem != "" || files[i].Link != "" {
			continue
		}
		header, err := r.ReadString('\n')
		fields := strings.Fields(header)
		if err != nil || len(fields) != 3 {
			return usage("reading the base from git: %s has no object %s", files[i].Path, files[i].Digest)
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			return usage("reading the base from git: unexpected answer %q", header)
		}
		files[i].Data = make([]byte, size)
		if _, err := io.ReadFull(r, files[i].Data); err != nil {
			return usage("reading the base from git: %w", err)
		}
		if _, err := r.Discard(1); err != nil {
			return usage("reading the base from git: %w", err)
		}
	}
	return nil
}

// git runs one git command in dir and returns what it prints. The repository's own configuration
// may not make it run a program (core.fsmonitor).
func git(ctx context.Context, dir string, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir, "-c", "core.fsmonitor=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	cmd.Stdin = stdin
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("git is not installed; install it or name a folder")
	}
	if err != nil {
		return nil, fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// inWorkTree reports whether dir may lie in a work tree of git. Outside of one there is no
// commit to ask for, and starting git costs more than reading the manifests.
func inWorkTree(dir string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil || os.Getenv("GIT_DIR") != "" {
		return true
	}
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}

// isFolder reports whether name is an existing folder.
func isFolder(name string) bool {
	st, err := os.Stat(filepath.Clean(name))
	return err == nil && st.IsDir()
}
