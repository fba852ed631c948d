package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tickler/api"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// maxRounds bounds what completing a duty may bring about on the same day.
const maxRounds = 10

// complete has everything done that is due: what was overdue at the start on
// the first day, what was raised late when it is raised. What that brings about
// is done as well, if it is due today.
func (m *simulation) complete(ctx context.Context) error {
	for range maxRounds {
		var due []*desk
		for _, d := range m.open {
			if d.o.State == obligation.Raised && d.o.Due <= m.day && !d.tried {
				d.tried = true
				due = append(due, d)
			}
		}
		if len(due) == 0 {
			return nil
		}
		// The events are numbered: by the ids, not as the scan came to them.
		slices.SortFunc(due, func(a, b *desk) int { return strings.Compare(a.id, b.id) })
		if err := m.shards[0].copy.complete(ctx, due); err != nil {
			return err
		}
		if err := m.take(); err != nil {
			return err
		}
		m.fallDue()
		for _, d := range due {
			switch {
			case d.o.State == obligation.Raised:
				m.unclosed[d.o.Rule]++
			case m.told():
				m.week(d).Completed++
				if day := m.today(); m.lines {
					day.Completed = append(day.Completed, d.id)
				}
			}
		}
	}
	return nil
}

// complete records today, for each obligation, the event that closes it, or
// those that its quota still wants, as people would: in one transaction.
func (s *Scheduler) complete(ctx context.Context, due []*desk) error {
	now := s.moment()
	return s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.begin(tx, Actor{System: true}, 0, false, now)
		if err != nil {
			return err
		}
		c.cause = "模拟办结"
		for _, d := range due {
			rule := c.book.Rule(d.o.Rule)
			if rule == nil {
				continue
			}
			unit, err := standsIn(tx, d.o.Key)
			if err != nil {
				return err
			}
			put := func(kind string, closes ...string) (loan.Event, error) {
				n, err := tx.Sequence("event")
				if err != nil {
					return loan.Event{}, err
				}
				e := loan.Event{ID: fmt.Sprintf("simulated/%d", n), Kind: kind, Subject: d.o.Subject, Happened: c.today, Learned: now, Closes: closes}
				return e, tx.PutEvent(unit, e)
			}
			closing := slices.IndexFunc(rule.ClosesOn, func(kind string) bool {
				keys, err := rules.Closings(c.book, []obligation.Obligation{d.o}, loan.Event{Kind: kind, Subject: d.o.Subject, Happened: c.today, Closes: []string{d.id}})
				return err == nil && len(keys) > 0 // not one that closes only with what it says
			})
			switch {
			case closing >= 0:
				e, err := put(rule.ClosesOn[closing], d.id)
				if err != nil {
					return err
				}
				if err := c.happens(unit, e); err != nil {
					return err
				}
			case rule.Needs != nil:
				for range d.o.Progress.Need - d.o.Progress.Have {
					// It counts, and closes nothing: that would need a name.
					e, err := put(rule.Needs.Count)
					if err != nil {
						return err
					}
					units, err := c.concerned(unit, e)
					if err != nil {
						return err
					}
					for _, u := range units {
						c.plan(u)
					}
				}
			}
		}
		if err := c.planMarked(); err != nil {
			return err
		}
		return c.end("simulation."+api.CompleteOnTime, "", map[string]any{"completed": len(due)})
	})
}
