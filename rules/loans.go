package rules

import (
	"errors"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

func (d *deriver) loanRules(f *loan.LoanFile, now *loan.Loan, ref loan.Ref) error {
	base := occurrence{subject: ref, file: f, borrower: now.Borrower, branch: now.Branch, officer: now.Officer}
	for _, r := range d.active(loan.KindLoan, ref) {
		d.guard(ref, r.ID, func() error { return d.loanRule(base, r, f, now) })
	}
	return nil
}

func (d *deriver) loanRule(o occurrence, r *Rule, f *loan.LoanFile, now *loan.Loan) error {
	if !d.place(&o, r, now.Branch) {
		return nil
	}
	switch {
	case r.Period():
		return d.loanPeriods(o)
	case r.Every == "interest_date":
		return d.scheduled(o, interestDates)
	case r.Every == "fee_date":
		return d.scheduled(o, feeDates)
	case len(r.Since) > 0:
		o.asOf, o.loan, o.paidOut = d.today, now, now.Disbursed
		return d.interval(o, now.Disbursed, now.Open())
	}
	return d.dated(o, now)
}

// dated handles a rule that counts from one of the loan's own days, asked of
// the facts known today.
func (d *deriver) dated(o occurrence, l *loan.Loan) error {
	o.asOf, o.loan, o.paidOut = d.today, l, l.Disbursed
	for i := range o.rule.Dues {
		o.due = &o.rule.Dues[i]
		if o.anchor = d.loanAnchor(*o.due, l); !o.anchor.IsZero() {
			break
		}
	}
	if o.anchor.IsZero() {
		return d.dismiss(o, obligation.NoAnchor, o.rule.Due.Anchor)
	}
	o.name = d.day(o.anchor)
	if !l.Open() || l.Disbursed > o.anchor {
		if d.trace == nil {
			return nil
		}
		return d.dismiss(o, obligation.NotSeen, notSeen(l, o.anchor))
	}
	d.fillLoan(d.plan(o.rule), o.file, l, o.asOf, 0)
	return d.decide(o)
}

func (d *deriver) loanAnchor(e DateExpr, l *loan.Loan) calendar.Date {
	switch e.Anchor {
	case "loan.disbursed":
		return l.Disbursed
	case "loan.maturity":
		return l.Maturity
	case "loan.maturity_landed":
		return d.landed(l.Maturity)
	case "loan.original_maturity":
		return l.OriginalMaturity
	case "date":
		return e.Date
	}
	return 0
}

func (d *deriver) loanPeriods(o occurrence) error {
	plan := d.plan(o.rule)
	now := o.file.History.At(d.today)
	for i := range plan.terms {
		o := o
		s := &plan.terms[i]
		p := s.period
		o.name, o.plan, o.term = s.name, plan, s
		// The period's last day decides; today's facts stand for one to come.
		o.asOf = min(p.End, d.today)
		l := o.file.History.At(o.asOf)
		if w := o.rule.Within; w != nil {
			first, err := d.edge(w.first, l)
			if err != nil {
				return err
			}
			last, err := d.edge(w.last, l)
			if err != nil {
				return err
			}
			if first.IsZero() || last.IsZero() || p.End < first || p.Start > last {
				continue // most periods: not worth a verdict
			}
			p.End, o.term = min(p.End, last), nil
		}
		o.loan, o.paidOut, o.period, o.anchor = l, l.Disbursed, &s.period, p.End
		if p != s.period {
			cut := p
			o.period = &cut
		}
		if o.rule.Due.Anchor == "period.start" {
			o.anchor = p.Start
		}
		if (!now.Open() || !d.seenInPeriod(l, p.End, o.asOf)) && !(d.whole && maturesIn(l, p)) {
			if d.trace != nil {
				_ = d.dismiss(o, obligation.NotSeen, d.unseen(o.file, l, p.End, o.asOf))
			}
			continue
		}
		d.fillLoan(plan, o.file, l, o.asOf, p.End)
		d.fillPeriod(o.period, o.name)
		if err := d.decide(o); err != nil {
			return err
		}
	}
	return nil
}

// maturesIn says that a loan is still to run when the period begins, and that
// only its maturity before the end keeps the period from seeing it.
func maturesIn(l *loan.Loan, p calendar.Period) bool {
	return l.Open() && l.Disbursed <= p.End && p.Start <= l.Maturity && l.Maturity < p.End
}

// edge is an end of a rule's `within`; it never lands.
func (d *deriver) edge(e DateExpr, l *loan.Loan) (calendar.Date, error) {
	a := d.loanAnchor(e, l)
	if a.IsZero() || e.On {
		return a, nil
	}
	r, err := d.cal.Shift(a, e.Limit)
	if errors.Is(err, calendar.ErrBeyond) {
		return 0, nil
	}
	return r.Date, err
}
