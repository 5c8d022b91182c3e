package githubtest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"

	"github.com/landwaiter/landwaiter/app/githubtest/git"
)

// getTarball sends a client to the archive of a commit, as
// docs.github.com/rest/repos/contents#download-a-repository-archive-tar says.
func getTarball(q *request) reply {
	c, err := q.repo.resolve(q.params["ref"])
	if err != nil {
		return notFound()
	}
	to := fmt.Sprintf("%s/archives/%d/%s.tar.gz?sig=stand-in", q.g.blobRoot(), q.repo.id, c.SHA)
	return reply{status: http.StatusFound, header: http.Header{"Location": {to}, "Content-Type": {"text/html;charset=utf-8"}}}
}

// archive is the files of a commit as a gzipped tar in one folder, nil when there is no such
// commit. Like git archive it leaves out files that .gitattributes of the same commit names with
// export-ignore, one name or suffix ("*.go") a line.
func (r *Repo) archive(sha string) []byte {
	c, err := r.resolve(sha)
	if err != nil {
		return nil
	}
	var b bytes.Buffer
	packed := gzip.NewWriter(&b)
	w := tar.NewWriter(packed)
	folder := strings.ReplaceAll(r.fullName(), "/", "-") + "-" + sha[:7] + "/"
	ignored := r.exportIgnored(c.Tree)
	add := func(e git.Entry) {
		h := &tar.Header{Name: folder + e.Name, Mode: 0o644, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		content := r.content(e)
		switch {
		case ignored(e.Name) || e.Type() != "blob":
			return
		case e.Mode == git.ModeSymlink:
			h.Typeflag, h.Linkname, content = tar.TypeSymlink, string(content), nil
		default:
			h.Size = int64(len(content))
		}
		// Writing into memory does not fail; a broken archive fails the test that reads it.
		_ = w.WriteHeader(h)
		_, _ = w.Write(content)
	}
	if err := r.objects.Walk(c.Tree, add); err != nil {
		return nil
	}
	_, _ = w.Close(), packed.Close()
	return b.Bytes()
}

// exportIgnored reads the attribute export-ignore of a tree.
func (r *Repo) exportIgnored(tree string) func(name string) bool {
	var patterns []string
	if e, err := r.objects.Lookup(tree, ".gitattributes"); err == nil {
		for line := range strings.Lines(string(r.content(e))) {
			if fields := strings.Fields(line); len(fields) == 2 && fields[1] == "export-ignore" {
				patterns = append(patterns, fields[0])
			}
		}
	}
	return func(name string) bool {
		for _, p := range patterns {
			if suffix, any := strings.CutPrefix(p, "*"); p == name || any && strings.HasSuffix(name, suffix) {
				return true
			}
		}
		return false
	}
}
