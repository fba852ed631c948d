package scheduler

import (
	"context"
	"errors"
	"time"

	"tickler/api"
	"tickler/loan"
	"tickler/store"
)

// A long read goes page by page, a View each: none holds the pages back that
// changes free, and none meets the bound on a View (store.Watch).

// planPage is how many plans or dossiers are read in one View at most, and
// pageTime how long: a machine with other work takes ten times as long as one
// without.
const (
	planPage    = 200
	dossierPage = 50
	pageTime    = 100 * time.Millisecond
)

// errPageFull ends a page early.
var errPageFull = errors.New("the page is full")

// full says that a page that began at a moment has had its time.
func full(began time.Time) bool { return Now().Sub(began) > pageTime }

// steadyTries is how often a read begins again because somebody changed the
// store between its pages. An import is one change.
const steadyTries = 20

var errMoved = errors.New("the store changed between two pages")

// steady runs a read whose pages must all be of one state, so that its totals
// tie: every change has an audit record, and where the newest is another one
// the read begins again. read may run many times.
func (s *Scheduler) steady(ctx context.Context, read func(viewer) error) error {
	for range steadyTries {
		var state uint64
		begun := false
		err := read(func(fn func(*store.Tx) error) error {
			return s.cfg.Store.View(ctx, func(tx *store.Tx) error {
				seq, _, err := tx.AuditHead()
				switch {
				case err != nil:
					return err
				case begun && seq != state:
					return errMoved
				}
				begun, state = true, seq
				return fn(tx)
			})
		})
		// A page is short: one that took too long was kept from its work.
		if !errors.Is(err, errMoved) && !errors.Is(err, store.ErrTooLong) || ctx.Err() != nil {
			return err
		}
	}
	return api.Errorf(api.Failed, "try again in a moment (请稍后再试)", "the store was changed again and again while it was read")
}

// eachPlan calls fn for every plan, within the View of its page.
func eachPlan(view viewer, fn func(*store.Tx, *store.Plan) error) error {
	return pagesOf(view, (*store.Tx).ScanPlansFrom, fn)
}

// eachPart is eachPlan with a part of the obligations.
func eachPart(view viewer, part store.Part, fn func(*store.Tx, *store.Plan) error) error {
	return pagesOf(view, func(tx *store.Tx, after loan.Ref, n int, fn func(*store.Plan) error) (loan.Ref, error) {
		return tx.ScanPartsFrom(after, n, part, fn)
	}, fn)
}

// eachGlance calls glance for every obligation, and fn after those of a plan.
func eachGlance(view viewer, glance func(*store.Glance), fn func(*store.Tx, *store.Plan) error) error {
	return pagesOf(view, func(tx *store.Tx, after loan.Ref, n int, fn func(*store.Plan) error) (loan.Ref, error) {
		return tx.GlanceFrom(after, n, glance, fn)
	}, fn)
}

// pagesOf scans plans page by page.
func pagesOf(view viewer, scan func(tx *store.Tx, after loan.Ref, n int, fn func(*store.Plan) error) (loan.Ref, error), fn func(*store.Tx, *store.Plan) error) error {
	for after, begun := (loan.Ref{}), false; !begun || !after.IsZero(); begun = true {
		err := view(func(tx *store.Tx) error {
			began := Now()
			var at loan.Ref
			next, err := scan(tx, after, planPage, func(p *store.Plan) error {
				at = p.Unit
				if err := fn(tx, p); err != nil {
					return err
				}
				if full(began) {
					return errPageFull
				}
				return nil
			})
			if errors.Is(err, errPageFull) {
				next, err = at, nil
			}
			after = next
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachOf goes through plans with a part of their obligations, and calls fn for
// each, within the View of its page.
type eachOf func(view viewer, part store.Part, fn func(*store.Tx, *store.Plan) error) error

// plansAmong goes through the plans of some units.
func plansAmong(units []loan.Ref) eachOf {
	return func(view viewer, part store.Part, fn func(*store.Tx, *store.Plan) error) error {
		for left := units; len(left) > 0; {
			err := view(func(tx *store.Tx) error {
				for began := Now(); len(left) > 0 && !full(began); left = left[1:] {
					p, err := tx.PlanPart(left[0], part)
					if err != nil {
						return err
					}
					if p == nil {
						continue
					}
					if err := fn(tx, p); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}
