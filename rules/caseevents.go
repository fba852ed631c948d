package rules

import (
	"strconv"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
	"tickler/loan"
)

// event reads one event, in any of the forms that people write:
//
//	{event: worklog.submitted, date: 2026-11-03, subject: loan/JJ1, 篇数: "1"}
//	{worklog.submitted: 2026-11-03}
//
// Keys that are none of the event's own are its fields, its period and its
// party among them, in any of the words that a person may use who records it.
func (r *caseReader) event(n *yaml.Node) {
	c := r.c
	e := caseEvent{at: placeOf(n)}
	e.ID, e.Fields = strconv.Itoa(len(c.facts.events)+1), map[string]string{}
	numbered := true
	day := func(k, v *yaml.Node) {
		if !e.Happened.IsZero() {
			r.bad(k, "keep one of them", "event %s: two days", e.Kind)
		}
		e.Happened = r.day(v, k.Value)
	}
	kind := func(k *yaml.Node, s string) {
		if e.Kind != "" {
			r.bad(k, "make two events of it", "event %s: there is a second kind, %s", e.Kind, s)
		}
		e.Kind, e.at = s, placeOf(k)
	}
	for _, p := range r.pairs(n, "an event") {
		k, v := p.key, p.value
		switch k.Value {
		case "event", "kind":
			kind(v, r.str(v, k.Value))
		case "on", "date", "happened":
			day(k, v)
		case "subject":
			s := r.str(v, "subject")
			ref, err := loan.ParseRef(s)
			if s != "" && err != nil {
				r.bad(v, "", "%v", err)
			}
			e.Subject = ref
		case "id":
			e.ID, numbered = r.str(v, "id"), false
		case "closes":
			e.Closes = r.strs(v, "closes")
		case "snapshot":
			e.Snapshot = r.boolean(v, "snapshot")
		case "withdrawn":
			if e.withdrawn = r.day(v, "withdrawn"); e.withdrawn > c.On {
				r.bad(v, "", "withdrawn: %s is after the day of the case, %s", e.withdrawn, c.On)
			}
		default:
			if eventName.MatchString(k.Value) {
				kind(k, k.Value)
				day(k, v)
				continue
			}
			e.Fields[k.Value] = r.str(v, k.Value)
		}
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	switch {
	case e.Kind == "":
		r.bad(n, "write {event: worklog.submitted, date: DATE}", "an event without its kind")
	case e.Happened.IsZero():
		r.bad(n, "add date: DATE", "event %s: no day", e.Kind)
	case !e.withdrawn.IsZero() && e.withdrawn < e.Happened:
		r.bad(n, "", "event %s: withdrawn on %s, before it happened on %s", e.Kind, e.withdrawn, e.Happened)
	case e.Happened > c.On:
		r.bad(n, "an event is recorded when it has happened", "event %s: %s is after the day of the case, %s", e.Kind, e.Happened, c.On)
	}
	for _, other := range c.facts.events {
		if other.ID == e.ID && !numbered {
			r.bad(n, "give this one another id", "event %q is there already", e.ID)
		}
	}
	c.facts.events = append(c.facts.events, e)
}

// subjectOf gives the subject of an event: the one that it names, or the
// case's first of a kind that the event is recorded of.
func (f *caseFacts) subjectOf(e *caseEvent, kind *EventKind) loan.Ref {
	if !e.Subject.IsZero() {
		return e.Subject
	}
	var first *loan.Loan
	if len(f.loans) > 0 {
		first = &f.loans[0].History[0].Value
	}
	for _, k := range kind.For {
		id := ""
		switch k {
		case loan.KindLoan:
			if first != nil {
				id = first.ID
			}
		case loan.KindBorrower:
			if id = smallest(f.borrowers); first != nil {
				id = first.Borrower
			}
		case loan.KindBranch:
			if id = smallest(f.branches); first != nil {
				id = first.Branch
			}
		case loan.KindOfficer:
			if id = smallest(f.staff); first != nil {
				id = first.Officer
			}
		case loan.KindCollateral:
			id = smallest(f.collaterals)
		case loan.KindGroup:
			id = smallest(f.groups)
		case loan.KindGuarantor:
			if first != nil {
				if gs := f.loans[0].Parties(f.loans[0].History[0].From); len(gs) > 0 {
					id = gs[0].ID
				}
			}
		}
		if id != "" {
			return loan.Ref{Kind: k, ID: id}
		}
	}
	return loan.Ref{}
}

// smallest gives the smallest key.
func smallest[T any](m map[string]T) string {
	first := ""
	for id := range m {
		if first == "" || id < first {
			first = id
		}
	}
	return first
}

// unitOf says whose facts a subject belongs to on a day; zero where nobody
// knows it.
func (f *caseFacts) unitOf(s loan.Ref, day calendar.Date) loan.Ref {
	borrower := func(id string) loan.Ref {
		for _, l := range f.loans {
			if l.ID == id {
				return loan.Ref{Kind: loan.KindBorrower, ID: l.History.At(day).Borrower}
			}
		}
		return loan.Ref{}
	}
	switch s.Kind {
	case loan.KindLoan:
		return borrower(s.ID)
	case loan.KindCollateral:
		if c := f.collaterals[s.ID]; c != nil && len(c.Loans) > 0 {
			return borrower(c.Loans[0])
		}
		return loan.Ref{}
	case loan.KindGuarantor:
		for _, l := range f.loans {
			for _, g := range l.Parties(day) {
				if g.ID == s.ID {
					return borrower(l.ID)
				}
			}
		}
		return loan.Ref{}
	}
	return s
}
