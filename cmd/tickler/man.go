package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newManCommand writes the manual pages, from the same words as the help.
func newManCommand(g *global, root *cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   "man [DIR]",
		Short: "Manual pages, one a command · 手册页",
		Long: `man prints the page of tickler itself; with DIR it writes that and tickler-upcoming.1
and so on, one a command, into DIR, which is made where it is not there.`,
		Example: `  tickler man | man -l -
  tickler man /usr/local/share/man/man1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			head := &doc.GenManHeader{Title: "TICKLER", Section: "1", Source: "tickler", Manual: "tickler", Date: new(g.now())}
			if len(args) == 0 {
				return doc.GenMan(root, head, g.stdout)
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("make the directory of the pages: %w", err)
			}
			if err := doc.GenManTree(root, head, args[0]); err != nil {
				return fmt.Errorf("write the pages: %w", err)
			}
			return nil
		},
	}
	exits(c, plainExits...)
	return c
}
