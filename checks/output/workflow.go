package output

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/checks"
)

// evidenceWorkflow is a ready-to-paste workflow that builds a release with the evidence that
// the assets lack. It holds nothing of theirs but names that are plain text.
func (p page) evidenceWorkflow(list []checks.AssetReport) string {
	var files, images, packages []checks.AssetReport
	for _, a := range list {
		switch {
		case strings.HasPrefix(a.Name, "pkg:"):
			packages = append(packages, a)
		case strings.Contains(a.Name, "/"):
			images = append(images, a)
		default:
			files = append(files, a)
		}
	}
	var b strings.Builder
	b.WriteString("```yaml\n# .github/workflows/release.yml; pin each action to a full commit\nname: release\non:\n  push:\n    tags: [\"v*\"]\npermissions: {}\n" +
		"jobs:\n  release:\n    runs-on: ubuntu-latest\n    permissions:\n      contents: write\n      id-token: write\n      attestations: write\n")
	if len(images) > 0 {
		b.WriteString("      packages: write\n")
	}
	b.WriteString("    steps:\n      - uses: actions/checkout@v5\n        with:\n          persist-credentials: false\n")
	p.fileSteps(&b, files)
	imageSteps(&b, images)
	if len(packages) > 0 {
		b.WriteString("      - run: npm publish --provenance --access public\n")
	}
	if len(files) > 0 {
		draft := ""
		if p.r.Policy.Gate == checks.GateDraft { // published when it passes
			draft = " --draft"
		}
		b.WriteString("      - run: gh release create \"$GITHUB_REF_NAME\" --verify-tag" + draft + " dist/*\n        env:\n          GH_TOKEN: ${{ github.token }}\n")
	}
	b.WriteString("```\n")
	if requires(list, checks.RequireReleaseAttestation) {
		b.WriteString("\nThe policy also asks for GitHub's release attestation: turn on immutable releases in the settings of the repository, and publish the release again from a draft.\n")
	}
	return b.String()
}

// fileSteps builds and attests files.
func (p page) fileSteps(b *strings.Builder, files []checks.AssetReport) {
	if len(files) == 0 {
		return
	}
	b.WriteString("      - run: make dist # your build, which writes into dist/\n")
	if requires(files, checks.RequireChecksum) {
		b.WriteString("      - run: cd dist && sha256sum * > SHA256SUMS\n")
	}
	if requires(files, checks.RequireProvenance) || requires(files, checks.RequireSignature) || !requires(files, checks.RequireSBOM) && !requires(files, checks.RequireChecksum) {
		b.WriteString("      - uses: actions/attest-build-provenance@v3\n        with:\n          subject-path: |\n" + subjectPaths(files))
	}
	if requires(files, checks.RequireSBOM) {
		b.WriteString("      - uses: actions/attest-sbom@v3\n        with:\n          subject-path: |\n" + subjectPaths(files) + "          sbom-path: sbom.spdx.json # which your build writes\n")
	}
}

// subjectPaths are the lines that name the files to attest.
func subjectPaths(files []checks.AssetReport) string {
	var b strings.Builder
	named := 0
	for _, a := range files {
		if plainYAML().MatchString(a.Name) && named < maxRows {
			named++
			b.WriteString("            dist/" + a.Name + "\n")
		}
	}
	if named == 0 || named < len(files) {
		b.WriteString("            dist/*\n")
	}
	return b.String()
}

// imageSteps pushes and attests container images.
func imageSteps(b *strings.Builder, images []checks.AssetReport) {
	for i, a := range images[:min(len(images), 3)] {
		name, _, _ := strings.Cut(a.Name, "@")
		if !plainYAML().MatchString(name) {
			continue
		}
		fmt.Fprintf(b, "      - id: image%d\n        run: | # log in to the registry before\n          docker build --tag %s:\"$GITHUB_REF_NAME\" .\n          docker push %s:\"$GITHUB_REF_NAME\"\n"+
			"          digest=$(docker inspect --format '{{index .RepoDigests 0}}' %s:\"$GITHUB_REF_NAME\")\n          echo \"digest=${digest#*@}\" >> \"$GITHUB_OUTPUT\"\n", i+1, name, name, name)
		fmt.Fprintf(b, "      - uses: actions/attest-build-provenance@v3\n        with:\n          subject-name: %s\n          subject-digest: ${{ steps.image%d.outputs.digest }}\n          push-to-registry: true\n", name, i+1)
	}
}

// requires reports whether the policy asks one of the assets for something.
func requires(list []checks.AssetReport, what string) bool {
	return slices.ContainsFunc(list, func(a checks.AssetReport) bool { return slices.Contains(a.Required, what) })
}
