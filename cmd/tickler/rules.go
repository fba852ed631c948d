package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"tickler"
	"tickler/api"
	"tickler/rules"
)

func newRulesCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "rules",
		Short: "The rulebook: check, list, show, diff, activate · 规则簿",
		Long: `rules looks at a rulebook: --rules, else DIR/rules.yaml, else the one the program
carries. diff, activate, history and --at need the store, the others do not touch
it.`,
		Example: `  tickler rules check rules.yaml
  tickler rules diff rules.yaml
  tickler rules activate rules.yaml`,
		Args: cobra.ArbitraryArgs,
	}
	c.RunE = group(c)
	c.AddCommand(newRulesCheckCommand(g), newRulesTestCommand(g), newRulesListCommand(g), newRulesShowCommand(g), newRulesEventsCommand(g), newRulesDiffCommand(g), newRulesActivateCommand(g), newRulesHistoryCommand(g), newRulesSchemaCommand(g))
	return c
}

// readBook reads a rulebook; path "" is the one in force for the data
// directory.
func (g *global) readBook(path string) (*rules.Book, error) {
	if path == "" {
		path = g.rulesPath()
	}
	if path == "" {
		return rules.Parse("rules.yaml", tickler.Rulebook)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read rulebook: %w", err)
	}
	return rules.Parse(path, text)
}

// goodBook is readBook for commands that need a sound one.
func (g *global) goodBook() (*rules.Book, error) {
	b, err := g.readBook("")
	var ps rules.Problems
	if errors.As(err, &ps) {
		return nil, api.Errorf(api.BadFile, "", "%v", err)
	}
	return b, err
}
