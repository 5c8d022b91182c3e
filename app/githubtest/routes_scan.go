package githubtest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
)

// CodeScan is one upload to code scanning.
type CodeScan struct {
	Commit, Ref, Tool string
	SARIF             []byte // unpacked
}

// CodeScans returns what was uploaded to code scanning, oldest first.
func (r *Repo) CodeScans() []CodeScan {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return append([]CodeScan(nil), r.scans...)
}

// uploadSARIF takes an upload as docs.github.com/rest/code-scanning#upload-an-analysis-as-sarif-data
// says: gzip in base64, for a commit and a ref of the repository.
func uploadSARIF(q *request) reply {
	var body struct {
		Commit string `json:"commit_sha"`
		Ref    string `json:"ref"`
		SARIF  string `json:"sarif"`
		Tool   string `json:"tool_name"`
	}
	if a, ok := q.decode(&body); !ok {
		return a
	}
	packed, err := base64.StdEncoding.DecodeString(body.SARIF)
	if err != nil {
		return refuse(http.StatusBadRequest, "sarif is not base64")
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return refuse(http.StatusBadRequest, "sarif is not gzip")
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		return refuse(http.StatusBadRequest, "sarif is not gzip")
	}
	if _, err := q.repo.resolve(body.Commit); err != nil {
		return refuse(http.StatusNotFound, "Commit not found")
	}
	q.repo.scans = append(q.repo.scans, CodeScan{Commit: body.Commit, Ref: body.Ref, Tool: body.Tool, SARIF: text})
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", len(q.repo.scans))
	return reply{status: http.StatusAccepted, header: jsonHeader(), body: object{"id": id, "url": q.repo.url() + "/code-scanning/sarifs/" + id}}
}
