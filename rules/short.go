package rules

import (
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// The short way gives a borrower's duties and those of his loans without asking
// any question twice, and without working out a day that was worked out for
// another subject. It is an addition: the long way, period by period and
// condition by condition, is the one that reasons are written on, that is gone
// where a rule is not regular or fails, and that a property holds this one
// against.

// widest bounds the days of a window that the short way lays out.
const widest = 20 * 366

// shortcuts says whether the short way may be gone.
func (d *deriver) shortcuts() bool {
	return !d.long && d.trace == nil && d.only == nil && !d.whole && d.window.To-d.from <= widest
}

// attempt does work that can be done again another way: where it fails nothing
// of it stands.
func (d *deriver) attempt(work func() error) (done bool) {
	duties, rules, outside := len(d.duties), len(d.rules), len(d.outside)
	defer func() {
		if recover() != nil {
			done = false // what failed fails again, and is told, the long way
		}
		if !done {
			d.duties, d.rules, d.outside = d.duties[:duties], d.rules[:rules], d.outside[:outside]
			d.forget()
		}
	}()
	return work() == nil
}

// bearer is whose duties are being made.
type bearer struct {
	ref                       loan.Ref
	loan                      string
	borrower, branch, officer string
	first                     calendar.Date // of his branch's duties
}

// make adds a duty, unless it is due outside the window.
func (d *deriver) make(p *rulePlan, of *bearer, name string, day *datedDay) *obligation.Duty {
	if day.due < of.first || day.due > d.window.To {
		if d.yields {
			d.outside = append(d.outside, spot{p.rule.ID, of.ref, day.anchor})
		}
		return nil
	}
	n := len(d.duties)
	if n < cap(d.duties) {
		d.duties = d.duties[:n+1]
	} else {
		d.duties = append(d.duties, obligation.Duty{})
	}
	x := &d.duties[n]
	*x = p.template
	x.Subject.ID, x.Occurrence, x.Loan = of.ref.ID, name, of.loan
	x.Borrower, x.Branch = of.borrower, of.branch
	if p.officers {
		x.Owner = of.officer
	}
	x.Anchor, x.Due, x.Raise, x.Provisional = day.anchor, day.due, day.raise, day.provisional
	if p.endsWith {
		x.PeriodEnd = day.anchor
	}
	if d.yields {
		d.rules = append(d.rules, p.rule)
	}
	return x
}

// unmake takes the last duty back.
func (d *deriver) unmake() {
	d.duties = d.duties[:len(d.duties)-1]
	if d.yields {
		d.rules = d.rules[:len(d.rules)-1]
	}
}

// open asks what the subject's facts left open. The environment is filled.
func (d *deriver) open(r *ruling) (bool, error) {
	for i := range r.ask {
		x := &r.ask[i]
		yes, err := x.c.bool(&d.machine, d.env)
		if err != nil || yes == x.except {
			return false, err
		}
	}
	return true, nil
}

// dateTerm works out the days of a period, once.
func (d *deriver) dateTerm(p *rulePlan, t *term) error {
	if t.dated.known {
		return nil
	}
	return d.dateOnce(&t.dated, &occurrence{rule: p.rule, period: &t.period, anchor: t.period.End})
}

// dateDay works out what is due counted from a day, once. It is nil for a day
// from which nothing can be due in the window.
func (d *deriver) dateDay(p *rulePlan, day calendar.Date) (*datedDay, error) {
	i := int(day) - int(p.firstDay)
	if uint(i) >= uint(len(p.days)) {
		return nil, nil
	}
	x := &p.days[i]
	if x.known {
		return x, nil
	}
	anchor := day
	switch p.rule.Due.Anchor {
	case "interest.date_landed", "fee.date_landed":
		if anchor = d.landed(day); anchor.AddDays(-p.back) > d.window.To {
			return nil, nil
		}
	}
	return x, d.dateOnce(x, &occurrence{rule: p.rule, anchor: anchor})
}

func (d *deriver) dateOnce(x *datedDay, o *occurrence) error {
	var duty obligation.Duty
	if err := d.date(&duty, o, &d.blank); err != nil {
		return err
	}
	*x = datedDay{known: true, provisional: duty.Provisional, anchor: o.anchor, due: duty.Due, raise: duty.Raise}
	return nil
}
