package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/store"
)

// Clock tells the time in two ways that need not agree.
type Clock interface {
	Now() time.Time         // the wall's: it may be set forward and back
	Elapsed() time.Duration // since some moment: nothing but time moves it
}

// machineClock is that of the machine this runs on.
type machineClock struct{ start time.Time }

func (c machineClock) Now() time.Time         { return Now() }
func (c machineClock) Elapsed() time.Duration { return Now().Sub(c.start) } // both have a monotonic part

const (
	// maxJump is how far the wall may run ahead of the time that passed while
	// the daemon ran. A step beyond it holds the raising: a clock set wrongly to
	// next year would raise a year of obligations, and nothing takes that back.
	maxJump = 36 * time.Hour

	// noticedStep is a step of the wall that is worth a record.
	noticedStep = 15 * time.Minute

	// driftFor is how long small steps add up, before they are taken for true.
	driftFor = 24 * time.Hour

	extraClock = "clock.held" // of the head record
)

// clockHold is a jump that waits to be confirmed. It is kept in the head
// record, so that a restart does not take a wrong clock for a long absence.
type clockHold struct {
	Since time.Time     `json:"since"` // by the wall, when it was found
	Ahead time.Duration `json:"ahead"` // of the time that had passed
}

// standingHold gives the hold that the store keeps; nil where there is none.
func standingHold(meta *store.Meta) (*clockHold, error) {
	text, ok := meta.Extra[extraClock]
	if !ok {
		return nil, nil
	}
	h := new(clockHold)
	if err := json.Unmarshal(text, h); err != nil {
		return nil, fmt.Errorf("read the hold of the clock: %w", err)
	}
	return h, nil
}

// anchor is a moment at which the wall was believed.
type anchor struct {
	wall    time.Time // without its monotonic part
	elapsed time.Duration
}

// believe takes the wall as it stands now for true; ahead is by how much it is
// known to be wrong. The caller holds mu, or has the Scheduler to himself.
func (s *Scheduler) believe(ahead time.Duration) {
	s.anchor = anchor{s.now().Round(0).Add(-ahead), s.elapsed()}
	s.ahead, s.drifted = ahead, ahead
}

// recall begins with what the store knows of the clock: a jump that was held
// and is not undone is held still.
func (s *Scheduler) recall(meta *store.Meta) error {
	h, err := standingHold(meta)
	if err != nil {
		return err
	}
	ahead := time.Duration(0)
	if h != nil && !s.now().Before(h.Since) {
		ahead = h.Ahead
	}
	s.believe(ahead)
	return nil
}

// drift is by how much the wall is ahead of the anchor and the time passed
// since; negative where it was set back. Outside a daemon, whose process sees no
// time pass, it is what the store knows.
func (s *Scheduler) drift() time.Duration {
	s.mu.RLock()
	a, ahead := s.anchor, s.ahead
	s.mu.RUnlock()
	if !s.cfg.Daemon {
		return ahead
	}
	return s.now().Round(0).Sub(a.wall) - (s.elapsed() - a.elapsed)
}

// trusted is the moment of now by the clock that is believed: the wall's, or
// where that jumped too far, the time that passed since it was right.
func (s *Scheduler) trusted() time.Time {
	if d := s.drift(); d > maxJump {
		return s.now().Add(-d)
	}
	return s.now()
}

// jumped says whether the wall is ahead by more than is taken without asking.
// A wall that only came up to the store's own day is not.
func (s *Scheduler) jumped(meta *store.Meta, zone *time.Location) bool {
	return s.drift() > maxJump && calendar.DateIn(s.now(), zone) > meta.BusinessDate
}

// watchClock is the loop's look at the clock. A step is logged and recorded;
// small ones are believed after a day. What jumped too far is held by the next
// change (noteClock), and not believed at all.
func (s *Scheduler) watchClock(ctx context.Context) {
	d := s.drift()
	s.mu.Lock()
	step := d - s.drifted
	s.drifted = d
	if d <= maxJump && s.elapsed()-s.anchor.elapsed > driftFor {
		s.believe(0)
	}
	s.mu.Unlock()
	if step.Abs() < noticedStep {
		return
	}
	now := s.moment()
	s.log.Warn("the system's clock was set", "by", step.Round(time.Second), "to", now)
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		return underStanding(&meta, Actor{System: true}, now).write(tx, "clock.stepped", "", map[string]any{"seconds": int64(step.Seconds())})
	})
	if err != nil {
		s.log.Error("record the clock's step", "error", err)
	}
}

// noteClock holds what jumped, and lets go what came back, in the change's own
// transaction.
func (c *change) noteClock() error {
	h, err := standingHold(&c.meta)
	if err != nil {
		return err
	}
	jumped := c.s.jumped(&c.meta, c.book.Zone)
	if jumped == (h != nil) {
		return nil
	}
	c.meta.Extra = maps.Clone(c.meta.Extra)
	if !jumped {
		delete(c.meta.Extra, extraClock)
		return c.audit("clock.released", "", h)
	}
	if c.meta.Extra == nil {
		c.meta.Extra = map[string]json.RawMessage{}
	}
	h = &clockHold{Since: c.now, Ahead: c.s.drift()}
	if c.meta.Extra[extraClock], err = json.Marshal(h); err != nil {
		return err
	}
	return c.audit("clock.held", "", h)
}

// clockNoted says whether the store knows how the clock is.
func (s *Scheduler) clockNoted(meta *store.Meta, zone *time.Location) (bool, error) {
	h, err := standingHold(meta)
	return s.jumped(meta, zone) == (h != nil), err
}

// Clock says how the system's clock is, and where it is asked to, takes a jump
// for true: what waits for the days between is raised then.
func (s *Scheduler) Clock(ctx context.Context, actor Actor, r api.ClockRequest) (*api.ClockReply, error) {
	book, _ := s.inForce()
	reply := &api.ClockReply{Wall: s.moment(), Limit: maxJump.Hours()}
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		p, err := s.who(tx, actor)
		if err != nil {
			return err
		}
		need := actRead
		if r.Confirm {
			need = actClock
		}
		if err := p.may(need); err != nil {
			return err
		}
		if r.Confirm {
			view, err := s.sightNow(tx, p)
			if err != nil {
				return err
			}
			if err := view.whole(tx); err != nil { // it scans every branch
				return err
			}
		}
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		reply.Business, reply.Today = meta.BusinessDate, s.readingDay(&meta, book, 0)
		if s.jumped(&meta, book.Zone) {
			reply.Held, reply.Ahead = true, int64(s.drift().Seconds())
		}
		return nil
	})
	if err != nil || !r.Confirm {
		return reply, s.refused(ctx, actor, actClock, "", refine(err))
	}
	if !reply.Held {
		return nil, api.Errorf(api.Usage, `look with "tickler clock status"`, "nothing waits for the clock to be confirmed (时钟无待确认的跳变)")
	}
	if err := s.inCalendar(calendar.DateIn(s.now(), book.Zone)); err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		p, err := s.who(tx, actor)
		if err != nil {
			return err
		}
		actor.Person = p.Staff
		meta.Extra = maps.Clone(meta.Extra)
		delete(meta.Extra, extraClock)
		if err := underStanding(&meta, actor, s.moment()).write(tx, "clock.confirmed", "", reply); err != nil {
			return err
		}
		return tx.PutMeta(meta)
	})
	if err != nil {
		return nil, refine(err)
	}
	s.mu.Lock()
	s.believe(0)
	s.mu.Unlock()
	reply.Held, reply.Ahead = false, 0
	tick, err := s.Tick(ctx, actor, api.TickRequest{})
	if err != nil {
		return nil, fmt.Errorf("the clock is confirmed; scan: %w", err)
	}
	reply.Today, reply.Plan = tick.Today, tick.Plan
	return reply, nil
}

// clockProblem says that a jump waits; "" where none does.
func (s *Scheduler) clockProblem(meta *store.Meta, zone *time.Location) string {
	if !s.jumped(meta, zone) {
		return ""
	}
	d := s.drift().Round(time.Minute)
	return fmt.Sprintf("系统时钟 %[1]s 比运行时间超前 %[2]s，触发暂停；核对后执行 tickler clock confirm，或校正时钟 / the system's clock %[1]s jumped ahead by %[2]s: raising waits; run \"tickler clock confirm\" if it is right, or set it right",
		s.now().In(zone).Format("2006-01-02 15:04"), days(d))
}

// days writes a long duration as people read it.
func days(d time.Duration) string {
	if n := int(d.Hours()) / 24; n > 0 {
		return fmt.Sprintf("%dd%dh", n, int(d.Hours())%24)
	}
	return d.String()
}
