//go:build linux

package main

import (
	"context"
	"embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed peers
var peerFiles embed.FS

// python is Debian's, which has the packages that bench-peers installs.
const python = "/usr/bin/python3"

// script runs one of peers/*.py and reads into reply what it printed.
func (s *session) script(ctx context.Context, name, stdin string, reply any, args ...string) (Usage, error) {
	text, err := peerFiles.ReadFile("peers/" + name + ".py")
	if err != nil {
		return Usage{}, err
	}
	path := filepath.Join(s.dir, name+".py")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return Usage{}, err
	}
	c := exec.CommandContext(ctx, python, append([]string{path}, args...)...)
	c.Stdin = strings.NewReader(stdin)
	u, out, err := measure(c)
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(out, reply)
}

// hasModule tells whether Python can import it.
func hasModule(ctx context.Context, name string) bool {
	return exec.CommandContext(ctx, python, "-c", "import "+name).Run() == nil
}
