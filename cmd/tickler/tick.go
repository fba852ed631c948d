package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tickler/api"
)

func newTickCommand(g *global) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "tick [flags]",
		Short: "One scan, then stop: for sites with a scheduler of their own · 扫描一次",
		Long: `tick does what the daemon does each time it wakes: it works out anew what changed
with the day, and raises everything whose time has come, what was missed in
between included, each once. For XXL-JOB, Control-M or cron.`,
		Example: `  tickler tick
  tickler tick --on 2026-11-23 -o json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runTick(c.Context(), g, force) },
	}
	c.Flags().BoolVar(&force, "force", false, "allow --on later than tomorrow")
	exits(c, storeExits...)
	return c
}

func runTick(ctx context.Context, g *global, force bool) error {
	return g.withClient(ctx, func(c *api.Client) error {
		r, err := c.Tick(ctx, api.TickRequest{On: g.on.Date, Force: force})
		if err != nil {
			return err
		}
		bad := func() error {
			if len(r.Problems) == 0 {
				return nil
			}
			return api.Errorf(api.BadFile, g.tr("改正文件后再次扫描；仍按原有规则簿和日历处理", "mend the file; what was in force before stays"), "%s", strings.Join(r.Problems, "\n"))
		}
		if g.output == "json" {
			if err := writeJSON(g.stdout, r); err != nil {
				return err
			}
			return bad()
		}
		fmt.Fprintf(g.stdout, g.tr("营业日 %s：重新推算 %d 户", "business day %s: %d worked out anew"), r.Today, r.Derived)
		for _, n := range []map[string]int{r.Plan, r.Told} {
			if s := counts(n, g.change); s != "" {
				fmt.Fprint(g.stdout, g.tr("，", ", ")+s)
			}
		}
		fmt.Fprintln(g.stdout)
		for _, f := range r.Failed {
			fmt.Fprintln(g.stderr, g.tr("未能推算：", "not worked out: ")+f)
		}
		g.warn(r.Warnings)
		return bad()
	})
}
