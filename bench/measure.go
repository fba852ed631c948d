//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"tickler/scheduler"
)

// Usage is what a process took, from its start to its end.
type Usage struct {
	Wall time.Duration
	CPU  time.Duration // user and system
	Peak int64         // resident memory at its most, bytes
}

// measure runs a command to its end. What it printed comes back too.
func measure(c *exec.Cmd) (Usage, []byte, error) {
	var out, talk bytes.Buffer
	c.Stdout, c.Stderr = &out, &talk
	start := scheduler.Now()
	err := c.Run()
	u := Usage{Wall: scheduler.Now().Sub(start)}
	if s := c.ProcessState; s != nil {
		u.CPU = s.UserTime() + s.SystemTime()
		u.Peak = s.SysUsage().(*syscall.Rusage).Maxrss << 10 // told in KiB
	}
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, bytes.TrimSpace(talk.Bytes()))
	}
	return u, out.Bytes(), err
}

// cpu is the user and system time of this process so far.
func cpu() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err) // the kernel knows this process
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// What takes longer than this is measured once.
const long = 20 * time.Second

// Sample is several runs of the same work.
type Sample struct {
	Usage     // the median of each figure
	Runs  int // that it is the median of
}

// repeat measures the same work n times, or once where it takes long.
func repeat(n int, work func(run int) (Usage, error)) (Sample, error) {
	samples, err := turns(n, work)
	if err != nil {
		return Sample{}, err
	}
	return samples[0], nil
}

// turns measures several works n times each, in turns, so that what else the
// machine does meets all of them alike. One that takes long runs once.
func turns(n int, works ...func(run int) (Usage, error)) ([]Sample, error) {
	all := make([][]Usage, len(works))
	for i := range n {
		for w, work := range works {
			if i > 0 && all[w][0].Wall > long {
				continue
			}
			u, err := work(i)
			if err != nil {
				return nil, err
			}
			all[w] = append(all[w], u)
		}
	}
	var samples []Sample
	for _, runs := range all {
		samples = append(samples, medians(runs))
	}
	return samples, nil
}

func medians(runs []Usage) Sample {
	return Sample{Runs: len(runs), Usage: Usage{
		Wall: median(runs, func(u Usage) time.Duration { return u.Wall }),
		CPU:  median(runs, func(u Usage) time.Duration { return u.CPU }),
		Peak: median(runs, func(u Usage) int64 { return u.Peak }),
	}}
}

func median[T any, N time.Duration | int64 | float64](all []T, of func(T) N) N {
	var figures []N
	for _, x := range all {
		figures = append(figures, of(x))
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}

func same[T any](x T) T { return x }

// hook runs one of this program's own pieces of work in a process of its own,
// and reads into reply what it printed.
func (s *session) hook(ctx context.Context, name string, request, reply any) (Usage, error) {
	in, err := json.Marshal(request)
	if err != nil {
		return Usage{}, err
	}
	c := exec.CommandContext(ctx, s.self, "hook", name)
	c.Stdin = bytes.NewReader(in)
	u, out, err := measure(c)
	if err != nil {
		return u, err
	}
	if err := json.Unmarshal(out, reply); err != nil {
		return u, fmt.Errorf("read what hook %s printed: %w", name, err)
	}
	return u, nil
}

// tickler is a command of the program that is measured.
func (s *session) tickler(ctx context.Context, data string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, s.program, append([]string{"--data", data, "--no-input", "--lang", "en"}, args...)...)
	c.Env = append(os.Environ(), "TICKLER_CONFIG=", "NO_COLOR=1")
	return c
}
