package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
)

// activateOptions say how a rulebook comes into force.
type activateOptions struct {
	DryRun bool
	Force  bool
}

func (o *activateOptions) AddFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.DryRun, "dry-run", false, "say what would change, and change nothing")
	f.BoolVar(&o.Force, "force", false, "allow --on later than tomorrow")
}

func newRulesActivateCommand(g *global) *cobra.Command {
	var o activateOptions
	c := &cobra.Command{
		Use:   "activate FILE [flags]",
		Short: "Put a rulebook in force · 启用规则簿",
		Long: `activate checks a rulebook, writes it in the place of DIR/rules.yaml, and makes the
whole plan anew under it, in one transaction that keeps who did it.

A rulebook that drops or moves more open obligations than is allowed (config.yaml,
hold: more than 20 % and at least 200) is held: the one in force stays, until a
second person activates the same file. The exit status is 12 then. A file that
was edited in place is held in the same way when it is found.

FILE may be the beginning of the digest of a rulebook that the store kept.`,
		Example: `  tickler rules activate --dry-run rules.yaml
  tickler rules activate rules.yaml`,
		Args: nArgs("FILE"),
		RunE: func(c *cobra.Command, args []string) error { return runRulesActivate(c.Context(), g, o, args[0]) },
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runRulesActivate(ctx context.Context, g *global, o activateOptions, arg string) error {
	if g.flags.Changed("rules") {
		return usagef("--rules: FILE says which rulebook; leave the flag out")
	}
	b, err := g.namedBook(arg)
	if err != nil {
		return err
	}
	var r *api.ActivateReply
	err = g.withClient(ctx, func(c *api.Client) (err error) {
		defer g.busy(g.tr("正在重新推算", "making the plan anew"))()
		r, err = c.Activate(ctx, api.ActivateRequest{Book: *b, DryRun: o.DryRun, On: g.on.Date, Force: o.Force})
		return err
	})
	if err != nil {
		return err
	}
	if r.Warning != "" {
		g.warn([]string{r.Warning})
	}
	if g.output == "json" {
		err = writeJSON(g.stdout, r)
	} else {
		err = g.writeActivation(r)
	}
	if err == nil && r.Outcome == api.HeldBack && !r.DryRun {
		return status(exitNotAllowed)
	}
	return err
}

func (g *global) writeActivation(r *api.ActivateReply) error {
	digest := shortDigest(r.Diff.New)
	if err := g.writeTotals(r.Diff); err != nil {
		return err
	}
	diff := *r.Diff
	diff.Held = false // said below
	g.diffFooter(&diff)
	for _, f := range r.Failed {
		fmt.Fprintln(g.stderr, g.tr("未能推算：", "not worked out: ")+f)
	}
	say := func(zh, en string) { fmt.Fprintln(g.stderr, g.tr(zh, en)) }
	over := ""
	if h := r.Hold; h != nil {
		over = g.tr(fmt.Sprintf("取消或改期 %d 项，占未结事项的 %.1f%%，限 %.1f%%", h.Dropped+h.Moved, 100*h.Share, 100*h.Limit),
			fmt.Sprintf("it drops or moves %s, %.1f %% of the open ones; the limit is %.1f %%", plural(h.Dropped+h.Moved, "obligation", "obligations"), 100*h.Share, 100*h.Limit))
	}
	switch {
	case r.Outcome == api.SameBook:
		say("规则簿 "+digest+" 本来就有效。", "Rulebook "+digest+" is in force already.")
	case r.Outcome == api.HeldBack && r.DryRun:
		say("试算，未写入；启用时将搁置（"+over+"），须由两人先后启用。", "Dry run, nothing written; it would be held ("+over+") until a second person activates it too.")
	case r.DryRun:
		say("试算，未写入。", "Dry run, nothing written.")
	case r.Outcome == api.HeldBack:
		say("规则簿 "+digest+" 已搁置："+over+"。原规则簿继续有效，须由另一人再次执行同一命令。", "Rulebook "+digest+" is held: "+over+". The one in force stays until a second person runs the same command.")
	case r.Second != "":
		say(fmt.Sprintf("规则簿 %s 已启用（%s、%s），写入 %s。", digest, r.By, r.Second, r.File), fmt.Sprintf("Rulebook %s is in force (%s, %s), and stands in %s.", digest, r.By, r.Second, r.File))
	default:
		say(fmt.Sprintf("规则簿 %s 已启用（%s），写入 %s。", digest, r.By, r.File), fmt.Sprintf("Rulebook %s is in force (%s), and stands in %s.", digest, r.By, r.File))
	}
	return nil
}
