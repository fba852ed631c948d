package main

import "github.com/spf13/cobra"

func newReportCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "report",
		Short: "Reports for those above the branch: sample · 报表",
		Long: `report works out what people above a branch ask for, from the facts that the store
holds. Its commands only read.`,
		Example: `  tickler report sample --branch B01`,
		Args:    cobra.ArbitraryArgs,
	}
	c.RunE = group(c)
	c.AddCommand(newReportSampleCommand(g))
	return c
}
