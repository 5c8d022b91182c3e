package summary

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/landwaiter/landwaiter/checks"
)

// asked are the requirements of an asset that evidence shows. A list of checksums, and what
// lies at a registry, stands in no list itself; it is asked for nothing else then.
func asked(a checks.AssetReport) []string {
	_, list := checks.ChecksumFile(a.Name)
	exempt := list || elsewhere(a.Name)
	return slices.DeleteFunc(slices.Clone(a.Required), func(require string) bool { return exempt && require == checks.RequireChecksum })
}

// elsewhere reports whether an asset is an image or a package: a file of a release has no slash.
func elsewhere(name string) bool { return strings.Contains(name, "/") }

// inputs names the evidence that an asset rests on, each once.
func (v Verifier) inputs(r checks.Report, a checks.AssetReport) ([]Resource, error) {
	met := map[string]bool{}
	var list []Resource
	for _, e := range a.Evidence {
		if !isSHA256(e.SHA256) || e.Name == "" {
			return nil, refuse(RefusedInputs, a.Name, "its %s of origin %q has no name and digest in the report; check the release again", e.Kind, e.Origin)
		}
		met[e.Require] = true
		in := Resource{URI: v.inputURI(r, a, e), Digest: Digest{"sha256": strings.ToLower(e.SHA256)}}
		if !slices.ContainsFunc(list, func(x Resource) bool { return x.URI == in.URI && x.Digest["sha256"] == in.Digest["sha256"] }) {
			list = append(list, in)
		}
	}
	for _, require := range asked(a) {
		if !met[require] {
			return nil, refuse(RefusedInputs, a.Name, "the report names no evidence for %s; check the release again", require)
		}
	}
	return list, nil
}

// inputURI is where a piece of evidence is found. The digest says which of several it is.
func (v Verifier) inputURI(r checks.Report, a checks.AssetReport, e checks.EvidenceRef) string {
	switch e.Origin {
	case checks.OriginSidecar:
		return v.ResourceURI(r.Subject.Repository, tagOf(r), e.Name)
	case checks.OriginRegistry:
		return v.ResourceURI(r.Subject.Repository, tagOf(r), a.Name)
	default:
		return v.server() + "/" + r.Subject.Repository + "/attestations"
	}
}

// levelOf is the level of the build track that the Report states, checked against what its
// own facts prove. Without provenance the track was not evaluated.
func levelOf(a checks.AssetReport) (string, error) {
	text, isLevel := strings.CutPrefix(a.Builder.Level, "SLSA ")
	if !isLevel {
		return "SLSA_BUILD_LEVEL_UNEVALUATED", nil
	}
	n, err := strconv.Atoi(text)
	provenance := slices.ContainsFunc(a.Evidence, func(e checks.EvidenceRef) bool { return e.Kind == checks.AttestationProvenance })
	if err != nil || n < 0 || n > 3 || !provenance || n > a.ProvenLevel() {
		return "", refuse(RefusedLevel, a.Name, "the report says %q, and its evidence proves less", a.Builder.Level)
	}
	return "SLSA_BUILD_LEVEL_" + strconv.Itoa(n), nil
}

// policy names the policy of a Report.
func (v Verifier) policy(r checks.Report) (Resource, error) {
	digest, ok := strings.CutPrefix(r.Policy.Digest, "sha256:")
	if !ok || !isSHA256(digest) || r.Policy.Source == "" {
		return Resource{}, refuse(RefusedPolicy, "", "the report names its policy as %q with digest %q", r.Policy.Source, r.Policy.Digest)
	}
	uri := r.Policy.Source
	if file, commit, ok := strings.Cut(uri, "@"); ok && !strings.Contains(file, ":") {
		uri = v.server() + "/" + r.Subject.Repository + "/blob/" + commit + "/" + (&url.URL{Path: file}).EscapedPath()
	}
	return Resource{URI: uri, Digest: Digest{"sha256": digest}}, nil
}

func (v Verifier) server() string { return cmp.Or(v.Server, "https://github.com") }

// ResourceURI is how summaries name an asset of a release: the address that it is downloaded
// from, or the package URL of an image or a package.
func (v Verifier) ResourceURI(repository, tag, asset string) string {
	if image, digest, ok := strings.Cut(asset, "@"); ok && elsewhere(asset) && strings.HasPrefix(digest, "sha256:") {
		name := image[strings.LastIndex(image, "/")+1:]
		return packageurl.NewPackageURL("oci", "", name, digest, packageurl.QualifiersFromMap(map[string]string{"repository_url": image}), "").ToString()
	}
	if strings.HasPrefix(asset, "pkg:") {
		return asset
	}
	return v.server() + "/" + repository + "/releases/download/" + url.PathEscape(tag) + "/" + url.PathEscape(asset)
}
