package main

import (
	"github.com/spf13/cobra"

	"tickler/rules"
)

func newRulesSchemaCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:     "schema",
		Short:   "The JSON Schema of rules.yaml, for editors · 编辑器用的结构说明",
		Long:    `schema prints the JSON Schema of rules.yaml. init writes it beside the rulebook.`,
		Example: `  tickler rules schema > rules.schema.json`,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := g.stdout.Write(rules.Schema())
			return err
		},
	}
	exits(c, plainExits...)
	return c
}
