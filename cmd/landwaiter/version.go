package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCommand struct {
	Output string `enum:"table,json" default:"table" help:"table or json."`
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
	return nil
}
