package rules

import (
	"cmp"
	"maps"
	"slices"
	"sort"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// play is a case being played: every day on which something happens, one after
// another, as the daemon lives them. On each, what a file showed is planned
// first, then each event that somebody records is taken: it closes what it
// discharges, the plan is made anew, and it closes what only that brought about.
type play struct {
	book   *Book
	cal    *calendar.Calendar
	facts  *caseFacts
	reach  Reach
	today  calendar.Date
	window Window
	taken  []*takenEvent // events known by now
	gone   map[string]bool

	units map[loan.Ref]*playedUnit
	order []loan.Ref              // in the order of the daemon's planning
	all   []obligation.Obligation // what stands in the end

	mishaps []Difference
}

// playedUnit is a borrower, an officer, a branch or a group with its plan.
type playedUnit struct {
	obs   []obligation.Obligation
	next  calendar.Date // the day on which the plan may change by itself
	known bool          // it was planned before
}

// takenEvent is an event as the daemon keeps it: its fields checked, what it
// closed, the unit it is kept with and those in which it counts or closes.
type takenEvent struct {
	loan.Event
	line  int
	home  loan.Ref
	units []loan.Ref
	asked []string // obligations that the case names: it closes no others

	closed map[*playedUnit]bool // units in which it closed what was there
}

// windowDays is how far ahead the plan of a case reaches, as the daemon's.
const windowDays = 400

// play lives the case's days under a rulebook.
func (c *Case) play(b *Book, cal *calendar.Calendar) *play {
	p := &play{book: c.book(b), cal: cal, facts: &c.facts, units: map[loan.Ref]*playedUnit{}, gone: map[string]bool{}}
	p.reach = p.book.Reach()
	first, _ := cal.Range()
	days := c.days()
	if p.window.From = c.GoLive; c.GoLive.IsZero() {
		p.window.From = max(days[0], first)
	}
	// The daemon's window grows quarter by quarter. Planned to its last end from
	// the first day on, the plan is the same in the end.
	p.window.To = calendar.PeriodOf(calendar.Quarter, c.On.AddDays(windowDays), calendar.Fiscal{}).End
	wants := p.wanted()
	for i := 0; i < len(days); {
		// A maturity passes, a period's facts turn: the plan asks to be made anew.
		day := days[i]
		for _, u := range p.units {
			if !u.next.IsZero() && u.next > p.today {
				day = min(day, u.next)
			}
		}
		if day == days[i] {
			i++
		}
		p.live(day, wants)
	}
	for _, u := range p.order {
		p.all = append(p.all, p.units[u].obs...)
	}
	return p
}

// days are those on which something happens, the day of the case the last.
func (c *Case) days() []calendar.Date {
	days := []calendar.Date{c.On}
	for _, l := range c.facts.loans {
		for _, v := range l.History {
			days = append(days, v.From)
		}
	}
	for _, e := range c.facts.events {
		days = append(days, e.Happened)
		if !e.withdrawn.IsZero() {
			days = append(days, e.withdrawn)
		}
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// wanted says of which kinds of unit the rules at hand make duties.
func (p *play) wanted() map[loan.Kind]bool {
	out := map[loan.Kind]bool{}
	for _, r := range p.book.Rules {
		switch r.For {
		case loan.KindOfficer, loan.KindBranch, loan.KindGroup:
			out[r.For] = true
		case "":
			for _, on := range r.On {
				for _, k := range p.book.Events[on].For {
					out[unitKind(k)] = true
				}
			}
		default:
			out[loan.KindBorrower] = true
		}
	}
	return out
}

// unitKind is the kind of the unit that a kind of subject belongs to.
func unitKind(k loan.Kind) loan.Kind {
	switch k {
	case loan.KindLoan, loan.KindCollateral, loan.KindGuarantor:
		return loan.KindBorrower
	}
	return k
}

// live plays one day.
func (p *play) live(day calendar.Date, wants map[loan.Kind]bool) {
	p.today = day
	news := p.arrivals(day)
	p.meet(wants)
	found, recorded := p.happening(day, news)
	for _, e := range found {
		p.keep(e)
	}
	for _, ref := range p.order {
		u := p.units[ref]
		if news || len(found) > 0 || !u.known || !u.next.IsZero() && u.next <= day {
			its := slices.DeleteFunc(slices.Clone(found), func(e *takenEvent) bool { return !slices.Contains(e.units, ref) })
			p.plan(ref, u, false, its...)
		} else {
			obligation.Settle(u.obs, p.circumstances(p.eventsOf(ref), nil))
		}
	}
	for _, e := range recorded {
		if !p.admits(e) {
			continue
		}
		p.keep(e)
		for _, ref := range p.order {
			if slices.Contains(e.units, ref) {
				p.plan(ref, p.units[ref], false, e)
			}
		}
	}
	p.withdraw(day)
}

// arrivals says that a file of this day showed something new, and moves what
// belongs to a loan that went to another borrower.
func (p *play) arrivals(day calendar.Date) bool {
	news := false
	for _, l := range p.facts.loans {
		for i, v := range l.History {
			if v.From != day {
				continue
			}
			news = true
			if i == 0 || l.History[i-1].Value.Borrower == v.Value.Borrower {
				continue
			}
			was, is := borrowerRef(l.History[i-1].Value.Borrower), borrowerRef(v.Value.Borrower)
			subject := loan.Ref{Kind: loan.KindLoan, ID: l.ID}
			for _, e := range p.taken {
				if e.Subject == subject {
					e.home = is
				}
			}
			from := p.units[was]
			if from == nil {
				continue
			}
			to := p.unit(is)
			for _, o := range from.obs {
				if o.Subject == subject {
					to.obs = append(to.obs, o)
				}
			}
			from.obs = slices.DeleteFunc(from.obs, func(o obligation.Obligation) bool { return o.Subject == subject })
		}
	}
	return news
}

func borrowerRef(id string) loan.Ref { return loan.Ref{Kind: loan.KindBorrower, ID: id} }

// unit gives a unit, new or known.
func (p *play) unit(ref loan.Ref) *playedUnit {
	u := p.units[ref]
	if u == nil {
		u = &playedUnit{}
		p.units[ref] = u
		p.order = append(p.order, ref)
		slices.SortFunc(p.order, byKind)
	}
	return u
}

// byKind is the order in which the daemon plans.
func byKind(a, b loan.Ref) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) }

// meet makes the units of the day.
func (p *play) meet(wants map[loan.Kind]bool) {
	meet := func(k loan.Kind, id string) {
		if wants[k] && id != "" {
			p.unit(loan.Ref{Kind: k, ID: id})
		}
	}
	for _, l := range p.facts.loans {
		if v := p.at(l); v != nil {
			meet(loan.KindBorrower, v.Borrower)
			meet(loan.KindOfficer, v.Officer)
			meet(loan.KindBranch, v.Branch)
		}
	}
	for _, id := range sortedKeys(p.facts.borrowers) {
		meet(loan.KindBorrower, id)
		meet(loan.KindOfficer, p.facts.borrowers[id].RiskManager)
	}
	for _, id := range sortedKeys(p.facts.staff) {
		meet(loan.KindOfficer, id)
	}
	for _, id := range sortedKeys(p.facts.branches) {
		meet(loan.KindBranch, id)
	}
	for _, id := range sortedKeys(p.facts.groups) {
		meet(loan.KindGroup, id)
	}
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// plan makes a unit's plan anew, and takes events of it if there are any:
// what they discharge closes first, and what only this plan brought about last.
func (p *play) plan(ref loan.Ref, u *playedUnit, withdrawing bool, events ...*takenEvent) {
	p.match(u, events)
	facts := p.known(ref)
	d := Derive(p.book, p.cal, facts, ref, p.window)
	attempts := slices.SortedFunc(maps.Keys(d.Failed), func(a, b Attempt) int { return cmp.Or(byKind(a.Subject, b.Subject), cmp.Compare(a.Rule, b.Rule)) })
	for _, a := range attempts {
		p.mishap(Broken, 0, "%s %s: %v", p.today, a.Subject, d.Failed[a])
	}
	circ := p.circumstances(facts.Events, events)
	circ.Withdrawing = withdrawing
	for id, how := range Shown(p.book, facts, u.obs) {
		if _, there := circ.Closings[id]; !there {
			circ.Closings[id] = []obligation.Closing{how}
		}
	}
	circ.Unknown = d.Unknown
	u.obs, _ = obligation.Reconcile(u.obs, d.Duties, circ)
	if len(events) > 0 {
		p.match(u, events)
		obligation.Settle(u.obs, p.circumstances(p.eventsOf(ref), events))
	}
	u.next, u.known = d.Next, true
}

// match finds what events close in a unit and writes it into them.
func (p *play) match(u *playedUnit, events []*takenEvent) {
	for _, e := range events {
		if e.closed[u] && !e.Snapshot {
			continue // what came about since is another's
		}
		ask := e.Event
		ask.Closes = e.asked
		keys, err := Closings(p.book, u.obs, ask)
		if err != nil {
			p.mishap(Refused, e.line, "%s %s: %v", p.today, e.Kind, err)
			continue
		}
		for _, k := range keys {
			if id := k.String(); !slices.Contains(e.Closes, id) {
				e.closed[u] = true
				e.Closes = append(slices.Clip(e.Closes), id)
			}
		}
	}
}

func (p *play) circumstances(events []loan.Event, fresh []*takenEvent) obligation.Circumstances {
	closings := map[string][]obligation.Closing{}
	take := func(e *loan.Event) {
		for _, id := range e.Closes {
			if len(closings[id]) == 0 && e.Withdrawn == nil {
				closings[id] = []obligation.Closing{{On: e.Happened, Event: e.ID}}
			}
		}
	}
	for i := range events {
		take(&events[i])
	}
	for _, e := range fresh {
		take(&e.Event)
	}
	return obligation.Circumstances{
		Today: p.today, Rulebook: p.book.Digest(), Calendar: p.cal.Version(), Closings: closings,
		Gone: func(event string) bool { return p.gone[event] },
	}
}

// eventsOf lists what has happened to a unit by now and stands, by day and then
// by id.
func (p *play) eventsOf(ref loan.Ref) []loan.Event {
	var out []loan.Event
	for _, e := range p.taken {
		if e.home == ref && e.Withdrawn == nil {
			out = append(out, e.Event)
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Happened != out[j].Happened {
			return out[i].Happened < out[j].Happened
		}
		return out[i].ID < out[j].ID
	})
	return out
}
