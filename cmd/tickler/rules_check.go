package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"tickler/rules"
)

func newRulesCheckCommand(g *global) *cobra.Command {
	var fatal bool
	c := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Find the mistakes of a rulebook · 检查规则簿",
		Long: `check reads a rulebook and prints every mistake, a line each, as
file:line:column: what is wrong. Then it prints what is worth another look, as
warnings: figures that the manual does not give, exemptions that never hold,
loans that no report covers. Without FILE it reads the rulebook in force.`,
		Example: `  tickler rules check
  tickler rules check rules.yaml --lint-fatal
  tickler rules check rules.yaml -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := ""
			if len(args) > 0 {
				path = args[0]
			}
			return runRulesCheck(g, path, fatal)
		},
	}
	c.Flags().BoolVar(&fatal, "lint-fatal", false, "exit 3 if there are warnings")
	exits(c, exitOK, exitFailed, exitUsage, exitFindings)
	return c
}

// checked is a problem with how bad it is.
type checked struct {
	rules.Problem
	Level string `json:"level"` // error, warning
}

func runRulesCheck(g *global, path string, fatal bool) error {
	b, err := g.readBook(path)
	found := []checked{}
	var ps rules.Problems
	switch {
	case errors.As(err, &ps):
		for _, p := range ps {
			found = append(found, checked{p, "error"})
		}
	case err != nil:
		return err
	default:
		for _, p := range rules.Lint(b) {
			found = append(found, checked{p, "warning"})
		}
	}
	if g.output == "json" {
		if err := writeJSON(g.stdout, found); err != nil {
			return err
		}
	} else {
		for _, p := range found {
			text := p.String()
			if p.Level == "warning" {
				q := p.Problem
				q.Text = "warning: " + q.Text
				text = q.String()
			}
			fmt.Fprintln(g.stdout, text)
		}
	}
	switch {
	case ps != nil:
		fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("有错误 %d 处。", len(found)), plural(len(found), "mistake", "mistakes")))
		return status(exitFailed)
	case len(found) > 0:
		fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("没有错误，提示 %d 处；规则 %d 条，启用 %d 条。", len(found), len(b.Rules), active(b)), fmt.Sprintf("sound, %s; %s, %d enabled", plural(len(found), "warning", "warnings"), plural(len(b.Rules), "rule", "rules"), active(b))))
		if fatal {
			return status(exitFindings)
		}
	default:
		fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("没有错误；规则 %d 条，启用 %d 条。", len(b.Rules), active(b)), fmt.Sprintf("sound; %s, %d enabled", plural(len(b.Rules), "rule", "rules"), active(b))))
	}
	return nil
}

func active(b *rules.Book) int {
	n := 0
	for _, r := range b.Rules {
		if b.Active(r) {
			n++
		}
	}
	return n
}
