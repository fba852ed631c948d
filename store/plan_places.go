package store

import (
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// places say where a plan is to be found. They are compared as they are, and
// only what differs becomes postings: a duty that is raised leaves one cell,
// while its plan stands in a hundred.
type places struct {
	subjects []loan.Ref // in the order of the plan, a run of the same once
	due      []duePlace // sorted, without doubles
	raise    []calendar.Date
	nudge    []calendar.Date
	next     calendar.Date
}

// duePlace is a day on which something open is due in a branch. The first
// branch of a day has rank 0, for reading every branch without doubles.
type duePlace struct {
	day    calendar.Date
	branch string
	rank   byte
}

func (a duePlace) compare(b duePlace) int {
	if a.day != b.day {
		return int(a.day) - int(b.day)
	}
	if a.branch != b.branch {
		return strings.Compare(a.branch, b.branch)
	}
	return int(a.rank) - int(b.rank)
}

// placesOf gives where a plan is to be found.
func placesOf(p *Plan) places {
	w := places{next: p.Next, due: make([]duePlace, 0, len(p.Obligations))}
	subject := loan.Ref{}
	for i := range p.Obligations {
		o := &p.Obligations[i]
		if o.Subject != subject {
			subject = o.Subject
			w.subjects = append(w.subjects, subject)
		}
		if o.State.Ended() {
			continue
		}
		w.due = append(w.due, duePlace{day: o.Due, branch: o.Branch})
		if o.State == obligation.Planned {
			w.raise = append(w.raise, o.Raise)
		}
		if o.State == obligation.Raised && !o.Nudge.IsZero() {
			w.nudge = append(w.nudge, o.Nudge)
		}
	}
	if !slices.IsSortedFunc(w.due, duePlace.compare) {
		slices.SortFunc(w.due, duePlace.compare)
	}
	w.due = slices.Compact(w.due)
	for i := 1; i < len(w.due); i++ {
		if w.due[i].day == w.due[i-1].day {
			w.due[i].rank = 1
		}
	}
	slices.Sort(w.raise)
	w.raise = slices.Compact(w.raise)
	slices.Sort(w.nudge)
	w.nudge = slices.Compact(w.nudge)
	return w
}

// postings turns places into all their postings, sorted, without doubles.
func (w *places) postings(member string, cells cellCache) []posting {
	out := make([]posting, 0, len(w.subjects)+len(w.due)+len(w.raise)+len(w.nudge)+1)
	w.diff(&places{}, member, cells, func(p posting, _ bool) { out = append(out, p) })
	slices.SortFunc(out, comparePostings)
	return slices.Compact(out)
}

// diff calls fn for each posting that one has and the other has not; drop says
// that it is the old one's. The postings of subjects may come twice.
func (w *places) diff(old *places, member string, cells cellCache, fn func(p posting, drop bool)) {
	if !slices.Equal(old.subjects, w.subjects) {
		was, is := shortCells(old.subjects), shortCells(w.subjects)
		merged(was, is, strings.Compare, func(cell string, drop bool) { fn(posting{cell, member}, drop) })
	}
	merged(old.due, w.due, duePlace.compare, func(d duePlace, drop bool) {
		fn(posting{cells.get(indexDue, d.branch, d.day), string(d.rank) + member}, drop)
	})
	byDay := func(a, b calendar.Date) int { return int(a) - int(b) }
	merged(old.raise, w.raise, byDay, func(d calendar.Date, drop bool) {
		fn(posting{cells.get(indexRaise, "", d), member}, drop)
	})
	merged(old.nudge, w.nudge, byDay, func(d calendar.Date, drop bool) {
		fn(posting{cells.get(indexNudge, "", d), member}, drop)
	})
	if old.next != w.next {
		if !old.next.IsZero() {
			fn(posting{cells.get(indexNext, "", old.next), member}, true)
		}
		if !w.next.IsZero() {
			fn(posting{cells.get(indexNext, "", w.next), member}, false)
		}
	}
}

// shortCells gives the cells of subjects' short names, sorted, without doubles.
func shortCells(subjects []loan.Ref) []string {
	out := make([]string, 0, len(subjects))
	for _, s := range subjects {
		out = append(out, cellKey(indexShort, []byte(obligation.ShortSubject(s))))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// merged calls fn for what only one of two sorted lists holds.
func merged[T any](old, new []T, compare func(a, b T) int, fn func(v T, drop bool)) {
	for len(old) > 0 || len(new) > 0 {
		c := -1
		switch {
		case len(old) == 0:
			c = 1
		case len(new) > 0:
			c = compare(old[0], new[0])
		}
		switch {
		case c < 0:
			fn(old[0], true)
			old = old[1:]
		case c > 0:
			fn(new[0], false)
			new = new[1:]
		default:
			old, new = old[1:], new[1:]
		}
	}
}
