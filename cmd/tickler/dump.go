package main

import (
	"context"

	"github.com/spf13/cobra"

	"tickler/api"
)

func newDumpCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "dump [flags]",
		Short: "Everything there is, for scripts · 全量导出",
		Long: `dump writes every obligation in every state with the store's status, as one JSON
object: {"status": {…}, "obligations": […]}. With -o csv or -o name it writes
the obligations alone. The default form is json.`,
		Example: `  tickler dump -o json > tickler.json
  tickler dump -o csv > obligations.csv`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDump(c.Context(), g) },
	}
	exits(c, storeExits...)
	return c
}

// dumped is the form of dump -o json.
type dumped struct {
	Status      *api.StatusReply `json:"status"`
	Obligations []api.Obligation `json:"obligations"`
}

func runDump(ctx context.Context, g *global) error {
	return g.withClient(ctx, func(c *api.Client) error {
		list, err := c.List(ctx, api.ListRequest{On: g.on.Date, All: true})
		if err != nil {
			return err
		}
		if g.output == "csv" || g.output == "name" {
			return g.printObligations(list.Obligations)
		}
		status, err := c.Status(ctx)
		if err != nil {
			return err
		}
		return writeJSON(g.stdout, dumped{Status: status, Obligations: sound(list.Obligations)})
	})
}
