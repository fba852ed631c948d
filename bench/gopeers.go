//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Peers that are written in Go. They live in gopeers, a module of its own, so
// that what they need does not become tickler's.
var goPeers = []string{"cel", "pebble"}

func (s *session) goPeer(name string) string { return filepath.Join(s.dir, "peer-"+name) }

// buildGoPeers builds them; one whose modules cannot be had is missing.
func (s *session) buildGoPeers(ctx context.Context) error {
	_, out, err := measure(exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "tickler/bench"))
	if err != nil {
		return err
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "gopeers")
	for _, name := range goPeers {
		c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", s.goPeer(name), "./"+name)
		c.Dir, c.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
		if _, _, err := measure(c); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.say("%v", err)
			s.missing = append(s.missing, name)
		}
	}
	return nil
}

// pebble is a store of pebble's with the rows of a file.
type pebble struct{ program, dir, rows string }

func (s *session) newPebble(name, rows string) pebble {
	return pebble{s.goPeer("pebble"), filepath.Join(s.dir, name), rows}
}

func (p pebble) command(ctx context.Context, do string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, p.program, append([]string{do, p.dir}, args...)...)
}

func (p pebble) fill(ctx context.Context) error {
	_, _, err := measure(p.command(ctx, "fill", p.rows))
	return err
}
