package report

import (
	"tickler/calendar"
	"tickler/obligation"
)

// Ages counts what is overdue on a day by its age: the working days after the
// last day of each, up to and with that day. The columns are disjoint, and
// Total is their sum.
type Ages struct {
	Total  int           `json:"total"`
	Under1 int           `json:"under_1"` // overdue over a weekend or a holiday: no working day has passed yet
	To5    int           `json:"1_to_5"`
	To10   int           `json:"6_to_10"`
	To20   int           `json:"11_to_20"`
	Over20 int           `json:"over_20"`
	Oldest int           `json:"oldest"` // working days
	Since  calendar.Date `json:"since"`  // the earliest last day; null where nothing is overdue
}

// Count adds an obligation if it is overdue on the day.
func (a *Ages) Count(o *obligation.Obligation, on calendar.Date, cal *calendar.Calendar) error {
	if StandingOf(o, on) != Overdue {
		return nil
	}
	last := LastDay(o)
	n, err := cal.Between(last, on)
	if err != nil {
		return err
	}
	switch {
	case n < 1:
		a.Under1++
	case n <= 5:
		a.To5++
	case n <= 10:
		a.To10++
	case n <= 20:
		a.To20++
	default:
		a.Over20++
	}
	a.Total++
	a.Oldest = max(a.Oldest, n)
	if a.Since.IsZero() || last < a.Since {
		a.Since = last
	}
	return nil
}

// Finish has nothing to do.
func (a *Ages) Finish() {}
