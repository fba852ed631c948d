package rules

import (
	"sort"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// occurrence is one time that a rule comes round for a subject.
type occurrence struct {
	rule    *Rule
	subject loan.Ref
	name    string        // its part of the key
	anchor  calendar.Date // what the limit counts from
	asOf    calendar.Date // the day whose facts decide
	period  *calendar.Period
	paidOut calendar.Date // the loan's payout; zero for other subjects

	loan     *loan.Loan // nil for other subjects
	file     *loan.LoanFile
	borrower string
	branch   string
	officer  string
	note     string        // what a reason says beside the arithmetic
	exact    calendar.Date // a due day that the facts fix; zero: count from the anchor
}

// reach gives how far a due day can lie from its anchor, in days, generously:
// enough to pass over what is surely outside the window.
func reach(e DateExpr) (back, ahead int) {
	n := e.Limit.N
	if n < 0 {
		n = -n
	}
	switch e.Limit.Unit {
	case calendar.Workdays:
		n = n*2 + 15
	case calendar.Weeks:
		n *= 7
	case calendar.Months:
		n *= 31
	case calendar.Years:
		n *= 366
	}
	n += 20
	if e.Before() {
		return n, 20
	}
	return 20, n
}

// mayFall says whether a due day counted from the anchor can be in the window.
// A due day before the payout moves to the payout.
func (d *deriver) mayFall(o occurrence) bool {
	back, ahead := reach(o.rule.Due)
	latest := o.anchor.AddDays(ahead)
	if !o.paidOut.IsZero() && o.paidOut.AddDays(20) > latest {
		latest = o.paidOut.AddDays(20)
	}
	return latest >= d.window.From && o.anchor.AddDays(-back) <= d.window.To
}

// periods calls fn for each calendar period of the rule whose due day can be
// in the window.
func (d *deriver) periods(r *Rule, fn func(calendar.Period) error) error {
	back, ahead := reach(r.Due)
	first, last := d.window.From.AddDays(-ahead), d.window.To.AddDays(back)
	for p := calendar.PeriodOf(r.every, first, d.book.Fiscal); p.Start <= last; p = p.Next(d.book.Fiscal) {
		if err := fn(p); err != nil {
			return err
		}
	}
	return nil
}

// decide asks the rule's conditions, dates the duty and keeps it if it is due
// in the window. The environment is filled.
func (d *deriver) decide(o occurrence) error {
	r := o.rule
	if !r.EffectiveFrom.IsZero() && o.anchor < r.EffectiveFrom || !r.EffectiveTo.IsZero() && o.anchor > r.EffectiveTo {
		return d.dismiss(o, obligation.NotEffective, "规则生效期 "+r.EffectiveFrom.String()+" 至 "+r.EffectiveTo.String())
	}
	if o.exact.IsZero() && !d.mayFall(o) {
		return d.dismiss(o, obligation.Outside, "")
	}
	reason := d.reason(o)
	if r.When != nil {
		yes, err := r.When.bool(&d.machine, d.env)
		if err != nil {
			return err
		}
		reason.test("when", r.When, yes, "", d.env)
		if !yes {
			return d.verdict(reason, obligation.WhenFalse)
		}
	}
	for _, x := range r.Except {
		yes, err := x.If.bool(&d.machine, d.env)
		if err != nil {
			return err
		}
		reason.test("except", x.If, yes, x.Why, d.env)
		if yes {
			return d.verdict(reason, obligation.Exempt)
		}
	}
	duty := obligation.Duty{
		Key:      obligation.Key{Rule: r.ID, Subject: o.subject, Occurrence: o.name},
		Borrower: o.borrower, Branch: o.branch, Role: r.By, Anchor: o.anchor,
	}
	if r.By == "officer" {
		duty.Owner = o.officer
	}
	if o.subject.Kind == loan.KindLoan {
		duty.Loan = o.subject.ID
	}
	if err := d.date(&duty, o, reason); err != nil {
		return err
	}
	if duty.Due < d.window.From || duty.Due > d.window.To {
		d.outside = append(d.outside, spot{r.ID, o.subject, o.anchor})
		reason.Due = duty.Due
		return d.verdict(reason, obligation.Outside)
	}
	if r.Needs != nil {
		need, err := r.Needs.AtLeast.number(&d.machine, d.env)
		if err != nil {
			return err
		}
		if need <= 0 {
			return d.verdict(reason, obligation.WhenFalse)
		}
		d.progress(&duty, o, need)
	}
	reason.Due, reason.Raise, reason.Provisional = duty.Due, duty.Raise, duty.Provisional
	if len(r.Each) == 0 {
		d.keep(duty, r)
		return d.verdict(reason, obligation.Derived)
	}
	for _, kind := range r.Each {
		if kind == r.For {
			d.keep(duty, r)
			continue
		}
		for _, g := range d.guarantors(o) {
			one := duty
			one.Party = loan.Ref{Kind: loan.KindGuarantor, ID: g.ID}
			one.PartyName = g.Name
			d.keep(one, r)
		}
	}
	return d.verdict(reason, obligation.Derived)
}

func (d *deriver) keep(duty obligation.Duty, r *Rule) {
	d.duties = append(d.duties, duty)
	d.rules = append(d.rules, r)
}

// progress counts the quota's events in the period and closes the duty on the
// day that filled it.
func (d *deriver) progress(duty *obligation.Duty, o occurrence, need int) {
	p := o.period
	var days []loan.Event
	for _, e := range d.facts.Events {
		if e.Kind != o.rule.Needs.Count || !d.concerns(e.Subject, o.subject) {
			continue
		}
		if e.Period == o.name || e.Period == "" && e.Happened >= p.Start && e.Happened <= p.End {
			days = append(days, e)
		}
	}
	sort.SliceStable(days, func(i, j int) bool { return days[i].Happened < days[j].Happened })
	duty.Progress = obligation.Progress{Have: len(days), Need: need}
	if len(days) >= need {
		duty.Closed = &obligation.Closing{On: days[need-1].Happened, Event: days[need-1].ID}
	}
}
