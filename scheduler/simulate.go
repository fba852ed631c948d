package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// maxSimulated is how many years ahead a simulation may look: by then the
// portfolio is another.
const maxSimulated = 3

// Simulate runs the loop itself, scan by scan, in virtual time on a copy of
// the store, and tells what it did. Days before From that have not come yet
// are run as well and not told. The store is not changed.
func (s *Scheduler) Simulate(ctx context.Context, r api.SimulateRequest) (*api.SimulateReply, error) {
	if err := s.allowed(ctx, actTry, true); err != nil {
		return nil, err
	}
	if s.cfg.Copy == nil {
		return nil, errors.New("simulate: there is nowhere to copy the store to")
	}
	if !s.simulating.TryLock() {
		return nil, api.Errorf(api.Locked, "wait until it has ended", "another simulation is at work")
	}
	defer s.simulating.Unlock()
	m, err := s.simulation(ctx, r)
	if err != nil {
		return nil, refine(err)
	}
	defer m.close()
	if err := m.run(ctx); err != nil {
		return nil, refine(err)
	}
	return m.tell(), nil
}

// simulation is one at work.
type simulation struct {
	from, to calendar.Date // told
	first    calendar.Date // first day run
	onTime   bool
	lines    bool

	shards []*shard
	day    calendar.Date // of their clock
	book   *rules.Book
	cal    *calendar.Calendar

	desks  map[string]*desk
	open   []*desk
	agenda map[calendar.Date][]*desk
	nudged calendar.Date // last day whose agenda was gone through
	due    map[calendar.Date][]*desk

	days     []simulatedDay // from to to
	weeks    map[weekKey]*api.WeekCounts
	maturing int
	started  struct{ open, overdue int }
	failed   []string
	unclosed map[string]int // rule without a way to close -> how many were left
}

// watched is one change of an obligation that has been raised.
type watched struct {
	o    obligation.Obligation
	kind obligation.ChangeKind
}

// desk is an obligation on somebody's desk.
type desk struct {
	id     string
	o      obligation.Obligation // Nudge, Told and Escalated are the simulation's own
	listed bool                  // in simulation.open
	tried  bool                  // somebody was to complete it
}

type simulatedDay struct {
	api.SimulatedDay
	raised, due int
}

type weekKey struct {
	end                 calendar.Date // its last day told
	owner, role, branch string
}

// simulation looks at what is asked for and copies the store.
func (s *Scheduler) simulation(ctx context.Context, r api.SimulateRequest) (*simulation, error) {
	if err := s.decide(ctx); err != nil { // what the next scan would run under
		return nil, err
	}
	book, cal := s.inForce()
	var meta store.Meta
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) (err error) { meta, err = tx.Meta(); return err })
	if err != nil {
		return nil, err
	}
	today := s.readingDay(&meta, book, 0)
	m := &simulation{from: r.From, to: r.To, onTime: r.Complete == api.CompleteOnTime, lines: r.Lines, book: book, cal: cal,
		desks: map[string]*desk{}, agenda: map[calendar.Date][]*desk{}, due: map[calendar.Date][]*desk{}, weeks: map[weekKey]*api.WeekCounts{}, unclosed: map[string]int{}}
	if m.from.IsZero() {
		m.from = today
	}
	m.first = min(m.from, today)
	switch {
	case r.Complete != "" && !m.onTime:
		return nil, api.Errorf(api.Usage, "", "--complete %q: want %s, or leave it out", r.Complete, api.CompleteOnTime)
	case m.to.IsZero():
		return nil, api.Errorf(api.Usage, "", "--to is missing: the last day to simulate")
	case m.to < m.from:
		return nil, api.Errorf(api.Usage, "", "--to %s is before --from %s", m.to, m.from)
	case m.from < meta.BusinessDate:
		return nil, api.Errorf(api.Usage, "what was is told by \"tickler upcoming --all\"", "--from %s is before the store's business date %s", m.from, meta.BusinessDate)
	case m.to > m.first.AddYears(maxSimulated):
		return nil, api.Errorf(api.Usage, "", "--to %s is more than %d years ahead of %s", m.to, maxSimulated, m.first)
	}
	if err := s.inCalendar(m.to); err != nil {
		return nil, err
	}
	if err := m.split(ctx, s.cfg.Copy); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// now is noon of the simulated day: the same day however the zone's clocks
// are put forward or back.
func (m *simulation) now() time.Time {
	y, mon, d := m.day.Civil()
	return time.Date(y, mon, d, 12, 0, 0, 0, m.book.Zone)
}

// run takes the copy from day to day.
func (m *simulation) run(ctx context.Context) error {
	if err := m.takeDesks(ctx); err != nil {
		return err
	}
	for m.day = m.first; m.day <= m.to; m.day++ {
		if m.day == m.from {
			m.start()
		}
		if m.day >= m.from {
			work, err := m.cal.IsWorkday(m.day)
			if err != nil {
				return err
			}
			m.days = append(m.days, simulatedDay{SimulatedDay: api.SimulatedDay{Date: m.day, Workday: work, Provisional: m.cal.Provisional(m.day)}})
		}
		if err := m.tick(ctx); err != nil {
			return fmt.Errorf("simulate %s: %w", m.day, err)
		}
		if err := m.take(); err != nil {
			return err
		}
		m.fallDue()
		if err := m.nudge(); err != nil {
			return err
		}
		if m.onTime {
			if err := m.complete(ctx); err != nil {
				return fmt.Errorf("simulate %s: %w", m.day, err)
			}
		}
		if m.day >= m.from && (m.day == m.weekEnd() || m.day == m.to) {
			m.endWeek()
		}
	}
	return nil
}

// takeDesks takes up what is raised already.
func (m *simulation) takeDesks(ctx context.Context) error {
	m.day = m.first
	for _, h := range m.shards {
		if err := h.copy.cfg.Store.View(ctx, m.takeDesksOf); err != nil {
			return err
		}
	}
	return m.shards[0].copy.cfg.Store.View(ctx, func(tx *store.Tx) (err error) {
		m.maturing, err = m.maturities(tx)
		return err
	})
}

func (m *simulation) takeDesksOf(tx *store.Tx) error {
	return tx.ScanPlans(func(p *store.Plan) error {
		for i := range p.Obligations {
			if o := &p.Obligations[i]; o.State == obligation.Raised {
				d := &desk{id: o.Key.String(), o: *o, listed: true}
				m.desks[d.id] = d
				m.open = append(m.open, d)
				if err := m.schedule(d); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// take brings the desks to where the transaction left the obligations.
func (m *simulation) take() error {
	for _, h := range m.shards {
		for i := range h.pending {
			if err := m.takeOne(&h.pending[i]); err != nil {
				return err
			}
		}
		h.pending = h.pending[:0]
	}
	return nil
}

func (m *simulation) takeOne(w *watched) error {
	id := w.o.Key.String()
	d := m.desks[id]
	if d == nil {
		d = &desk{id: id}
		m.desks[id] = d
	}
	isNew := d.o.RaisedOn.IsZero()
	was := d.o
	d.o = w.o
	if !isNew { // of nudges the copies, which are mute, know what was before, and what moved
		d.o.Nudge, d.o.Told, d.o.Escalated = was.Nudge, max(was.Told, w.o.Told), was.Escalated
	}
	moved := was.Due != d.o.Due || was.PeriodEnd != d.o.PeriodEnd || was.Role != d.o.Role || was.Told != d.o.Told || was.Snoozed != d.o.Snoozed
	back := was.State != obligation.Raised && d.o.State == obligation.Raised
	if isNew && m.told() {
		day := m.today()
		day.raised++
		m.week(d).Raised++
		if m.lines {
			day.Raised = append(day.Raised, d.id)
		}
	}
	if back && !d.listed {
		m.open, d.listed = append(m.open, d), true
	}
	if moved || back {
		return m.schedule(d)
	}
	return nil
}

// schedule notes the days on which an obligation falls due, and on which
// somebody is next told of it.
func (m *simulation) schedule(d *desk) error {
	if d.o.Due >= m.day {
		m.due[d.o.Due] = append(m.due[d.o.Due], d)
	}
	_, next, err := nudges(m.cal, m.book, &d.o, 0)
	if err != nil {
		return err
	}
	m.await(d, next)
	return nil
}

// await notes the day of an obligation's next nudge. What has come to be told
// after the day's scan waits for the next.
func (m *simulation) await(d *desk, next calendar.Date) {
	if !next.IsZero() {
		next = max(next, m.day, m.nudged+1)
	}
	d.o.Nudge = next
	if !next.IsZero() && next <= m.to {
		m.agenda[next] = append(m.agenda[next], d)
	}
}

// fallDue tells what is due today.
func (m *simulation) fallDue() {
	list := m.due[m.day]
	delete(m.due, m.day)
	if !m.told() {
		return
	}
	day, seen := m.today(), map[*desk]bool{}
	for _, d := range list {
		if d.o.Due != m.day || d.o.State != obligation.Raised || seen[d] {
			continue
		}
		seen[d] = true
		day.due++
		m.week(d).Due++
		if m.lines {
			day.Due = append(day.Due, d.id)
		}
	}
}

// nudge tells who is reminded today, and what goes up, as the loop's scan does
// of the obligations that it keeps. The copies do not: what they would write is
// read by nobody.
func (m *simulation) nudge() error {
	list := m.agenda[m.day]
	delete(m.agenda, m.day)
	m.nudged = m.day
	for _, d := range list {
		if d.o.Nudge != m.day || d.o.State != obligation.Raised {
			continue // it moved since, or is here twice
		}
		now, next, err := nudges(m.cal, m.book, &d.o, m.day)
		if err == nil {
			now, err = takeNudges(m.cal, &d.o, now, m.day)
		}
		if err != nil {
			return err
		}
		m.await(d, next)
		if !m.told() {
			continue
		}
		day, week := m.today(), m.week(d)
		for _, n := range now {
			switch {
			case n.to == "":
				week.Reminded++
				if m.lines {
					day.Reminded = append(day.Reminded, d.id)
				}
			default:
				week.Escalated++
				if m.lines {
					day.Escalated = append(day.Escalated, api.SimulatedEscalated{ID: d.id, To: n.to})
				}
			}
		}
	}
	return nil
}

// start counts what lies on the desks before the first day that is told.
func (m *simulation) start() {
	for _, d := range m.open {
		if d.o.State != obligation.Raised {
			continue
		}
		m.started.open++
		if d.o.Overdue(m.from) {
			m.started.overdue++
		}
	}
}

// endWeek counts what is overdue at the end of a week, and forgets what has
// left the desks.
func (m *simulation) endWeek() {
	kept := m.open[:0]
	for _, d := range m.open {
		if d.o.State != obligation.Raised {
			d.listed = false
			continue
		}
		kept = append(kept, d)
		if d.o.Overdue(m.day) {
			m.week(d).Overdue++
		}
	}
	m.open = kept
}

// told says that this day is one of those asked for.
func (m *simulation) told() bool { return m.day >= m.from }

func (m *simulation) today() *simulatedDay { return &m.days[len(m.days)-1] }

// weekEnd is the Sunday of this day.
func (m *simulation) weekEnd() calendar.Date {
	return m.day.AddDays((7 - int(m.day.Weekday())) % 7)
}

// week gives the numbers of this week for whoever has the obligation.
func (m *simulation) week(d *desk) *api.WeekCounts {
	k := weekKey{end: min(m.weekEnd(), m.to), owner: d.o.Owner, branch: d.o.Branch}
	if k.owner == "" {
		k.role = d.o.Role
	} else {
		k.branch = "" // his duties may be of several
	}
	w := m.weeks[k]
	if w == nil {
		w = &api.WeekCounts{}
		m.weeks[k] = w
	}
	return w
}
