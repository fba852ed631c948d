package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
	"tickler/store"
)

// Status says how things are: what is in force, how far the plan goes, and
// what is wrong.
func (s *Scheduler) Status(ctx context.Context) (*api.StatusReply, error) {
	if err := s.decide(ctx); err != nil {
		return nil, refine(err)
	}
	book, cal := s.inForce()
	s.mu.RLock()
	r := &api.StatusReply{
		Version: s.cfg.Version, Data: s.cfg.Data, Daemon: s.cfg.Daemon, Problems: []string{}, Warnings: []string{}, Counts: map[string]int{},
		Rulebook: api.Document{File: s.cfg.RulesPath, Digest: book.Digest(), Problem: s.bookErr},
		Calendar: api.CalendarStatus{Digest: cal.Version()},
	}
	if s.held != nil {
		r.Rulebook.Held = &s.held.Hold
	}
	started := s.started
	s.mu.RUnlock()
	problems := s.problems()
	if r.Rulebook.File == "" {
		r.Rulebook.File = "(embedded)"
	}
	if s.cfg.Daemon {
		r.Started = &started
	}
	if s.cfg.Store.Proving() {
		r.Warnings = append(r.Warnings, provingWords)
	}
	var today calendar.Date
	var view *sight
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		if view, err = s.look(ctx, tx); err != nil {
			return err
		}
		for _, p := range problems {
			if view.all {
				r.Problems = append(r.Problems, p.full())
			} else {
				r.Problems = append(r.Problems, p.blunt)
			}
		}
		if held := r.Rulebook.Held; held != nil && !view.all {
			r.Rulebook.Problem = heldBluntly(held.Digest)
			r.Rulebook.Held = view.hold(held)
		}
		today = s.readingDay(&meta, book, 0)
		r.Business, r.GoLive, r.WindowEnd = meta.BusinessDate, meta.GoLive, meta.WindowEnd
		if !meta.LastTick.IsZero() {
			r.LastTick = &meta.LastTick
			if last := s.pulse.lastScan().UTC().Truncate(time.Second); last.After(meta.LastTick) { // one with nothing to do writes nothing
				r.LastTick = &last
			}
		}
		st := cal.Status(today)
		r.Calendar.FirmThrough, r.Calendar.MissingYear, r.Calendar.Level = st.FirmThrough, st.MissingYear, st.Level.String()
		r.Warnings = append(r.Warnings, calendarWarnings(cal, today)...)
		first, err := waiting(tx, &meta)
		if err != nil {
			return err
		}
		r.Warnings = append(r.Warnings, first...)
		r.Problems = append(r.Problems, s.clockProblems(&meta, book)...)
		if r.Audit.Seq, r.Audit.Hash, err = tx.AuditHead(); err != nil {
			return err
		}
		return tx.Rows("failed", func(id string, row json.RawMessage) error {
			if !view.all {
				return nil // it names whom not everybody sees
			}
			r.Problems = append(r.Problems, fmt.Sprintf("%s: %s", id, row))
			return nil
		})
	})
	if err == nil {
		// The counts are of no one state: nobody waits for them to be.
		states, overdue := map[obligation.State]int{}, 0
		loans := map[string]bool{} // of one plan
		count := func(g *store.Glance) {
			states[g.State]++
			if g.Overdue(today) {
				overdue++
			}
			if g.Loan != "" {
				loans[g.Loan] = true
			}
		}
		seen := func(o *obligation.Obligation) bool {
			if view.sees(o) {
				count(&store.Glance{State: o.State, Due: o.Due, PeriodEnd: o.PeriodEnd, Loan: o.Loan})
			}
			return false
		}
		next := func(*store.Tx, *store.Plan) error {
			r.Loans += len(loans)
			clear(loans)
			return nil
		}
		if view.all {
			err = eachGlance(s.views(ctx), count, next)
		} else {
			err = eachPart(s.views(ctx), store.Part{Keep: seen}, next)
		}
		for state, n := range states {
			r.Counts[string(state)] = n
		}
		if overdue > 0 {
			r.Counts["overdue"] = overdue
		}
	}
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, "", refine(err))
	}
	r.Healthy = len(r.Problems) == 0
	return r, nil
}

// calendarWarnings says, from 1 November on, that the next year's notice is
// missing.
func calendarWarnings(cal *calendar.Calendar, today calendar.Date) []string {
	st := cal.Status(today)
	switch st.Level {
	case calendar.LevelWarning:
		return []string{fmt.Sprintf("%d 年放假通知尚未导入，涉及该年的日期均为暂定 / no holiday notice for %d yet: dates that rest on it are provisional; run \"tickler calendar import FILE\"", st.MissingYear, st.MissingYear)}
	case calendar.LevelAlarm:
		return []string{fmt.Sprintf("警报：%d 年放假通知仍未导入 / ALARM: still no holiday notice for %d; run \"tickler calendar import FILE\"", st.MissingYear, st.MissingYear)}
	}
	return nil
}
