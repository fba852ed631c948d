package rules

import (
	"slices"
	"sort"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// play is a case being played: every day on which something happens, one after
// another, as the daemon lives them. On each, what files showed is planned
// first, then each event is taken: it closes what it discharges, the plan is
// made anew, and it closes what only that brought about.
type play struct {
	book   *Book
	cal    *calendar.Calendar
	facts  *caseFacts
	today  calendar.Date
	window Window
	taken  []*caseEvent // events known by now, with what they closed

	units map[loan.Ref]*playedUnit
	order []loan.Ref
	all   []obligation.Obligation // what stands in the end

	mishaps []Difference
}

// playedUnit is a borrower, an officer or a branch with its plan.
type playedUnit struct {
	obs   []obligation.Obligation
	next  calendar.Date // the day on which the plan may change by itself
	known bool          // it was planned before
}

// windowDays is how far ahead the plan of a case reaches, as the daemon's.
const windowDays = 400

// play lives the case's days under a rulebook.
func (c *Case) play(b *Book, cal *calendar.Calendar) *play {
	p := &play{book: c.book(b), cal: cal, facts: &c.facts, units: map[loan.Ref]*playedUnit{}}
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
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// wanted says of which kinds the rules at hand make duties.
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
	p.taken = append(p.taken, found...)
	for _, ref := range p.order {
		u := p.units[ref]
		if news || len(found) > 0 || !u.known || !u.next.IsZero() && u.next <= day {
			var its []*caseEvent
			for _, e := range found {
				if p.facts.unitOf(e.Subject, day) == ref {
					its = append(its, e)
				}
			}
			p.plan(ref, u, its...)
		} else {
			obligation.Settle(u.obs, p.circumstances(p.eventsOf(ref)))
		}
	}
	for _, e := range recorded {
		p.take(e)
	}
}

// ledgerShows are the events that differences between two files show. On the
// day of a new version they come with its file, and with it they are planned.
var ledgerShows = []string{"ledger.recorded", "loan.extended", "loan.maturity_changed", "loan.repaid", "loan.settled", "loan.rate_changed",
	"loan.guarantee_changed", "loan.defaulted", "loan.transferred", "class.changed", "mode.changed", "officer.changed"}

// happening gives the events of a day: those that its file showed, and those
// that people recorded.
func (p *play) happening(day calendar.Date, news bool) (found, recorded []*caseEvent) {
	for i := range p.facts.events {
		e := p.facts.events[i]
		if e.Happened != day {
			continue
		}
		e.Subject = p.facts.subjectOf(&e, p.book.Events[e.Kind])
		if e.Snapshot = e.Snapshot || news && slices.Contains(ledgerShows, e.Kind); e.Snapshot {
			found = append(found, &e)
		} else {
			recorded = append(recorded, &e)
		}
	}
	return found, recorded
}

// take lets the daemon take an event that somebody records.
func (p *play) take(e *caseEvent) {
	p.taken = append(p.taken, e)
	ref := p.facts.unitOf(e.Subject, p.today)
	if u := p.units[ref]; u != nil {
		p.plan(ref, u, e)
	}
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
			from := p.units[loan.Ref{Kind: loan.KindBorrower, ID: l.History[i-1].Value.Borrower}]
			to := p.unit(loan.Ref{Kind: loan.KindBorrower, ID: v.Value.Borrower})
			if from == nil {
				continue
			}
			subject := loan.Ref{Kind: loan.KindLoan, ID: l.ID}
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

// unit gives a unit, new or known.
func (p *play) unit(ref loan.Ref) *playedUnit {
	u := p.units[ref]
	if u == nil {
		u = &playedUnit{}
		p.units[ref] = u
		p.order = append(p.order, ref)
	}
	return u
}

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

func sortedKeys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// at gives a loan as known today; nil before it was.
func (p *play) at(l *loan.LoanFile) *loan.Loan {
	if l.History[0].From > p.today {
		return nil
	}
	return l.History.At(p.today)
}

// plan makes a unit's plan anew, and takes events of it if there are any:
// what they discharge closes first, and what only this plan brought about last.
func (p *play) plan(ref loan.Ref, u *playedUnit, events ...*caseEvent) {
	events = slices.DeleteFunc(events, func(e *caseEvent) bool {
		refused := !p.match(u, e)
		if refused {
			p.taken = slices.DeleteFunc(p.taken, func(x *caseEvent) bool { return x == e })
		}
		return refused
	})
	facts := p.known(ref)
	d := Derive(p.book, p.cal, facts, ref, p.window)
	for _, s := range sortedRefs(d.Failed) {
		p.mishap(Broken, 0, "%s %s: %v", p.today, s, d.Failed[s])
	}
	circ := p.circumstances(facts.Events)
	circ.Unknown = func(s loan.Ref) bool { return d.Failed[s] != nil }
	u.obs, _ = obligation.Reconcile(u.obs, d.Duties, circ)
	for _, e := range events {
		p.match(u, e)
	}
	if len(events) > 0 {
		obligation.Settle(u.obs, p.circumstances(p.eventsOf(ref)))
	}
	u.next, u.known = d.Next, true
}

func sortedRefs(m map[loan.Ref]error) []loan.Ref {
	out := make([]loan.Ref, 0, len(m))
	for r := range m {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b loan.Ref) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	return out
}

// match finds what an event closes and writes it into it; false where the
// daemon would refuse the event.
func (p *play) match(u *playedUnit, e *caseEvent) bool {
	keys, err := Closings(p.book, u.obs, e.Event)
	if err != nil {
		p.mishap(Refused, e.at.line, "%s %s: %v", p.today, e.Kind, err)
		return false
	}
	for _, k := range keys {
		if id := k.String(); !slices.Contains(e.Closes, id) {
			e.Closes = append(slices.Clip(e.Closes), id)
		}
	}
	return true
}

func (p *play) circumstances(events []loan.Event) obligation.Circumstances {
	closings := map[string]obligation.Closing{}
	for _, e := range events {
		for _, id := range e.Closes {
			if _, there := closings[id]; !there {
				closings[id] = obligation.Closing{On: e.Happened, Event: e.ID}
			}
		}
	}
	return obligation.Circumstances{
		Today: p.today, Rulebook: p.book.Digest(), Calendar: p.cal.Version(), Closings: closings,
		Signed: func(rule string) bool { r := p.book.Rule(rule); return r != nil && len(r.Sign) > 0 },
	}
}

// eventsOf lists what has happened to a unit by now, by day and then by id.
func (p *play) eventsOf(ref loan.Ref) []loan.Event {
	var out []loan.Event
	for i := range p.taken {
		if p.facts.unitOf(p.taken[i].Subject, p.today) == ref {
			out = append(out, p.taken[i].Event)
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

// known gives the facts that a unit's derivation may know today. A loan's row
// stands until another one comes, as if a file had come every day.
func (p *play) known(ref loan.Ref) *loan.Facts {
	c := p.facts
	f := &loan.Facts{Today: p.today, Branches: c.branches, Staff: c.staff, Groups: c.groups, Events: p.eventsOf(ref)}
	have := map[string]bool{}
	take := func(l *loan.LoanFile) {
		if have[l.ID] || p.at(l) == nil {
			return
		}
		have[l.ID] = true
		now := *l
		n := len(now.History)
		for n > 1 && now.History[n-1].From > p.today {
			n--
		}
		now.History, now.Confirmed = now.History[:n:n], p.today
		f.Loans = append(f.Loans, &now)
	}
	for _, l := range c.loans {
		v := p.at(l)
		if v != nil && (ref.Kind == loan.KindBorrower && v.Borrower == ref.ID || ref.Kind == loan.KindOfficer && v.Officer == ref.ID || ref.Kind == loan.KindBranch && v.Branch == ref.ID) {
			take(l)
		}
	}
	if ref.Kind == loan.KindBorrower {
		if b := c.borrowers[ref.ID]; b != nil {
			f.Borrowers = map[string]*loan.Borrower{ref.ID: b}
		}
		for _, id := range sortedKeys(c.collaterals) {
			if p.facts.unitOf(loan.Ref{Kind: loan.KindCollateral, ID: id}, p.today) != ref {
				continue
			}
			if f.Collaterals == nil {
				f.Collaterals = map[string]*loan.Collateral{}
			}
			f.Collaterals[id] = c.collaterals[id]
			for _, l := range c.loans { // of other borrowers, too
				if slices.Contains(c.collaterals[id].Loans, l.ID) {
					take(l)
				}
			}
		}
	}
	sort.Slice(f.Loans, func(i, j int) bool { return f.Loans[i].ID < f.Loans[j].ID })
	return f
}
