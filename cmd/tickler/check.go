package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tickler/api"
)

func newCheckCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Look for damage in the store · 检查数据库",
		Long: `check reads every page and every record of the store: checksums, forms, the
indexes against the records, the audit chain. Through a daemon it reads a copy,
so that nobody waits. What it finds goes to stdout, a line each, with the newest
good backup, and it exits 3.`,
		Example: `  tickler check
  tickler check -o json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runCheck(c.Context(), g) },
	}
	c.AddCommand(newCheckPortfolioCommand(g))
	exits(c, exitOK, exitFailed, exitUsage, exitFindings, exitNoStore, exitLocked, exitNotAllowed, exitInterrupted)
	return c
}

func runCheck(ctx context.Context, g *global) error {
	c, err := g.dial(ctx)
	if err != nil {
		return err
	}
	var r *api.CheckReply
	done := g.busy(g.tr("正在检查", "checking"))
	if c != nil {
		r, err = c.Check(ctx)
	} else {
		r, err = g.checkOffline(ctx)
	}
	done()
	if err != nil {
		return err
	}
	if r.Problems == nil {
		r.Problems = []string{}
	}
	if g.output == "json" {
		err = writeJSON(g.stdout, r)
	} else {
		for _, p := range r.Problems {
			fmt.Fprintln(g.stdout, p)
		}
		if len(r.Problems) > 0 {
			fmt.Fprintln(g.stdout, g.newestWords(r.Backup))
		}
		if len(r.Problems) == 0 {
			fmt.Fprintf(g.stdout, g.tr("完好：%s；审计链 %s\n", "sound: %s; audit %s\n"), counts(r.Records, func(k string) string { return k }), anchorText(r.Audit))
		}
	}
	if err == nil && len(r.Problems) > 0 {
		g.sayRestore(r.Backup)
		return status(exitFindings)
	}
	return err
}
