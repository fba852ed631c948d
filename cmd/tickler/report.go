package main

import "github.com/spf13/cobra"

func newReportCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "report",
		Short: "Figures and the supervision sample: ontime, ageing, coverage, score, sample · 报表",
		Long: `report works out what people above a branch ask for, from the facts that the store
holds and from what became of the obligations. Its commands only read.`,
		Example: `  tickler report ontime --by branch,officer
  tickler report ageing --by rule --out ageing.xlsx
  tickler report sample --branch B01`,
		Args: cobra.ArbitraryArgs,
	}
	c.RunE = group(c)
	c.AddCommand(newReportOntimeCommand(g), newReportAgeingCommand(g), newReportCoverageCommand(g), newReportScoreCommand(g), newReportSampleCommand(g))
	return c
}
