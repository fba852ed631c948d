package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tickler/calendar"
)

func newCalendarCountCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:     "count D1 D2",
		Short:   "The working days from D1 to D2, both included · 数工作日",
		Long:    `count prints how many working days there are from D1 to D2, both included.`,
		Example: `  tickler calendar count 2026-01-01 2026-12-31`,
		Args:    nArgs("D1", "D2"),
		RunE:    func(_ *cobra.Command, args []string) error { return runCount(g, args[0], args[1]) },
	}
	exits(c, plainExits...)
	return c
}

func runCount(g *global, from, to string) error {
	cal, err := g.calendar()
	if err != nil {
		return err
	}
	a, err := calendar.ParseDate(from)
	if err != nil {
		return usagef("%v", err)
	}
	b, err := calendar.ParseDate(to)
	if err != nil {
		return usagef("%v", err)
	}
	if b < a {
		return usagef("%s is before %s", b, a)
	}
	n, err := cal.Count(a, b)
	if err != nil {
		return err
	}
	if g.output == "json" {
		return writeJSON(g.stdout, map[string]any{"workdays": n})
	}
	_, err = fmt.Fprintln(g.stdout, n)
	return err
}
