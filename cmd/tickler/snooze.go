package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
)

// snoozeOptions say until when, and why.
type snoozeOptions struct {
	Until dateFlag // required
	Note  string   // required
	Force bool
}

func (o *snoozeOptions) AddFlags(f *pflag.FlagSet) {
	f.Var(&o.Until, "until", "`DATE` on which reminders begin again, at most the due day; needed")
	f.StringVar(&o.Note, "note", "", "why, in a `TEXT`; needed")
	f.BoolVar(&o.Force, "force", false, "allow --on later than tomorrow")
}

func newSnoozeCommand(g *global) *cobra.Command {
	var o snoozeOptions
	c := &cobra.Command{
		Use:   "snooze ID --until DATE --note TEXT",
		Short: "Put the reminders of an obligation off · 暂缓提醒",
		Long: `snooze puts the reminders of an obligation off to a day, not past its due day. Those
of the days between are one, on that day. The due day stays, and what is overdue
goes up all the same. The audit keeps who did it and why.`,
		Example: `  tickler snooze 3fa9c01e --until 2026-12-10 --note 已与客户约定十日付息`,
		Args:    nArgs("ID"),
		RunE:    func(c *cobra.Command, args []string) error { return runSnooze(c.Context(), g, o, args[0]) },
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runSnooze(ctx context.Context, g *global, o snoozeOptions, id string) error {
	switch {
	case o.Until.IsZero():
		return usagef("--until is needed: the day on which reminders begin again")
	case o.Note == "":
		return usagef("--note is needed: reminders are put off with a note")
	}
	return g.withClient(ctx, func(c *api.Client) error {
		r, err := c.Snooze(ctx, api.SnoozeRequest{ID: id, Until: o.Until.Date, Note: o.Note, On: g.on.Date, Force: o.Force})
		if err != nil {
			return err
		}
		switch g.output {
		case "json":
			r.Obligation = sound([]api.Obligation{r.Obligation})[0]
			return writeJSON(g.stdout, r)
		case "name":
			_, err := fmt.Fprintln(g.stdout, r.Obligation.ID)
			return err
		}
		x := &r.Obligation
		next := g.tr("截止日前不再提醒", "no reminder is left before the due day")
		if !r.Next.IsZero() {
			next = g.tr("下次提醒 "+r.Next.String(), "next reminder on "+r.Next.String())
		}
		fmt.Fprintln(g.stdout, g.tr(
			fmt.Sprintf("%s %s：提醒暂缓至 %s，%s；截止日 %s 不变", x.Short, x.Name, r.Until, next, x.Due),
			fmt.Sprintf("%s %s: reminders put off to %s, %s; still due %s", x.Short, x.Name, r.Until, next, x.Due)))
		return nil
	})
}
