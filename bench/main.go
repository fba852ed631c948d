//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"tickler/calendar"
	"tickler/scheduler"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) == 3 && os.Args[1] == "hook" {
		err = runHook(ctx, os.Args[2])
	} else {
		err = bench(ctx, os.Args[1:])
	}
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, args []string) error {
	o := options{talk: os.Stderr}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.IntVar(&o.loans, "loans", 100_000, "loans of the portfolio")
	f.IntVar(&o.held, "held", 100_000, "loans whose obligations the databases hold while a branch is listed, at most")
	f.IntVar(&o.runs, "runs", 5, "runs, of which the median counts; what takes over 20 s runs once")
	f.Uint64Var(&o.seed, "seed", 6, "of the portfolio")
	f.BoolVar(&o.peers, "peers", true, "measure the peers too")
	f.BoolVar(&o.micro, "micro", true, "run the packages' own benchmarks too")
	day := f.String("day", "", "day of the first file, YYYY-MM-DD (default: today, so that a daemon agrees)")
	out := f.String("o", "", "file to write the report to; \"\" prints the table alone")
	if err := f.Parse(args); err != nil {
		return err
	}
	o.day = calendar.DateIn(scheduler.Now(), time.FixedZone("CST", 8*3600)) // as the store has it
	if *day != "" {
		d, err := calendar.ParseDate(*day)
		if err != nil {
			return err
		}
		o.day = d
	}
	s, sections, err := measureAll(ctx, o)
	if err != nil {
		return err
	}
	var report strings.Builder
	if err := writeReport(&report, s, sections); err != nil {
		return err
	}
	fmt.Print(report.String())
	if *out == "" {
		return nil
	}
	return os.WriteFile(*out, []byte(report.String()), 0o644)
}

// measureAll runs everything in a directory of its own, which is gone at the
// end, as is every server.
func measureAll(ctx context.Context, o options) (*session, []Section, error) {
	dir, err := os.MkdirTemp("", "tkl")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL runs as another user
		return nil, nil, err
	}
	if err := room(dir, o.loans, o.held); err != nil {
		return nil, nil, err
	}
	s := &session{options: o, dir: dir, program: filepath.Join(dir, "tickler")}
	defer s.close()
	if s.self, err = os.Executable(); err != nil {
		return nil, nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, nil, err
	}
	sections, err := s.sections(ctx)
	return s, sections, err
}
