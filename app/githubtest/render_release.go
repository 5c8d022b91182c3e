package githubtest

import (
	"fmt"
	"net/url"
)

// object renders the schema release.
func (rel *Release) object() object {
	u := fmt.Sprintf("%s/releases/%d", rel.r.url(), rel.ID)
	shown := rel.tag
	if rel.draft {
		shown = rel.untagged()
	}
	o := object{
		"url": u, "assets_url": u + "/assets", "html_url": rel.r.html() + "/releases/tag/" + url.PathEscape(shown), "id": rel.ID,
		"upload_url": fmt.Sprintf("%s/api/uploads/repos/%s/releases/%d/assets{?name,label}", rel.g.root(), rel.r.fullName(), rel.ID),
		"node_id":    nodeID("Release", rel.ID), "tag_name": rel.tag, "target_commitish": rel.target, "name": orNil(rel.name),
		"body": orNil(rel.body), "draft": rel.draft, "prerelease": rel.prerelease, "immutable": rel.frozen(),
		"created_at": stamp(rel.created), "updated_at": stamp(rel.updated), "published_at": stampOrNil(rel.published),
		"author": rel.g.simpleUser(rel.author), "assets": each(rel.assets, (*asset).object),
		"tarball_url": nil, "zipball_url": nil,
	}
	if !rel.draft {
		o["tarball_url"] = rel.r.url() + "/tarball/" + rel.tag
		o["zipball_url"] = rel.r.url() + "/zipball/" + rel.tag
	}
	return o
}

// object renders the schema release-asset.
func (a *asset) object() object {
	shown := a.rel.tag
	if a.rel.draft {
		shown = a.rel.untagged()
	}
	var digest any = a.digest
	if a.digest == "none" || a.state != "uploaded" {
		digest = nil
	}
	return object{
		"url": fmt.Sprintf("%s/releases/assets/%d", a.rel.r.url(), a.id), "id": a.id, "node_id": nodeID("ReleaseAsset", a.id),
		"browser_download_url": a.rel.r.html() + "/releases/download/" + url.PathEscape(shown) + "/" + url.PathEscape(a.name),
		"name":                 a.name, "label": a.label, "state": a.state, "content_type": a.contentType, "size": a.size,
		"digest": digest, "download_count": a.downloads, "created_at": stamp(a.created), "updated_at": stamp(a.updated),
		"uploader": a.rel.g.simpleUser(a.uploader),
	}
}

// blobURL is where the blob store serves the content. The signature in it stands for the
// credential that real URLs carry.
func (a *asset) blobURL() string {
	return fmt.Sprintf("%s/assets/%d/%s?sig=stand-in", a.rel.g.blobRoot(), a.id, url.PathEscape(a.name))
}

// object renders an attestation of the list: with bundle_url and a null bundle, as the
// service answers now, or with the bundle inline, as older servers do.
func (a *attestation) object(inline bool) object {
	o := object{"repository_id": a.repo.id, "bundle_url": a.bundleURL(), "initiator": a.initiator, "bundle": nil}
	if inline {
		o["bundle"] = rawJSON(a.bundle)
		delete(o, "bundle_url")
	}
	return o
}
