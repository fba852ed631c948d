//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"tickler/calendar"
)

// options are what a run is asked for.
type options struct {
	loans int
	held  int // loans whose obligations the databases hold while a branch is listed
	runs  int
	seed  uint64
	day   calendar.Date
	peers bool // PostgreSQL, SQLite, pebble, CEL, Python, remind, taskwarrior
	micro bool // the packages' own benchmarks
	talk  io.Writer
}

// session is one run of all measurements.
type session struct {
	options
	dir           string
	self, program string // this program, and the one that is measured
	pg            *postgres
	missing       []string // peers that are not here
	load          float64  // average over a minute, at its highest before a step
	pgAgain       *Row     // PostgreSQL given the same rows once more
}

// say tells of the next step, and looks what else the machine does.
func (s *session) say(format string, args ...any) {
	s.load = max(s.load, load())
	fmt.Fprintf(s.talk, format+"\n", args...)
}

// prepare builds what is measured, and looks for the peers.
func (s *session) prepare(ctx context.Context) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", s.program, "tickler/cmd/tickler")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if _, _, err := measure(c); err != nil {
		return err
	}
	if !s.peers {
		s.missing = append(s.missing, "every peer (left out by -peers=false)")
		return nil
	}
	for _, program := range []string{"sqlite3", "remind", "task"} {
		if _, err := exec.LookPath(program); err != nil {
			s.missing = append(s.missing, program)
		}
	}
	for _, module := range []string{"numpy", "pandas", "openpyxl", "QuantLib"} {
		if !hasModule(ctx, module) {
			s.missing = append(s.missing, module)
		}
	}
	if err := s.buildGoPeers(ctx); err != nil {
		return err
	}
	pg, err := newPostgres(ctx, filepath.Join(s.dir, "pg"))
	if err != nil {
		s.say("PostgreSQL: %v", err)
		s.missing = append(s.missing, "PostgreSQL")
	} else {
		s.pg = pg
	}
	return nil
}

func (s *session) close() {
	if s.pg != nil {
		s.pg.stop()
	}
}

// has tells whether a peer is here.
func (s *session) has(peer string) bool { return s.peers && !slices.Contains(s.missing, peer) }

// missingRow stands for a comparison whose peer is not here.
func missingRow(work, ours, peer, target string) Row {
	return Row{Work: work, Ours: ours, Beside: peer + ": missing", Target: target, Met: NotMeasured}
}

// Long lists of steps read better in their order.
func (s *session) sections(ctx context.Context) (out []Section, err error) {
	steps := []func(context.Context) ([]Section, error){s.portfolioSections}
	if s.micro {
		steps = slices.Insert(steps, 0, s.microSections)
	}
	for _, step := range steps {
		sections, err := step(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, sections...)
	}
	return out, nil
}

// writeReport writes docs/performance.md.
func writeReport(w io.Writer, s *session, sections []Section) error {
	absent := "Every peer was here."
	if len(s.missing) > 0 {
		absent = "Missing on this machine, and so not compared: " + strings.Join(s.missing, ", ") + "."
	}
	misses := "Every target that was measured is met."
	if names := notMet(sections); len(names) > 0 {
		misses = "Targets that this run does not meet:\n\n- " + strings.Join(names, "\n- ")
	}
	if _, err := fmt.Fprintf(w, performanceHead, count(s.loans), machine(), s.load, s.seed, s.day, absent, misses); err != nil {
		return err
	}
	return writeTable(w, sections)
}
