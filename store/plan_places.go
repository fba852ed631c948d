package store

import (
	"bytes"
	"cmp"
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

	subject loan.Ref // of the obligation added last
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
		return cmp.Compare(a.day, b.day)
	}
	if a.branch != b.branch {
		return strings.Compare(a.branch, b.branch)
	}
	return int(a.rank) - int(b.rank)
}

// placesOf gives where a plan is to be found.
func placesOf(p *Plan) places {
	w := roomFor(len(p.Obligations))
	w.next = p.Next
	for i := range p.Obligations {
		o := &p.Obligations[i]
		w.add(&Glance{State: o.State, Due: o.Due, subject: o.Subject, branch: o.Branch, raise: o.Raise, nudge: o.Nudge})
	}
	w.arrange()
	return w
}

// placesIn is placesOf for a plan as it is kept, which is not read whole.
func (tx *Tx) placesIn(key, payload []byte) (w places, err error) {
	p := Plan{}
	d := newDecoder(tx, payload)
	n := d.planHead(&p)
	w = roomFor(n)
	w.next = p.Next
	var g Glance
	for ; n > 0 && d.err == nil; n-- {
		d.glance(&g)
		w.add(&g)
	}
	if err := d.end(); err != nil {
		return w, decodeError(bucketPlan, key, err)
	}
	w.arrange()
	return w, nil
}

// roomFor gives places with room for so many obligations.
func roomFor(n int) places {
	days := make([]calendar.Date, 2*n)
	return places{due: make([]duePlace, 0, n), raise: days[:0:n], nudge: days[n:n]}
}

func (w *places) add(g *Glance) {
	if g.subject != w.subject {
		w.subject = g.subject
		w.subjects = append(w.subjects, g.subject)
	}
	if g.State.Ended() {
		return
	}
	w.due = append(w.due, duePlace{day: g.Due, branch: g.branch})
	if g.State == obligation.Planned {
		w.raise = append(w.raise, g.raise)
	}
	if g.State == obligation.Raised && !g.nudge.IsZero() {
		w.nudge = append(w.nudge, g.nudge)
	}
}

// arrange sorts the places and gives those of a day their ranks.
func (w *places) arrange() {
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
}

// planPostings lists where a plan is to be found, sorted, without doubles.
func planPostings(p *Plan) []posting {
	unit, err := unitKey(p.Unit)
	if err != nil {
		return nil // PutPlan refused it
	}
	w := placesOf(p)
	member := string(unit)
	var out []posting
	for _, s := range w.subjects {
		out = append(out, posting{shortCell(obligation.ShortSum(s)), member})
	}
	for _, d := range w.due {
		out = append(out, posting{dueCell(d.branch, d.day), string(d.rank) + member})
	}
	for _, d := range w.raise {
		out = append(out, posting{dayCell(indexRaise, d), member})
	}
	for _, d := range w.nudge {
		out = append(out, posting{dayCell(indexNudge, d), member})
	}
	if !w.next.IsZero() {
		out = append(out, posting{dayCell(indexNext, w.next), member})
	}
	slices.SortFunc(out, comparePostings)
	return slices.Compact(out)
}

// postPlan posts a plan of which nothing is posted.
func (tx *Tx) postPlan(p *Plan) error {
	key, err := unitKey(p.Unit)
	if err != nil {
		return err
	}
	l := &tx.places
	l.begin(key)
	if !oneBranch(p) { // the ranks are seen when all are known
		w := placesOf(p)
		w.diff(&places{}, l)
		return nil
	}
	subject := loan.Ref{}
	for i := range p.Obligations {
		o := &p.Obligations[i]
		if o.Subject != subject {
			subject = o.Subject
			l.post(l.short(subject), 0, false)
		}
		if o.State.Ended() {
			continue
		}
		l.post(l.due(o.Branch, o.Due), 0, false)
		if o.State == obligation.Planned {
			l.post(l.day(indexRaise, o.Raise), 0, false)
		}
		if o.State == obligation.Raised && !o.Nudge.IsZero() {
			l.post(l.day(indexNudge, o.Nudge), 0, false)
		}
	}
	if !p.Next.IsZero() {
		l.post(l.day(indexNext, p.Next), 0, false)
	}
	return nil
}

// oneBranch says that all that is open in a plan is of one branch.
func oneBranch(p *Plan) bool {
	var first *obligation.Obligation
	for i := range p.Obligations {
		o := &p.Obligations[i]
		switch {
		case o.State.Ended():
		case first == nil:
			first = o
		case o.Branch != first.Branch:
			return false
		}
	}
	return true
}

// diff posts what one has and the other has not. The postings of subjects may
// come twice.
func (w *places) diff(old *places, l *placeLog) {
	if !slices.Equal(old.subjects, w.subjects) {
		merged(shortSums(old.subjects), shortSums(w.subjects), func(a, b [2]byte) int { return bytes.Compare(a[:], b[:]) },
			func(sum [2]byte, drop bool) { l.post(l.shortOf(sum), 0, drop) })
	}
	merged(old.due, w.due, duePlace.compare, func(d duePlace, drop bool) { l.post(l.due(d.branch, d.day), d.rank, drop) })
	byDay := func(a, b calendar.Date) int { return cmp.Compare(a, b) }
	merged(old.raise, w.raise, byDay, func(d calendar.Date, drop bool) { l.post(l.day(indexRaise, d), 0, drop) })
	merged(old.nudge, w.nudge, byDay, func(d calendar.Date, drop bool) { l.post(l.day(indexNudge, d), 0, drop) })
	if old.next != w.next {
		if !old.next.IsZero() {
			l.post(l.day(indexNext, old.next), 0, true)
		}
		if !w.next.IsZero() {
			l.post(l.day(indexNext, w.next), 0, false)
		}
	}
}

// shortSums gives the sums of subjects' short names, sorted, without doubles.
func shortSums(subjects []loan.Ref) [][2]byte {
	out := make([][2]byte, 0, len(subjects))
	for _, s := range subjects {
		out = append(out, obligation.ShortSum(s))
	}
	slices.SortFunc(out, func(a, b [2]byte) int { return bytes.Compare(a[:], b[:]) })
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
