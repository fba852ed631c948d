package scheduler

import (
	"cmp"

	"tickler/api"
	"tickler/calendar"
	"tickler/rules"
	"tickler/store"
)

// windowDays is how far ahead the plan is kept; its end is rounded to a
// quarter's end, so that a new day does not touch every loan.
const windowDays = 400

// wallDay is the civil day of this moment in the rulebook's zone, by the clock
// that is believed.
func (s *Scheduler) wallDay(b *rules.Book) calendar.Date {
	return calendar.DateIn(s.trusted(), b.Zone)
}

// businessDay gives the day of a change. Today never goes back: a clock that
// was set back leaves the store's own day standing, with a warning. A day
// named by the caller is for sites without a daemon.
func (s *Scheduler) businessDay(meta *store.Meta, b *rules.Book, on calendar.Date, force bool) (calendar.Date, string, error) {
	wall := s.wallDay(b)
	if err := s.inCalendar(cmp.Or(on, wall)); err != nil {
		return 0, "", err
	}
	if on.IsZero() {
		if wall < meta.BusinessDate {
			return meta.BusinessDate, "系统时钟 " + wall.String() + " 早于营业日 " + meta.BusinessDate.String() + "，仍按营业日处理", nil
		}
		return wall, "", nil
	}
	switch {
	case s.cfg.Daemon:
		return 0, "", api.Errorf(api.Usage, "stop the daemon, or leave --on out", "--on %s: a daemon is running and keeps the day", on)
	case on < meta.BusinessDate:
		return 0, "", api.Errorf(api.Usage, "today never goes back", "--on %s is before the store's business date %s", on, meta.BusinessDate)
	case on > wall.AddDays(1) && !force:
		return 0, "", api.Errorf(api.Usage, "add --force if that is meant", "--on %s is later than tomorrow (%s)", on, wall.AddDays(1))
	}
	return on, "", nil
}

// inCalendar refuses a day whose plan would go beyond the calendar. Such a day
// is a slip or a broken clock, and once taken it could not be taken back.
func (s *Scheduler) inCalendar(today calendar.Date) error {
	_, cal := s.inForce()
	if last := cal.Status(today).Last; windowEnd(today) >= last {
		return api.Errorf(api.Usage, "check the day, and the system's clock", "business date %s: its plan goes beyond the calendar, which ends on %s", today, last)
	}
	return nil
}

// readingDay gives the day that a reading command takes for today.
func (s *Scheduler) readingDay(meta *store.Meta, b *rules.Book, on calendar.Date) calendar.Date {
	if !on.IsZero() {
		return on
	}
	return max(s.wallDay(b), meta.BusinessDate)
}

// windowFrom is the window of due days to a last one, from each branch's day
// of going live.
func windowFrom(meta *store.Meta, to calendar.Date) rules.Window {
	return rules.Window{From: meta.GoLive, To: to, Own: meta.GoLiveBranch}
}

// windowEnd is the last due day that is planned.
func windowEnd(today calendar.Date) calendar.Date {
	return calendar.PeriodOf(calendar.Quarter, today.AddDays(windowDays), calendar.Fiscal{}).End
}
