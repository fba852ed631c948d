package rules

import (
	"errors"
	"fmt"
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// interval handles a `since` rule: counted from the last time, the next one
// begins when it is done.
func (d *deriver) interval(o occurrence, from calendar.Date, seen bool) error {
	var last calendar.Date
	var known bool
	for _, s := range o.rule.Since {
		switch s {
		case "loan.disbursed", "branch.opened":
			last = max(last, from)
			continue
		case "collateral.inspected":
			if c := d.facts.Collaterals[o.subject.ID]; c != nil && o.subject.Kind == loan.KindCollateral && c.LastInspected <= d.today {
				if c.LastInspected > 0 {
					known = true
				}
				last = max(last, c.LastInspected)
			}
		case "supervision.done":
			if b := d.facts.Branches[o.subject.ID]; b != nil && o.subject.Kind == loan.KindBranch && b.LastSupervised > 0 && b.LastSupervised <= d.today {
				last, known = max(last, b.LastSupervised), true
			}
		}
		for _, e := range d.facts.Events {
			if e.Kind == s && e.Subject == o.subject && e.Happened <= d.today && e.Withdrawn == nil {
				last, known = max(last, e.Happened), true
			}
		}
	}
	o.anchor = last
	o.name = last.String()
	goLive := d.window.first(o.branch)
	if last.IsZero() {
		last = goLive
		o.anchor, o.name = last, last.String()
	}
	if !seen {
		return d.dismiss(&o, obligation.NotSeen, "已结清")
	}
	if !known && !from.IsZero() && last == from {
		known = true // never yet: counted from the payout, or the opening
	}
	// A due day before go_live becomes the next anniversary on or after it.
	for k := 1; ; k++ {
		l := o.rule.Due.Limit
		l.N *= k
		l.Landing = o.rule.landing(o.rule.Due)
		r, err := d.cal.Shift(last, l)
		if err != nil && !errors.Is(err, calendar.ErrBeyond) {
			return err
		}
		if err != nil {
			l.Landing = calendar.None
			if r, err = d.cal.Shift(last, l); err != nil {
				return err
			}
		}
		if r.Date >= goLive {
			if k > 1 {
				o.note = "上次日期不详"
			}
			o.exact = r.Date
			break
		}
		if k > 1000 {
			return fmt.Errorf("no anniversary of %s on or after %s", last, goLive)
		}
	}
	if !known {
		o.note = "上次日期不详"
	}
	return d.decide(&o)
}

func (d *deriver) collateralRules(c *loan.Collateral, ref loan.Ref) error {
	rules := d.active(loan.KindCollateral, ref)
	if len(rules) == 0 {
		return nil
	}
	base := occurrence{subject: ref, asOf: d.today}
	e := collateralEnv{ID: c.ID, Name: c.Name, Type: c.Type, Value: c.Value.Yuan(), Valued: Day{c.Valued}, InsuredUntil: Day{c.InsuredUntil}, X: c.X}
	var from calendar.Date
	for _, f := range d.facts.Loans {
		l := f.History.At(d.today)
		if l == nil || !slices.Contains(c.Loans, f.ID) || !l.Open() {
			continue
		}
		e.MaxTermMonths = max(e.MaxTermMonths, termMonths(l))
		e.Abnormal = e.Abnormal || d.abnormal(f, l, d.today)
		if from.IsZero() || l.Disbursed < from {
			from = l.Disbursed // the earliest payout: the strictest reading
			base.loan, base.file = l, f
			base.borrower, base.branch, base.officer = l.Borrower, l.Branch, l.Officer
		}
	}
	for _, r := range rules {
		d.guard(ref, r.ID, func() error {
			o := base
			if !d.place(&o, r, o.branch) {
				return nil
			}
			d.fillBorrower(o.borrower, d.today, 0)
			d.forget()
			d.env.Collateral = e
			if len(o.rule.Since) == 0 {
				return errors.New("a collateral rule counts since a last time")
			}
			return d.interval(o, from, !from.IsZero())
		})
	}
	return nil
}
