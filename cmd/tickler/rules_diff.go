package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
	"tickler/rules"
	"tickler/scheduler"
)

// diffOptions say how differences are told.
type diffOptions struct {
	Summary  bool
	ExitCode bool // 5 where something would change
}

func (o *diffOptions) AddFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.Summary, "summary", false, "the totals without the single obligations")
	f.BoolVar(&o.ExitCode, "exit-code", false, "exit 5 if something would change")
}

func newRulesDiffCommand(g *global) *cobra.Command {
	var o diffOptions
	c := &cobra.Command{
		Use:   "diff [OLD] NEW [flags]",
		Short: "What an edited rulebook would change of the live plan · 比对规则簿",
		Long: `diff works out the whole plan as a run today would make it under the one rulebook
and under the other, and lists every obligation that would be added, dropped, due
earlier or later, or altered otherwise, with those that would be overdue at once;
then the totals by rule and by owner. Nothing is written.

OLD and NEW are files, or beginnings of the digests of rulebooks that the store
kept. Without OLD, NEW is held against the one in force.`,
		Example: `  tickler rules diff rules.yaml
  tickler rules diff --summary rules.yaml
  tickler rules diff 4f1e09 rules.yaml -o csv
  tickler rules diff --exit-code old.yaml new.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return fmt.Errorf("want NEW, or OLD and NEW")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return runRulesDiff(c.Context(), g, o, args) },
	}
	o.AddFlags(c.Flags())
	exits(c, exitOK, exitFailed, exitUsage, exitChanges, exitNoStore, exitLocked, exitNotAllowed, exitInterrupted)
	return c
}

func runRulesDiff(ctx context.Context, g *global, o diffOptions, args []string) error {
	r := api.DiffRequest{On: g.on.Date}
	for i, arg := range args {
		b, err := g.namedBook(arg)
		if err != nil {
			return err
		}
		if i == len(args)-1 {
			r.New = b
		} else {
			r.Old = b
		}
	}
	var reply *api.DiffReply
	err := g.withClient(ctx, func(c *api.Client) (err error) {
		defer g.busy(g.tr("正在比对", "comparing"))()
		reply, err = c.Diff(ctx, r)
		return err
	})
	if err != nil {
		return err
	}
	if o.Summary {
		reply.Changes = []api.DiffLine{}
	}
	if err := g.writeDiff(reply); err != nil {
		return err
	}
	if o.ExitCode && reply.Total.Changes() > 0 {
		return status(exitChanges)
	}
	return nil
}

// namedBook reads a rulebook's file, all of whose mistakes are printed as by
// rules check; or takes the word for a digest, where there is no such file.
func (g *global) namedBook(arg string) (*api.Book, error) {
	text, err := os.ReadFile(arg)
	if errors.Is(err, fs.ErrNotExist) && scheduler.IsDigest(arg) {
		return &api.Book{Digest: arg}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read rulebook: %w", err)
	}
	if _, err := rules.Parse(arg, text); err != nil {
		return nil, runRulesCheck(g, arg, false)
	}
	return &api.Book{Name: arg, Text: text}, nil
}
