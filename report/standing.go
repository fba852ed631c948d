package report

import (
	"cmp"

	"tickler/calendar"
	"tickler/obligation"
)

// Standing is what one obligation counts as in the figures, on a day.
type Standing string

const (
	DoneInTime Standing = "in_time"     // submitted on its last day or before; signatures may follow
	DoneLate   Standing = "late"        // submitted after its last day
	Overdue    Standing = "overdue"     // its last day has passed and nothing is submitted
	Lapsed     Standing = "lapsed"      // its cause went away after its last day: never done
	Waived     Standing = "waived"      // excused: shown apart, not counted
	NotYetDue  Standing = "not_yet_due" // nothing is submitted, and its last day has not passed
	Cancelled  Standing = "cancelled"   // its cause went away in time: there is nothing to count
)

// LastDay is the last day on which an obligation is in time: the due day, or
// the period's last day where it is due on that and the due day landed before.
func LastDay(o *obligation.Obligation) calendar.Date { return max(o.Due, o.PeriodEnd) }

// StandingOf says what an obligation counts as on a day, as if today were that
// day: what was submitted later was open then. The day of the act counts, not
// the day it was written down. A signed duty is in time if it was submitted in
// time. That a duty lapsed later does not matter to the figures: once its last
// day is past it is missed, before that it is not yet due. When it was waived
// or cancelled is not kept with it, so these are so on every day.
func StandingOf(o *obligation.Obligation, on calendar.Date) Standing {
	last := LastDay(o)
	switch o.State {
	case obligation.Cancelled:
		return Cancelled
	case obligation.Waived:
		return Waived
	case obligation.Submitted, obligation.Done:
		switch by := submitted(o); {
		case by > on: // open on that day
		case by > last:
			return DoneLate
		default:
			return DoneInTime
		}
	}
	switch {
	case on <= last:
		return NotYetDue
	case o.State == obligation.Lapsed:
		return Lapsed
	}
	return Overdue
}

// submitted is the day the duty was handed in; zero while it was not.
func submitted(o *obligation.Obligation) calendar.Date { return cmp.Or(o.Submitted, o.DoneOn) }
