package scheduler

import (
	"context"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"tickler/calendar"
	"tickler/loan"
	"tickler/store"
)

// A transaction holds what it changes in memory until it is committed: some 4 KiB a
// borrower of a first import, and three times that in all. So it plans no more
// units once it holds so much, nor more than so many. What is left is marked, and
// planned in transactions that follow, each whole with its audit. After a stop in
// between the next scan goes on with them.
const (
	heldAtOnce = 64 << 20 // bytes
	planAtOnce = 100_000  // units
	fewAtOnce  = 256      // waiting units that any other change plans: who signs one duty does not wait for a million loans
)

// largeGC is how much the heap grows, in percent, between two collections while
// much is changed: what a large change holds until it is committed is not
// doubled by what is to be collected.
const largeGC = 35

// large has the collector work for large changes while one is at work. The soft
// limit of a daemon is far below what they hold: it would collect all the time.
var large collecting

type collecting struct {
	mu      sync.Mutex
	n       int // at work
	percent int
	limit   int64
}

func (c *collecting) begin() (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n++; c.n == 1 {
		c.percent, c.limit = debug.SetGCPercent(largeGC), debug.SetMemoryLimit(math.MaxInt64)
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.n--; c.n == 0 {
			debug.SetGCPercent(c.percent)
			debug.SetMemoryLimit(c.limit)
		}
	}
}

func (s *Scheduler) atOnce() int {
	if s.cfg.planAtOnce > 0 {
		return s.cfg.planAtOnce
	}
	return planAtOnce
}

// full says that a change which may wait has planned enough.
func (c *change) full(planned int) bool {
	return c.mayWait && !c.withdrawing && (planned >= c.s.atOnce() || c.tx.Held() >= heldAtOnce)
}

// reason is what the planning of a unit is put down to: see
// obligation.Circumstances.
type reason struct{ cause, late string }

const reasonSeparator = "\x00"

func (r reason) String() string { return r.cause + reasonSeparator + r.late }

// reasonOf reads what String wrote. A mark without words is one of a unit that
// could not be worked out, or of another program: the change at work plans it.
func reasonOf(mark string) reason {
	cause, late, _ := strings.Cut(mark, reasonSeparator)
	return reason{cause, late}
}

// reasonFor is what the planning of a unit in this change is put down to.
func (c *change) reasonFor(u loan.Ref) reason {
	if why := c.dirty[u]; why != (reason{}) {
		return why
	}
	if c.under != "" {
		return reason{c.under, c.late}
	}
	return reason{c.cause, c.late}
}

// planDirty marks for planning what an earlier change left: those that wait, up
// to a limit, and those that failed when they were tried last.
func (c *change) planDirty(limit int) error {
	waiting := 0
	c.more = false
	return c.tx.Dirty(func(u loan.Ref, mark string) bool {
		if !c.failures[u.String()] {
			if waiting++; waiting > min(limit, c.s.atOnce()) {
				c.more = true
				return false
			}
		}
		c.plan(u)
		if c.dirty == nil {
			c.dirty = map[loan.Ref]reason{}
		}
		c.dirty[u] = reasonOf(mark)
		return true
	})
}

// postpone marks units in the store, which are planned after this change, and
// gives those among them for which the change has an event.
func (c *change) postpone(units []loan.Ref) (now []loan.Ref, err error) {
	for _, u := range units {
		if len(c.events[u]) > 0 {
			now = append(now, u)
			continue
		}
		c.more = true
		if c.dirty[u] != (reason{}) {
			continue // it is marked as it is
		}
		if err := c.tx.MarkDirty(u, c.reasonFor(u).String()); err != nil {
			return nil, err
		}
	}
	c.mayWait = false
	return now, nil
}

// resumed is what the transactions after a change came to.
type resumed struct {
	sighted, told map[string]int
	derived       int
	failed        []string
}

// resume plans what waits, one transaction after the other, until nothing does.
// scan is the scan that it goes on with; nil for an import.
func (s *Scheduler) resume(ctx context.Context, actor Actor, on calendar.Date, force bool, now time.Time, scan *change) (out resumed, err error) {
	out = resumed{sighted: map[string]int{}, told: map[string]int{}}
	defer large.begin()()
	for more := true; more; {
		var c *change
		err := without(func(skip map[loan.Ref]error) error {
			return s.cfg.Store.Update(ctx, func(tx *store.Tx) (err error) {
				if c, err = s.begin(tx, actor, on, force, now); err != nil {
					return err
				}
				c.skip, c.cause, c.mayWait = skip, "扫描", true
				if err := c.planDirty(planAtOnce); err != nil {
					return err
				}
				if scan != nil {
					c.scanning, c.since, c.gap, c.late = true, scan.since, scan.gap, scan.late
				}
				if err := c.planMarked(); err != nil {
					return err
				}
				return c.end("plan.resumed", "", map[string]any{"units": len(c.order)})
			})
		})
		if err != nil {
			return out, err
		}
		if err := s.cfg.Store.Shed(); err != nil {
			return out, err
		}
		more = c.more
		addCounts(out.sighted, c.sighted)
		addCounts(out.told, c.toldOf())
		out.failed = append(out.failed, c.fails...)
		if n := len(c.order); c.view.all {
			out.derived += n
		} else {
			out.derived += c.units
		}
	}
	slices.Sort(out.failed)
	out.failed = slices.Compact(out.failed)
	return out, nil
}

func addCounts(to, from map[string]int) {
	for k, n := range from {
		to[k] += n
	}
}
