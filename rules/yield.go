package rules

import (
	"fmt"
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// spot is where a rule makes a duty for a subject.
type spot struct {
	rule    string
	subject loan.Ref
	anchor  calendar.Date
}

// yield drops the duties of rules that give way to another one for the same
// subject and the same end of period.
//
// It gives what was dropped: the place, and the rule that stands there instead.
func (d *deriver) yield() map[spot]string {
	if !d.yields {
		return nil
	}
	var dropped map[spot]string
	any := false
	for i, r := range d.rules {
		for _, id := range r.YieldsTo {
			any = true
			x := &d.duties[i]
			if x.Rule != "" && d.failed[Attempt{x.Subject, id}] != nil {
				// Whether that one stands there is not known.
				d.fail(Attempt{x.Subject, r.ID}, fmt.Errorf("derive %s: rule %s gives way to rule %s, which failed", x.Subject, r.ID, id))
				x.Rule = ""
				continue
			}
			if x.Rule != "" && d.derived(spot{id, x.Subject, x.Anchor}) {
				if dropped == nil {
					dropped = map[spot]string{}
				}
				dropped[spot{x.Rule, x.Subject, x.Anchor}] = id
				x.Rule = "" // marked; removed below
			}
		}
	}
	if !any {
		return nil
	}
	kept := d.duties[:0]
	for _, x := range d.duties {
		if x.Rule != "" {
			kept = append(kept, x)
		}
	}
	d.duties = kept
	return dropped
}

// derived says that a rule made a duty somewhere, due in the window or not; one
// that gave way itself counts.
func (d *deriver) derived(at spot) bool {
	if slices.Contains(d.outside, at) {
		return true
	}
	for i, r := range d.rules {
		if x := &d.duties[i]; r.ID == at.rule && x.Anchor == at.anchor && x.Subject == at.subject {
			return true
		}
	}
	return false
}

// giveWay writes into the reasons which of them gave way to another rule.
func giveWay(b *Book, reasons []*Reason, dropped map[spot]string) {
	for _, r := range reasons {
		if to := dropped[spot{r.Rule, r.Subject, r.Anchor}]; to != "" && r.Outcome == obligation.Derived {
			r.Outcome, r.Why = obligation.Yielded, join(r.Why, "让位于 "+to+"（"+b.Rule(to).Name+"）")
		}
	}
}
