package githubtest

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v62/github"
	"github.com/klauspost/compress/snappy"
)

func TestDraftsHide(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	draft := w.repo.Release(ReleaseOptions{Tag: "v1", Draft: true, Assets: map[string][]byte{"a": []byte("a")}})
	path := fmt.Sprintf("/repos/acme/shop/releases/%d", draft.ID)
	asset := fmt.Sprintf("/repos/acme/shop/releases/assets/%d", draft.View().Assets[0].ID)
	w.get(path)
	w.get(asset)
	w.want(w.call("GET", "/repos/acme/shop/releases/tags/v1", nil), 404)
	w.want(w.call("GET", "/repos/acme/shop/git/ref/tags/v1", nil), 404)
	w.inst.Grant("contents", "read")
	w.want(w.call("GET", path, nil), 404)
	w.want(w.call("GET", asset, nil), 404)
	if a := w.get("/repos/acme/shop/releases"); len(a.field(t).([]any)) != 0 {
		t.Error("a draft is listed without contents: write")
	}
	draft.Publish()
	w.get("/repos/acme/shop/releases/tags/v1")
	w.get("/repos/acme/shop/releases/latest")
	if got := w.repo.Head("refs/tags/v1"); got != w.first {
		t.Errorf("publishing tagged %q, want %s", got, w.first)
	}
}

func TestReleaseUpdates(t *testing.T) {
	t.Parallel()
	whole := object{"tag_name": "v1", "target_commitish": "main", "name": "v1", "body": "notes", "draft": true, "prerelease": false}
	tests := map[string]struct {
		options ReleaseOptions
		body    object
		status  int
		tag     string
		draft   bool
	}{
		"back to draft":                        {ReleaseOptions{Tag: "v1"}, whole, 200, "v1", true},
		"published":                            {ReleaseOptions{Tag: "v1", Draft: true}, with(whole, object{"draft": false}), 200, "v1", false},
		"draft without its tag is renamed":     {ReleaseOptions{Tag: "v1", Draft: true}, object{"body": "x"}, 200, "untagged", true},
		"published without its tag is not":     {ReleaseOptions{Tag: "v1"}, object{"body": "x"}, 200, "v1", false},
		"immutable back to draft":              {ReleaseOptions{Tag: "v1", Immutable: true}, whole, 422, "v1", false},
		"immutable gets another tag":           {ReleaseOptions{Tag: "v1", Immutable: true}, object{"tag_name": "v2"}, 422, "v1", false},
		"immutable may change its notes":       {ReleaseOptions{Tag: "v1", Immutable: true}, object{"body": "x"}, 200, "v1", false},
		"immutable may become a prerelease":    {ReleaseOptions{Tag: "v1", Immutable: true}, object{"prerelease": true}, 200, "v1", false},
		"immutable draft may still change":     {ReleaseOptions{Tag: "v1", Immutable: true, Draft: true}, whole, 200, "v1", true},
		"tag of another release":               {ReleaseOptions{Tag: "v1"}, object{"tag_name": "taken"}, 422, "v1", false},
		"immutable with its own tag and state": {ReleaseOptions{Tag: "v1", Immutable: true}, object{"tag_name": "v1", "draft": false}, 200, "v1", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.repo.Release(ReleaseOptions{Tag: "taken"})
			rel := w.repo.Release(tt.options)
			w.want(w.call("PATCH", fmt.Sprintf("/repos/acme/shop/releases/%d", rel.ID), tt.body), tt.status)
			v := w.repo.ReleaseByID(rel.ID).View()
			if !strings.HasPrefix(v.Tag, tt.tag) || v.Draft != tt.draft {
				t.Errorf("tag %s, draft %v; want %s, %v", v.Tag, v.Draft, tt.tag, tt.draft)
			}
		})
	}
}

func TestImmutableTagIsBurnt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	rel := w.repo.Release(ReleaseOptions{Tag: "v1", Immutable: true, Assets: map[string][]byte{"a": []byte("a")}})
	id := rel.View().Assets[0].ID
	w.want(w.call("DELETE", fmt.Sprintf("/repos/acme/shop/releases/assets/%d", id), nil), 422)
	upload := fmt.Sprintf("/repos/acme/shop/releases/%d/assets?name=b", rel.ID)
	w.want(w.call("POST", upload, "b", "Content-Type", "application/octet-stream"), 422)
	w.want(w.call("DELETE", fmt.Sprintf("/repos/acme/shop/releases/%d", rel.ID), nil), 204)
	w.want(w.call("POST", "/repos/acme/shop/releases", object{"tag_name": "v1"}), 422)
	w.want(w.call("POST", "/repos/acme/shop/releases", object{"tag_name": "v2", "draft": true, "body": "b"}), 201)
}

func TestAssets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	many := map[string][]byte{}
	for i := range 35 {
		many[fmt.Sprintf("%02d.bin", i)] = []byte{byte(i)}
	}
	rel := w.repo.Release(ReleaseOptions{Tag: "v1", Assets: many, Draft: true})
	var names []string
	o := &github.ListOptions{PerPage: 20, Page: 1}
	for o.Page != 0 {
		page, resp, err := w.client.Repositories.ListReleaseAssets(w.ctx(), "acme", "shop", rel.ID, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page {
			names = append(names, a.GetName())
		}
		o.Page = resp.NextPage
	}
	if len(names) != 35 || names[34] != "34.bin" {
		t.Errorf("%d names, last %s", len(names), names[len(names)-1])
	}
	u := fmt.Sprintf("repos/acme/shop/releases/%d/assets?name=up.txt", rel.ID)
	req, err := w.client.NewUploadRequest(u, strings.NewReader("uploaded"), 8, "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	var made github.ReleaseAsset
	if _, err := w.client.Do(w.ctx(), req, &made); err != nil || made.GetSize() != 8 || made.GetState() != "uploaded" {
		t.Errorf("upload: %+v, %v", made, err)
	}
	w.want(w.call("POST", "/"+u, "again", "Content-Type", "text/plain"), 422)
}

func TestUnfinishedAndLyingAssets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	rel := w.repo.Release(ReleaseOptions{Tag: "v1"})
	rel.AddAsset("starting.bin", nil, AssetOptions{State: "starter"})
	rel.AddAsset("long.bin", []byte("short"), AssetOptions{Size: 99, Digest: "none"})
	list := w.get(fmt.Sprintf("/repos/acme/shop/releases/%d/assets", rel.ID))
	got := []any{list.field(t, 0, "state"), list.field(t, 0, "digest"), list.field(t, 1, "size"), list.field(t, 1, "digest")}
	if diff := cmp.Diff([]any{"starter", nil, float64(99), nil}, got); diff != "" {
		t.Errorf("assets (-want +got):\n%s", diff)
	}
	path := fmt.Sprintf("/repos/acme/shop/releases/assets/%d", rel.View().Assets[0].ID)
	w.want(w.call("GET", path, nil, "Accept", "application/octet-stream"), 404)
	rel.FinishAsset("starting.bin", []byte("done"))
	w.want(w.call("GET", path, nil, "Accept", "application/octet-stream"), 302)
	if got := w.get(path).field(t, "digest"); got != SHA256([]byte("done")) {
		t.Errorf("digest %v", got)
	}
	before := rel.View().Assets[1].ID
	rel.ReplaceAsset("long.bin", []byte("other"))
	if after := rel.View().Assets[1].ID; after == before {
		t.Error("a replaced asset keeps its id")
	}
}

// TestDownload follows the redirect to the blob store, with and without the credential.
func TestDownload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	content := bytes.Repeat([]byte("asset "), 1000)
	rel := w.repo.Release(ReleaseOptions{Tag: "v1", Assets: map[string][]byte{"a.bin": content}})
	path := fmt.Sprintf("/repos/acme/shop/releases/assets/%d", rel.View().Assets[0].ID)
	a := w.want(w.call("GET", path, nil, "Accept", "application/octet-stream"), http.StatusFound)
	to := a.header.Get("Location")
	if !strings.HasPrefix(to, w.BlobURL()+"/") || w.BlobURL() == w.URL() {
		t.Fatalf("redirected to %s", to)
	}
	status, body, err := readAll(t, to)
	if err != nil || status != 200 || !bytes.Equal(body, content) {
		t.Errorf("download: %d, %d bytes, %v", status, len(body), err)
	}
	if status, _, _ = readAll(t, strings.Split(to, "?")[0]); status != 404 {
		t.Errorf("without the signature of the URL: %d, want 404", status)
	}
	tests := map[string]struct {
		fault  Fault
		status int
		cut    bool
	}{
		"cut":      {Fault{Kind: CutBody}, 200, true},
		"503":      {Fault{Status: 503}, 503, false},
		"nothing":  {Fault{Kind: Nothing, Times: -1}, 0, true},
		"no fault": {Fault{Route: "BLOB attestations"}, 200, false},
	}
	for name, tt := range tests {
		if tt.fault.Route == "" {
			tt.fault.Route = "BLOB assets"
		}
		w.Heal()
		w.Fail(tt.fault)
		status, _, err := readAll(t, to)
		if status != tt.status || (err != nil) != tt.cut {
			t.Errorf("%s: %d, %v", name, status, err)
		}
	}
	w.Heal()
	if status, _, _ := readAll(t, to, "Authorization", "Bearer secret"); status != 400 {
		t.Errorf("with a credential: %d, want 400", status)
	}
	calls := w.BlobCalls()
	if got := calls[len(calls)-1].Authorization; got != "Bearer secret" {
		t.Errorf("recorded %q", got)
	}
	if got := w.Violations(); len(got) != 1 || !strings.Contains(got[0], "credential") {
		t.Errorf("violations %q", got)
	}
	w.ForgetViolations()
}

func TestPublicDownloadPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	rel := w.repo.Release(ReleaseOptions{Tag: "v1", Assets: map[string][]byte{"a.bin": []byte("a")}})
	page := w.URL() + "/acme/shop/releases/download/v1/a.bin"
	if status, _, _ := readAll(t, page); status != 404 {
		t.Errorf("private: %d, want 404", status)
	}
	w.repo.SetPrivate(false)
	if status, body, err := readAll(t, page); status != 200 || string(body) != "a" || err != nil {
		t.Errorf("public: %d %q %v", status, body, err)
	}
	if got := w.get(fmt.Sprintf("/repos/acme/shop/releases/%d", rel.ID)).field(t, "assets", 0, "browser_download_url"); got != page {
		t.Errorf("browser_download_url %v, want %s", got, page)
	}
}

func TestAttestations(t *testing.T) {
	t.Parallel()
	bundle := func(predicate string) []byte {
		return []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{"payload":"` +
			encoded(`{"predicateType":"`+predicate+`"}`) + `"}}`)
	}
	digest := SHA256([]byte("a"))
	seed := func(w *world) {
		w.repo.Attest(digest, bundle("https://slsa.dev/provenance/v1"), "user")
		w.repo.Attest(digest, bundle("https://in-toto.io/attestation/release/v0.1"), "github")
		w.repo.Attest(digest, bundle("https://spdx.dev/Document/v2.3"), "user")
	}
	list := "/repos/acme/shop/attestations/" + digest
	t.Run("by URL", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{})
		seed(w)
		a := w.get(list)
		if a.field(t, "attestations", 0, "bundle") != nil || a.field(t, "attestations", 1, "initiator") != "github" {
			t.Errorf("list %s", a.body)
		}
		_, packed, err := readAll(t, a.field(t, "attestations", 2, "bundle_url").(string))
		if err != nil {
			t.Fatal(err)
		}
		got, err := snappy.Decode(nil, packed)
		if err != nil || !bytes.Equal(got, bundle("https://slsa.dev/provenance/v1")) {
			t.Errorf("bundle %s, %v", got, err)
		}
	})
	t.Run("inline", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{InlineBundles: true})
		seed(w)
		if got := w.get(list).field(t, "attestations", 0, "bundle", "mediaType"); got == nil {
			t.Error("no bundle inline")
		}
	})
	t.Run("filter, pages and absence", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{})
		seed(w)
		for predicate, want := range map[string]int{"provenance": 1, "release": 1, "sbom": 1, "https://example.com/other": 0} {
			if got := len(w.get(list+"?predicate_type="+predicate).field(t, "attestations").([]any)); got != want {
				t.Errorf("%s: %d, want %d", predicate, got, want)
			}
		}
		first := w.get(list + "?per_page=2")
		next := first.header.Get("Link")
		if len(first.field(t, "attestations").([]any)) != 2 || !strings.Contains(next, `rel="next"`) {
			t.Fatalf("first page %s, link %s", first.body, next)
		}
		rest := strings.TrimPrefix(next[1:strings.Index(next, ">")], w.APIURL())
		if got := len(w.get(rest).field(t, "attestations").([]any)); got != 1 {
			t.Errorf("second page has %d, want 1", got)
		}
		w.get("/orgs/acme/attestations/" + digest)
		w.want(w.call("GET", "/repos/acme/shop/attestations/"+SHA256([]byte("b")), nil), 404)
		w.repo.ForgetAttestations(digest)
		w.want(w.call("GET", list, nil), 404)
		w.inst.Grant("attestations", "")
		w.want(w.call("GET", list, nil), 403)
	})
}
