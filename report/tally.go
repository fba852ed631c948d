package report

import (
	"tickler/calendar"
	"tickler/obligation"
)

// Tally counts obligations by what they stand as. Every obligation that was
// added is in exactly one of InTime, Late, Overdue, Lapsed, Waived and
// NotYetDue; cancelled ones are in none.
type Tally struct {
	Due         int      `json:"due"`          // what counts: InTime + Late + Missed
	InTime      int      `json:"in_time"`      // submitted in time
	Late        int      `json:"late"`         // submitted late
	LateAverage *float64 `json:"late_average"` // working days late, of the late ones, one decimal; null where none is
	LateMost    int      `json:"late_most"`    // working days of the latest
	LateDays    int      `json:"late_days"`    // working days late, all together
	Missed      int      `json:"missed"`       // Overdue + Lapsed
	Overdue     int      `json:"overdue"`      // still open
	Lapsed      int      `json:"lapsed"`       // ended, never done
	Waived      int      `json:"waived"`       // not counted
	NotYetDue   int      `json:"not_yet_due"`  // open, not counted
	Rate        *float64 `json:"rate"`         // 100 * InTime / Due in percent, one decimal, half up; null where nothing counts
}

// Count adds one obligation as it stands on a day. Lateness is the working
// days after its last day up to the day it was submitted: 0 for what fell due
// on a Friday and came on Saturday, which is late all the same. The error is
// calendar.ErrBeyond.
func (t *Tally) Count(o *obligation.Obligation, on calendar.Date, cal *calendar.Calendar) error {
	switch StandingOf(o, on) {
	case DoneInTime:
		t.InTime++
	case DoneLate:
		n, err := cal.Between(LastDay(o), submitted(o))
		if err != nil {
			return err
		}
		t.Late++
		t.LateDays += n
		t.LateMost = max(t.LateMost, n)
	case Overdue:
		t.Overdue++
	case Lapsed:
		t.Lapsed++
	case Waived:
		t.Waived++
	case NotYetDue:
		t.NotYetDue++
	}
	return nil
}

// All is every obligation that was counted, whatever it stands as.
func (t *Tally) All() int { return t.Due + t.Waived + t.NotYetDue }

// Finish works out what follows from the counts.
func (t *Tally) Finish() {
	t.Missed = t.Overdue + t.Lapsed
	t.Due = t.InTime + t.Late + t.Missed
	t.Rate = tenths(100*t.InTime, t.Due)
	t.LateAverage = tenths(t.LateDays, t.Late)
}

// tenths is a/b with one decimal, half up; nil where b is 0. Neither is
// negative.
func tenths(a, b int) *float64 {
	if b == 0 {
		return nil
	}
	v := float64((20*a+b)/(2*b)) / 10
	return &v
}
