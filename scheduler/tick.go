package scheduler

import (
	"context"
	"fmt"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

// Tick is one scan: it plans what is to be planned anew, and raises everything
// whose day has come, what was missed while nobody scanned included, each
// once and with its original due day; then it tells who is to be reminded, and
// what goes up (nudge.go).
func (s *Scheduler) Tick(ctx context.Context, actor Actor, r api.TickRequest) (*api.TickReply, error) {
	if !actor.System { // the loop has just looked
		s.poll()
	}
	now := s.moment()
	if reply, err := s.idle(ctx, actor, r); err != nil || reply != nil {
		return s.withProblems(reply), s.refused(ctx, actor, actScan, "", refine(err))
	}
	var reply *api.TickReply
	var c *change
	err := without(func(skip map[loan.Ref]error) (err error) {
		reply, c, err = s.tick(ctx, actor, r, now, skip)
		return err
	})
	if err == nil && c.more {
		var rest resumed
		rest, err = s.resume(ctx, actor, r.On, r.Force, now, c)
		addCounts(reply.Plan, rest.sighted)
		addCounts(reply.Told, rest.told)
		reply.Derived += rest.derived
		reply.Failed = append(reply.Failed, rest.failed...)
	}
	if err != nil {
		return nil, s.refused(ctx, actor, actScan, "", refine(err))
	}
	return s.withProblems(reply), nil
}

// tick is a scan that has something to do, in one transaction; where c.more,
// something is left to be planned after it.
func (s *Scheduler) tick(ctx context.Context, actor Actor, r api.TickRequest, now time.Time, skip map[loan.Ref]error) (reply *api.TickReply, c *change, err error) {
	err = s.cfg.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if c, err = s.begin(tx, actor, r.On, r.Force, now); err != nil {
			return err
		}
		c.skip, c.mayWait = skip, true
		if err := c.planDirty(planAtOnce); err != nil {
			return err
		}
		if err := c.person.may(actScan); err != nil {
			return err
		}
		c.cause = "扫描"
		since := c.meta.Cursor
		if !since.IsZero() && since < c.today.AddDays(-1) {
			c.since, c.gap = since, "（"+since.AddDays(1).String()+" 至 "+c.today.AddDays(-1).String()+" 未扫描）"
			c.late = "停机补触发" + c.gap
		} else {
			c.late = "触发日已过"
		}
		units, err := tx.ToDerive(c.today)
		if err != nil {
			return err
		}
		for _, u := range units {
			c.plan(u)
			if u.Kind != loan.KindBorrower {
				continue
			}
			// What took hold since may be another's care: who has a loan
			// from today on did not wake by himself.
			d, err := tx.Dossier(u.ID)
			if err != nil {
				return err
			}
			if d != nil && tookHold(d, since, c.today) {
				if err := c.touch(d); err != nil {
					return err
				}
			}
		}
		raise, err := tx.ToRaise(c.today)
		if err != nil {
			return err
		}
		nudge, err := s.toNudge(tx, c.today)
		if err != nil {
			return err
		}
		c.scanning = true
		if err := c.planMarked(); err != nil {
			return err
		}
		for _, u := range store.UnitsInOrder(raise, nudge) {
			if c.replan[u] {
				continue
			}
			if err := c.guarded(u, func() error { return c.raiseUnit(u) }); err != nil {
				return fmt.Errorf("raise what is due of %s: %w", u, err)
			}
		}
		derived := len(c.order)
		if !c.view.all {
			derived = c.units
		}
		reply = &api.TickReply{Today: c.today, Since: since, Derived: derived, Plan: c.sighted, Told: c.toldOf(), Failed: c.fails, Warnings: c.warnings}
		c.meta.Cursor, c.meta.LastTick = c.today, now
		return c.end("scan", "", map[string]any{"since": since, "units": len(c.order)})
	})
	return reply, c, err
}

// tookHold says that a version of a loan holds from a day after since, today at
// the latest.
func tookHold(d *loan.Dossier, since, today calendar.Date) bool {
	for _, f := range d.Loans {
		for i := range f.History {
			if from := f.History[i].From; from > since && from <= today {
				return true
			}
		}
	}
	return false
}

// withProblems says with a scan that a file is bad, for sites where nothing
// but the scan is looked at.
func (s *Scheduler) withProblems(r *api.TickReply) *api.TickReply {
	if r != nil {
		r.Problems = s.badFiles()
	}
	return r
}

// badFiles says which files, as they stand, are not in force, and why.
func (s *Scheduler) badFiles() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []string
	for _, p := range []string{s.bookErr, s.calErr} {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// idle answers a scan that has nothing to do, so that it writes nothing and
// waits for nobody: nil where there is work.
func (s *Scheduler) idle(ctx context.Context, actor Actor, r api.TickRequest) (*api.TickReply, error) {
	if s.undecided() != nil || s.cfg.Store.Full() || s.cfg.Store.Vitals().Failing != nil { // only a write tells whether the disk takes one again
		return nil, nil
	}
	book, cal := s.inForce()
	var reply *api.TickReply
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		if p, err := s.who(tx, actor); err != nil {
			return err
		} else if err := p.may(actScan); err != nil {
			return err
		}
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		today, warning, err := s.businessDay(&meta, book, r.On, r.Force)
		if err != nil {
			return err
		}
		if meta.Cursor != today || meta.BusinessDate != today || meta.Rulebook != book.Digest() || meta.Calendar != cal.Version() || windowEnd(today) > meta.WindowEnd || !s.mute && !nudging(&meta) {
			return nil
		}
		if noted, err := s.noted(tx); err != nil || !noted {
			return err
		}
		if noted, err := s.clockNoted(&meta, book.Zone); err != nil || !noted {
			return err
		}
		for _, list := range []func() ([]loan.Ref, error){
			func() (units []loan.Ref, err error) {
				err = tx.Dirty(func(u loan.Ref, _ string) bool { units = append(units, u); return false })
				return units, err
			},
			func() ([]loan.Ref, error) { return tx.ToDerive(today) },
			func() ([]loan.Ref, error) { return tx.ToRaise(today) },
			func() ([]loan.Ref, error) { return s.toNudge(tx, today) },
		} {
			if units, err := list(); err != nil || len(units) > 0 {
				return err
			}
		}
		reply = &api.TickReply{Today: today, Since: meta.Cursor, Plan: map[string]int{}, Told: map[string]int{}}
		if warning != "" {
			reply.Warnings = []string{warning}
		}
		return nil
	})
	return reply, err
}

// raiseUnit raises what is due of a unit whose derivation stands, and tells
// what is to be told. The other obligations are as the last change left them:
// whatever closes one has the whole unit planned. So its events need not be
// read, which are more from year to year.
func (c *change) raiseUnit(u loan.Ref) error {
	plan, err := c.tx.EditPlan(u, func(g *store.Glance) bool { return g.Calls(c.today) })
	if err != nil || plan == nil || len(plan.Obligations) == 0 {
		return err
	}
	changes := obligation.Settle(plan.Obligations, c.circumstances(u, nil))
	c.nudge(&plan.Plan)
	if err := c.tx.PutEdit(plan); err != nil {
		return err
	}
	c.note(&plan.Plan, changes)
	return nil
}
