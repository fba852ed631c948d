package rules

import (
	"tickler/calendar"
	"tickler/loan"
)

// shortLoan works out the rules for a loan the short way.
func (d *deriver) shortLoan(f *loan.LoanFile, now *loan.Loan, ref loan.Ref) error {
	if d.ofLoans == nil {
		d.ofLoans = d.layout(loan.KindLoan)
	}
	l := d.ofLoans
	d.loanEras(l, f)
	base := occurrence{subject: ref, file: f, borrower: now.Borrower, branch: now.Branch, officer: now.Officer}
	of := bearer{ref: ref, loan: ref.ID, borrower: now.Borrower, branch: now.Branch, officer: now.Officer, first: d.first(now.Branch)}
	for i, p := range l.plans {
		if !d.mayHold(i) {
			continue
		}
		var err error
		switch {
		case p.way == longWay, p.way == alwaysLong:
			d.guard(ref, p.rule.ID, func() error { return d.loanRule(base, p.rule, f, now) })
		case !now.Open():
		case p.way == byPeriod:
			err = d.shortPeriods(p, i, f, &of, &base)
		case p.way == bySchedule:
			err = d.shortSchedule(p, i, f, &of, &base)
		case p.way == byDay:
			err = d.shortDay(p, i, f, now, &of, &base)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mayHold says that a rule is not ruled out in every era of the loan.
func (d *deriver) mayHold(i int) bool {
	for k := range d.loans {
		if d.loans[k].rulings[i].holds != never {
			return true
		}
	}
	return false
}

// shortDay handles a rule that counts from one of the loan's own days.
func (d *deriver) shortDay(p *rulePlan, i int, f *loan.LoanFile, now *loan.Loan, of *bearer, base *occurrence) error {
	r := &d.loans[0].rulings[i] // today's
	if r.holds == never {
		return nil
	}
	anchor := d.loanAnchor(p.rule.Due, now)
	if anchor.IsZero() || now.Disbursed > anchor {
		return nil
	}
	x, err := d.dateDay(p, anchor)
	if err != nil || x == nil {
		return err
	}
	if r.holds == unknown {
		d.fillLoanAlone(f, now, d.today)
		if yes, err := d.open(r); err != nil || !yes {
			return err
		}
	}
	if x.due < now.Disbursed { // the payout moves it
		o := *base
		o.rule = p.rule
		return d.dated(o, now)
	}
	d.make(p, of, d.day(anchor), x)
	return nil
}

// shortPeriods handles a rule that runs by periods.
func (d *deriver) shortPeriods(p *rulePlan, i int, f *loan.LoanFile, of *bearer, base *occurrence) error {
	x := d.periodsOf(p.rule.every)
	for k := len(d.loans) - 1; k >= 0; k-- {
		e := &d.loans[k]
		r := &e.rulings[i]
		if r.holds == never || !e.loan.Open() {
			continue
		}
		from, to := e.from, min(e.to, lastDay-1)
		last := lastDay // of what the rule is bound to
		if w := p.rule.Within; w != nil {
			first, end, err := d.within(p, w, e.loan)
			if err != nil {
				return err
			}
			if first.IsZero() || end.IsZero() {
				continue
			}
			from, last = max(from, first), end
		}
		if last == lastDay {
			from, to = max(from, e.loan.Disbursed), min(to, e.seenTo)
		}
		behind := p.to
		if last != lastDay {
			behind = len(p.terms) // one that is cut is due earlier
		}
		for n := p.endingFrom(x, from); n < behind; n++ {
			t := &p.terms[n]
			if t.period.End > to || t.period.Start > last {
				break
			}
			if err := d.shortTerm(p, r, t, last, e, f, of, base); err != nil {
				return err
			}
		}
	}
	return nil
}

// shortTerm handles one period of a rule, which `within` may cut.
func (d *deriver) shortTerm(p *rulePlan, r *ruling, t *term, last calendar.Date, e *loanEra, f *loan.LoanFile, of *bearer, base *occurrence) error {
	x, end := &t.dated, t.period.End
	if last < end {
		x, end = &d.cut, last
	}
	if end > e.seenTo || end < e.loan.Disbursed {
		return nil
	}
	if x == &d.cut {
		if end.AddDays(-p.back) > d.window.To || end.AddDays(p.ahead) < d.from {
			return nil
		}
		cut := t.period
		cut.End = end
		if err := d.dateOnce(x, &occurrence{rule: p.rule, period: &cut, anchor: end}); err != nil {
			return err
		}
	} else if !t.early {
		return nil
	} else if err := d.dateTerm(p, t); err != nil {
		return err
	}
	if x.due < e.loan.Disbursed { // the payout moves it
		o := *base
		o.rule = p.rule
		return d.loanPeriod(o, p, t)
	}
	if r.holds == unknown {
		d.fillLoanAlone(f, e.loan, e.asOf)
		d.env.Period = t.env
		d.env.Period.End = Day{end}
		if yes, err := d.open(r); err != nil || !yes {
			return err
		}
	}
	d.make(p, of, t.name, x)
	return nil
}

// shortSchedule handles a rule that goes by the loan's own schedule.
func (d *deriver) shortSchedule(p *rulePlan, i int, f *loan.LoanFile, of *bearer, base *occurrence) error {
	for k := len(d.loans) - 1; k >= 0; k-- {
		e := &d.loans[k]
		r := &e.rulings[i]
		if r.holds == never || !e.loan.Open() {
			continue
		}
		days := e.loan.FeeDates
		if p.rule.Every == "interest_date" {
			days = d.interestDays(e)
		}
		from, to := max(e.from, e.loan.Disbursed), min(e.to, e.seenTo)
		for _, day := range days {
			if day < from || day > to {
				continue
			}
			if err := d.shortDate(p, r, day, e, f, of, base); err != nil {
				return err
			}
		}
	}
	return nil
}

// shortDate handles one date of a schedule.
func (d *deriver) shortDate(p *rulePlan, r *ruling, day calendar.Date, e *loanEra, f *loan.LoanFile, of *bearer, base *occurrence) error {
	x, err := d.dateDay(p, day)
	if err != nil || x == nil {
		return err
	}
	if r.holds == unknown || x.due < e.loan.Disbursed { // or the payout moves it
		o := *base
		o.rule, o.loan = p.rule, e.loan
		return d.scheduledDay(o, p, day)
	}
	d.make(p, of, d.day(day), x)
	return nil
}

// interestDays lays out the interest dates of an era.
func (d *deriver) interestDays(e *loanEra) []calendar.Date {
	if !e.laid {
		e.laid, e.days = true, d.interestDates(e.loan)
	}
	return e.days
}
