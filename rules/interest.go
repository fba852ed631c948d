package rules

import (
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// schedule is what a loan's own schedule says for all of the window, laid out
// once for all rules that go by it.
type schedule struct {
	round int
	loan  *loan.Loan
	dates []calendar.Date
}

// interestDates gives the interest dates that a rule of any reach may count
// from.
func (d *deriver) interestDates(l *loan.Loan) []calendar.Date {
	s := &d.interest
	if s.round != d.round || s.loan != l {
		if d.widest == 0 {
			for _, r := range d.book.Rules {
				back, ahead := reach(&r.Due)
				d.widest = max(d.widest, back, ahead)
			}
		}
		s.round, s.loan = d.round, l
		s.dates = l.Interest.AppendDates(s.dates[:0], l.Maturity, d.from.AddDays(-d.widest), d.window.To.AddDays(d.widest))
	}
	return s.dates
}

// scheduled handles the loan's own schedule: interest dates, fee dates. A date
// is the schedule's as known on that day, or today for one to come.
func (d *deriver) scheduled(o occurrence) error {
	back, ahead := reach(&o.rule.Due)
	first, last := d.from.AddDays(-ahead), d.window.To.AddDays(back)
	h, now, plan := o.file.History, o.file.History.At(d.today), d.plan(o.rule)
	for i := range h {
		if i > 0 && h[i].From > d.today {
			break
		}
		lo, hi := first, last
		if i > 0 {
			lo = max(lo, h[i].From)
		}
		if i+1 < len(h) && h[i+1].From <= d.today {
			hi = min(hi, h[i+1].From.AddDays(-1))
		}
		l := &h[i].Value
		days := l.FeeDates
		if o.rule.Every == "interest_date" {
			days = d.interestDates(l)
		}
		for _, day := range days {
			if day < lo || day > hi {
				continue
			}
			o.asOf, o.loan, o.paidOut = min(day, d.today), l, l.Disbursed
			o.name, o.anchor, o.plan = d.day(day), day, plan
			if o.rule.Due.Anchor == "interest.date_landed" || o.rule.Due.Anchor == "fee.date_landed" {
				o.anchor = d.landed(day)
			}
			if !now.Open() || !d.seenInPeriod(l, day, o.asOf) {
				if d.trace != nil {
					_ = d.dismiss(&o, obligation.NotSeen, d.unseen(o.file, l, day, o.asOf))
				}
				continue
			}
			d.fillLoan(plan, o.file, l, o.asOf, day)
			landed := Day{d.landed(day)}
			d.env.Interest = interestEnv{Date: Day{day}, DateLanded: landed, Unpaid: d.interestUnpaid(o.file, day)}
			d.env.Fee = feeEnv{Date: Day{day}, DateLanded: landed}
			if err := d.decide(&o); err != nil {
				return err
			}
		}
	}
	return nil
}

// interestUnpaid: arrears known on or after the interest date and not cleared
// since. Arrears that began after a clean ledger belong to the last interest
// date before they showed, not to all the earlier ones.
func (d *deriver) interestUnpaid(f *loan.LoanFile, day calendar.Date) bool {
	since, known := f.ArrearsSince()
	if since.IsZero() || known < day {
		return false
	}
	if since == f.History[0].From || day >= since {
		return true
	}
	l := f.History.At(since)
	for _, later := range l.Interest.Dates(l.Maturity, day.AddDays(1), since) {
		if later > day {
			return false
		}
	}
	return true
}
