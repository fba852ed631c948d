//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// daemon is a running "tickler serve".
type daemon struct{ c *exec.Cmd }

// serve starts a daemon and returns once its socket takes a connection.
func (s *session) serve(ctx context.Context, data string) (*daemon, error) {
	c := s.tickler(context.WithoutCancel(ctx), data, "serve")
	if err := c.Start(); err != nil {
		return nil, err
	}
	for range 60_000 { // a minute
		if conn, err := net.Dial("unix", filepath.Join(data, "tickler.sock")); err == nil {
			conn.Close()
			return &daemon{c}, nil
		}
		if ctx.Err() != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	c.Process.Kill()
	return nil, fmt.Errorf("no daemon answers on %s: %v", data, c.Wait())
}

func (d *daemon) stop() { d.c.Process.Signal(os.Interrupt); d.c.Wait() }

func (d *daemon) kill() { d.c.Process.Kill(); d.c.Wait() }

// upcoming lists a branch's thirty days by the command.
func (s *session) upcoming(ctx context.Context, l *life) (Usage, error) {
	u, _, err := measure(s.tickler(ctx, l.data, "upcoming", "--branch", Branch(0), "--from", l.p.Day.String(), "--to", l.p.Day.AddDays(30).String(), "-o", "csv"))
	return u, err
}
