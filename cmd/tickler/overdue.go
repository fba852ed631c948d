package main

import (
	"context"

	"github.com/spf13/cobra"

	"tickler/api"
)

func newOverdueCommand(g *global) *cobra.Command {
	var o filterOptions
	c := &cobra.Command{
		Use:   "overdue [flags]",
		Short: "What should have been done and was not · 逾期事项",
		Long:  `overdue lists the open obligations whose due date has passed, the oldest first.`,
		Example: `  tickler overdue
  tickler overdue --branch B01 -o csv
  tickler overdue --on 2026-12-31`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runOverdue(c.Context(), g, o) },
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runOverdue(ctx context.Context, g *global, o filterOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	r := o.request()
	r.On, r.Overdue = g.on.Date, true
	g.hasty()
	return g.withClient(ctx, func(c *api.Client) error { return g.list(ctx, c, r) })
}
