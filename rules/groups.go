package rules

import (
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// groupRules handles the rules of the unit itself: a borrower, an officer, a
// branch or a group, seen as long as one of its loans is.
func (d *deriver) groupRules(u loan.Ref) error {
	rules := d.active(u.Kind, u)
	branch := ""
	if slices.ContainsFunc(rules, func(r *Rule) bool { return len(r.Overrides) > 0 }) {
		branch = d.branchOf(u)
	}
	for _, r := range rules {
		d.guard(u, r.ID, func() error { return d.groupRule(r, u, branch) })
	}
	return nil
}

func (d *deriver) groupRule(r *Rule, u loan.Ref, branch string) error {
	o := occurrence{subject: u, asOf: d.today}
	if !d.place(&o, r, branch) {
		return nil
	}
	switch {
	case o.rule.Period():
		return d.groupPeriods(o)
	case len(o.rule.Since) > 0:
		seen := d.fillGroup(&o, 0)
		var from calendar.Date
		if b := d.facts.Branches[u.ID]; b != nil && u.Kind == loan.KindBranch {
			from = b.Opened
		}
		return d.interval(o, from, seen)
	case o.rule.Due.Anchor == "date":
		return d.groupDay(o)
	}
	return nil
}

func (d *deriver) groupPeriods(o occurrence) error {
	plan := d.plan(o.rule)
	base := o
	for i := range plan.terms {
		s := &plan.terms[i]
		if !s.early || !s.late {
			continue
		}
		o = base
		o.term, o.name, o.period, o.anchor = s, s.name, &s.period, s.period.End
		o.asOf = min(s.period.End, d.today)
		if o.rule.Due.Anchor == "period.start" {
			o.anchor = s.period.Start
		}
		var err error
		if !d.fillGroup(&o, s.period.End) {
			err = d.dismiss(&o, obligation.NotSeen, "没有在管贷款")
		} else {
			d.fillPeriod(plan, o.period, o.name)
			err = d.decide(&o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// groupDay handles a rule that counts from one fixed day, for whom had a loan
// by then.
func (d *deriver) groupDay(o occurrence) error {
	o.anchor = o.rule.Due.Date
	o.name = d.day(o.anchor)
	outside := !d.mayFall(&o)
	if !outside {
		_, err := d.cal.Day(o.anchor) // before the calendar: long past
		outside = err != nil
	}
	if outside {
		return d.dismiss(&o, obligation.Outside, "")
	}
	seen := false
	for _, f := range d.facts.Loans {
		l := f.History.At(d.today)
		seen = seen || l != nil && l.Borrower == o.subject.ID && l.Open() && l.Disbursed <= o.anchor
	}
	if !d.fillGroup(&o, 0) || !seen {
		return d.dismiss(&o, obligation.NotSeen, "没有在管贷款")
	}
	return d.decide(&o)
}

// branchOf gives the branch whose overrides count for a unit.
func (d *deriver) branchOf(u loan.Ref) string {
	if u.Kind == loan.KindBranch {
		return u.ID
	}
	o := occurrence{subject: u, asOf: d.today, rule: &Rule{}}
	d.fillGroup(&o, 0)
	return o.branch
}

// guarantors of the loan, or of all the borrower's loans that are seen.
func (d *deriver) guarantors(o *occurrence) []loan.Guarantor {
	if o.file != nil {
		return o.file.Parties(o.asOf)
	}
	var out []loan.Guarantor
	seen := map[string]bool{}
	for _, f := range d.facts.Loans {
		l := f.History.At(o.asOf)
		if l.Borrower != o.subject.ID || !d.seenInPeriod(l, o.anchor, o.asOf) {
			continue
		}
		for _, g := range f.Parties(o.asOf) {
			if !seen[g.ID] {
				seen[g.ID] = true
				out = append(out, g)
			}
		}
	}
	return out
}
