package scheduler

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"runtime"
	"strings"
	"sync"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// maxShards leaves something to the daemon, on a big machine.
const maxShards = 4

// shard is a part of the units, on a copy of the store of its own, so that
// all processors have work. It has everybody's facts, and the plans of its own
// units alone. Units are planned from facts, never from each other's plans;
// the day of one may make another be planned anew, and that is told across.
type shard struct {
	copy    *Scheduler // with the simulation's clock
	has     func(loan.Ref) bool
	pending []watched // what its transactions did and take has not seen
	planned map[loan.Ref]bool
	foreign []loan.Ref // units of others that this day touched
	failed  []string
}

// split makes the shards. Where people act there is one: an act reaches the
// units that it likes.
func (m *simulation) split(ctx context.Context, copyStore func(context.Context) (*store.Store, error)) error {
	n := min(runtime.GOMAXPROCS(0), maxShards)
	if m.onTime {
		n = 1
	}
	seed := maphash.MakeSeed()
	for i := range n {
		st, err := copyStore(ctx)
		if err != nil {
			return err
		}
		h := &shard{planned: map[loan.Ref]bool{}}
		h.copy = &Scheduler{cfg: Config{Store: st}, log: slog.New(slog.DiscardHandler), now: m.now, watch: h.watch, mute: true,
			book: m.book, cal: m.cal, books: map[string]*rules.Book{}, cals: map[string]*calendar.Calendar{}}
		h.has = func(u loan.Ref) bool { return maphash.Comparable(seed, u)%uint64(n) == uint64(i) }
		if n > 1 {
			h.copy.elsewhere = h.elsewhere
		}
		m.shards = append(m.shards, h)
	}
	if n == 1 {
		return nil
	}
	return m.each(func(_ int, h *shard) error { return h.prune(ctx) })
}

// elsewhere notes what its transactions plan, and what they would.
func (h *shard) elsewhere(u loan.Ref) bool {
	if h.has(u) {
		h.planned[u] = true
		return false
	}
	h.foreign = append(h.foreign, u)
	return true
}

// watch is told by a transaction of every change of a raised obligation.
func (h *shard) watch(o *obligation.Obligation, ch obligation.Change) {
	w := watched{*o, ch.Kind}
	// Its texts are parts of a whole plan's record, which is not to be kept.
	for _, s := range []*string{&w.o.Subject.ID, &w.o.Party.ID, &w.o.PartyName, &w.o.Occurrence, &w.o.Borrower, &w.o.Loan, &w.o.Late, &w.o.ClosedBy, &w.o.Cause} {
		*s = strings.Clone(*s)
	}
	h.pending = append(h.pending, w)
}

// prune forgets the plans of the others.
func (h *shard) prune(ctx context.Context) error {
	return h.copy.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		var units []loan.Ref
		if err := tx.ScanPlans(func(p *store.Plan) error {
			if !h.has(p.Unit) {
				units = append(units, p.Unit)
			}
			return nil
		}); err != nil {
			return err
		}
		for _, u := range units {
			if err := errors.Join(tx.PutPlan(&store.Plan{Unit: u}), tx.ClearDirty(u)); err != nil {
				return err
			}
		}
		return nil
	})
}

// each runs fn for every shard at once.
func (m *simulation) each(fn func(i int, h *shard) error) error {
	errs := make([]error, len(m.shards))
	var wg sync.WaitGroup
	for i, h := range m.shards {
		wg.Go(func() { errs[i] = h.copy.attempt("simulate", func() error { return fn(i, h) }) })
	}
	wg.Wait()
	return cmp.Or(errs...)
}

// tick is one scan of every shard, and a second one of those that have a unit
// which the day touched only through a unit of another shard.
func (m *simulation) tick(ctx context.Context) error {
	err := m.each(func(_ int, h *shard) error { return h.scan(ctx) })
	if err != nil {
		return err
	}
	touched := make([][]loan.Ref, len(m.shards))
	for i, h := range m.shards {
		for _, other := range m.shards {
			for _, u := range other.foreign {
				if h.has(u) && !h.planned[u] {
					h.planned[u] = true
					touched[i] = append(touched[i], u)
				}
			}
		}
	}
	for _, h := range m.shards {
		clear(h.planned)
		h.foreign = h.foreign[:0]
	}
	return m.each(func(i int, h *shard) error {
		if len(touched[i]) == 0 {
			return nil
		}
		err := h.copy.cfg.Store.Update(ctx, func(tx *store.Tx) error {
			for _, u := range touched[i] {
				if err := tx.MarkDirty(u, ""); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		err = h.scan(ctx)
		clear(h.planned)
		h.foreign = h.foreign[:0] // they touched nobody in their turn
		return err
	})
}

func (h *shard) scan(ctx context.Context) error {
	r, err := h.copy.Tick(ctx, Actor{System: true}, api.TickRequest{})
	if err == nil {
		h.failed = append(h.failed, r.Failed...)
	}
	return err
}

// close throws the copies away.
func (m *simulation) close() {
	for _, h := range m.shards {
		h.copy.cfg.Store.Close()
	}
}
