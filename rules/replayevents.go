package rules

import (
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// ledgerShows are the events that differences between two files show. On the
// day of a new version they come with its file, and with it they are planned.
var ledgerShows = []string{"ledger.recorded", "loan.extended", "loan.maturity_changed", "loan.repaid", "loan.settled", "loan.rate_changed",
	"loan.guarantee_changed", "loan.defaulted", "loan.transferred", "class.changed", "mode.changed", "officer.changed"}

// happening gives the events of a day: those that its file showed, and those
// that people recorded.
func (p *play) happening(day calendar.Date, news bool) (found, recorded []*takenEvent) {
	for i := range p.facts.events {
		e := &p.facts.events[i]
		if e.Happened != day {
			continue
		}
		kind := p.book.Events[e.Kind]
		x := &takenEvent{Event: e.Event, line: e.at.line, asked: slices.Clone(e.Closes), closed: map[*playedUnit]bool{}}
		x.Fields, _, _ = kind.Note(e.Fields) // looked at by check
		x.Period, x.Party = x.Fields[FieldPeriod], x.Fields[FieldParty]
		delete(x.Fields, FieldPeriod)
		delete(x.Fields, FieldParty)
		x.Subject = p.facts.subjectOf(e, kind)
		x.home = p.facts.unitOf(x.Subject, day)
		x.units = p.concerned(x.home, &x.Event)
		if x.Snapshot = e.Snapshot || news && slices.Contains(ledgerShows, e.Kind); x.Snapshot {
			found = append(found, x)
		} else {
			recorded = append(recorded, x)
		}
	}
	return found, recorded
}

// admits says that the daemon would take an event that somebody records.
func (p *play) admits(e *takenEvent) bool {
	if r, f := p.book.Lacks(e.Event); r != nil {
		p.mishap(Refused, e.line, "%s: rule %q counts from its %s (%s), which is not given", e.Kind, r.ID, f.Name, f.Title)
		return false
	}
	for _, id := range e.Closes {
		open := slices.ContainsFunc(p.order, func(ref loan.Ref) bool {
			return slices.ContainsFunc(p.units[ref].obs, func(o obligation.Obligation) bool {
				return o.Key.String() == id && !o.State.Ended() && o.State != obligation.Submitted
			})
		})
		if !open {
			p.mishap(Refused, e.line, "%s: obligation %q is not open on %s", e.Kind, id, p.today)
			return false
		}
	}
	return true
}

// keep keeps an event. One that tells what another told already opens nothing:
// a file shows a change that came about after the file before it.
func (p *play) keep(e *takenEvent) {
	known := make([]loan.Event, len(p.taken))
	for i, x := range p.taken {
		known[i] = x.Event
	}
	for _, x := range p.taken {
		if e.Subject.Kind != loan.KindLoan || x.Kind != e.Kind || x.Subject != e.Subject || x.Snapshot == e.Snapshot || x.Withdrawn != nil || x.Repeats(known) {
			continue
		}
		told, shown := e.Happened, x.Happened
		if e.Snapshot {
			told, shown = shown, told
		}
		if told <= shown && told > p.fileBefore(e.Subject.ID, shown) {
			e.Confirms = x.Happening()
			break
		}
	}
	p.taken = append(p.taken, e)
}

// fileBefore is the day of the loan's last version before a day.
func (p *play) fileBefore(id string, day calendar.Date) calendar.Date {
	var before calendar.Date
	for _, l := range p.facts.loans {
		for i := range l.History {
			if from := l.History[i].From; l.ID == id && from < day {
				before = from
			}
		}
	}
	return before
}

// withdraw takes back the events of which the case says so on this day.
func (p *play) withdraw(day calendar.Date) {
	for i := range p.facts.events {
		c := &p.facts.events[i]
		at := slices.IndexFunc(p.taken, func(e *takenEvent) bool { return e.ID == c.ID })
		if c.withdrawn != day || at < 0 {
			continue
		}
		e := p.taken[at]
		e.Withdrawn = &loan.Withdrawal{On: day}
		p.gone[e.ID] = true
		for _, x := range p.taken { // another telling closes what this one did
			if x != e && x.Withdrawn == nil && x.home == e.home && x.Happening() == e.Happening() {
				x.Closes = slices.Concat(x.Closes, e.Closes)
				break
			}
		}
		units := slices.Clone(e.units)
		for _, id := range e.Closes {
			if k, err := obligation.ParseKey(id); err == nil {
				units = append(units, p.facts.unitOf(k.Subject, day))
			}
		}
		for _, ref := range p.order {
			if slices.Contains(units, ref) {
				p.plan(ref, p.units[ref], true)
			}
		}
	}
}

// concerned lists the units in which an event counts or closes: its own first.
func (p *play) concerned(home loan.Ref, e *loan.Event) []loan.Ref {
	units := []loan.Ref{home}
	add := func(k loan.Kind, id string) {
		if u := (loan.Ref{Kind: k, ID: id}); id != "" && !slices.Contains(units, u) {
			units = append(units, u)
		}
	}
	switch e.Subject.Kind {
	case loan.KindBranch:
		if b := p.facts.branches[e.Subject.ID]; b != nil && slices.Contains(p.reach.Below, e.Kind) {
			add(loan.KindBranch, b.Parent)
		}
	case loan.KindGuarantor:
		for _, l := range p.facts.loans {
			if slices.ContainsFunc(l.Parties(p.today), func(g loan.Guarantor) bool { return g.ID == e.Subject.ID }) {
				add(loan.KindBorrower, l.History.At(p.today).Borrower)
			}
		}
	case loan.KindBorrower, loan.KindLoan:
		for _, l := range p.facts.loans {
			v := p.at(l)
			if v == nil || v.Borrower != home.ID || e.Subject.Kind == loan.KindLoan && l.ID != e.Subject.ID {
				continue
			}
			if slices.Contains(p.reach.Borrower, e.Kind) {
				add(loan.KindBranch, v.Branch)
			}
			if slices.Contains(p.reach.Officer, e.Kind) {
				add(loan.KindOfficer, v.Officer)
			}
		}
	}
	return units
}
