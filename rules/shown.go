package rules

import (
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// Shown gives the obligations that the last days of a ledger's sheets discharge
// (上次检查日, 上次督导日), by id: those that count from an earlier time. There is
// no event of it, so the closing names the sheet's word like one.
func Shown(b *Book, f *loan.Facts, obs []obligation.Obligation) map[string]obligation.Closing {
	var out map[string]obligation.Closing
	for i := range obs {
		o := &obs[i]
		r := b.Rule(o.Rule)
		if r == nil || len(r.Since) == 0 {
			continue
		}
		kind, last := lastShown(f, o.Subject)
		if last <= o.Anchor || last > f.Today || !slices.Contains(r.Since, kind) || !slices.Contains(r.ClosesOn, kind) {
			continue
		}
		if out == nil {
			out = map[string]obligation.Closing{}
		}
		out[o.Key.String()] = obligation.Closing{On: last, Event: kind + "/" + o.Subject.String() + "/" + last.String()}
	}
	return out
}

// lastShown is the last day of a kind of event that the subject's row gives.
func lastShown(f *loan.Facts, subject loan.Ref) (kind string, day calendar.Date) {
	switch subject.Kind {
	case loan.KindCollateral:
		if c := f.Collaterals[subject.ID]; c != nil {
			return "collateral.inspected", c.LastInspected
		}
	case loan.KindBranch:
		if b := f.Branches[subject.ID]; b != nil {
			return "supervision.done", b.LastSupervised
		}
	}
	return "", 0
}
