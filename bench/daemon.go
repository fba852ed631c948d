//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// daemon is a running "tickler serve".
type daemon struct {
	c    *exec.Cmd
	gone chan struct{} // closed once it has ended
}

// serve starts a daemon and returns once its socket takes a connection.
func (s *session) serve(ctx context.Context, data string) (*daemon, error) {
	c := s.tickler(context.WithoutCancel(ctx), data, "serve")
	var talk bytes.Buffer
	c.Stderr = &talk
	if err := c.Start(); err != nil {
		return nil, err
	}
	d := &daemon{c, make(chan struct{})}
	go func() { c.Wait(); close(d.gone) }()
	for {
		if conn, err := net.Dial("unix", filepath.Join(data, "tickler.sock")); err == nil {
			conn.Close()
			return d, nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			d.kill()
			return nil, ctx.Err()
		case <-d.gone:
			return nil, fmt.Errorf("the daemon of %s ended: %v\n%s", data, c.ProcessState, bytes.TrimSpace(talk.Bytes()))
		}
	}
}

func (d *daemon) stop() { d.c.Process.Signal(os.Interrupt); <-d.gone }

func (d *daemon) kill() { d.c.Process.Kill(); <-d.gone }

// upcoming lists a branch's thirty days by the command.
func (s *session) upcoming(ctx context.Context, l *life) (Usage, error) {
	u, _, err := measure(s.tickler(ctx, l.data, "upcoming", "--branch", Branch(0), "--from", l.p.Day.String(), "--to", l.p.Day.AddDays(30).String(), "-o", "csv"))
	return u, err
}
