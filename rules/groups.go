package rules

import (
	"fmt"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// groupRules handles the rules of the unit itself: a borrower, an officer or a
// branch, seen as long as one of its loans is.
func (d *deriver) groupRules(u loan.Ref) error {
	for _, r := range d.active(u.Kind, u) {
		o := occurrence{rule: r, subject: u}
		if !r.Period() {
			continue
		}
		err := d.periods(r, func(p calendar.Period) error {
			o := o
			o.name, o.asOf, o.period, o.anchor = p.Label(d.book.Fiscal), min(p.End, d.today), &p, p.End
			if r.Due.Anchor == "period.start" {
				o.anchor = p.Start
			}
			if !d.mayFall(o) {
				return nil
			}
			if !d.fillGroup(&o, p.End) {
				return d.dismiss(o, obligation.NotSeen, "没有在管贷款")
			}
			d.fillPeriod(p)
			return d.decide(o)
		})
		if err != nil {
			return fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	return nil
}

// guarantors of the loan, or of all the borrower's loans that are seen.
func (d *deriver) guarantors(o occurrence) []loan.Guarantor {
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
