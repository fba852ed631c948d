package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tickler/api"
)

func newCalendarDiffCommand(g *global) *cobra.Command {
	var summary bool
	c := &cobra.Command{
		Use:   "diff FILE [flags]",
		Short: "What a calendar file would change: days and due days · 比对放假通知",
		Long: `diff checks a calendar file as import does, and lists the days it would change.
Where there is a store, it works out the whole plan with the file and without it,
and lists every obligation that would be due on another day. Nothing is written.`,
		Example: `  tickler calendar diff 2027.yaml
  tickler calendar diff 2027.yaml -o csv`,
		Args: nArgs("FILE"),
		RunE: func(c *cobra.Command, args []string) error { return runCalendarDiff(c.Context(), g, args[0], summary) },
	}
	c.Flags().BoolVar(&summary, "summary", false, "the totals without the single obligations")
	exits(c, exitOK, exitFailed, exitUsage, exitChanges, exitLocked, exitNotAllowed, exitInterrupted)
	return c
}

// calendarDiff is the form of calendar diff -o json.
type calendarDiff struct {
	Days      []changedDay   `json:"days"`
	Portfolio *api.DiffReply `json:"portfolio"` // null where there is no store
}

func runCalendarDiff(ctx context.Context, g *global, path string, summary bool) error {
	c, err := g.weigh(path)
	if err != nil {
		return err
	}
	r := calendarDiff{Days: []changedDay{}}
	days, err := c.changes()
	if err != nil {
		return err
	}
	r.Days = append(r.Days, days...)
	err = g.withClient(ctx, func(client *api.Client) error {
		defer g.busy(g.tr("正在比对", "comparing"))()
		r.Portfolio, err = client.Diff(ctx, api.DiffRequest{Calendar: c.new.Text(), On: g.on.Date})
		return err
	})
	if err != nil && api.CodeOf(coded(err)) != api.NoStore {
		return err
	}
	if summary && r.Portfolio != nil {
		r.Portfolio.Changes = []api.DiffLine{}
	}
	switch g.output {
	case "json":
		err = writeJSON(g.stdout, r)
	case "csv", "name":
		if r.Portfolio == nil {
			r.Portfolio = &api.DiffReply{}
		}
		err = g.writeDiff(r.Portfolio)
	default:
		if err = g.writeChangedDays(c, days); err == nil && r.Portfolio != nil {
			if len(days) > 0 && r.Portfolio.Total.Changes() > 0 {
				fmt.Fprintln(g.stdout)
			}
			err = g.writeDiff(r.Portfolio)
		}
	}
	if err != nil {
		return err
	}
	if c.old.Version() != c.new.Version() || r.Portfolio != nil && r.Portfolio.Total.Changes() > 0 {
		return status(exitChanges)
	}
	return nil
}
