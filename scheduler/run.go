package scheduler

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"tickler/api"
	"tickler/calendar"
	"tickler/store"
)

// wakeEvery is how often the loop wakes, by the monotonic clock, and the
// rulebook and calendar files are looked at.
const wakeEvery = 10 * time.Second

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
	if every, ok := sched.(cron.ConstantDelaySchedule); ok && strings.HasPrefix(spec, "@every") {
		if d, err := time.ParseDuration(strings.TrimSpace(strings.TrimPrefix(spec, "@every"))); err != nil || d < time.Second || d != every.Delay {
			return nil, fmt.Errorf("schedule %q: want whole seconds, one or more", spec)
		}
	}
	if sched.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("schedule %q never comes", spec)
	}
	return sched, nil
}

// Run is the daemon's loop. It wakes by a monotonic ticker, which no change of
// the wall clock can stop, polls the rulebook and the calendar, and scans when
// the schedule says so, when a document changed, and when the day turned or
// the clock was set. It returns when ctx ends, or when the store can no
// longer be used. Where the store's pages are being proved it begins once they
// are.
func (s *Scheduler) Run(ctx context.Context) error {
	if err := s.cfg.Store.Proof(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return refine(err)
	}
	ticker := time.NewTicker(s.wakes())
	defer ticker.Stop()
	defer s.keeper.work.Wait() // with ctx it ends at once
	var next time.Time         // of the schedule, on the wall
	var day calendar.Date
	for {
		book, _ := s.inForce()
		stepped := s.watchClock(ctx)
		now := s.now().In(book.Zone).Round(0) // the wall's reading: no monotonic part
		changed := false
		s.pulse.stumbled(s.attempt("read the documents", func() error {
			changed = s.poll()
			if err := s.decide(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("weigh the changed rulebook", "error", err) // the scan tries again
			}
			return nil
		}))
		if changed {
			b, c := s.inForce()
			s.log.Info("documents changed", "rulebook", b.Digest(), "calendar", c.Version())
		}
		s.complain()
		if changed || next.IsZero() || !now.Before(next) || stepped || s.wallDay(book) != day || s.cfg.Store.Full() {
			if err := s.scan(ctx, &day); err != nil {
				return err
			}
			next = s.sched.Next(now)
		}
		if gone := s.cfg.Store.Err(); gone != nil { // a scan that had nothing to write did not see it
			return refine(gone)
		}
		s.keepBackups(ctx, now)
		select {
		case <-ctx.Done():
			return nil
		case <-s.cfg.Store.Stopped(): // whoever asked for the change gets his answer first
			return refine(s.cfg.Store.Err())
		case <-ticker.C:
		}
	}
}

// scan is one Tick of the loop. A failure is said and tried again; only a
// store that is gone ends the loop.
func (s *Scheduler) scan(ctx context.Context, day *calendar.Date) error {
	began := s.elapsed()
	var r *api.TickReply
	err := s.attempt("scan", func() (err error) {
		r, err = s.Tick(ctx, Actor{System: true}, api.TickRequest{})
		return err
	})
	if err != nil && ctx.Err() != nil {
		return nil
	}
	took := s.elapsed() - began
	s.scanned(ctx, took, err)
	if err != nil {
		s.mu.Lock()
		s.scanErr = "scan: " + err.Error()
		s.mu.Unlock()
		s.log.Error("scan", "error", err)
		return refine(s.cfg.Store.Err()) // which knows why, where it is gone
	}
	book, _ := s.inForce()
	s.mu.Lock()
	s.scanErr, s.lastScan = "", s.elapsed()
	s.mu.Unlock()
	if len(r.Plan) > 0 || len(r.Told) > 0 || len(r.Failed) > 0 {
		s.log.Info("scan", "today", r.Today, "plan", r.Plan, "told", r.Told, "failed", len(r.Failed), "took", took)
	}
	for _, f := range r.Failed {
		s.log.Error("subject skipped", "error", withoutValues(f))
	}
	if turned := s.wallDay(book); turned != *day {
		*day = turned
		s.digest(ctx, r)
	}
	err = s.attempt("count", func() error { return s.recount(ctx) })
	if err != nil && ctx.Err() == nil {
		s.log.Error("count the store through", "error", err)
	}
	return nil
}

// withoutValues keeps of a failed derivation which subject and which rule it
// was: the rest may quote a fact, and the log is no place for it.
func withoutValues(failed string) string {
	parts := strings.SplitN(failed, ": ", 3)
	if len(parts) == 3 && strings.HasPrefix(parts[1], "rule ") {
		return parts[0] + ": " + parts[1]
	}
	return parts[0]
}

// wakes is how often the loop looks at the clock and the files: every ten
// seconds, or twice within the schedule's interval where that is shorter.
func (s *Scheduler) wakes() time.Duration {
	next := s.sched.Next(s.now().Round(0))
	return max(min(wakeEvery, s.sched.Next(next).Sub(next)/2), time.Second/2)
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
