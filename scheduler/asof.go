package scheduler

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// past is the plan as it was known at the end of a day: duties derived again
// from the facts, the rulebook and the calendar of that day, and over them what
// the audit had of each by then. What became known later is not in it.
type past struct {
	s    *Scheduler
	day  calendar.Date
	meta store.Meta
	book *rules.Book
	cal  *calendar.Calendar
	said map[string]*saidOf // obligation -> its last records by then
	dir  directory
}

// saidOf is what the audit had of one obligation by the day.
type saidOf struct {
	state obligation.State
	due   calendar.Date
	on    calendar.Date // the day of the act
	sub   calendar.Date // the day it was submitted; zero while it is open
	cause string
}

// stateAfter is where a change left an obligation; "" leaves it where it was.
var stateAfter = map[obligation.ChangeKind]obligation.State{
	obligation.ChangeRaised: obligation.Raised, obligation.ChangeRevived: obligation.Raised, obligation.ChangeReopened: obligation.Raised, obligation.ChangeReturned: obligation.Raised,
	obligation.ChangeSubmitted: obligation.Submitted, obligation.ChangeSigned: obligation.Submitted, obligation.ChangeDone: obligation.Done,
	obligation.ChangeWaived: obligation.Waived, obligation.ChangeCancelled: obligation.Cancelled, obligation.ChangeLapsed: obligation.Lapsed,
}

// pastOf reads what was in force on a day, and what the audit had by then; of
// one obligation only, where its id is given.
func (s *Scheduler) pastOf(view viewer, day calendar.Date, only string) (*past, error) {
	p := &past{s: s, day: day, said: map[string]*saidOf{}}
	var last uint64
	err := view(func(tx *store.Tx) (err error) {
		if last, _, err = tx.AuditHead(); err != nil {
			return err
		}
		if err := p.underThen(tx); err != nil || only == "" {
			return err
		}
		_, err = tx.AuditOf([]store.AuditName{store.AuditSubject(only)}, 0, math.MaxInt, func(r store.Record) error {
			if r.Subject != only {
				return nil
			}
			return p.say(&r)
		})
		return err
	})
	for from := uint64(1); err == nil && only == "" && from <= last; from += pastPage {
		err = view(func(tx *store.Tx) error {
			return tx.ScanAudit(from, from+pastPage-1, func(r store.Record) error { return p.say(&r) })
		})
	}
	return p, err
}

// pastPage is how many audit records are read in one View.
const pastPage = 1_000

// underThen reads what was in force on the day.
func (p *past) underThen(tx *store.Tx) (err error) {
	s, day := p.s, p.day
	if p.meta, err = tx.Meta(); err != nil {
		return err
	}
	if day > p.meta.BusinessDate {
		return api.Errorf(api.Usage, "--on asks of a day to come", "--at %s is after the store's business date %s", day, p.meta.BusinessDate)
	}
	digest := map[string]string{}
	err = tx.Activations(func(a store.Activation) error {
		if a.Business <= day {
			digest[a.Kind] = a.Digest
		}
		return nil
	})
	if err != nil {
		return err
	}
	if digest["rulebook"] == "" {
		return api.Errorf(api.NotFound, "", "nothing was in force yet on %s", day)
	}
	if p.book, err = s.bookIn(tx, digest["rulebook"]); err != nil {
		return err
	}
	if p.cal, err = s.calendarIn(tx, digest["calendar"]); err != nil {
		return err
	}
	p.dir.reach = p.book.Reach()
	return nil
}

// say takes what a record had of an obligation by the day.
func (p *past) say(r *store.Record) error {
	kind, ok := cutChange(r.Action)
	if r.Business > p.day || !ok {
		return nil
	}
	var d changeDetail
	if err := json.Unmarshal(r.Detail, &d); err != nil {
		return err
	}
	x := p.said[r.Subject]
	if x == nil {
		x = &saidOf{state: obligation.Planned} // given to another before it was raised
		p.said[r.Subject] = x
	}
	x.state = cmp.Or(stateAfter[kind], x.state)
	x.due, x.on, x.cause = cmp.Or(d.Due, x.due), d.On, d.Why
	switch x.state {
	case obligation.Submitted, obligation.Done:
		x.sub = cmp.Or(x.sub, d.On)
	default:
		x.sub = 0
	}
	return nil
}

// cutChange gives the kind of change that an audit action tells of.
func cutChange(action string) (obligation.ChangeKind, bool) {
	const prefix = "obligation."
	if len(action) <= len(prefix) || action[:len(prefix)] != prefix {
		return "", false
	}
	kind := obligation.ChangeKind(action[len(prefix):])
	return kind, slices.Contains(obligation.ChangeKinds, kind)
}

// plan gives a unit's obligations as they were known.
func (p *past) plan(tx *store.Tx, now *store.Plan) ([]obligation.Obligation, error) {
	facts, err := gather(tx, now.Unit, p.day, &p.dir)
	if err != nil {
		return nil, err
	}
	p.forget(facts)
	derived := map[obligation.Key]*obligation.Duty{}
	var order []obligation.Key
	if len(facts.Loans) > 0 || now.Unit.Kind != loan.KindBorrower {
		w := windowFrom(&p.meta, windowEnd(p.day))
		d := rules.Derive(p.book, p.cal, facts, now.Unit, w)
		for i := range d.Duties {
			derived[d.Duties[i].Key] = &d.Duties[i]
			order = append(order, d.Duties[i].Key)
		}
	}
	var out []obligation.Obligation
	for i := range now.Obligations {
		o := now.Obligations[i]
		said := p.said[o.Key.String()]
		if said == nil {
			continue
		}
		if d := derived[o.Key]; d != nil {
			closed := o.Closed
			o.Duty = *d
			o.Closed = closed
		}
		delete(derived, o.Key)
		o.State, o.Cause, o.Due = said.state, said.cause, cmp.Or(said.due, o.Due)
		if o.WasDue > 0 && said.due != now.Obligations[i].Due {
			o.WasDue = 0
		}
		o.Rulebook, o.Calendar = p.book.Digest(), p.cal.Version()
		if o.State != obligation.Done && o.State != obligation.Waived {
			o.DoneOn = 0
		}
		switch o.State {
		case obligation.Submitted:
			o.Submitted = said.sub
			o.Signatures = slices.DeleteFunc(slices.Clone(o.Signatures), func(s obligation.Signature) bool { return s.On > p.day })
		case obligation.Done:
			o.Submitted, o.DoneOn = said.sub, said.on
		default:
			o.Submitted, o.SubmittedBy, o.Signatures, o.ClosedBy = 0, "", nil, ""
		}
		out = append(out, o)
	}
	for _, key := range order {
		if d := derived[key]; d != nil {
			out = append(out, obligation.Obligation{Duty: *d, State: obligation.Planned, Rulebook: p.book.Digest(), Calendar: p.cal.Version()})
		}
	}
	return out, nil
}

// forget takes out of the facts what was learnt after the day.
func (p *past) forget(f *loan.Facts) {
	var known []*loan.LoanFile
	for _, l := range f.Loans {
		old := *l
		old.History = nil
		for _, v := range l.History {
			if v.Known <= p.day {
				old.History = append(old.History, v)
			}
		}
		if old.History == nil {
			continue
		}
		if old.Confirmed > p.day {
			old.Confirmed = old.History[len(old.History)-1].From
		}
		known = append(known, &old)
	}
	f.Loans = known
	late := func(e loan.Event) bool { return e.Known > p.day }
	f.Events, f.Related = slices.DeleteFunc(f.Events, late), slices.DeleteFunc(f.Related, late)
}

// asOf gives one obligation as it was known at the end of a day.
func (s *Scheduler) asOf(tx *store.Tx, o *obligation.Obligation, day calendar.Date) (*obligation.Obligation, error) {
	p, err := s.pastOf(within(tx), day, o.Key.String())
	if err != nil {
		return nil, err
	}
	u, err := tx.UnitOf(o.Subject)
	if err != nil {
		return nil, err
	}
	obs, err := p.plan(tx, &store.Plan{Unit: u, Obligations: []obligation.Obligation{*o}})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(obs, func(x obligation.Obligation) bool { return x.Key == o.Key })
	if i < 0 {
		return nil, api.Errorf(api.NotFound, "", "obligation %q was not known on %s", o.Key, day)
	}
	return &obs[i], nil
}
