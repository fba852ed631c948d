package rules

import (
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// eventRules makes one duty for each event that a rule waits for. A settled
// loan has events too, so nothing is asked of its balance.
func (d *deriver) eventRules(u loan.Ref) {
	for _, r := range d.book.Rules {
		if len(r.On) == 0 || !d.book.Active(r) {
			continue
		}
		for _, e := range d.facts.Events {
			if !slices.Contains(r.On, e.Kind) || r.For != "" && r.For != e.Subject.Kind || e.Happened > d.today {
				continue
			}
			if d.only != nil && !d.only(r, e.Subject) {
				continue
			}
			o := occurrence{rule: r, subject: e.Subject, name: e.ID, anchor: e.Happened, asOf: min(e.Happened, d.today)}
			d.guard(e.Subject, func() error {
				d.locate(&o, u)
				d.env.Event = eventEnv{ID: e.ID, Kind: e.Kind, Date: Day{e.Happened}, X: e.Fields}
				if a := r.Due.Anchor; a != "event.date" && a != "date" {
					day, err := calendar.ParseDate(e.Fields[a[len("event."):]])
					if err != nil {
						return d.dismiss(o, obligation.NoAnchor, a)
					}
					o.anchor = day
				}
				return d.decide(o)
			})
		}
	}
}

// locate says whose an event's duty is.
func (d *deriver) locate(o *occurrence, u loan.Ref) {
	d.filled.loan = nil
	d.env.Loan, d.env.Borrower = loanEnv{}, borrowerEnv{} // of the occurrence before
	switch o.subject.Kind {
	case loan.KindLoan:
		for _, f := range d.facts.Loans {
			if f.ID == o.subject.ID {
				l := f.History.At(d.today)
				o.loan, o.file = l, f
				o.borrower, o.branch, o.officer = l.Borrower, l.Branch, l.Officer
				d.fillLoan(f, f.History.At(o.asOf), o.asOf, 0)
			}
		}
	case loan.KindCollateral:
		if c := d.facts.Collaterals[o.subject.ID]; c != nil {
			for _, f := range d.facts.Loans {
				if slices.Contains(c.Loans, f.ID) {
					l := f.History.At(d.today)
					o.borrower, o.branch, o.officer = l.Borrower, l.Branch, l.Officer
				}
			}
		}
	default:
		d.fillGroup(o, 0)
	}
	if u.Kind == loan.KindBorrower && o.borrower == "" {
		o.borrower = u.ID
	}
}
