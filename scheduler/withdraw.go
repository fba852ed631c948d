package scheduler

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"tickler/api"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

// Withdraw takes an event back, for a reason. What it closed is open again,
// what it opened is cancelled unless it was done by then; the event stays in
// the store and in the audit, with both days.
func (s *Scheduler) Withdraw(ctx context.Context, actor Actor, r api.WithdrawRequest) (*api.WithdrawReply, error) {
	if strings.TrimSpace(r.Reason) == "" {
		return nil, api.Errorf(api.Usage, "add --reason", "an event is withdrawn for a reason (须说明撤销理由)")
	}
	now := s.moment()
	var reply *api.WithdrawReply
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.begin(tx, actor, r.On, r.Force, now)
		if err != nil {
			return err
		}
		if err := c.person.may(actWithdraw); err != nil {
			return err
		}
		e, home, err := tx.Event(r.ID)
		if err == nil {
			var seen bool
			if seen, err = c.view.subject(tx, e.Subject); errors.Is(err, store.ErrNotFound) { // it left since
				seen, err = c.view.subject(tx, home)
			}
			if err == nil && !seen {
				err = store.ErrNotFound
			}
		}
		if errors.Is(err, store.ErrNotFound) {
			return api.Errorf(api.NotFound, "\"tickler show\" of what it closed names it; record prints it", "no event %q", r.ID)
		}
		if err != nil {
			return err
		}
		if w := e.Withdrawn; w != nil {
			return api.Errorf(api.Usage, "", "event %q was withdrawn on %s: %s", e.ID, w.On, w.Reason)
		}
		if !c.person.setup && c.person.may(actReopen) != nil {
			if e.By != c.actor.Person {
				return api.Errorf(api.NotAllowed, "a supervisor can", "event %q was recorded by %s; %s may not withdraw it", e.ID, cmp.Or(e.By, "a ledger file"), c.person)
			}
			if by, err := c.signed(e); err != nil {
				return err
			} else if by != "" {
				return api.Errorf(api.NotAllowed, "a supervisor can", "what event %q closed is signed by %s since; %s may not withdraw it", e.ID, by, c.person)
			}
		}
		e.Withdrawn = &loan.Withdrawal{On: c.today, At: now, By: cmp.Or(c.actor.Person, actor.OSUser), Reason: r.Reason}
		if err := tx.PutEvent(home, *e); err != nil {
			return err
		}
		if err := c.bequeath(home, *e); err != nil {
			return err
		}
		units, err := c.concerned(home, *e)
		if err != nil {
			return err
		}
		// What an officer or a branch below had may have moved since: whatever
		// the event closed is looked at too.
		for _, id := range e.Closes {
			if key, err := obligation.ParseKey(id); err == nil {
				if u, err := standsIn(tx, key); err == nil {
					units = append(units, u)
				}
			}
		}
		c.cause, c.late, c.withdrawing = "撤销事件 "+e.ID+"："+r.Reason, "撤销事件后重新触发", true
		for _, u := range units {
			c.plan(u)
		}
		if err := c.planMarked(); err != nil {
			return err
		}
		reply = &api.WithdrawReply{ID: e.ID, Event: e.Kind, Subject: e.Subject.String(), Reopened: []api.Obligation{}, Cancelled: []api.Obligation{}}
		for ch := range c.seen.all() {
			if ch.Kind != obligation.ChangeReopened && ch.Kind != obligation.ChangeCancelled && ch.Kind != obligation.ChangeLapsed {
				continue
			}
			o, err := s.find(tx, everything, ch.Key.String())
			if err != nil {
				return err
			}
			if !c.view.sees(o) {
				continue
			}
			v, err := s.view(tx, c.today, o)
			if err != nil {
				return err
			}
			if ch.Kind == obligation.ChangeReopened {
				reply.Reopened = append(reply.Reopened, v)
			} else {
				reply.Cancelled = append(reply.Cancelled, v)
			}
		}
		return c.end("event.withdrawn", e.ID, map[string]any{"kind": e.Kind, "subject": e.Subject.String(), "happened": e.Happened, "reason": r.Reason}, e.Subject.String())
	})
	if err != nil {
		return nil, s.refused(ctx, actor, actWithdraw, r.ID, refine(err))
	}
	return reply, nil
}

// signed names who signed what an event closed; "" where nobody did.
func (c *change) signed(e *loan.Event) (string, error) {
	for _, id := range e.Closes {
		o, err := c.s.find(c.tx, everything, id)
		if api.CodeOf(err) == api.NotFound {
			continue
		}
		if err != nil {
			return "", err
		}
		if n := len(o.Signatures); n > 0 && o.ClosedBy == e.ID {
			return o.Signatures[n-1].By, nil
		}
	}
	return "", nil
}
