package scheduler

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"tickler/loan"
	"tickler/store"
)

// A crew derives the units of a change on every core: its hands read beside the
// transaction and make plans ready, and when all have done the transaction takes
// what they made, in the order of the units. What they leave is to the byte what
// one core leaves: whatever is out of the ordinary (a failure, an event that
// closes, a name that no record has named) a hand leaves to the transaction, which
// plans that unit by itself when its turn comes.
const (
	crewFirst = 8    // units of the first batch
	crewLeast = 4    // units that are worth a crew
	crewBatch = 4096 // units that are made ready, at most, before what was made is put
	crewShare = 16   // units that a hand takes at a time; of those that read many dossiers, one
)

// hand is one of a crew: a copy of the change, with a tally of its own, that
// reads by a fork of the transaction and never writes.
type hand struct {
	change
}

// stint is what a hand made of some units, in their order.
type stint struct {
	done  []readyUnit
	tally tally
	alone loan.Ref // the unit after them, which the transaction plans; zero for none
}

type readyUnit struct {
	unit loan.Ref
	plan *store.Packed // nil: nothing to be kept
}

// planCrew plans units of one kind, on every core where that is worth it.
func (c *change) planCrew(units []loan.Ref) error {
	hands, err := c.hands(len(units))
	if err != nil {
		return err
	}
	if hands == nil {
		for _, u := range units {
			if err := c.planUnit(u); err != nil {
				return err
			}
		}
		return nil
	}
	size := crewShare
	if units[0].Kind != loan.KindBorrower {
		size = 1
	}
	shares := make([][]stint, (len(units)+size-1)/size)
	var next atomic.Int64
	var wait sync.WaitGroup
	for i := range hands {
		h := &hands[i]
		wait.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(shares) {
					return
				}
				shares[n] = h.work(units[n*size : min((n+1)*size, len(units))])
			}
		})
	}
	wait.Wait()
	for _, share := range shares {
		for i := range share {
			if err := c.take(&share[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// hands gives a crew, nil where none is worth it. What they share is read
// before they begin.
func (c *change) hands(units int) ([]hand, error) {
	n := runtime.GOMAXPROCS(0)
	if n == 1 || units < crewLeast || c.s.watch != nil {
		return nil, nil
	}
	forks, err := c.tx.Forks(n)
	if err != nil || forks == nil {
		return nil, err
	}
	if _, err := c.directory.allBranches(c.tx); err != nil {
		return nil, err
	}
	if _, err := c.directory.allStaff(c.tx); err != nil {
		return nil, err
	}
	if _, err := c.directory.allGroups(c.tx); err != nil {
		return nil, err
	}
	for len(c.crew) < n {
		c.crew = append(c.crew, hand{})
	}
	for i, fork := range forks {
		h := &c.crew[i]
		deriver, recon := h.deriver, h.recon
		h.change = *c
		h.tx, h.deriver, h.recon, h.tally, h.crew = fork, deriver, recon, tally{}, nil
	}
	return c.crew[:n], nil
}

// work plans units.
func (h *hand) work(units []loan.Ref) (out []stint) {
	// A page that cannot be read is a panic here too; the transaction meets
	// it again, and says so.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	now := stint{done: make([]readyUnit, 0, len(units))}
	h.tally = newTally()
	for _, u := range units {
		if ready, ok := h.ready(u); ok {
			now.done = append(now.done, ready)
			continue
		}
		now.tally, now.alone = h.tally, u
		out, now, h.tally = append(out, now), stint{}, newTally()
	}
	now.tally = h.tally
	return append(out, now)
}

// ready plans a unit, and says whether it could: where not, nothing of it is in
// the tally.
func (h *hand) ready(u loan.Ref) (out readyUnit, ok bool) {
	if len(h.events[u]) > 0 || h.skip[u] != nil {
		return out, false
	}
	nudged, failed := len(h.nudged.open), len(h.failed)
	defer func() {
		if p := recover(); p != nil {
			ok = false
		}
		if !ok {
			h.nudged.open, h.failed = h.nudged.open[:nudged], h.failed[:failed]
		}
	}()
	facts, err := h.facts(u)
	if err != nil {
		return out, false
	}
	plan, err := h.tx.Plan(u)
	if err != nil {
		return out, false
	}
	known := plan != nil
	if !known {
		plan = &store.Plan{Unit: u}
	}
	obs, changes, d := h.reckon(u, plan.Obligations, facts)
	if len(d.Failed) > 0 {
		return out, false
	}
	plan.Obligations = obs
	keep, there := h.renew(plan, d.Next, known, known && plan.Next == d.Next && len(changes) == 0 && !h.recon.Quiet)
	out.unit = u
	if keep {
		if out.plan, err = h.tx.PackPlan(plan); err != nil {
			return out, false
		}
	}
	if there {
		h.note(plan, changes)
	}
	return out, true
}

// take puts what a hand made, and plans what it left.
func (c *change) take(s *stint) error {
	c.tally.add(&s.tally)
	for i := range s.done {
		d := &s.done[i]
		if err := c.fail(d.unit, nil); err != nil {
			return err
		}
		if d.plan == nil {
			continue
		}
		if err := c.tx.PutPacked(d.plan); err != nil {
			return err
		}
	}
	if s.alone.IsZero() {
		return nil
	}
	return c.planUnit(s.alone)
}
