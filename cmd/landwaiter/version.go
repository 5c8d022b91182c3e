package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/landwaiter/landwaiter/scanners/manifests/cage"
)

type versionCommand struct {
	Output  string `enum:"table,json" default:"table" help:"table or json."`
	Verbose bool   `help:"Also say what this system offers of the cage that manifests are read in."`
}

// Help shows an example.
func (versionCommand) Help() string {
	return "Example:\n  landwaiter version --output json"
}

// buildVersion is what the binary knows of itself.
type buildVersion struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Time     string `json:"time"` // of the commit, RFC 3339
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// CageMissing is what the system does not offer of the cage around the reading of
	// manifests, in words; nil when nobody asked.
	CageMissing *[]string `json:"cage_missing,omitempty"`
}

func currentVersion() buildVersion {
	v := buildVersion{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if v.Version == "devel" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// Run prints the version.
func (cmd *versionCommand) Run(c *console) error {
	v := currentVersion()
	if cmd.Verbose {
		missing, err := cageMissing(c)
		if err != nil {
			return err
		}
		v.CageMissing = &missing
	}
	if cmd.Output == "json" {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	fmt.Fprintf(c.out, "landwaiter %s %s %s", v.Version, v.Go, v.Platform)
	if v.Commit != "" {
		fmt.Fprintf(c.out, " commit %s of %s", v.Commit, v.Time)
	}
	fmt.Fprintln(c.out)
	if v.CageMissing == nil {
		return nil
	}
	if len(*v.CageMissing) == 0 {
		fmt.Fprintln(c.out, "cage: complete (memory, processor time, files, network, programs)")
	}
	for _, m := range *v.CageMissing {
		fmt.Fprintln(c.out, "cage:", m)
	}
	return nil
}

// cageMissing asks a reader of manifests what it lacks of its cage.
func cageMissing(c *console) ([]string, error) {
	readers := cage.New(cage.Config{Size: 1})
	defer readers.Close()
	missing, err := readers.Missing(c.ctx)
	if err != nil {
		return nil, err
	}
	return append([]string{}, missing...), nil
}
