package rules

import (
	"fmt"
	"slices"

	"tickler/calendar"
	"tickler/obligation"
)

// Reminders gives the days on which whoever has an obligation on his desk is
// reminded of it, ascending, each once. It looks at the dates alone: the
// caller leaves out what is no longer open on the day.
//
// A reminder is quiet on days off: it goes to the next working day, or, where
// that is after the due day, to the working day before, so that it is never
// late. One that would not come after the day of raising is dropped: raising
// the duty already told the due day, and to be told twice on one day teaches
// people to look away. Where it was raised late, that day counts.
func Reminders(cal *calendar.Calendar, r *Rule, o *obligation.Obligation) ([]calendar.Result, error) {
	var out []calendar.Result
	for _, l := range r.Remind {
		limit := calendar.Limit{N: l.N, Unit: l.Unit, Landing: calendar.Following}
		if l.N == 0 {
			limit.Unit = calendar.Days // 0 workdays would stay on a day off
		}
		at, err := cal.Shift(o.Due, limit)
		if err == nil && at.Date > o.Due {
			limit.Landing = calendar.Preceding
			at, err = cal.Shift(o.Due, limit)
		}
		if err != nil {
			return nil, fmt.Errorf("remind of %s, %s from %s: %w", o.Key, limit, o.Due, err)
		}
		if at.Date > onDesk(o) {
			out = append(out, at)
		}
	}
	slices.SortFunc(out, func(a, b calendar.Result) int { return int(a.Date) - int(b.Date) })
	return slices.CompactFunc(out, func(a, b calendar.Result) bool { return a.Date == b.Date }), nil
}

// onDesk is the day a duty came, or comes, onto somebody's desk.
func onDesk(o *obligation.Obligation) calendar.Date {
	if !o.RaisedOn.IsZero() {
		return o.RaisedOn
	}
	return o.Raise
}

// EscalationDay is when an overdue obligation goes up, and to whom.
type EscalationDay struct {
	calendar.Result
	To string // role
}

// Escalations gives the days on which an obligation goes up if nobody has
// submitted it by then, ascending. Limits are counted from its late day: the
// due day, or the period's end for a duty that is late only after it. The day
// is a working day after the late day; so it is for a limit of 0.
//
// Where the duty was raised later than that, it goes up on the day of raising,
// or the working day after: a limit that was missed is missed, whoever slept.
// It does not go up to the role that performs it.
func Escalations(cal *calendar.Calendar, r *Rule, o *obligation.Obligation) ([]EscalationDay, error) {
	late := max(o.Due, o.PeriodEnd)
	var out []EscalationDay
	for _, e := range r.Escalate {
		if e.To == o.Role {
			continue
		}
		l := e.After
		l.Landing = calendar.Following
		at, err := cal.Shift(late, l)
		if err == nil && at.Date <= late { // 0 days
			at, err = cal.AddWorkdays(late, 1)
		}
		if desk := onDesk(o); err == nil && at.Date < desk {
			at, err = cal.Land(desk, calendar.Following)
		}
		if err != nil {
			return nil, fmt.Errorf("escalate %s %s after its day: %w", o.Key, e.After, err)
		}
		out = append(out, EscalationDay{at, e.To})
	}
	slices.SortStableFunc(out, func(a, b EscalationDay) int { return int(a.Date) - int(b.Date) })
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(e EscalationDay) bool { // once to a role
		twice := seen[e.To]
		seen[e.To] = true
		return twice
	}), nil
}
