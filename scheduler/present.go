package scheduler

import (
	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// presenter gives obligations the form that scripts see, as of a day. It keeps
// what the rows of a list have in common.
type presenter struct {
	s     *Scheduler
	cal   *calendar.Calendar
	today calendar.Date

	named map[string]*api.Named // borrower -> he
	book  *rules.Book           // of the row before; nil at first
	about loan.Ref              // its subject, and
	sum   [2]byte               // how the subject's short names begin
}

func (s *Scheduler) presenter(cal *calendar.Calendar, today calendar.Date) *presenter {
	return &presenter{s: s, cal: cal, today: today, named: map[string]*api.Named{}}
}

// fill makes v, which is empty, of an obligation.
func (p *presenter) fill(tx *store.Tx, o *obligation.Obligation, v *api.Obligation) (err error) {
	v.ID = o.Key.String()
	if o.Subject != p.about || p.sum == [2]byte{} {
		p.about, p.sum = o.Subject, obligation.ShortSum(o.Subject)
	}
	v.Short = obligation.ShortFrom(p.sum, v.ID)
	v.Rule, v.Subject, v.Loan, v.Branch, v.Owner, v.Role = o.Rule, o.Subject, o.Loan, o.Branch, o.Owner, o.Role
	v.Occurrence, v.Anchor, v.Raise, v.Due, v.Provisional = o.Occurrence, o.Anchor, o.Raise, o.Due, o.Provisional
	v.State, v.Overdue, v.SubmittedOn, v.SubmittedBy = o.State, o.Overdue(p.today), o.Submitted, o.SubmittedBy
	v.Signatures, v.Signs, v.Level, v.Waiver, v.DoneOn = append([]api.Signature{}, o.Signatures...), o.Sign, o.Level(), o.Waiver, o.DoneOn
	v.Rulebook, v.Calendar, v.PeriodEnd, v.WasDue = o.Rulebook, o.Calendar, o.PeriodEnd, o.WasDue
	v.Late, v.Cause, v.ClosedBy, v.Stated = o.Late, o.Cause, o.ClosedBy, true
	if !o.Party.IsZero() {
		v.Party = &obligation.Party{Kind: o.Party.Kind, ID: o.Party.ID, Name: o.PartyName}
	}
	if !o.RaisedAt.IsZero() {
		at := o.RaisedAt
		v.RaisedAt = &at
	}
	if o.Progress.Need > 0 {
		progress := o.Progress
		v.Progress = &progress
	}
	if p.book == nil || p.book.Digest() != o.Rulebook {
		if p.book, err = p.s.bookIn(tx, o.Rulebook); err != nil {
			return err
		}
	}
	if r := p.book.Rule(o.Rule); r != nil {
		v.Name, v.Clause, v.Set, v.Stated, v.Notice = r.Name, r.Clause, p.book.SetOf(r), r.Stated, r.Notice
	}
	if v.Borrower, err = p.borrower(tx, o.Borrower); err != nil {
		return err
	}
	by := p.today
	if !o.Submitted.IsZero() {
		by = o.Submitted
	}
	if n, err := p.cal.Between(o.Due, by); err == nil {
		if n < 0 && !o.State.Ended() {
			v.WorkdaysLeft = -n
		} else if n > 0 && by > max(o.Due, o.PeriodEnd) && (!o.State.Ended() || o.State == obligation.Done || o.State == obligation.Lapsed) {
			v.LateWorkdays = n
		}
	}
	return nil
}

// borrower gives a borrower with his name; nil for none. Rows share what it
// gives.
func (p *presenter) borrower(tx *store.Tx, id string) (*api.Named, error) {
	if id == "" {
		return nil, nil
	}
	if b := p.named[id]; b != nil {
		return b, nil
	}
	name, err := tx.BorrowerName(id, p.today)
	if err != nil {
		return nil, err
	}
	b := &api.Named{ID: id, Name: name}
	p.named[id] = b
	return b, nil
}

// present gives one obligation the form that scripts see.
func (s *Scheduler) present(tx *store.Tx, cal *calendar.Calendar, today calendar.Date, o *obligation.Obligation, names map[string]string) (v api.Obligation, err error) {
	p := s.presenter(cal, today)
	if name, known := names[o.Borrower]; known {
		p.named[o.Borrower] = &api.Named{ID: o.Borrower, Name: name}
	}
	if err = p.fill(tx, o, &v); err == nil && v.Borrower != nil {
		names[o.Borrower] = v.Borrower.Name
	}
	return v, err
}

func (s *Scheduler) view(tx *store.Tx, today calendar.Date, o *obligation.Obligation) (api.Obligation, error) {
	_, cal := s.inForce()
	return s.present(tx, cal, today, o, map[string]string{})
}
