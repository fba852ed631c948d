package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tickler/api"
)

func newClockCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "clock",
		Short: "The system's clock, and its jumps · 系统时钟",
		Long: `The daemon holds the system's clock against the time that passes. A jump forward of
more than 36 hours while it runs is not believed: the days between are not raised,
and the day goes on at the pace of the time that passes, until the clock is set
right or somebody confirms it. A clock that was set back never takes the day back.`,
		Args:    cobra.ArbitraryArgs,
		Example: "  tickler clock status\n  tickler clock confirm",
	}
	c.RunE = group(c)
	for _, sub := range []struct {
		use, short, long string
		confirm          bool
	}{
		{"status", "What the clock says, and what is believed · 时钟状况", `status says what the system's clock shows, which day it is for the store, and
whether a jump waits to be confirmed.`, false},
		{"confirm", "Take a jump of the clock for true · 确认时钟跳变", `confirm takes the system's clock, as it stands, for true, and scans: what waited for
the days between is raised. Look at the day first: nothing takes it back.`, true},
	} {
		s := &cobra.Command{
			Use: sub.use, Short: sub.short, Long: sub.long, Example: "  tickler clock " + sub.use, Args: noArgs,
			RunE: func(c *cobra.Command, _ []string) error { return runClock(c.Context(), g, sub.confirm) },
		}
		exits(s, storeExits...)
		c.AddCommand(s)
	}
	exits(c, plainExits...)
	return c
}

func runClock(ctx context.Context, g *global, confirm bool) error {
	return g.withClient(ctx, func(c *api.Client) error {
		r, err := c.Clock(ctx, api.ClockRequest{Confirm: confirm})
		if err != nil {
			return err
		}
		if g.output == "json" {
			return writeJSON(g.stdout, r)
		}
		state := g.tr("可信", "believed")
		if r.Held {
			ahead := (time.Duration(r.Ahead) * time.Second).Round(time.Minute)
			state = g.tr(fmt.Sprintf("跳前 %s，触发暂停，待确认", ahead), fmt.Sprintf("jumped ahead by %s: raising waits", ahead))
		}
		fields := []field{
			{g.tr("系统时钟", "clock"), g.moment(r.Wall)},
			{g.tr("状况", "state"), state},
			{g.tr("今日", "today"), r.Today.String()},
			{g.tr("营业日", "business day"), r.Business.String()},
		}
		if confirm {
			fields = append(fields, field{g.tr("计划变动", "plan"), counts(r.Plan, g.change)})
		}
		var b strings.Builder
		writeFields(&b, fields)
		_, err = fmt.Fprint(g.stdout, b.String())
		return err
	})
}
