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
	case r.Every == "interest_date", r.Every == "fee_date":
		return d.scheduled(o)
	case len(r.Since) > 0:
		o.asOf, o.loan, o.paidOut = d.today, now, now.Disbursed
		d.fillLoan(d.plan(o.rule), f, now, o.asOf, 0)
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
		return d.dismiss(&o, obligation.NoAnchor, o.rule.Due.Anchor)
	}
	o.name = d.day(o.anchor)
	if !l.Open() || l.Disbursed > o.anchor {
		if d.trace == nil {
			return nil
		}
		return d.dismiss(&o, obligation.NotSeen, notSeen(l, o.anchor))
	}
	d.fillLoan(d.plan(o.rule), o.file, l, o.asOf, 0)
	return d.decide(&o)
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
	for i := range plan.terms {
		if err := d.loanPeriod(o, plan, &plan.terms[i]); err != nil {
			return err
		}
	}
	return nil
}

// loanPeriod handles one period of a rule.
func (d *deriver) loanPeriod(o occurrence, plan *rulePlan, t *term) error {
	p, end := t.period, t.period.End
	o.name, o.term, o.period = t.name, t, &t.period
	// The period's last day decides; today's facts stand for one to come.
	o.asOf = min(end, d.today)
	l := o.file.History.At(o.asOf)
	if w := o.rule.Within; w != nil {
		first, last, err := d.within(plan, w, l)
		if err != nil {
			return err
		}
		if first.IsZero() || last.IsZero() || end < first || p.Start > last {
			return nil // most periods: not worth a verdict
		}
		if last < end {
			cut := p
			cut.End = last
			p, o.term, o.period = cut, nil, &cut
		}
	}
	o.loan, o.paidOut, o.anchor = l, l.Disbursed, p.End
	if o.rule.Due.Anchor == "period.start" {
		o.anchor = p.Start
	}
	now := o.file.History.At(d.today)
	if (!now.Open() || !d.seenInPeriod(l, p.End, o.asOf)) && !(d.whole && maturesIn(l, p)) {
		if d.trace != nil {
			_ = d.dismiss(&o, obligation.NotSeen, d.unseen(o.file, l, p.End, o.asOf))
		}
		return nil
	}
	d.fillLoan(plan, o.file, l, o.asOf, p.End)
	d.fillPeriod(plan, o.period, o.name)
	return d.decide(&o)
}

// maturesIn says that a loan is still to run when the period begins, and that
// only its maturity before the end keeps the period from seeing it.
func maturesIn(l *loan.Loan, p calendar.Period) bool {
	return l.Open() && l.Disbursed <= p.End && p.Start <= l.Maturity && l.Maturity < p.End
}

// within gives the stretch that a rule is bound to, of a loan: worked out once
// for all of its periods.
func (d *deriver) within(p *rulePlan, w *span, l *loan.Loan) (first, last calendar.Date, err error) {
	s := &p.stretch
	if s.round == d.round && s.loan == l {
		return s.first, s.last, nil
	}
	if first, err = d.edge(w.first, l); err != nil {
		return 0, 0, err
	}
	if last, err = d.edge(w.last, l); err != nil {
		return 0, 0, err
	}
	s.round, s.loan, s.first, s.last = d.round, l, first, last
	return first, last, nil
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
