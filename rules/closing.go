package rules

import (
	"fmt"
	"slices"
	"strings"

	"tickler/loan"
	"tickler/obligation"
)

// Ambiguous says that an event fits several obligations of one rule, and the
// recorder has to name one.
type Ambiguous struct {
	Rule string
	Fits []obligation.Obligation
}

func (e *Ambiguous) Error() string {
	var lines []string
	for _, o := range e.Fits {
		lines = append(lines, fmt.Sprintf("  %s  due %s  %s", o.Key.Short(), o.Due, o.Key))
	}
	return fmt.Sprintf("the event fits %d obligations of rule %q; name one with --closes ID or --set 期间=OCCURRENCE:\n%s", len(e.Fits), e.Rule, strings.Join(lines, "\n"))
}

// Closings gives the obligations that an event discharges, of the open ones at
// hand: those it names; or, for each rule that names the event, that of its
// period, or the only one that fits. An event that a ledger file showed closes
// all that name it. The error is an *Ambiguous or says what was named wrongly.
func Closings(b *Book, open []obligation.Obligation, e loan.Event) ([]obligation.Key, error) {
	var out []obligation.Key
	if len(e.Closes) > 0 {
		for _, id := range e.Closes {
			i := slices.IndexFunc(open, func(o obligation.Obligation) bool { return o.Key.String() == id })
			if i < 0 {
				return nil, fmt.Errorf("obligation %q is not open for %s", id, e.Subject)
			}
			if r := b.Rule(open[i].Rule); r == nil || !slices.Contains(r.ClosesOn, e.Kind) {
				return nil, fmt.Errorf("obligation %q is not closed by %s", id, e.Kind)
			}
			out = append(out, open[i].Key)
		}
		return out, nil
	}
	for _, r := range b.Rules {
		if !slices.Contains(r.ClosesOn, e.Kind) {
			continue
		}
		var all, raised []obligation.Obligation
		for _, o := range open {
			if o.Rule != r.ID || o.Subject != e.Subject || o.State.Ended() || o.State == obligation.Submitted {
				continue
			}
			if e.Kind == "ledger.recorded" && e.Snapshot && e.Happened > o.Due {
				continue // a later file does not show that the entry was made on the day
			}
			all = append(all, o)
			if o.Raise <= e.Happened {
				raised = append(raised, o)
			}
		}
		fits := all
		switch {
		case e.Snapshot:
			for _, o := range all {
				out = append(out, o.Key)
			}
			continue
		case e.Period != "":
			fits = slices.DeleteFunc(all, func(o obligation.Obligation) bool { return o.Occurrence != e.Period })
		case len(raised) > 0:
			fits = raised
		}
		switch len(fits) {
		case 0:
		case 1:
			out = append(out, fits[0].Key)
		default:
			return nil, &Ambiguous{Rule: r.ID, Fits: fits}
		}
	}
	return out, nil
}
