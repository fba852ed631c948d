package scheduler

import (
	"context"
	"fmt"
	"slices"

	"tickler/obligation"
	"tickler/store"
)

// Leftover goes through every obligation there is, as a scan does not, and says
// what a scan of today would still have to do: what is to be raised, or closed
// by an event, and what is to be told or waits for another day than it should.
func Leftover(ctx context.Context, s *Scheduler) (left []string, err error) {
	err = s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		today := meta.BusinessDate
		var plans []*store.Plan
		if err := tx.ScanPlans(func(p *store.Plan) error { plans = append(plans, p); return nil }); err != nil {
			return err
		}
		for _, p := range plans {
			events, err := tx.EventsOf(p.Unit)
			if err != nil {
				return err
			}
			c := &change{s: s, tx: tx, book: s.book, cal: s.cal, today: today, now: s.now()}
			obs := slices.Clone(p.Obligations)
			for _, ch := range obligation.Settle(obs, c.circumstances(p.Unit, standing(events))) {
				left = append(left, fmt.Sprintf("%s: %s", ch.Key, ch.Kind))
			}
			for i := range p.Obligations {
				o := p.Obligations[i]
				now, next, err := nudges(s.cal, s.book, &o, today)
				if err != nil {
					return err
				}
				if o.State == obligation.Raised && (len(now) > 0 || next != o.Nudge) {
					left = append(left, fmt.Sprintf("%s: %d to tell, next on %s, kept as %s", o.Key, len(now), next, o.Nudge))
				}
			}
		}
		return nil
	})
	return left, err
}
