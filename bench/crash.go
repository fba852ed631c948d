//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"time"

	"tickler/scheduler"
)

// crash kills the daemon of a copy amid an import, and measures two ways back: a
// command by itself, and a new daemon with the first command that it answers.
func (s *session) crash(ctx context.Context, l *life) (command, served Sample, err error) {
	s.say("%s loans: a daemon killed amid an import", count(l.p.Loans))
	dying := &life{p: l.p, data: l.data + "-crash"}
	defer os.RemoveAll(dying.data)
	file, err := s.generate(ctx, l.p, Changes{Days: 1, Same: true}, "crash.csv")
	if err != nil {
		return command, served, err
	}
	defer os.Remove(file)

	// Let it live once, to know how long it takes.
	if err := copyData(l.data, dying.data); err != nil {
		return command, served, err
	}
	whole, _, err := s.importKilled(ctx, dying.data, file, time.Hour)
	if err != nil {
		return command, served, err
	}
	after, imported := whole*3/4, true
	var alone, daemons []Usage
	for early := 0; len(alone) < s.runs; {
		if imported {
			if err := copyData(l.data, dying.data); err != nil {
				return command, served, err
			}
		}
		if _, imported, err = s.importKilled(ctx, dying.data, file, after); err != nil {
			return command, served, err
		}
		if imported { // it was quicker this time
			after = after * 3 / 4
			if early++; early > 20 {
				return command, served, errors.New("every import ended before it was killed")
			}
			continue
		}
		u, err := s.upcoming(ctx, dying)
		if err != nil {
			return command, served, err
		}
		alone = append(alone, u)
		start := scheduler.Now()
		d, err := s.serve(ctx, dying.data)
		if err != nil {
			return command, served, err
		}
		_, err = s.upcoming(ctx, dying)
		daemons = append(daemons, Usage{Wall: scheduler.Now().Sub(start)})
		d.stop()
		if err != nil {
			return command, served, err
		}
	}
	return medians(alone), medians(daemons), nil
}

// changesSomething refuses an import that had nothing to write: a kill would
// hit nothing.
func changesSomething(out []byte) error {
	reply, err := importReply(out)
	if err == nil && reply.New+reply.Changed == 0 {
		err = errors.New("the import that is to be killed changes nothing")
	}
	return err
}

// importKilled imports a file through a daemon of its own, which it kills after
// a time. It gives how long the import took, and whether it came to its end
// before that.
func (s *session) importKilled(ctx context.Context, data, file string, after time.Duration) (took time.Duration, ended bool, err error) {
	d, err := s.serve(ctx, data)
	if err != nil {
		return 0, false, err
	}
	end := make(chan error, 1)
	start := scheduler.Now()
	go func() {
		_, out, err := measure(s.tickler(ctx, data, "import", "--allow-gone", "-o", "json", file))
		if err == nil {
			err = changesSomething(out)
		}
		end <- err
	}()
	select {
	case err := <-end:
		took = scheduler.Now().Sub(start)
		d.stop()
		return took, true, err
	case <-time.After(after):
		d.kill()
		<-end // it says that the daemon is gone
		return after, false, nil
	}
}
