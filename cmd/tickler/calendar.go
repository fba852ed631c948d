package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"tickler/calendar"
	"tickler/scheduler"
)

// calendarDir holds the bank's own notices and overlays, in the data directory.
const calendarDir = "calendar"

func newCalendarCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "calendar",
		Short: "The working calendar: shift, count, show, import · 工作日历",
		Long: `calendar answers questions about working days, and takes in new notices. The
calendar is what the program ships with and every *.yaml file in DIR/calendar/.
None of its commands touches the store, but diff, which reads it where there is one.`,
		Example: `  tickler calendar shift 2026-09-30 "1 workday"
  tickler calendar status`,
		Args: cobra.ArbitraryArgs,
	}
	c.RunE = group(c)
	c.AddCommand(newCalendarShiftCommand(g), newCalendarCountCommand(g), newCalendarShowCommand(g), newCalendarStatusCommand(g), newCalendarImportCommand(g), newCalendarDiffCommand(g))
	return c
}

// calendar is the one in force for the data directory.
func (g *global) calendar() (*calendar.Calendar, error) {
	return scheduler.LoadCalendar(filepath.Join(g.data, calendarDir))
}
