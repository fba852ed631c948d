package scheduler

import (
	"errors"
	"fmt"
	"runtime/debug"

	"tickler/loan"
	"tickler/rules"
)

// unitFault says that the program failed at one unit after part of it was
// written: the transaction cannot be trusted and is rolled back.
type unitFault struct {
	unit loan.Ref
	err  error
}

func (f *unitFault) Error() string { return f.err.Error() }

// maxFaults is how many units one scan leaves out because the program failed
// in the middle of them. Each costs another try of the whole scan.
const maxFaults = 10

// guarded does the work of one unit, and keeps a fault of the program that it
// meets from all others. Where nothing of the unit was written yet it is
// reported and skipped, as one whose condition fails; else the transaction ends
// with a unitFault, and a scan is tried again without the unit.
func (c *change) guarded(u loan.Ref, work func() error) (err error) {
	if why := c.skip[u]; why != nil {
		return c.broken(u, why)
	}
	writes, nudged := c.tx.Writes(), len(c.nudged.open)
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if _, ok := p.(interface{ Addr() uintptr }); ok {
			panic(p) // a page of the file that cannot be read: the store's own
		}
		if c.tx.Flushing() {
			panic(p) // so is what strikes while it writes, whoever made it
		}
		why := fmt.Errorf("derive %s: a fault of the program: %v", u, p)
		c.s.log.Error("a fault of the program", "unit", u.String(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		if c.tx.Writes() != writes {
			err = &unitFault{u, why}
			return
		}
		c.nudged.open = c.nudged.open[:nudged]
		err = c.broken(u, why)
	}()
	return work()
}

// broken keeps that nothing of a unit could be worked out; its plan stays.
func (c *change) broken(u loan.Ref, why error) error {
	return c.fail(u, map[rules.Attempt]error{{Subject: u}: why})
}

// without runs a scan until it goes through, without the units at which the
// program failed.
func without(scan func(skip map[loan.Ref]error) error) error {
	skip := map[loan.Ref]error{}
	for {
		err := scan(skip)
		var f *unitFault
		if !errors.As(err, &f) || len(skip) >= maxFaults {
			return err
		}
		skip[f.unit] = f.err
	}
}

// attempt does a part of the loop. A fault of the program in it is an error,
// and not the end of the daemon.
func (s *Scheduler) attempt(what string, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a fault of the program", "at", what, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("%s: a fault of the program: %v", what, p)
		}
	}()
	return do()
}
