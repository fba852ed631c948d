package scheduler

import (
	"encoding/json"
	"fmt"
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// Kinds of messages that a scan makes, beside those of obligation.ChangeKind.
const (
	kindRemind   = "remind"
	kindEscalate = "escalate"
)

// nudge is a reminder or, with a role, an escalation.
type nudge struct {
	day calendar.Date // it stands for
	to  string        // role; "" reminds whoever has the obligation
}

// nudges gives what is to be told of an obligation by today, and the day of
// what comes next; zero is never. It is the one answer for the loop and for
// simulations. The rulebook and the calendar are those in force: a rule that
// asks for another level is obeyed by what is overdue already.
//
// Reminders that were missed are one, the latest. One that would be read only
// after the due day is left out: what is overdue goes up. Escalations are all
// told, once to a role whatever becomes of the obligation later.
func nudges(cal *calendar.Calendar, book *rules.Book, o *obligation.Obligation, today calendar.Date) (now []nudge, next calendar.Date, err error) {
	rule := book.Rule(o.Rule)
	if o.State != obligation.Raised || rule == nil {
		return nil, 0, nil
	}
	later := func(d calendar.Date) {
		if next.IsZero() || d < next {
			next = d
		}
	}
	remind, err := rules.Reminders(cal, rule, o)
	if err != nil {
		return nil, 0, err
	}
	var latest calendar.Date
	for _, r := range remind {
		day := r.Date
		if day <= o.Told {
			continue
		}
		if day < o.Snoozed {
			if day, err = wakingDay(cal, o); err != nil {
				return nil, 0, err
			}
		}
		if day > today {
			later(day)
		} else {
			latest = max(latest, day)
		}
	}
	if !latest.IsZero() {
		now = append(now, nudge{day: latest})
	}
	escalate, err := rules.Escalations(cal, rule, o)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range escalate {
		switch {
		case slices.Contains(o.Escalated, e.To):
		case e.Date > today:
			later(e.Date)
		default:
			now = append(now, nudge{e.Date, e.To})
		}
	}
	return now, next, nil
}

// wakingDay is when a reminder comes that was put off: on the day named, or
// the working day after it, or, where that is past the due day, the one before.
func wakingDay(cal *calendar.Calendar, o *obligation.Obligation) (calendar.Date, error) {
	until := min(o.Snoozed, o.Due)
	at, err := cal.Land(until, calendar.Following)
	if err == nil && at.Date > o.Due {
		at, err = cal.Land(until, calendar.Preceding)
	}
	return at.Date, err
}

// takeNudges has an obligation remember what is told of it, and gives what
// there is to tell.
func takeNudges(cal *calendar.Calendar, o *obligation.Obligation, now []nudge, today calendar.Date) ([]nudge, error) {
	kept := now[:0]
	for _, n := range now {
		if n.to == "" {
			o.Told = today
			read, err := digestDay(cal, today)
			if err != nil {
				return nil, err
			}
			if read > o.Due {
				continue
			}
		} else {
			o.Escalated = append(slices.Clip(o.Escalated), n.to)
		}
		kept = append(kept, n)
	}
	return kept, nil
}

// digestDay is the day on which a message of a day is read: no digest goes out
// on a day off.
func digestDay(cal *calendar.Calendar, on calendar.Date) (calendar.Date, error) {
	at, err := cal.Land(on, calendar.Following)
	return at.Date, err
}

// nudged is a nudge with what its message says.
type nudged struct {
	nudge
	of                  obligation.Key
	owner, role, branch string
	due                 calendar.Date
}

// nudge works out the next nudge of each obligation of a plan and, in a scan,
// gathers what is to be told by now. An obligation whose days cannot be worked
// out is reported, and tried again the next day. changed says that an obligation
// is not as it was.
func (c *change) nudge(plan *store.Plan) (changed bool) {
	if c.s.mute {
		return false
	}
	for i := range plan.Obligations {
		o := &plan.Obligations[i]
		if o.State != obligation.Raised {
			if o.State.Ended() && o.Nudge != 0 {
				o.Nudge, changed = 0, true
			}
			continue // what is submitted may come back
		}
		upTo := calendar.Date(0) // outside a scan nothing is told, only found again
		if c.scanning {
			upTo = c.today
		}
		told, escalated := o.Told, len(o.Escalated)
		now, next, err := nudges(c.cal, c.book, o, upTo)
		if err == nil {
			now, err = takeNudges(c.cal, o, now, c.today)
		}
		if err != nil {
			c.failed = append(c.failed, fmt.Sprintf("%s: %v", o.Key, err))
			next = c.today.AddDays(1)
		}
		changed = changed || o.Nudge != next || o.Told != told || len(o.Escalated) != escalated
		o.Nudge = next
		for _, n := range now {
			role := o.Role
			if n.to != "" {
				role = n.to
			}
			c.nudged.open = append(c.nudged.open, nudged{n, o.Key, o.Owner, role, o.Branch, o.Due})
		}
	}
	return changed
}

// told counts the reminders and escalations: reminded, escalated -> how many.
func (c *change) told() map[string]int { return c.count(func(*nudged) bool { return true }) }

func (c *change) count(want func(*nudged) bool) map[string]int {
	out := map[string]int{}
	for n := range c.nudged.all() {
		switch {
		case !want(n):
		case n.to != "":
			out["escalated"]++
		default:
			out["reminded"]++
		}
	}
	return out
}

// escalationDetail is the audit's word on one escalation.
type escalationDetail struct {
	To     string        `json:"to"` // role
	Branch string        `json:"branch"`
	Day    calendar.Date `json:"day"`
	Due    calendar.Date `json:"due"`
	Late   string        `json:"late,omitempty"`
}

// json is the detail as encoding/json writes it.
func (d *escalationDetail) json(o *store.Object) json.RawMessage {
	o.Reset()
	o.Text("to", d.To)
	o.Text("branch", d.Branch)
	o.Date("day", d.Day)
	o.Date("due", d.Due)
	o.TextIfAny("late", d.Late)
	return o.JSON()
}

// nudgeMessage tells whoever has the obligation, or the role that it goes up to.
func (c *change) nudgeMessage(n *nudged) store.Message {
	m := store.Message{Kind: kindRemind, To: n.owner, Role: n.role, Branch: n.branch, Obligation: n.of.String(), Day: n.day, On: c.today, Late: c.lateNudge(n.day), At: c.now}
	if n.to != "" {
		m.Kind, m.To = kindEscalate, ""
	}
	return m
}

// recordNudged writes who answers for a duty from now on: each escalation has
// its record. A reminder changes nothing, and the scan's record has their number.
func (c *change) recordNudged() error {
	stamp := c.stamp()
	var object store.Object
	for n := range c.nudged.all() {
		if n.to == "" {
			continue
		}
		d := escalationDetail{To: n.to, Branch: n.branch, Day: n.day, Due: n.due, Late: c.lateNudge(n.day)}
		stamp.of = &n.of
		if err := stamp.write(c.tx, "obligation.escalated", n.of.String(), d.json(&object)); err != nil {
			return err
		}
	}
	return nil
}

// lateNudge says why a nudge comes after its day: nobody scanned on it, or what
// asks for it is newer; "" on its day.
func (c *change) lateNudge(day calendar.Date) string {
	if day >= c.today {
		return ""
	}
	if c.gap != "" && day > c.since {
		return "停机补通知" + c.gap
	}
	return "应通知日已过"
}

// extraNudges marks, in the head record, a store whose plans have the days of
// nudges. One of an earlier program is planned anew once: what is raised in it
// would never be found.
const extraNudges = "nudges"

func nudging(m *store.Meta) bool { return m.Extra[extraNudges] != nil }

// toNudge lists the units of which something is to be told by a day.
func (s *Scheduler) toNudge(tx *store.Tx, today calendar.Date) ([]loan.Ref, error) {
	if s.mute {
		return nil, nil
	}
	return tx.ToNudge(today)
}
