package rules

import (
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// shortBorrower works out a borrower's own rules the short way.
func (d *deriver) shortBorrower(u loan.Ref) error {
	if d.ofHim == nil {
		d.ofHim = d.layout(loan.KindBorrower)
	}
	l := d.ofHim
	d.forget()
	d.his = d.his[:0]
	branch := ""
	if slices.ContainsFunc(l.plans, func(p *rulePlan) bool { return len(p.rule.Overrides) > 0 }) {
		branch = d.branchOf(u)
	}
	d.counting = u
	for i, p := range l.plans {
		switch {
		case p.past:
		case p.way == byPeriod:
			if err := d.shortHisPeriods(l, p, i, u); err != nil {
				return err
			}
		case p.way == alwaysLong || d.hisMayHold(l, p, i, u.ID):
			d.guard(u, p.rule.ID, func() error { return d.groupRule(p.rule, u, branch) })
			d.inEnv = nobodys
		}
	}
	return nil
}

// nobodys is what the environment holds where it is none of the borrower's eras.
const nobodys = -1

// hisMayHold says that a period sees the borrower for which a rule is not ruled
// out.
func (d *deriver) hisMayHold(l *layout, p *rulePlan, i int, id string) bool {
	for n := p.from; n < p.to; n++ {
		if e := &d.his[d.hisEraOf(l, id, p.terms[n].period.End)]; e.seen && e.rulings[i].holds != never {
			return true
		}
	}
	return false
}

// shortHisPeriods handles a rule of the borrower's that runs by periods.
func (d *deriver) shortHisPeriods(l *layout, p *rulePlan, i int, u loan.Ref) error {
	for n := p.from; n < p.to; n++ {
		t := &p.terms[n]
		k := d.hisEraOf(l, u.ID, t.period.End)
		e := &d.his[k]
		if !e.seen || e.rulings[i].holds == never {
			continue
		}
		if err := d.dateTerm(p, t); err != nil {
			return err
		}
		if p.asks && k != d.inEnv {
			d.env.Borrower, d.inEnv = e.env, k
		}
		if e.rulings[i].holds == unknown {
			d.env.Period = t.env
			if yes, err := d.open(&e.rulings[i]); err != nil {
				return err
			} else if !yes {
				continue
			}
		}
		if err := d.makeHis(p, t, e); err != nil {
			return err
		}
	}
	return nil
}

// makeHis adds what is due of a period.
func (d *deriver) makeHis(p *rulePlan, t *term, e *hisEra) error {
	duty := d.make(p, &e.of, t.name, &t.dated)
	if duty == nil {
		return nil
	}
	if p.rule.Needs != nil {
		if needed, err := d.hisQuota(duty, p, t, e); err != nil || !needed {
			d.unmake()
			return err
		}
	}
	if len(p.rule.Each) > 0 {
		one, o := *duty, hisOccurrence(p, t, e, d.today)
		d.unmake()
		d.fanOut(&one, &o)
	}
	return nil
}

// hisQuota is quota, for which nothing has to be counted where nothing happened.
func (d *deriver) hisQuota(duty *obligation.Duty, p *rulePlan, t *term, e *hisEra) (needed bool, _ error) {
	if len(d.facts.Events) > 0 || len(d.facts.Related) > 0 {
		o := hisOccurrence(p, t, e, d.today)
		return d.quota(duty, &o)
	}
	need, err := p.rule.Needs.AtLeast.number(&d.machine, d.env)
	duty.Progress.Need = need
	return need > 0, err
}

// hisOccurrence is a period as the long way knows it.
func hisOccurrence(p *rulePlan, t *term, e *hisEra, today calendar.Date) occurrence {
	return occurrence{rule: p.rule, subject: e.of.ref, name: t.name, anchor: t.period.End, asOf: min(t.period.End, today), period: &t.period,
		borrower: e.of.borrower, branch: e.of.branch, officer: e.of.officer}
}
