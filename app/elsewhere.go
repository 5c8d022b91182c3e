package app

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/landwaiter/landwaiter/checks"
)

// maxImages bounds the images of one release that registries are asked about.
const maxImages = 20

// imageReference is an image by digest in the notes of a release: "ghcr.io/o/n:v1@sha256:...".
var imageReference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`([a-z0-9.-]+(?::[0-9]+)?(?:/[a-z0-9._-]+)+)(?::[A-Za-z0-9._-]{1,128})?@(sha256:[0-9a-f]{64})\b`)
})

// imagesIn returns the images that notes name by digest, sorted, each once: "name@sha256:...".
func imagesIn(notes string) []string {
	var found []string
	for _, m := range imageReference().FindAllStringSubmatch(notes, -1) {
		found = append(found, m[1]+"@"+m[2])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// elsewhere returns what a release publishes at other places, as assets that are known by
// digest alone, with the evidence that those places keep: container images that the policy
// lists and the notes name, and the version of the package that the policy names.
func (a *App) elsewhere(ctx context.Context, p *checks.Policy, seen releaseSeen) (assets []readAsset, bundles []checks.Bundle) {
	for _, image := range imagesIn(seen.Body) {
		name, digest, _ := strings.Cut(image, "@")
		if !slices.Contains(p.Releases.Images, name) {
			continue
		}
		x := readAsset{Asset: checks.Asset{Name: image, Kind: checks.AssetImage, SHA256: strings.TrimPrefix(digest, "sha256:")}}
		found, err := []checks.Bundle(nil), error(nil)
		switch {
		case a.cfg.ReadImage == nil:
			err = fmt.Errorf("no container registry is asked here")
		case len(assets) == maxImages:
			err = fmt.Errorf("only the first %d images of a release are looked at", maxImages)
		default:
			found, err = a.cfg.ReadImage(ctx, a.downloads.client.Transport, name, digest)
		}
		assets, bundles = add(assets, bundles, x, found, err)
	}
	if p.Releases.Package == "" {
		return assets, bundles
	}
	name, version := strings.TrimPrefix(p.Releases.Package, "pkg:npm/"), versionOf(seen.TagName)
	x := readAsset{Asset: checks.Asset{Name: p.Releases.Package + "@" + version, Kind: checks.AssetPackage}}
	var found []checks.Bundle
	err := fmt.Errorf("no package registry is asked here")
	if a.cfg.ReadPackage != nil {
		x.SHA512, found, err = a.cfg.ReadPackage(ctx, a.downloads.client.Transport, strings.ReplaceAll(name, "%40", "@"), version)
	}
	return add(assets, bundles, x, found, err)
}

// add adds an asset and its evidence. What keeps it from being read is its Problem.
func add(assets []readAsset, bundles []checks.Bundle, x readAsset, found []checks.Bundle, err error) ([]readAsset, []checks.Bundle) {
	if err != nil {
		x.Problem = assetProblem(checks.CodeNotReadable, "what its registry keeps could not be read: %v", err)
		x.SHA256, x.SHA512 = "", ""
		found = nil
	}
	return append(assets, x), append(bundles, found...)
}

// versionOf returns the version in a tag: "1.2.0" of "v1.2.0" and of "name@1.2.0".
func versionOf(tag string) string {
	if at := strings.LastIndex(tag, "@"); at > 0 {
		tag = tag[at+1:]
	}
	return strings.TrimPrefix(tag, "v")
}
