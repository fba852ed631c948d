package rules

import (
	"tickler/calendar"
	"tickler/loan"
)

// spot is where a rule makes a duty for a subject.
type spot struct {
	rule    string
	subject loan.Ref
	anchor  calendar.Date
}

// yield drops the duties of rules that give way to another one for the same
// subject and the same end of period.
func (d *deriver) yield() {
	var there map[spot]bool
	for i, r := range d.rules {
		if len(r.YieldsTo) == 0 {
			continue
		}
		if there == nil {
			there = map[spot]bool{}
			for _, x := range d.outside {
				there[x] = true
			}
			for _, x := range d.duties {
				there[spot{x.Rule, x.Subject, x.Anchor}] = true
			}
		}
		for _, id := range r.YieldsTo {
			if there[spot{id, d.duties[i].Subject, d.duties[i].Anchor}] {
				d.duties[i].Rule = "" // marked; removed below
			}
		}
	}
	if there == nil {
		return
	}
	kept := d.duties[:0]
	for _, x := range d.duties {
		if x.Rule != "" {
			kept = append(kept, x)
		}
	}
	d.duties = kept
}
