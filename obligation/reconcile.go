package obligation

import (
	"fmt"
	"slices"
	"time"

	"tickler/calendar"
	"tickler/loan"
)

// ChangeKind says what became of one obligation.
type ChangeKind string

const (
	ChangePlanned   ChangeKind = "planned"
	ChangeMoved     ChangeKind = "moved"   // its due day or its day of raising
	ChangeAltered   ChangeKind = "altered" // its owner, branch or progress
	ChangeRaised    ChangeKind = "raised"
	ChangeSubmitted ChangeKind = "submitted"
	ChangeDone      ChangeKind = "done"
	ChangeReopened  ChangeKind = "reopened" // what closed it was withdrawn
	ChangeRevived   ChangeKind = "revived"  // cancelled or lapsed, and derived again
	ChangeCancelled ChangeKind = "cancelled"
	ChangeLapsed    ChangeKind = "lapsed"

	// By persons.
	ChangeSigned      ChangeKind = "signed" // a level, not the last
	ChangeReturned    ChangeKind = "returned"
	ChangeWaiverAsked ChangeKind = "waiver_asked"
	ChangeWaived      ChangeKind = "waived"
	ChangeReassigned  ChangeKind = "reassigned"
)

// ChangeKinds lists them all.
var ChangeKinds = []ChangeKind{
	ChangePlanned, ChangeMoved, ChangeAltered, ChangeRaised, ChangeSubmitted, ChangeDone, ChangeReopened, ChangeRevived, ChangeCancelled, ChangeLapsed,
	ChangeSigned, ChangeReturned, ChangeWaiverAsked, ChangeWaived, ChangeReassigned,
}

// Change is one thing that Reconcile did.
type Change struct {
	Kind    ChangeKind
	Key     Key
	At      int           // where the obligation stands among those that Reconcile or Settle left
	From    calendar.Date // due day before, of a move
	To      calendar.Date // due day now
	Cause   string
	Visible bool // the change has an audit record of its own: somebody had the obligation, or did it
}

// visible says that a change of the obligation is more than planning: it has
// been on a desk, or it was done before it came to one.
func (o *Obligation) visible(kind ChangeKind) bool {
	return !o.RaisedOn.IsZero() || kind == ChangeSubmitted || kind == ChangeDone || kind == ChangeReopened
}

// Circumstances are what a reconciliation happens under.
type Circumstances struct {
	Today    calendar.Date
	Now      time.Time
	Rulebook string // digest in force
	Calendar string // digest in force
	Cause    string // why the plan is made again, in Chinese: "导入 ledger.csv"
	Late     string // why a duty whose day of raising has passed comes late; "" on time
	// Closings are the events that discharge obligations: id -> how, by the day
	// they happened.
	Closings map[string][]Closing
	// Gone says that an event is there no longer: it was withdrawn, or the file
	// that showed it was replaced. nil: none ever is.
	Gone func(event string) bool
	// Withdrawing says that this change takes an event back, so that a quota
	// may be short again, and what was done may turn out not to have been.
	Withdrawing bool
	// Unknown says that it could not be worked out what a rule asks of a
	// subject: its duties stay.
	Unknown func(subject loan.Ref, rule string) bool
}

// Reconcile holds a fresh derivation against the obligations that stand and
// gives those that stand now, with what changed. No key is ever dropped: ended
// obligations stay as tombstones, done and waived ones are never touched, and
// a limit already missed never moves later.
//
// The order of the result is that of the old obligations, then of the new
// duties as derived.
func Reconcile(old []Obligation, duties []Duty, c Circumstances) ([]Obligation, []Change) {
	return new(Reconciler).Reconcile(old, duties, &c)
}

// Reconciler reconciles one unit after the other. It is not safe for
// concurrent use.
type Reconciler struct {
	out     []Obligation
	derived []bool // of out: the fresh derivation asks for it
	changes []Change
	keys    keyTable

	// Quiet says that the last call altered something that no change tells of:
	// what the facts say closes an obligation, or whose choice its owner is.
	Quiet bool
}

// Reconcile is the function Reconcile. What it gives is valid until the next
// call; old may be what the last one gave.
func (r *Reconciler) Reconcile(old []Obligation, duties []Duty, c *Circumstances) ([]Obligation, []Change) {
	out := append(slices.Grow(r.out[:0], len(old)+len(duties)), old...)
	derived := append(r.derived[:0], make([]bool, len(out))...)
	r.changes, r.Quiet = r.changes[:0], false
	at := 0
	note := func(kind ChangeKind, o *Obligation, from calendar.Date) {
		r.changes = append(r.changes, Change{Kind: kind, Key: o.Key, At: at, From: from, To: o.Due, Cause: o.Cause, Visible: o.visible(kind)})
	}
	// Both are in the order of derivation for the most part: only what is not
	// where it is looked for first is looked for by its key.
	r.keys.reset(len(old) + len(duties))
	entered, next := 0, 0
	for i := range duties {
		d := &duties[i]
		if next < len(old) && out[next].Key == d.Key && !derived[next] {
			at, next = next, next+1
		} else {
			for ; entered < len(out); entered++ {
				r.keys.enter(out, entered)
			}
			at = r.keys.find(out, &d.Key)
			if at >= 0 && derived[at] {
				continue
			}
			if at >= 0 {
				next = at + 1
			}
		}
		if at < 0 {
			at = len(out)
			out = append(out, Obligation{Duty: *d, State: Planned, Rulebook: c.Rulebook, Calendar: c.Calendar})
			derived = append(derived, true)
			note(ChangePlanned, &out[at], 0)
		} else {
			derived[at] = true
			closed, assigned := out[at].Closed, out[at].Assigned
			update(&out[at], d, c, note)
			r.Quiet = r.Quiet || !closed.same(out[at].Closed) || assigned != out[at].Assigned
		}
		settle(&out[at], c, note)
	}
	r.out, r.derived = out, derived
	for i := range out {
		o := &out[i]
		at = i
		if derived[i] || c.Unknown != nil && c.Unknown(o.Subject, o.Rule) {
			continue
		}
		takenBack := c.takesBack(o)
		if o.State.Ended() && !takenBack {
			continue
		}
		// Events close first, then what is no longer asked for goes away.
		if how, ok := c.named(o); ok {
			if takenBack {
				succeed(o, how, note)
			}
			settle(o, c, note)
			continue
		}
		if o.State == Submitted && !takenBack {
			continue // the act was done; its signatures go on
		}
		if takenBack {
			o.DoneOn, o.Submitted, o.ClosedBy = 0, 0, ""
		}
		o.Cause = c.Cause
		if c.Today > max(o.Due, o.PeriodEnd) {
			o.State = Lapsed
			note(ChangeLapsed, o, o.Due)
		} else {
			o.State = Cancelled
			note(ChangeCancelled, o, o.Due)
		}
	}
	return out, r.changes
}

// same says that two closings, either nil for none, are one.
func (c *Closing) same(d *Closing) bool {
	if c == nil || d == nil {
		return c == d
	}
	return c.On == d.On && c.Event == d.Event && c.By == d.By && c.At.Equal(d.At)
}

// closing gives what discharges an obligation: the first event that was learnt
// since it was last returned or reopened.
func (c *Circumstances) closing(o *Obligation) (Closing, bool) {
	if o.Closed != nil && o.closes(*o.Closed) {
		return *o.Closed, true
	}
	return c.named(o)
}

// named gives the first event that names an obligation, of those.
func (c *Circumstances) named(o *Obligation) (Closing, bool) {
	if len(c.Closings) == 0 {
		return Closing{}, false // most scans: no id needs to be spelt
	}
	for _, how := range c.Closings[o.Key.String()] {
		if o.closes(how) {
			return how, true
		}
	}
	return Closing{}, false
}

func (o *Obligation) closes(how Closing) bool {
	return o.ReopenedAt.IsZero() || how.At.After(o.ReopenedAt)
}

// takesBack says that the change takes back the act by which an obligation was
// done, so that nothing is left of one that is no longer asked for either.
func (c *Circumstances) takesBack(o *Obligation) bool {
	return c.Withdrawing && (o.State == Done || o.State == Submitted) && o.ClosedBy != "" && c.Gone != nil && c.Gone(o.ClosedBy)
}

// succeed puts an event that stands in the place of the one by which an
// obligation was done, and which is there no longer.
func succeed(o *Obligation, how Closing, note func(ChangeKind, *Obligation, calendar.Date)) {
	if o.DoneOn == o.Submitted { // nobody signed it
		o.DoneOn = how.On
	}
	o.Submitted, o.ClosedBy = how.On, how.Event
	if o.State == Submitted {
		o.DoneOn = 0
	}
	note(ChangeAltered, o, 0)
}

// update takes over what a fresh derivation says of a standing obligation.
func update(o *Obligation, d *Duty, c *Circumstances, note func(ChangeKind, *Obligation, calendar.Date)) {
	switch o.State {
	case Waived:
		return
	case Done, Submitted:
		if !reopen(o, d, c, note) && o.State == Done {
			return
		}
	case Cancelled, Lapsed:
		o.State = Planned
		if !o.RaisedOn.IsZero() {
			o.State = Raised
		}
		o.Cause = c.Cause
		o.told(c.Today)
		note(ChangeRevived, o, o.Due)
	}
	was := o.Duty
	missed := c.Today > max(o.Due, o.PeriodEnd)
	if d.Due != o.Due && !(missed && d.Due > o.Due) {
		o.WasDue, o.Due, o.Raise, o.Anchor, o.PeriodEnd = o.Due, d.Due, d.Raise, d.Anchor, d.PeriodEnd
		o.Provisional, o.Rulebook, o.Calendar, o.Cause = d.Provisional, c.Rulebook, c.Calendar, c.Cause
		o.told(c.Today)
		note(ChangeMoved, o, was.Due)
	} else if d.Due == o.Due && (d.Raise != o.Raise || d.Provisional != o.Provisional) {
		o.Raise, o.Provisional, o.Rulebook, o.Calendar = d.Raise, d.Provisional, c.Rulebook, c.Calendar
		note(ChangeAltered, o, 0)
	}
	o.Closed = d.Closed
	owner := d.Owner
	if o.Assigned != nil && d.Owner == o.Assigned.Instead {
		owner = o.Owner
	} else {
		o.Assigned = nil
	}
	if owner != was.Owner || d.Branch != was.Branch || d.Role != was.Role || d.Borrower != was.Borrower || d.Progress != was.Progress || d.PartyName != was.PartyName || !slices.Equal(d.Sign, was.Sign) {
		o.Owner, o.Branch, o.Role, o.Borrower, o.Progress, o.PartyName = owner, d.Branch, d.Role, d.Borrower, d.Progress, d.PartyName
		if !slices.Equal(d.Sign, was.Sign) {
			o.askOf(d.Sign)
		}
		if o.Owner != was.Owner {
			o.Snoozed = 0 // that was another's to put off
		}
		note(ChangeAltered, o, 0)
	}
}

// told notes that its dates are told today by a change: a reminder of them on
// the same day, or of an earlier one, would say it twice.
func (o *Obligation) told(today calendar.Date) {
	if !o.RaisedOn.IsZero() {
		o.Told = today
	}
}

// reopen takes a done obligation back whose closing event is no longer there,
// and says whether it did. A quota that was met stays met whatever the rulebook
// asks for later; only a withdrawn event can make it short again.
func reopen(o *Obligation, d *Duty, c *Circumstances, note func(ChangeKind, *Obligation, calendar.Date)) bool {
	if o.ClosedBy == "" || c.Gone == nil {
		return false
	}
	how, stands := c.named(o)
	if d.Closed != nil && o.closes(*d.Closed) {
		how, stands = *d.Closed, true
	}
	if stands {
		if how.Event != "" && how.Event != o.ClosedBy && c.Gone(o.ClosedBy) {
			succeed(o, how, note)
		}
		return false
	}
	// It is measured by what it asked for when it was met: an event that never
	// counted may be the one taken back.
	short := c.Withdrawing && d.Progress.Need > 0 && d.Progress.Have < o.Progress.Need
	if !c.Gone(o.ClosedBy) && !short {
		return false
	}
	o.open()
	o.Cause = fmt.Sprintf("撤销了办结事件（%s）", c.Cause)
	o.told(c.Today)
	note(ChangeReopened, o, o.Due)
	return true
}

// settle raises an obligation whose day has come, and closes one that an
// event discharged.
func settle(o *Obligation, c *Circumstances, note func(ChangeKind, *Obligation, calendar.Date)) {
	if o.State == Planned && o.Raise <= c.Today {
		o.State, o.RaisedAt, o.RaisedOn = Raised, c.Now, c.Today
		if o.Raise < c.Today {
			o.Late = c.Late
		}
		note(ChangeRaised, o, 0)
	}
	if o.State == Submitted && len(o.Signatures) >= len(o.Sign) {
		o.State, o.DoneOn, o.Waiver = Done, c.Today, nil // fewer signatures are asked for than when it was submitted
		note(ChangeDone, o, 0)
	}
	if o.State != Planned && o.State != Raised {
		return
	}
	how, ok := c.closing(o)
	if !ok {
		return
	}
	o.ClosedBy, o.SubmittedBy, o.Signatures, o.Waiver = how.Event, how.By, nil, nil
	if len(o.Sign) > 0 {
		o.State, o.Submitted, o.Cause = Submitted, how.On, ""
		note(ChangeSubmitted, o, 0)
		return
	}
	o.State, o.Submitted, o.DoneOn, o.Cause = Done, how.On, how.On, ""
	note(ChangeDone, o, 0)
}

// Settle raises what is due to be raised and closes what events discharged,
// of obligations whose derivation has not changed. It changes obs in place.
func Settle(obs []Obligation, c Circumstances) []Change {
	var changes []Change
	for i := range obs {
		if obs[i].State.Ended() {
			continue
		}
		settle(&obs[i], &c, func(kind ChangeKind, o *Obligation, from calendar.Date) {
			changes = append(changes, Change{Kind: kind, Key: o.Key, At: i, From: from, To: o.Due, Cause: o.Cause, Visible: o.visible(kind)})
		})
	}
	return changes
}
