package scheduler

import (
	"errors"
	"slices"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// newEvent is an event that a change brings.
type newEvent struct {
	loan.Event                   // Closes grows with what it closes, unit by unit
	home       loan.Ref          // the unit it is kept with
	asked      []string          // obligations that its recorder named: it closes no others
	closed     map[loan.Ref]bool // units in which it closed what was there
}

// happens marks the units that an event concerns, and what it may close there.
func (c *change) happens(home loan.Ref, e loan.Event) error {
	x := &newEvent{Event: e, home: home, asked: slices.Clone(e.Closes), closed: map[loan.Ref]bool{}}
	units, err := c.concerned(home, e)
	if err != nil {
		return err
	}
	for _, u := range units {
		c.events[u] = append(c.events[u], x)
		c.plan(u)
	}
	return nil
}

// concerned lists the units in which an event counts or closes: its own first.
func (c *change) concerned(home loan.Ref, e loan.Event) ([]loan.Ref, error) {
	units := []loan.Ref{home}
	reach := c.directory.reach
	add := func(u loan.Ref) {
		if u.ID != "" && !slices.Contains(units, u) {
			units = append(units, u)
		}
	}
	switch e.Subject.Kind {
	case loan.KindBranch:
		if slices.Contains(reach.Below, e.Kind) {
			branches, err := c.directory.allBranches(c.tx)
			if err != nil {
				return nil, err
			}
			if b := branches[e.Subject.ID]; b != nil && b.Parent != "" {
				add(branchUnit(b.Parent))
			}
		}
	case loan.KindGuarantor:
		ids, err := c.tx.GuaranteedBy(e.Subject.ID)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			add(borrowerUnit(id))
		}
		had, err := unitsOf(c.tx, e.Subject) // where he no longer guarantees
		if err != nil {
			return nil, err
		}
		for _, u := range had {
			add(u)
		}
	case loan.KindBorrower, loan.KindLoan:
		toBranch, toOfficer := slices.Contains(reach.Borrower, e.Kind), slices.Contains(reach.Officer, e.Kind)
		warns := rules.Warns(e.Kind)
		if !toBranch && !toOfficer && !warns {
			break
		}
		d, err := c.tx.Dossier(home.ID)
		if err != nil || d == nil {
			return units, err
		}
		for _, f := range d.Loans {
			l := f.History.At(c.today)
			if l == nil || e.Subject.Kind == loan.KindLoan && f.ID != e.Subject.ID {
				continue
			}
			if warns {
				ids, err := c.tx.SecuredBy(f.ID)
				if err != nil {
					return nil, err
				}
				for _, id := range ids {
					add(borrowerUnit(id))
				}
			}
			if toBranch {
				add(branchUnit(l.Branch))
			}
			if toOfficer && l.Officer != "" {
				add(officerUnit(l.Officer))
			}
		}
	}
	return units, nil
}

// match finds what the new events of a unit close and writes it into them.
func (c *change) match(u loan.Ref, plan *store.Plan, facts *loan.Facts) error {
	for _, e := range c.events[u] {
		if e.closed[u] && !e.Snapshot {
			continue // what came about since is another's
		}
		ask := e.Event
		ask.Closes = e.asked
		// One who tells what happened in his branch closes no duty of another one,
		// but what a branch or an officer owes by it.
		open := plan.Obligations
		if u.Kind == loan.KindBorrower && !e.Snapshot && !c.view.all {
			open = slices.DeleteFunc(slices.Clone(open), func(o obligation.Obligation) bool { return !c.view.sees(&o) })
		}
		keys, err := rules.Closings(c.book, open, ask)
		if many := (*rules.Ambiguous)(nil); errors.As(err, &many) && slices.ContainsFunc(many.Fits, func(o obligation.Obligation) bool { return !c.view.sees(&o) }) {
			return api.Errorf(api.Usage, "name the one with --closes, or its period", "%s fits several open obligations of rule %q", e.Kind, many.Rule)
		}
		if err != nil {
			return api.Errorf(api.Usage, "", "%v", err)
		}
		added := false
		for _, k := range keys {
			if id := k.String(); !slices.Contains(e.Closes, id) {
				e.Closes = append(e.Closes, id)
				added = true
			}
			// In one second with the return that it answers, it comes after.
			for i := range plan.Obligations {
				if o := &plan.Obligations[i]; o.Key == k && !o.ReopenedAt.IsZero() && !e.Learned.After(o.ReopenedAt) {
					e.Learned = o.ReopenedAt.Add(1)
				}
			}
		}
		if !added {
			continue
		}
		e.closed[u] = true
		if err := c.tx.PutEvent(e.home, e.Event); err != nil {
			return err
		}
		for j := range facts.Events {
			if facts.Events[j].ID == e.ID {
				facts.Events[j] = e.Event
			}
		}
	}
	return nil
}

// twin finds what tells the same happening as an event: recorded by a person
// and shown by a ledger file. A file shows a change that came about after the
// file before it, up to its own day; what a person recorded of those days is
// that change. It gives the id of the event that told it first, which may have
// been withdrawn since; "" where there is none.
func (c *change) twin(home loan.Ref, e loan.Event, f *loan.LoanFile) (string, error) {
	if e.Subject.Kind != loan.KindLoan || f == nil {
		return "", nil
	}
	known, err := c.tx.EventsOf(home)
	if err != nil {
		return "", err
	}
	known = standing(known)
	for _, x := range known {
		if x.Kind != e.Kind || x.Subject != e.Subject || x.Snapshot == e.Snapshot || x.Repeats(known) {
			continue
		}
		told, shown := e.Happened, x.Happened
		if e.Snapshot {
			told, shown = shown, told
		}
		if told <= shown && told > fileBefore(f, shown) {
			return x.Happening(), nil
		}
	}
	return "", nil
}

// bequeath lets what an event closed be closed by another telling of the same
// happening, since that event is taken back.
func (c *change) bequeath(home loan.Ref, e loan.Event) error {
	known, err := c.tx.EventsOf(home)
	if err != nil {
		return err
	}
	for _, x := range standing(known) {
		if x.ID == e.ID || x.Happening() != e.Happening() {
			continue
		}
		for _, id := range e.Closes {
			if !slices.Contains(x.Closes, id) {
				x.Closes = append(x.Closes, id)
			}
		}
		return c.tx.PutEvent(home, x)
	}
	return nil
}

// occurrence says that a text can be the occurrence of an obligation: a period,
// a day, or an event that is there.
func (c *change) occurrence(s string) (bool, error) {
	if obligation.IsOccurrence(s) {
		return true, nil
	}
	_, _, err := c.tx.Event(s)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// known says that a subject is one of the facts'.
func (c *change) known(subject loan.Ref) (bool, error) {
	some := func(ids []string, err error) (bool, error) { return len(ids) > 0, err }
	switch subject.Kind {
	case loan.KindBorrower:
		d, err := c.tx.Dossier(subject.ID)
		return d != nil, err
	case loan.KindBranch:
		branches, err := c.directory.allBranches(c.tx)
		if err != nil || branches[subject.ID] != nil {
			return err == nil, err
		}
		return some(c.tx.BorrowersOfBranch(subject.ID))
	case loan.KindOfficer:
		staff, err := c.directory.allStaff(c.tx)
		if err != nil || staff[subject.ID] != nil {
			return err == nil, err
		}
		return some(c.tx.BorrowersOfOfficer(subject.ID))
	case loan.KindGroup:
		groups, err := c.directory.allGroups(c.tx)
		return groups[subject.ID] != nil, err
	}
	return true, nil // the unit of a loan, a collateral or a guarantor is looked up
}

// fileBefore is the data date of the loan's last row before a day.
func fileBefore(f *loan.LoanFile, day calendar.Date) calendar.Date {
	var before calendar.Date
	for i := range f.History {
		if from := f.History[i].From; from < day {
			before = from
		}
	}
	return before
}

// loanFileOf gives the file of a loan, nil for another subject.
func loanFileOf(tx *store.Tx, home, subject loan.Ref) (*loan.LoanFile, error) {
	if subject.Kind != loan.KindLoan || home.Kind != loan.KindBorrower {
		return nil, nil
	}
	d, err := tx.Dossier(home.ID)
	if err != nil || d == nil {
		return nil, err
	}
	return fileOf(d, subject.ID), nil
}

// standing leaves out the events that were withdrawn.
func standing(events []loan.Event) []loan.Event {
	return slices.DeleteFunc(events, func(e loan.Event) bool { return e.Withdrawn != nil })
}
