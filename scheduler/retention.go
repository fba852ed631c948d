package scheduler

import (
	"fmt"
	"slices"
	"time"
)

// Keep says which of the backups that the daemon makes stay: the newest ones,
// and of so many days, weeks and months that have any the last one of each.
// What no count asks for goes. All zero keeps everything.
type Keep struct {
	Last, Daily, Weekly, Monthly int
}

// kept is a backup that stays, and why.
type kept struct {
	at      time.Time
	reasons []string // "last", "day 2026-11-23", "week 2026-W47", "month 2026-11"
}

// retain divides backups by what a Keep asks for; days are those of a zone.
// Both lists are newest first. The newest always stays.
func retain(made []time.Time, k Keep, zone *time.Location) (keep []kept, drop []time.Time) {
	made = slices.Clone(made)
	slices.SortFunc(made, func(a, b time.Time) int { return b.Compare(a) })
	rules := []struct {
		left int
		of   func(time.Time) string
		last string
	}{
		{left: k.Last, of: func(t time.Time) string { return "last " + t.Format(time.RFC3339Nano) }},
		{left: k.Daily, of: func(t time.Time) string { return t.Format("day 2006-01-02") }},
		{left: k.Weekly, of: func(t time.Time) string { y, w := t.ISOWeek(); return fmt.Sprintf("week %d-W%02d", y, w) }},
		{left: k.Monthly, of: func(t time.Time) string { return t.Format("month 2006-01") }},
	}
	for i, at := range made {
		var reasons []string
		for j := range rules {
			r := &rules[j]
			name := r.of(at.In(zone))
			if r.left == 0 || name == r.last {
				continue
			}
			r.left, r.last = r.left-1, name
			if j == 0 {
				name = "last"
			}
			reasons = append(reasons, name)
		}
		switch {
		case len(reasons) > 0:
		case k == (Keep{}):
			reasons = []string{"everything is kept"}
		case i == 0:
			reasons = []string{"newest"}
		default:
			drop = append(drop, at)
			continue
		}
		keep = append(keep, kept{at, reasons})
	}
	return keep, drop
}
