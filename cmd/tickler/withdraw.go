package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
	"tickler/obligation"
)

// withdrawOptions say why an event is taken back.
type withdrawOptions struct {
	Reason string // required
	Force  bool
}

func (o *withdrawOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Reason, "reason", "", "why, in a `TEXT`; needed")
	f.BoolVar(&o.Force, "force", false, "allow --on later than tomorrow")
}

func newWithdrawCommand(g *global) *cobra.Command {
	var o withdrawOptions
	c := &cobra.Command{
		Use:   "withdraw EVENT-ID --reason TEXT",
		Short: "Take a recorded event back, for a reason · 撤销事件",
		Long: `withdraw takes back an event that was recorded by mistake. What it closed is open
again with its old due day; what it opened is cancelled, unless it was done by
then, and lapses where it had been missed: a miss is never erased. The event and
its withdrawal both stay in the audit.`,
		Example: `  tickler withdraw 17 --reason 登记在了另一笔借据上`,
		Args:    nArgs("EVENT-ID"),
		RunE:    func(c *cobra.Command, args []string) error { return runWithdraw(c.Context(), g, o, args[0]) },
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runWithdraw(ctx context.Context, g *global, o withdrawOptions, id string) error {
	if o.Reason == "" {
		return usagef("--reason is needed: an event is withdrawn for a reason")
	}
	return g.withClient(ctx, func(c *api.Client) error {
		reply, err := c.Withdraw(ctx, api.WithdrawRequest{ID: id, Reason: o.Reason, On: g.on.Date, Force: o.Force})
		if err != nil {
			return err
		}
		switch g.output {
		case "json":
			reply.Reopened, reply.Cancelled = sound(reply.Reopened), sound(reply.Cancelled)
			return writeJSON(g.stdout, reply)
		case "name":
			_, err := fmt.Fprintln(g.stdout, reply.ID)
			return err
		}
		fmt.Fprintln(g.stdout, g.tr("已撤销事件 "+reply.ID+"（"+reply.Event+" "+reply.Subject+"）", "withdrew event "+reply.ID+" ("+reply.Event+" of "+reply.Subject+")"))
		for _, part := range []struct {
			title string
			list  []api.Obligation
		}{{g.tr("重新打开", "reopened"), reply.Reopened}, {g.tr("取消", "cancelled"), reply.Cancelled}} {
			for i := range part.list {
				x := &part.list[i]
				title := part.title
				if x.State == obligation.Lapsed {
					title = g.tr("失效（已逾期，计为未办）", "lapsed (it had been missed)")
				}
				fmt.Fprintf(g.stdout, "  %s  %s  %s %s  %s  %s\n", title, x.Short, g.tr("截止", "due"), x.Due, x.Name, g.subject(x))
			}
		}
		return nil
	})
}
