package rules

import (
	"sort"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// quota works out how much of a quota is met, and closes the duty on the day
// that filled it. It says whether there is anything to meet.
func (d *deriver) quota(duty *obligation.Duty, o *occurrence) (bool, error) {
	n := o.rule.Needs
	var of map[loan.Ref]bool // what is to be covered
	need := 0
	if n.Cover != "" {
		of = d.toCover(o)
		need = (n.Percent*len(of) + 99) / 100 // of a share the ceiling
	}
	if n.AtLeast != nil {
		var err error
		if need, err = n.AtLeast.number(&d.machine, d.env); err != nil {
			return false, err
		}
	}
	if n.Cover != "" {
		need = min(need, len(of))
	}
	if need <= 0 {
		return false, nil
	}
	first, last := d.counted(o)
	var met []obligation.Closing
	done := map[loan.Ref]bool{}
	for _, list := range [][]loan.Event{d.facts.Events, d.facts.Related} {
		for i := range list {
			e := &list[i]
			if e.Kind != n.Count || e.Withdrawn != nil || e.Happened > d.today {
				continue
			}
			if e.Period != o.name && (e.Period != "" || e.Happened < first || e.Happened > last) {
				continue
			}
			if of == nil && d.concerns(e.Subject, o.subject) {
				met = append(met, obligation.Closing{On: e.Happened, Event: e.ID, By: e.By, At: e.Learned})
			}
			if of[e.Subject] && !done[e.Subject] {
				done[e.Subject] = true
				met = append(met, obligation.Closing{On: d.firstOf(e, list, o.name, first, last), Event: e.ID, By: e.By, At: e.Learned})
			}
		}
	}
	if n.Count == "supervision.done" {
		for ref := range of {
			if b := d.facts.Branches[ref.ID]; b != nil && !done[ref] && b.LastSupervised >= first && b.LastSupervised <= min(last, d.today) {
				met = append(met, obligation.Closing{On: b.LastSupervised}) // the directory's 上次督导日
			}
		}
	}
	sort.Slice(met, func(i, j int) bool {
		if met[i].On != met[j].On {
			return met[i].On < met[j].On
		}
		return met[i].Event < met[j].Event
	})
	duty.Progress = obligation.Progress{Have: len(met), Need: need, Of: len(of)}
	if len(met) >= need {
		duty.Closed = &met[need-1]
	}
	return true, nil
}

// firstOf gives the earliest day that an event's subject was covered.
func (d *deriver) firstOf(e *loan.Event, list []loan.Event, period string, first, last calendar.Date) calendar.Date {
	day := e.Happened
	for i := range list {
		x := &list[i]
		if x.Kind == e.Kind && x.Subject == e.Subject && x.Withdrawn == nil && x.Happened < day && (x.Period == period || x.Period == "" && x.Happened >= first && x.Happened <= last) {
			day = x.Happened
		}
	}
	return day
}

// counted gives the days whose events count: those of the period; what is to be
// covered after the period's end, as the carrying forward of a year's balances,
// is covered in the days behind it, to the next period's end.
func (d *deriver) counted(o *occurrence) (first, last calendar.Date) {
	p := *o.period
	if e := o.limit(); o.rule.Needs.Cover != "" && !e.On && e.Anchor == "period.end" && !e.Before() {
		return p.End.AddDays(1), p.Next(d.book.Fiscal).End
	}
	return p.Start, p.End
}

// toCover lists what a coverage is measured by: the branches right below that
// were there when the period began; the open loans in an officer's care.
func (d *deriver) toCover(o *occurrence) map[loan.Ref]bool {
	out := map[loan.Ref]bool{}
	switch o.rule.Needs.Cover {
	case "subordinate_branches":
		for id, b := range d.facts.Branches {
			if b.Parent == o.subject.ID && id != o.subject.ID && b.Opened <= o.period.Start {
				out[loan.Ref{Kind: loan.KindBranch, ID: id}] = true
			}
		}
	case "loans":
		for _, f := range d.facts.Loans {
			if l := f.History.At(o.asOf); l != nil && l.Officer == o.subject.ID && l.Open() && l.Disbursed <= o.period.End {
				out[loan.Ref{Kind: loan.KindLoan, ID: f.ID}] = true
			}
		}
	}
	return out
}
