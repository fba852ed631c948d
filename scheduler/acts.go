package scheduler

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

// move is one person's act on one obligation.
type move struct {
	*change
	r     api.ActRequest
	o     *obligation.Obligation
	files []loan.Evidence
	kind  obligation.ChangeKind
	told  map[string]any // for the audit
	reply *api.ActReply
}

// Submit says that a duty was done, by the person whose it is.
func (s *Scheduler) Submit(ctx context.Context, a Actor, r api.ActRequest) (*api.ActReply, error) {
	return s.act(ctx, a, actSubmit, r, func(m *move) error {
		if err := m.perform(m.o); err != nil {
			return err
		}
		if p := m.o.Progress; p.Have < p.Need {
			return api.Errorf(api.Usage, "record the events that count: \"tickler why ID\"", "obligation %q is done with %d of its %d, and has %d (次数未满)", m.o.Key, p.Need, p.Need, p.Have)
		}
		day := cmp.Or(r.Day, m.today)
		if day > m.today {
			return api.Errorf(api.Usage, "submit it when it is done", "%s is after today, %s", day, m.today)
		}
		m.kind = obligation.ChangeSubmitted
		if len(m.o.Sign) == 0 {
			m.kind = obligation.ChangeDone
		}
		m.told["day"] = day
		return m.o.Submit(m.person.Staff, day)
	})
}

// Sign signs a submitted duty at the level that is waited for. Nobody signs
// what he submitted.
func (s *Scheduler) Sign(ctx context.Context, a Actor, r api.ActRequest) (*api.ActReply, error) {
	return s.act(ctx, a, actSign, r, func(m *move) error {
		level := m.o.Level()
		if level == "" {
			return m.o.SignNext(m.person.Staff, m.today, r.Note) // says why not
		}
		if err := m.signsFor(level, m.o); err != nil {
			return err
		}
		if err := m.o.SignNext(m.person.Staff, m.today, r.Note); err != nil {
			return err
		}
		m.told["level"], m.kind = level, obligation.ChangeSigned
		if m.o.State == obligation.Done {
			m.kind = obligation.ChangeDone
		}
		return nil
	})
}

// Return puts a submitted duty back, by whom its signature waits for, or by him
// who submitted it.
func (s *Scheduler) Return(ctx context.Context, a Actor, r api.ActRequest) (*api.ActReply, error) {
	return s.act(ctx, a, actReturn, r, func(m *move) error {
		if err := m.reasoned(); err != nil {
			return err
		}
		if level := m.o.Level(); level != "" && m.o.SubmittedBy != m.person.Staff {
			if err := m.signsFor(level, m.o); err != nil {
				return err
			}
		}
		m.kind = obligation.ChangeReturned
		return m.o.Return(m.person.Staff, m.today, m.now, r.Reason)
	})
}

// Waive asks for a waiver, or grants the one that another person asked for.
func (s *Scheduler) Waive(ctx context.Context, a Actor, r api.ActRequest) (*api.ActReply, error) {
	return s.act(ctx, a, actWaive, r, func(m *move) error {
		if err := m.reasoned(); err != nil && m.o.Waiver == nil {
			return err
		}
		manager := m.manages()
		if m.o.Waiver == nil && !manager {
			if err := m.perform(m.o); err != nil {
				return err
			}
		}
		if m.o.Waiver != nil && m.o.Waiver.By != m.person.Staff && !manager {
			return api.Errorf(api.NotAllowed, "", "a waiver is granted by a supervisor or a president; %s is none", m.person)
		}
		granted, err := m.o.Waive(m.person.Staff, m.today, r.Reason)
		m.kind, m.reply.Pending = obligation.ChangeWaiverAsked, !granted
		if granted {
			m.kind = obligation.ChangeWaived
		}
		return err
	})
}

// Reopen puts a duty that was done or waived back on its desk.
func (s *Scheduler) Reopen(ctx context.Context, a Actor, r api.ActRequest) (*api.ActReply, error) {
	return s.act(ctx, a, actReopen, r, func(m *move) error {
		if err := m.reasoned(); err != nil {
			return err
		}
		if !m.manages() {
			return api.Errorf(api.NotAllowed, "", "obligation %q is reopened by a supervisor or a president of its branch; %s is none", m.o.Key, m.person)
		}
		m.kind = obligation.ChangeReopened
		return m.o.Reopen(m.person.Staff, m.today, m.now, r.Reason)
	})
}

// Reassign gives a duty to another person; with From, every open duty of one.
func (s *Scheduler) Reassign(ctx context.Context, a Actor, r api.ActRequest) (*api.ActReply, error) {
	if r.From != "" {
		return s.reassignAll(ctx, a, r)
	}
	return s.act(ctx, a, actReassign, r, func(m *move) error {
		if err := m.receiver(r.To); err != nil {
			return err
		}
		if !m.manages() {
			return api.Errorf(api.NotAllowed, "", "obligation %q is given on by a supervisor or a president of its branch; %s is none", m.o.Key, m.person)
		}
		m.kind = obligation.ChangeReassigned
		m.told["from"], m.told["to"] = m.o.Owner, r.To
		return m.o.Reassign(r.To)
	})
}

// receiver refuses to give work to nobody.
func (m *move) receiver(id string) error {
	if id == "" {
		return api.Errorf(api.Usage, "add --to STAFF", "to whom?")
	}
	_, err := worker(m.tx, m.view, id)
	return err
}

// manages says that the obligation is of a branch that he himself manages.
func (m *move) manages() bool {
	return m.view.home(m.o.Branch) && slices.ContainsFunc(m.person.Roles, func(r string) bool { return slices.Contains(managers, r) })
}

func (m *move) reasoned() error {
	if strings.TrimSpace(m.r.Reason) == "" {
		return api.Errorf(api.Usage, "add --reason TEXT", "this wants a reason (须说明理由)")
	}
	return nil
}

// act makes a move: finds the obligation in the person's sight, lets do change
// it, and keeps it with its audit record and its message in one transaction.
// Of many people who move one obligation at once one does; the others are told
// where it is by then.
func (s *Scheduler) act(ctx context.Context, a Actor, what act, r api.ActRequest, do func(*move) error) (*api.ActReply, error) {
	if err := s.admits(ctx, a, what, r.ID); err != nil {
		return nil, err
	}
	files, err := s.keepFiles(r.Files)
	if err != nil {
		return nil, err
	}
	now := s.moment()
	subject := r.ID
	var reply *api.ActReply
	err = s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.begin(tx, a, r.On, r.Force, now)
		if err != nil {
			return err
		}
		if err := c.person.may(what); err != nil {
			return err
		}
		c.cause, c.late = string(what), "操作时触发日已过"
		if err := c.planMarked(); err != nil { // what begin found to do, before the move
			return err
		}
		o, err := s.find(tx, c.view, r.ID)
		if err != nil {
			return err
		}
		subject = o.Key.String() // a refusal is told with its history
		m := &move{change: c, r: r, o: o, files: files, told: map[string]any{}, reply: &api.ActReply{Files: files}}
		was := o.State
		if err := do(m); err != nil {
			return stateError(err)
		}
		if err := m.keep(was); err != nil {
			return err
		}
		reply = m.reply
		v, err := s.view(tx, c.today, o)
		if err != nil {
			return err
		}
		reply.Obligation = &v
		for k, x := range map[string]string{"reason": r.Reason, "note": r.Note} {
			if x != "" {
				m.told[k] = x
			}
		}
		if len(files) > 0 {
			m.told["files"] = files
		}
		m.told["from_state"], m.told["to_state"] = was, o.State
		return c.end("obligation."+string(m.kind)+".by_person", o.Key.String(), m.told)
	})
	if err != nil {
		return nil, s.refused(ctx, a, what, subject, refine(err))
	}
	return reply, nil
}

// keep writes the obligation back into its plan.
func (m *move) keep(was obligation.State) error {
	u, err := m.tx.UnitOf(m.o.Subject)
	if err != nil {
		return err
	}
	plan, err := m.tx.Plan(u)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(plan.Obligations, func(x obligation.Obligation) bool { return x.Key == m.o.Key })
	plan.Obligations[i] = *m.o
	if err := m.keepPlan(plan, []obligation.Change{{Kind: m.kind, Key: m.o.Key, At: i, To: m.o.Due, Cause: m.o.Cause, Visible: true}}); err != nil {
		return err
	}
	if len(m.files) > 0 {
		if err := m.addEvidence(m.o.Key.String(), m.files); err != nil {
			return err
		}
	}
	return nil
}

// stateError gives an obligation's refusal of a move its code.
func stateError(err error) error {
	var e *api.Error
	switch {
	case errors.As(err, &e):
		return err
	case errors.Is(err, obligation.ErrSamePerson):
		return api.Errorf(api.NotAllowed, "", "%v", err)
	}
	return api.Errorf(api.Usage, "\"tickler show ID\" tells what became of it", "%v", err)
}

// reassignAll gives every open obligation of one person to another, as when an
// officer leaves.
func (s *Scheduler) reassignAll(ctx context.Context, a Actor, r api.ActRequest) (*api.ActReply, error) {
	now := s.moment()
	reply := &api.ActReply{}
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		reply = &api.ActReply{}
		c, err := s.begin(tx, a, r.On, r.Force, now)
		if err != nil {
			return err
		}
		if err := c.person.may(actReassign); err != nil {
			return err
		}
		c.cause, c.late = "改派", "操作时触发日已过"
		if err := c.planMarked(); err != nil {
			return err
		}
		m := &move{change: c, r: r}
		if err := m.receiver(r.To); err != nil {
			return err
		}
		if r.From == r.To {
			return api.Errorf(api.Usage, "", "from %s to himself", r.From)
		}
		var units []loan.Ref
		if err := tx.Due("", 1, calendar.MustDate(9999, 12, 31), func(u loan.Ref) error { units = append(units, u); return nil }); err != nil {
			return err
		}
		slices.SortFunc(units, func(x, y loan.Ref) int { return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.ID, y.ID)) })
		for _, u := range slices.Compact(units) {
			plan, err := tx.Plan(u)
			if err != nil {
				return err
			}
			var changes []obligation.Change
			for i := range plan.Obligations {
				o := &plan.Obligations[i]
				if m.o = o; o.Owner != r.From || o.State.Ended() || !m.manages() {
					continue
				}
				if err := o.Reassign(r.To); err != nil {
					return err
				}
				changes = append(changes, obligation.Change{Kind: obligation.ChangeReassigned, Key: o.Key, At: i, To: o.Due, Visible: !o.RaisedOn.IsZero()})
			}
			if changes == nil {
				continue
			}
			if err := c.keepPlan(plan, changes); err != nil {
				return err
			}
			reply.Moved += len(changes)
		}
		if reply.Moved == 0 {
			return api.Errorf(api.NotFound, "\"tickler upcoming --owner "+r.From+"\" lists them", "%q has no open obligation", r.From)
		}
		return c.end("obligations.reassigned", "officer/"+r.From, map[string]any{"from": r.From, "to": r.To, "count": reply.Moved, "reason": r.Reason})
	})
	if err != nil {
		return nil, s.refused(ctx, a, actReassign, "officer/"+r.From, refine(err))
	}
	return reply, nil
}
