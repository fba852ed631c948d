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

	"tickler/scheduler"
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

// crash kills the daemon of a copy amid an import, and measures two ways back: a
// command by itself, and a new daemon with the first command that it answers.
func (s *session) crash(ctx context.Context, l *life) (command, served Sample, err error) {
	whole := l
	l = &life{p: whole.p, data: whole.data + "-crash"}
	if err := copyData(whole.data, l.data); err != nil {
		return command, served, err
	}
	defer os.RemoveAll(l.data)
	file, err := s.generate(ctx, l.p, Changes{Days: 1}, "crash.csv")
	if err != nil {
		return command, served, err
	}
	defer os.Remove(file)
	var alone, daemons []Usage
	for range s.runs {
		d, err := s.serve(ctx, l.data)
		if err != nil {
			return command, served, err
		}
		running := s.tickler(ctx, l.data, "import", "--allow-gone", file)
		if err := running.Start(); err != nil {
			d.kill()
			return command, served, err
		}
		time.Sleep(max(whole.parse.Wall, 50*time.Millisecond)) // it has read the file by then, and writes
		d.kill()
		running.Wait() // it says that the daemon is gone
		u, err := s.upcoming(ctx, l)
		if err != nil {
			return command, served, err
		}
		alone = append(alone, u)
		start := scheduler.Now()
		if d, err = s.serve(ctx, l.data); err != nil {
			return command, served, err
		}
		_, err = s.upcoming(ctx, l)
		daemons = append(daemons, Usage{Wall: scheduler.Now().Sub(start)})
		d.stop()
		if err != nil {
			return command, served, err
		}
	}
	wall := func(u Usage) time.Duration { return u.Wall }
	command = Sample{Usage: Usage{Wall: median(alone, wall)}, Runs: s.runs}
	served = Sample{Usage: Usage{Wall: median(daemons, wall)}, Runs: s.runs}
	return command, served, nil
}
