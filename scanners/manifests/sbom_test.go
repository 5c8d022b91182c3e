package manifests

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/sbom/cdx"
	cdxmeta "github.com/google/osv-scalibr/extractor/filesystem/sbom/cdx/metadata"
	"github.com/google/osv-scalibr/extractor/filesystem/sbom/spdx"
	spdxmeta "github.com/google/osv-scalibr/extractor/filesystem/sbom/spdx/metadata"
	"github.com/package-url/packageurl-go"

	"github.com/landwaiter/landwaiter/checks/inventory"
)

// sbomOracle returns the package URLs that the library finds, as we name packages.
func sbomOracle(t *testing.T, name string, data []byte) ([]string, error) {
	t.Helper()
	quietLibrary()
	open := newExtractor(cdx.New)
	if strings.Contains(name, "spdx") {
		open = spdx.New
	}
	e, err := open(&config_go_proto.PluginConfig{})
	if err != nil {
		t.Fatal(err)
	}
	f := newMemoryFile(name, data)
	got, err := e.Extract(t.Context(), &filesystem.ScanInput{FS: memory{name: data}, Path: name, Info: f, Reader: f})
	var found []string
	for _, p := range got.Packages {
		url := ""
		switch m := p.Metadata.(type) {
		case *cdxmeta.Metadata:
			if m.PURL != nil {
				url = m.PURL.String()
			}
		case *spdxmeta.Metadata:
			if m.PURL != nil {
				url = m.PURL.String()
			}
		}
		if parsed, err := packageurl.FromString(url); err == nil {
			if _, name := advisedName(parsed); name != "" {
				found = append(found, parsed.ToString())
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), err
}

// TestCorpusSBOM compares the lists of components of the corpus with what the library finds in
// them. It knows neither CycloneDX 1.7 nor that a list is about the project itself.
func TestCorpusSBOM(t *testing.T) {
	t.Parallel()
	compared := 0
	for _, dir := range []string{filepath.Join("lockfiles", "formats", "sbom"), "sbom"} {
		err := filepath.WalkDir(filepath.Join(corpus(t), dir), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name := d.Name()
			if !Wanted(name) && dir == "sbom" { // the corpus names them otherwise than projects do
				kind := "cdx"
				if strings.Contains(name, "spdx") {
					kind = "spdx"
				}
				name = "a." + kind + filepath.Ext(name)
			}
			if !Wanted(name) {
				return nil
			}
			m := readFile(t, inventory.File{Path: name, Data: data})
			if filepath.Ext(name) == ".rdf" {
				return nil // the library's reader of RDF races with itself
			}
			theirs, libraryErr := sbomOracle(t, name, data)
			t.Logf("%s as %s: %d packages, gap %q, library %d %v", file, name, len(m.Packages), m.Gap, len(theirs), libraryErr)
			if m.Gap != "" && len(m.Packages) == 0 || libraryErr != nil {
				return nil
			}
			compared++
			var ours []string
			for _, p := range m.Packages {
				ours = append(ours, p.PURL)
				if m.Format == "SBOM" && p.Line == 0 {
					t.Errorf("%s: %s has no line", file, p.PURL)
				}
			}
			slices.Sort(ours)
			for _, d := range difference(theirs, ours) {
				if !sbomExplained(file, d) {
					t.Errorf("%s: %s", file, d)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if compared < 20 {
		t.Errorf("%d lists compared", compared)
	}
}

// sbomExplained reports whether docs/differences.md tells the reason: the library also finds what
// the list is about, or does not know an older type of package URL.
func sbomExplained(file, difference string) bool {
	if strings.HasPrefix(difference, "+pkg:alpine/") { // an older form, which its parser refuses
		return true
	}
	return strings.HasSuffix(file, "go-spdx-multi-arch_1.json") && strings.HasPrefix(difference, "-pkg:oci/image@")
}
