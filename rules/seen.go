package rules

import (
	"tickler/calendar"
	"tickler/loan"
)

// landed gives the maturity, or the working day after it. A maturity outside
// the calendar stands for itself: it is only compared with today.
func (d *deriver) landed(m calendar.Date) calendar.Date {
	if m.IsZero() {
		return 0
	}
	if m < d.calFirst || m > d.calLast {
		return m
	}
	r, err := d.cal.Land(m, calendar.Following)
	if err != nil {
		return m
	}
	return r.Date
}

// unpaid: a balance or interest left, and the landed maturity past.
func (d *deriver) unpaid(l *loan.Loan, asOf calendar.Date) bool {
	return l.Open() && !l.Maturity.IsZero() && asOf > d.landed(l.Maturity)
}

// seenInPeriod: something left, paid out by the period's end, and the period
// ends by the maturity or the loan was unpaid on its last day (today's facts
// stand for a day to come).
func (d *deriver) seenInPeriod(l *loan.Loan, end, asOf calendar.Date) bool {
	if !l.Open() || l.Disbursed > end {
		return false
	}
	return l.Maturity.IsZero() || end <= l.Maturity || d.unpaid(l, asOf)
}

// unseen says why a period ending on end does not see a loan; "" if it does. A
// loan settled since is not seen either: what was coming is cancelled, what
// was missed lapses.
func (d *deriver) unseen(f *loan.LoanFile, l *loan.Loan, end, asOf calendar.Date) string {
	if now := f.History.At(d.today); !now.Open() {
		return notSeen(now, end)
	}
	if !d.seenInPeriod(l, end, asOf) {
		return notSeen(l, end)
	}
	return ""
}

func notSeen(l *loan.Loan, end calendar.Date) string {
	switch {
	case !l.Open():
		return "已结清"
	case l.Disbursed > end:
		return "发放日 " + l.Disbursed.String() + " 晚于 " + end.String()
	}
	return "到期日 " + l.Maturity.String() + " 早于期末，且未逾期"
}

// concerns says that an event of one subject counts for another: a log about a
// loan is a log about its borrower.
func (d *deriver) concerns(of, subject loan.Ref) bool {
	if of == subject {
		return true
	}
	if of.Kind == loan.KindLoan && subject.Kind == loan.KindBorrower {
		for _, f := range d.facts.Loans {
			if f.ID == of.ID {
				l := f.History.At(d.today)
				return l != nil && l.Borrower == subject.ID
			}
		}
	}
	return false
}
