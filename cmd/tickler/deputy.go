package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
)

// deputyOptions say how long somebody stands in.
type deputyOptions struct {
	From, To dateFlag
	End      bool
}

func (o *deputyOptions) AddFlags(f *pflag.FlagSet) {
	f.Var(&o.From, "from", "first `DATE`")
	f.Var(&o.To, "to", "last `DATE`")
	f.BoolVar(&o.End, "end", false, "nobody stands in any more")
}

func newDeputyCommand(g *global) *cobra.Command {
	var o deputyOptions
	c := &cobra.Command{
		Use:   "deputy FOR BY --from DATE --to DATE",
		Short: "Let one person stand in for another · 代理",
		Long: `deputy lets BY submit and sign what is FOR's, from one day to another, both included.
What he does is recorded as his own. A person may name his own deputy.`,
		Example: `  tickler deputy S007 S012 --from 2026-12-01 --to 2026-12-14
  tickler deputy S007 --end`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error { return runDeputy(c.Context(), g, o, args) },
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runDeputy(ctx context.Context, g *global, o deputyOptions, args []string) error {
	r := api.DeputyRequest{End: o.End}
	r.For, r.From, r.To = args[0], o.From.Date, o.To.Date
	if len(args) > 1 {
		r.By = args[1]
	}
	return g.withClient(ctx, func(c *api.Client) error {
		reply, err := c.Deputy(ctx, r)
		if err != nil {
			return err
		}
		if g.output == "json" {
			return writeJSON(g.stdout, reply)
		}
		for _, d := range reply.Deputies {
			fmt.Fprintf(g.stdout, g.tr("%s 由 %s 代理，%s 至 %s\n", "%s: %s stands in from %s to %s\n"), d.For, d.By, d.From, d.To)
		}
		if len(reply.Deputies) == 0 {
			fmt.Fprintln(g.stdout, g.tr("没有代理人", "nobody stands in"))
		}
		return nil
	})
}
