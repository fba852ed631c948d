package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"tickler/api"
)

// socketFile is where the daemon listens, in the data directory; where that
// path would be too long for a socket, the real one is kept in socketFile.path.
const (
	socketFile = "tickler.sock"
	socketNote = "tickler.sock.path"
)

// packagedSocket is where the daemon of a package listens, for every user of the
// machine: its data directory is its own alone.
const packagedSocket = "/run/tickler/tickler.sock"

// maxSocketPath is what the kernel takes.
const maxSocketPath = 107

// dialFor is how long a daemon has to take a connection.
const dialFor = time.Second

// socketPath is where a daemon of this data directory would listen.
func (g *global) socketPath() (string, error) {
	if g.socket != "" {
		return g.socket, nil
	}
	note, err := os.ReadFile(filepath.Join(g.data, socketNote))
	switch {
	case err == nil:
		return strings.TrimSpace(string(note)), nil
	case errors.Is(err, fs.ErrPermission):
		return packagedSocket, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("find the daemon: %w", err)
	}
	if _, err := os.Stat(g.data); g.anyData && errors.Is(err, fs.ErrNotExist) {
		return packagedSocket, nil // nobody named a store, and there is none here
	}
	return filepath.Join(g.data, socketFile), nil
}

// withClient runs fn with a client that leads to the store: to the daemon if
// one answers, else to the store opened here, which is closed after fn. Whoever
// names a rulebook means that one: where it is bad nothing is done, while a bad
// one in its usual place leaves the one before in force.
func (g *global) withClient(ctx context.Context, fn func(*api.Client) error) error {
	if g.flags.Changed("rules") {
		if _, err := g.goodBook(); err != nil {
			return err
		}
	}
	c, err := g.dial(ctx)
	if err != nil {
		return err
	}
	if c != nil {
		return fn(c)
	}
	p, err := g.open(ctx)
	if api.CodeOf(coded(err)) == api.Locked {
		// A daemon may have begun to listen in between.
		if c, dialErr := g.dial(ctx); dialErr == nil && c != nil {
			return fn(c)
		}
	}
	if err != nil {
		return err
	}
	err = fn(p.client)
	if closeErr := p.close(); err == nil && closeErr != nil {
		err = fmt.Errorf("close the store: %w", closeErr)
	}
	return err
}

// dial gives a client to the daemon, nil where none answers.
func (g *global) dial(ctx context.Context) (*api.Client, error) {
	path, err := g.socketPath()
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: dialFor}
	conn, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		conn.Close()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR), len(path) > maxSocketPath:
		return nil, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, api.Errorf(api.NotAllowed, "ask ops for the right to connect", "connect to the daemon: %v", err)
	default:
		return nil, fmt.Errorf("connect to the daemon: %w", err)
	}
	return &api.Client{HTTP: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
	}}}, nil
}
