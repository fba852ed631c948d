package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "The program's version · 版本",
		Long:  `version prints the program's version, the commit it was built from, and for what.`,
		Example: `  tickler version
  tickler version -o json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return runVersion(g) },
	}
	exits(c, plainExits...)
	return c
}

// build is what the program knows of itself.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Time     string `json:"time"` // of the commit
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func buildInfo() build {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func runVersion(g *global) error {
	b := buildInfo()
	if g.output == "json" {
		return writeJSON(g.stdout, b)
	}
	commit := b.Commit
	if len(commit) > 12 {
		commit = commit[:12]
	}
	if commit != "" {
		commit = " " + commit
	}
	_, err := fmt.Fprintf(g.stdout, "tickler %s%s %s %s\n", b.Version, commit, b.Go, b.Platform)
	return err
}
