package scheduler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"tickler/api"
	"tickler/calendar"
	"tickler/store"
)

const (
	wakeEvery = 10 * time.Second // monotonic; the rulebook and calendar files are looked at
	scanEvery = time.Minute      // the schedule's default, and the health's measure
)

// ParseSchedule reads a schedule as cron has it, in the rulebook's zone. The
// parser of cron panics at some mistakes and takes some days that never come;
// both are errors here.
func ParseSchedule(spec string) (sched cron.Schedule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("schedule %q: %v", spec, p)
		}
	}()
	if strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ=") {
		return nil, fmt.Errorf("schedule %q: the zone is the rulebook's", spec)
	}
	if sched, err = cron.ParseStandard(spec); err != nil {
		return nil, fmt.Errorf("schedule %q: %w", spec, err)
	}
	if sched.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("schedule %q never comes", spec)
	}
	return sched, nil
}

// Run is the daemon's loop. It wakes by a monotonic ticker, which no change of
// the wall clock can stop, polls the rulebook and the calendar, and scans when
// the schedule says so, when a document changed, and when the day turned or
// the clock went back. It returns when ctx ends, or when the store can no
// longer be used.
func (s *Scheduler) Run(ctx context.Context) error {
	spec := s.cfg.Schedule
	if spec == "" {
		spec = "* * * * *"
	}
	sched, err := ParseSchedule(spec)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(wakeEvery)
	defer ticker.Stop()
	var next, last time.Time // of the schedule, on the wall; the last wake-up
	var day calendar.Date
	for {
		book, _ := s.inForce()
		s.watchClock(ctx)
		now := s.now().In(book.Zone).Round(0) // the wall's reading: no monotonic part
		changed := s.reload()
		if err := s.decide(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("weigh the changed rulebook", "error", err) // the scan tries again
		}
		if changed {
			b, c := s.inForce()
			s.log.Info("documents changed", "rulebook", b.Digest(), "calendar", c.Version())
		}
		s.complain()
		if changed || next.IsZero() || !now.Before(next) || now.Before(last) || s.wallDay(book) != day {
			if err := s.scan(ctx, &day); err != nil {
				return err
			}
			next = sched.Next(now)
		}
		last = now
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// scan is one Tick of the loop. A failure is said and tried again; only a
// store that is gone ends the loop.
func (s *Scheduler) scan(ctx context.Context, day *calendar.Date) error {
	r, err := s.Tick(ctx, Actor{System: true}, api.TickRequest{})
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		s.mu.Lock()
		s.scanErr = "scan: " + err.Error()
		s.mu.Unlock()
		s.log.Error("scan", "error", err)
		if gone := s.cfg.Store.Err(); gone != nil || errors.Is(err, store.ErrOutcomeUnknown) {
			return err
		}
		return nil
	}
	book, _ := s.inForce()
	s.mu.Lock()
	s.scanErr, s.lastScan = "", s.elapsed()
	s.mu.Unlock()
	if len(r.Plan) > 0 || len(r.Told) > 0 || len(r.Failed) > 0 {
		s.log.Info("scan", "today", r.Today, "plan", r.Plan, "told", r.Told, "failed", len(r.Failed))
	}
	for _, f := range r.Failed {
		s.log.Error("subject skipped", "error", f)
	}
	if turned := s.wallDay(book); turned != *day {
		*day = turned
		s.digest(ctx, r)
	}
	return nil
}

// digest writes, once a day, that all is alive, with the head of the audit: a
// tail cut off later is found by it.
func (s *Scheduler) digest(ctx context.Context, r *api.TickReply) {
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		seq, hash, err := tx.AuditHead()
		if err == nil {
			s.log.Info("day", "today", r.Today, "audit_seq", seq, "audit_head", hash)
		}
		return err
	})
	if err != nil {
		s.log.Error("read the audit's head", "error", err)
	}
	_, cal := s.inForce()
	for _, w := range calendarWarnings(cal, r.Today) {
		s.log.Warn(w)
	}
}

// complain logs a bad file once, and again when it is bad in another way.
func (s *Scheduler) complain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range []struct {
		what, text string
		said       *string
	}{{"rulebook", s.bookErr, &s.saidBook}, {"calendar", s.calErr, &s.saidCal}} {
		if p.text != *p.said {
			*p.said = p.text
			if p.text != "" {
				s.log.Error("the file is not taken; the one in force stays", "what", p.what, "problem", p.text)
			}
		}
	}
}

// sinceScan is how long ago a scan succeeded, or the daemon began. The caller
// holds mu.
func (s *Scheduler) sinceScan() time.Duration { return s.elapsed() - s.lastScan }

// Healthy says whether the daemon does its work.
func (s *Scheduler) Healthy(ctx context.Context) (bool, []string) {
	s.mu.RLock()
	var problems []string
	for _, p := range []string{s.bookErr, s.calErr, s.scanErr} {
		if p != "" {
			problems = append(problems, p)
		}
	}
	since := s.sinceScan()
	s.mu.RUnlock()
	if err := s.cfg.Store.Err(); err != nil {
		problems = append(problems, err.Error())
	}
	if s.cfg.Daemon && since > 2*scanEvery {
		problems = append(problems, fmt.Sprintf("no scan succeeded for %s", since.Round(time.Second)))
	}
	return len(problems) == 0, problems
}
