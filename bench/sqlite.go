//go:build linux

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
)

// sqlite is a database file and the program that ships with the library, with
// their default settings: a rollback journal, synchronous=FULL.
type sqlite struct{ path string }

func (s sqlite) command(ctx context.Context, commands ...string) *exec.Cmd {
	args := []string{"-batch", "-bail", s.path}
	return exec.CommandContext(ctx, "sqlite3", append(args, commands...)...)
}

// load puts the lines of a file into a new table in one transaction.
func (s sqlite) load(ctx context.Context, rows string) (Usage, error) {
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Usage{}, err
	}
	if _, _, err := measure(s.command(ctx, createDuties, indexDue, indexRaise)); err != nil {
		return Usage{}, err
	}
	u, _, err := measure(s.command(ctx, ".mode ascii", `.separator "\t" "\n"`, "begin", ".import "+rows+" duty", "commit"))
	return u, err
}
