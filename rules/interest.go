package rules

import (
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// maxSchedules bounds how many schedules are remembered.
const maxSchedules = 4096

// interestDates gives the interest dates that a rule may count from. Most loans
// share a few schedules, each of which is laid out once.
func (d *deriver) interestDates(l *loan.Loan) []calendar.Date {
	if d.scheduleReach == 0 {
		d.scheduleReach = d.book.scheduleReach()
	}
	first, last := d.from.AddDays(-d.scheduleReach), d.window.To.AddDays(d.scheduleReach)
	if l.Interest.Every == loan.SettleAtMaturity {
		if l.Maturity.IsZero() {
			return nil
		}
		n := len(d.maturities)
		d.maturities = append(d.maturities, l.Maturity)
		return d.maturities[n:]
	}
	days, known := d.schedules[l.Interest]
	if !known {
		if len(d.schedules) >= maxSchedules {
			clear(d.schedules)
		}
		days = l.Interest.Dates(l.Maturity, first, last)
		d.schedules[l.Interest] = days
	}
	return days
}

// scheduleReach is how far a due day lies at most from the date of a schedule.
func (b *Book) scheduleReach() int {
	widest := 1
	see := func(r *Rule) {
		if r.Every == "interest_date" {
			back, ahead := reach(&r.Due)
			widest = max(widest, back, ahead)
		}
	}
	for _, r := range b.Rules {
		see(r)
		for i := range r.Overrides {
			if v := r.Overrides[i].Rule; v != nil {
				see(v)
			}
		}
	}
	return widest
}

// scheduled handles the loan's own schedule: interest dates, fee dates. A date
// is the schedule's as known on that day, or today for one to come.
func (d *deriver) scheduled(o occurrence) error {
	plan := d.plan(o.rule)
	first, last := d.from.AddDays(-plan.ahead), d.window.To.AddDays(plan.back)
	h := o.file.History
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
		o.loan = &h[i].Value
		days := o.loan.FeeDates
		if o.rule.Every == "interest_date" {
			days = d.interestDates(o.loan)
		}
		for _, day := range days {
			if day < lo || day > hi {
				continue
			}
			if err := d.scheduledDay(o, plan, day); err != nil {
				return err
			}
		}
	}
	return nil
}

// scheduledDay handles one date of the schedule of o.loan.
func (d *deriver) scheduledDay(o occurrence, plan *rulePlan, day calendar.Date) error {
	l, now := o.loan, o.file.History.At(d.today)
	o.asOf, o.paidOut = min(day, d.today), l.Disbursed
	o.name, o.anchor = d.day(day), day
	if o.rule.Due.Anchor == "interest.date_landed" || o.rule.Due.Anchor == "fee.date_landed" {
		o.anchor = d.landed(day)
	}
	if !now.Open() || !d.seenInPeriod(l, day, o.asOf) {
		if d.trace != nil {
			_ = d.dismiss(&o, obligation.NotSeen, d.unseen(o.file, l, day, o.asOf))
		}
		return nil
	}
	d.fillLoan(plan, o.file, l, o.asOf, day)
	landed := Day{d.landed(day)}
	d.env.Interest = interestEnv{Date: Day{day}, DateLanded: landed, Unpaid: d.interestUnpaid(o.file, day)}
	d.env.Fee = feeEnv{Date: Day{day}, DateLanded: landed}
	return d.decide(&o)
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
