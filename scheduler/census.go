package scheduler

import (
	"context"
	"time"

	"tickler/calendar"
	"tickler/obligation"
	"tickler/store"
)

// Census is what was in the store when it was last counted through.
type Census struct {
	At       time.Time
	Took     time.Duration
	ended    time.Duration // by the clock that nothing sets
	Business calendar.Date // overdue is as of this day
	AuditSeq uint64

	States  map[obligation.State]int
	Overdue int
	Raised  int // ever

	Messages uint64    // ever enqueued
	Unsent   int       // of them
	Oldest   time.Time // when the oldest unsent one was enqueued; zero where there is none
}

// censusShare is how much of the time may go into counting: the next count
// waits twenty times as long as the last one took.
const censusShare = 20

// messagePage is how many messages are counted in one View.
const messagePage = 2_000

// recount counts the store through where something changed since the last
// count, and that is long enough ago. It reads page by page, and is of no one
// state.
func (s *Scheduler) recount(ctx context.Context) error {
	began := s.elapsed()
	was := s.pulse.counted()
	if was != nil && began-was.ended < censusShare*was.Took {
		return nil
	}
	view := s.views(ctx)
	book, _ := s.inForce()
	c := &Census{States: map[obligation.State]int{}}
	err := view(func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		c.Business = s.readingDay(&meta, book, 0)
		if c.Messages, err = tx.Messages(); err != nil {
			return err
		}
		c.AuditSeq, _, err = tx.AuditHead()
		return err
	})
	if err != nil || was != nil && was.AuditSeq == c.AuditSeq && was.Business == c.Business {
		return err
	}
	count := func(g *store.Glance) {
		c.States[g.State]++
		if g.Overdue(c.Business) {
			c.Overdue++
		}
		if g.Raised {
			c.Raised++
		}
	}
	err = eachGlance(view, count, func(*store.Tx, *store.Plan) error { return nil })
	for after, begun := uint64(0), false; err == nil && (!begun || after > 0); begun = true {
		err = view(func(tx *store.Tx) error {
			n, last, err := tx.CountOutbox(after, messagePage, func(m store.Message) { c.Oldest = m.At })
			c.Unsent, after = c.Unsent+n, last
			return err
		})
	}
	if err != nil {
		return err
	}
	c.At, c.ended = s.now(), s.elapsed()
	c.Took = c.ended - began
	s.pulse.count(c)
	return nil
}
