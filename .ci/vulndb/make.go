//go:build ignore

// Command make writes the file database for govulncheck beside itself: of a folder or zip
// of Go advisories in OSV form, the records that name a module of this repository's build
// list or the standard library.
//
//	go run ./.ci/vulndb/make.go path/to/Go/all.zip
//
// The layout is https://go.dev/doc/security/vuln/database#api.
package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

type record struct {
	ID       string `json:"id"`
	Modified string `json:"modified"`
	Affected []struct {
		Package struct{ Name, Ecosystem string }
		Ranges  []struct {
			Events []struct{ Fixed string }
		}
	} `json:"affected"`
}

type moduleVuln struct {
	ID       string `json:"id"`
	Modified string `json:"modified"`
	Fixed    string `json:"fixed,omitempty"`
}

type module struct {
	Path  string       `json:"path"`
	Vulns []moduleVuln `json:"vulns"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run ./.ci/vulndb/make.go Go/all.zip")
	}
	if err := run(os.Args[1], ".ci/vulndb"); err != nil {
		log.Fatal(err)
	}
}

func run(source, target string) error {
	wanted, err := buildList()
	if err != nil {
		return err
	}
	z, err := zip.OpenReader(source)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, dir := range []string{"ID", "index"} {
		if err := os.RemoveAll(filepath.Join(target, dir)); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(target, dir), 0o755); err != nil {
			return err
		}
	}
	modules, newest, kept := map[string][]moduleVuln{}, "", 0
	for _, f := range z.File {
		if !strings.HasPrefix(f.Name, "GO-") {
			continue
		}
		data, r, err := read(f)
		if err != nil {
			return err
		}
		newest = max(newest, r.Modified)
		if !names(r, wanted) {
			continue
		}
		kept++
		for path, fixed := range fixes(r) {
			modules[path] = append(modules[path], moduleVuln{r.ID, r.Modified, fixed})
		}
		if err := os.WriteFile(filepath.Join(target, "ID", r.ID+".json"), data, 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("kept %d records, newest of all %s\n", kept, newest)
	return writeIndex(target, modules, newest)
}

// buildList returns the paths of all modules this repository builds with, and the
// standard library's.
func buildList() (map[string]bool, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Path}}", "all").Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m all: %w", err)
	}
	wanted := map[string]bool{"stdlib": true, "toolchain": true}
	for _, path := range strings.Fields(string(out)) {
		wanted[path] = true
	}
	return wanted, nil
}

func read(f *zip.File) ([]byte, record, error) {
	var r record
	rc, err := f.Open()
	if err != nil {
		return nil, r, err
	}
	defer rc.Close()
	data, err := io.ReadAll(rc)
	if err != nil {
		return nil, r, err
	}
	return data, r, json.Unmarshal(data, &r)
}

func names(r record, wanted map[string]bool) bool {
	for _, a := range r.Affected {
		if wanted[a.Package.Name] {
			return true
		}
	}
	return false
}

// fixes returns the modules of r with the last version that fixes each, "" without one.
func fixes(r record) map[string]string {
	last := map[string]string{}
	for _, a := range r.Affected {
		fixed := ""
		for _, rg := range a.Ranges {
			for _, e := range rg.Events {
				if e.Fixed != "" {
					fixed = e.Fixed
				}
			}
		}
		last[a.Package.Name] = fixed
	}
	return last
}

func writeIndex(target string, modules map[string][]moduleVuln, newest string) error {
	list := make([]module, 0, len(modules))
	for path, vulns := range modules {
		sort.Slice(vulns, func(i, j int) bool { return vulns[i].ID < vulns[j].ID })
		list = append(list, module{path, vulns})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Path < list[j].Path })
	for name, v := range map[string]any{"modules.json": list, "db.json": map[string]string{"modified": newest}} {
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(target, "index", name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
