package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tickler/api"
)

func newTodayCommand(g *global) *cobra.Command {
	var o filterOptions
	c := &cobra.Command{
		Use:   "today [flags]",
		Short: "What falls due today · 今日到期",
		Long: `today lists the open obligations that fall due today. How many are overdue is
said on stderr; "tickler overdue" lists them.`,
		Example: `  tickler today
  tickler today --owner S007`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runToday(c.Context(), g, o) },
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runToday(ctx context.Context, g *global, o filterOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	g.hasty()
	return g.withClient(ctx, func(c *api.Client) error {
		today, err := g.today(ctx, c)
		if err != nil {
			return err
		}
		r := o.request()
		r.On, r.From, r.To = g.on.Date, today, today
		if err := g.list(ctx, c, r); err != nil {
			return err
		}
		if g.output != "table" && g.output != "wide" {
			return nil
		}
		r.From, r.To, r.Overdue = 0, 0, true
		late, err := c.List(ctx, r)
		if err != nil {
			return err
		}
		if n := len(late.Obligations); n > 0 {
			fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("另有逾期 %d 项：tickler overdue", n), fmt.Sprintf("%d more overdue: tickler overdue", n)))
		}
		return nil
	})
}
