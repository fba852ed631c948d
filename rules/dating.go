package rules

import (
	"fmt"
	"strings"

	"tickler/calendar"
	"tickler/obligation"
)

// date works out the due day and the day of raising.
func (d *deriver) date(duty *obligation.Duty, o *occurrence, reason *Reason) error {
	r, e := o.rule, o.limit()
	due, prov := o.exact, false
	if due.IsZero() {
		l := e.Limit
		l.Landing = r.landing(*e)
		if e.On {
			l = calendar.Limit{N: 0, Unit: calendar.Days, Landing: l.Landing}
		}
		if l.Unit == calendar.Workdays {
			l.Landing = calendar.None // ends on a working day by itself; 0 is the day itself
		}
		res, err := d.cal.Shift(o.anchor, l)
		if err != nil {
			return fmt.Errorf("%s from %s: %w", e.Text, o.anchor, err)
		}
		due, prov = res.Date, res.Provisional
		reason.step(d.cal, o.anchor, l, res)
	} else {
		prov = d.cal.Provisional(due)
		reason.note(o.anchor, due, e.Text)
	}
	// The day is met on or after the payout, never before it.
	if !o.paidOut.IsZero() && due < o.paidOut {
		res, err := d.cal.Land(o.paidOut, calendar.Following)
		if err != nil {
			return err
		}
		reason.payout(due, o.paidOut, res)
		due, prov = res.Date, res.Provisional
	}
	raise, rprov, err := d.raise(o, due, reason)
	if err != nil {
		return err
	}
	duty.Due, duty.Raise, duty.Provisional = due, min(raise, due), prov || rprov
	if e.OnPeriodEnd() {
		duty.PeriodEnd = o.period.End
	}
	return nil
}

// raise gives the day a duty comes onto someone's desk. Without a `raise` of
// its own: 10 working days before a `before` limit, the day after the period
// for a limit after it, the period's first day for `on period.end` and
// quotas, else the anchor's day, for `since` too.
func (d *deriver) raise(o *occurrence, due calendar.Date, reason *Reason) (calendar.Date, bool, error) {
	r := o.rule
	back := func(from calendar.Date, l calendar.Limit) (calendar.Date, bool, error) {
		res, err := d.cal.Shift(from, l)
		if err != nil {
			return 0, false, fmt.Errorf("raise %s from %s: %w", l, from, err)
		}
		reason.raised(d.cal, from, l, res)
		return res.Date, res.Provisional, nil
	}
	if e := r.Raise; e != nil {
		from := d.raiseAnchor(o, e, due)
		if e.On {
			return from, false, nil
		}
		return back(from, e.Limit)
	}
	limit := o.limit()
	afterPeriod := o.period != nil && limit.Anchor == "period.end" && !limit.On && !limit.Before()
	switch {
	case limit.OnPeriodEnd() || r.Needs != nil && !(afterPeriod && r.Needs.Cover != ""):
		return o.period.Start, false, nil
	case limit.Before():
		return back(due, calendar.Limit{N: -10, Unit: calendar.Workdays})
	case afterPeriod:
		return o.period.End.AddDays(1), false, nil
	}
	return o.anchor, false, nil
}

// raiseAnchor gives the day that a rule's own `raise` counts from; where the
// facts do not know it, that is the day which the limit counts from.
func (d *deriver) raiseAnchor(o *occurrence, e *DateExpr, due calendar.Date) calendar.Date {
	var day calendar.Date
	group, field, _ := strings.Cut(e.Anchor, ".")
	switch {
	case e.Anchor == "due":
		day = due
	case e.Anchor == "date":
		day = e.Date
	case e.Anchor == "period.start":
		day = o.period.Start
	case e.Anchor == "period.end":
		day = o.period.End
	case e.Anchor == "interest.date", e.Anchor == "fee.date":
		day = d.env.Interest.Date.Date
	case e.Anchor == "interest.date_landed", e.Anchor == "fee.date_landed":
		day = d.env.Interest.DateLanded.Date
	case e.Anchor == "event.date":
		day = d.env.Event.Date.Date
	case group == "event":
		day, _ = calendar.ParseDate(d.env.Event.X[field])
	case group == "loan" && o.loan != nil:
		day = d.loanAnchor(*e, o.loan)
	}
	if day.IsZero() {
		return o.anchor
	}
	return day
}
