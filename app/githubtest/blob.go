package githubtest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/snappy"
)

// serveBlob is the blob store: contents of assets, and bundles in snappy-compressed
// JSON. It stands on another host than the API. A request that brings a credential is
// recorded, refused as real stores refuse two credentials at once, and a violation.
func (g *GitHub) serveBlob(w http.ResponseWriter, r *http.Request) {
	credential := r.Header.Get("Authorization")
	g.mu.Lock()
	g.blobCalls = append(g.blobCalls, BlobCall{Path: r.URL.Path, Authorization: credential, Time: g.now()})
	content, kind := g.blobContent(r.URL.Path)
	g.mu.Unlock()
	if credential != "" {
		g.violation("a credential was sent to the blob store: GET " + r.URL.Path)
		http.Error(w, "InvalidAuthenticationInfo", http.StatusBadRequest)
		return
	}
	if content == nil || r.URL.Query().Get("sig") == "" {
		http.Error(w, "BlobNotFound", http.StatusNotFound)
		return
	}
	section, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	w.Header().Set("Content-Type", kind)
	if f := g.fault("BLOB " + section); f != nil {
		spoilBlob(w, r, g, f, content)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // a client that went away lost only its own download
}

// spoilBlob gives a download what a fault says.
func spoilBlob(w http.ResponseWriter, r *http.Request, g *GitHub, f *Fault, content []byte) {
	switch f.Kind {
	case Nothing:
		panic(http.ErrAbortHandler)
	case CutBody:
		cut(w, http.StatusOK, content)
	case Delay:
		pause(r, f.Delay, f.healed)
		_, _ = w.Write(content)
	default:
		status := f.Status
		if status == 0 {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		writeString(w, f.Body)
	}
}

// blobContent finds what a path of the blob store holds; nil when nothing. The caller
// holds the lock.
func (g *GitHub) blobContent(path string) ([]byte, string) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) != 3 {
		return nil, ""
	}
	switch parts[0] {
	case "assets":
		id, err := strconv.ParseInt(parts[1], 10, 64)
		if a := g.uploads[id]; err == nil && a != nil {
			return append([]byte{}, a.content...), a.contentType
		}
	case "archives":
		id, err := strconv.ParseInt(parts[1], 10, 64)
		if r := g.repos[id]; err == nil && r != nil {
			return r.archive(strings.TrimSuffix(parts[2], ".tar.gz")), "application/x-gzip"
		}
	case "attestations":
		id, err := strconv.ParseInt(strings.TrimSuffix(parts[2], ".json.sn"), 10, 64)
		if a := g.bundles[id]; err == nil && a != nil {
			return snappy.Encode(nil, a.bundle), "application/x-snappy"
		}
	}
	return nil, ""
}

// serveDownload answers the download pages of public releases,
// /{owner}/{repo}/releases/download/{tag}/{name}, and says whether it did.
func (g *GitHub) serveDownload(w http.ResponseWriter, r *http.Request) bool {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 6)
	if len(parts) != 6 || parts[2] != "releases" || parts[3] != "download" {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	repo := g.find(parts[0], parts[1])
	if repo != nil && !repo.private {
		for _, rel := range repo.releases {
			for _, a := range rel.assets {
				if !rel.draft && rel.tag == parts[4] && a.name == parts[5] && a.state == "uploaded" {
					http.Redirect(w, r, a.blobURL(), http.StatusFound)
					return true
				}
			}
		}
	}
	http.Error(w, "Not Found", http.StatusNotFound)
	return true
}
