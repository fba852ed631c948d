package rules

import (
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// eventRules makes one duty for each event that a rule waits for. A settled
// loan has events too, so nothing is asked of its balance.
func (d *deriver) eventRules(u loan.Ref) {
	if len(d.facts.Events) == 0 {
		return
	}
	for _, r := range d.book.Rules {
		if len(r.On) == 0 || !d.book.Active(r) {
			continue
		}
		taken := map[string]bool{} // kind and day of the occurrences of a borrower's loans
		for i := range d.facts.Events {
			e := &d.facts.Events[i]
			if !slices.Contains(r.On, e.Kind) || e.Happened > d.today || e.Withdrawn != nil || e.Repeats(d.facts.Events) {
				continue
			}
			o := occurrence{subject: e.Subject, name: e.Happening(), anchor: e.Happened, asOf: e.Happened}
			mapped := r.For != "" && r.For != e.Subject.Kind
			if mapped {
				// What befell several of his loans on one day befell him once.
				if r.For != loan.KindBorrower || u.Kind != loan.KindBorrower || taken[e.Kind+e.Happened.String()] {
					continue
				}
				o.subject = u
			}
			if d.only != nil && !d.only(r, o.subject) {
				continue
			}
			before := len(d.duties) + len(d.outside)
			d.guard(o.subject, r.ID, func() error {
				d.locate(&o, u)
				if !d.place(&o, r, o.branch) {
					return nil
				}
				return d.happened(o, e)
			})
			if mapped && len(d.duties)+len(d.outside) > before {
				taken[e.Kind+e.Happened.String()] = true
			}
		}
	}
}

// happened handles one event for one rule.
func (d *deriver) happened(o occurrence, e *loan.Event) error {
	d.env.Event = eventEnv{ID: e.ID, Kind: e.Kind, Date: Day{e.Happened}, X: e.Fields}
	if n := o.rule.InARow[e.Kind]; n > 0 {
		months, first := d.inARow(e)
		if !first || months != n {
			return d.dismiss(&o, obligation.WhenFalse, "连续发生的月数不是 "+itoa(n)+"，或当月已有一次")
		}
		o.note = join(o.note, "连续第 "+itoa(n)+" 个月")
	}
	for i := range o.rule.Dues {
		o.due = &o.rule.Dues[i]
		if day := eventDay(o.due.Anchor, e); !day.IsZero() {
			o.anchor = day
			return d.decide(&o)
		}
	}
	return d.dismiss(&o, obligation.NoAnchor, o.rule.Due.Anchor)
}

// eventDay gives the day of an event that a limit counts from; zero where the
// event does not carry it.
func eventDay(anchor string, e *loan.Event) calendar.Date {
	if anchor == "event.date" {
		return e.Happened
	}
	name, ok := strings.CutPrefix(anchor, "event.")
	if !ok {
		return 0
	}
	day, err := calendar.ParseDate(e.Fields[name])
	if err != nil {
		return 0
	}
	return day
}

// inARow gives how many calendar months in a row, up to the event's own, saw
// an event of its kind and subject, and whether it is the first of its month.
func (d *deriver) inARow(e *loan.Event) (months int, first bool) {
	in := map[int]bool{}
	own := monthOf(e)
	first = true
	for i := range d.facts.Events {
		x := &d.facts.Events[i]
		if x.Kind != e.Kind || x.Subject != e.Subject || x.Withdrawn != nil || x.Happened > d.today {
			continue
		}
		m := monthOf(x)
		in[m] = true
		if m == own && (x.Happened < e.Happened || x.Happened == e.Happened && x.ID < e.ID) {
			first = false
		}
	}
	for in[own-months] {
		months++
	}
	return months, first
}

// monthOf counts months since the year 0: of the period that the event speaks
// of, or else of the day it happened.
func monthOf(e *loan.Event) int {
	day := e.Happened
	if len(e.Period) == len("2026-11") {
		if d, err := calendar.ParseDate(e.Period + "-01"); err == nil {
			day = d
		}
	}
	year, month, _ := day.Civil()
	return year*12 + int(month)
}

// locate says whose an event's duty is.
func (d *deriver) locate(o *occurrence, u loan.Ref) {
	d.forget()
	d.env.Loan, d.env.Borrower, d.env.Branch = loanEnv{}, borrowerEnv{}, branchEnv{} // of the occurrence before
	of := func(f *loan.LoanFile) *loan.Loan {
		l := f.History.At(d.today)
		o.borrower, o.branch, o.officer = l.Borrower, l.Branch, l.Officer
		return l
	}
	switch o.subject.Kind {
	case loan.KindLoan:
		for _, f := range d.facts.Loans {
			if f.ID == o.subject.ID {
				o.loan, o.file = of(f), f
				l := f.History.At(o.asOf)
				d.fillLoanAlone(f, l, o.asOf)
				d.fillBorrower(l.Borrower, o.asOf, 0)
			}
		}
	case loan.KindCollateral:
		if c := d.facts.Collaterals[o.subject.ID]; c != nil {
			for _, f := range d.facts.Loans {
				if slices.Contains(c.Loans, f.ID) {
					of(f)
				}
			}
		}
	case loan.KindGuarantor:
		for _, f := range d.facts.Loans {
			if slices.ContainsFunc(f.Parties(d.today), func(g loan.Guarantor) bool { return g.ID == o.subject.ID }) {
				of(f)
			}
		}
	default:
		o.rule = &Rule{}
		d.fillGroup(o, 0)
	}
	if u.Kind == loan.KindBorrower && o.borrower == "" {
		o.borrower = u.ID
	}
	if u.Kind == loan.KindBorrower && d.env.Borrower.ID == "" {
		d.fillBorrower(u.ID, o.asOf, 0)
		if o.branch == "" {
			o.branch, o.officer = d.env.Borrower.Branch, d.env.Borrower.Officer
		}
	}
}
