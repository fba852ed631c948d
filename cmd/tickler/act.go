package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
)

// The moves that people make of an obligation. They differ in their words; the
// scheduler decides who may.

// actOptions are the flags of a move; each move takes some.
type actOptions struct {
	Reason string
	Note   string
	Day    dateFlag
	To     string
	From   string
	Files  []string
	Force  bool
}

func (o *actOptions) AddFlags(f *pflag.FlagSet, names ...string) {
	for _, n := range names {
		switch n {
		case "reason":
			f.StringVar(&o.Reason, "reason", "", "why, in a `TEXT`; needed")
		case "note":
			f.StringVar(&o.Note, "note", "", "a `TEXT` to keep with it")
		case "day":
			f.Var(&o.Day, "day", "the `DATE` it was done (default: today)")
		case "to":
			f.StringVar(&o.To, "to", "", "to whom, by staff number (`STAFF`); needed")
		case "from":
			f.StringVar(&o.From, "from", "", "every open obligation of this person (`STAFF`), instead of one")
		case "file":
			f.StringArrayVar(&o.Files, "file", nil, "a `PATH` that proves it; it is kept in the data directory by its digest")
		}
	}
	f.BoolVar(&o.Force, "force", false, "allow --on later than tomorrow")
}

func newSubmitCommand(g *global) *cobra.Command {
	return newActCommand(g, "submit", "Submit what was done · 提交", `submit says that a duty was done, by the person whose it is or who stands in for
him. Where the rulebook asks for signatures it waits for them; else it is done.`,
		`  tickler submit 3f2a91c0 --note 已面签 --file 通知书回执.pdf
  tickler submit 3f2a91c0 --day 2026-11-20`, "note", "day", "file")
}

func newSignCommand(g *global) *cobra.Command {
	return newActCommand(g, "sign", "Sign what was submitted · 签批", `sign adds the signature of the level that is waited for. Nobody signs what he
submitted, nor on two levels. The last signature ends the duty.`,
		`  tickler sign 3f2a91c0 --note 同意`, "note", "file")
}

func newReturnCommand(g *global) *cobra.Command {
	return newActCommand(g, "return", "Return what was submitted · 退回", `return puts a submitted duty back on its desk, with its old due day: by the person
whose signature is waited for, or by him who submitted it.`,
		`  tickler return 3f2a91c0 --reason 缺少保证人签字`, "reason")
}

func newWaiveCommand(g *global) *cobra.Command {
	return newActCommand(g, "waive", "Ask for a waiver, or grant one · 豁免", `waive excuses a duty, which takes two persons: the first asks for it with a reason;
the second, a supervisor or a president, grants it by the same command.`,
		`  tickler waive 3f2a91c0 --reason 借款人已进入破产程序`, "reason", "file")
}

func newReopenCommand(g *global) *cobra.Command {
	return newActCommand(g, "reopen", "Reopen what was done or waived · 重新打开", `reopen puts a duty that was done or waived back on its desk, with its old due day.
It is for supervisors and presidents.`,
		`  tickler reopen 3f2a91c0 --reason 报告内容与事实不符`, "reason")
}

func newReassignCommand(g *global) *cobra.Command {
	var o actOptions
	c := &cobra.Command{
		Use:   "reassign ID --to STAFF | --from STAFF --to STAFF",
		Short: "Give duties to another person · 改派",
		Long: `reassign gives a duty to another person, or with --from every open duty of one, as
when an officer leaves. It holds until the ledger names another officer.`,
		Example: `  tickler reassign 3f2a91c0 --to S012
  tickler reassign --from S007 --to S012 --reason 调离`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case o.To == "":
				return usagef("--to is needed")
			case o.From == "" && len(args) != 1:
				return usagef("want ID, or --from STAFF")
			case o.From != "" && len(args) > 0:
				return usagef("either ID or --from")
			}
			id := ""
			if len(args) > 0 {
				id = args[0]
			}
			return runAct(c.Context(), g, o, "reassign", id)
		},
	}
	o.AddFlags(c.Flags(), "to", "from")
	c.Flags().StringVar(&o.Reason, "reason", "", "why, in a `TEXT`")
	exits(c, storeExits...)
	return c
}

func newActCommand(g *global, move, short, long, example string, flags ...string) *cobra.Command {
	var o actOptions
	c := &cobra.Command{
		Use: move + " ID", Short: short, Long: long, Example: example,
		Args: nArgs("ID"),
		RunE: func(c *cobra.Command, args []string) error { return runAct(c.Context(), g, o, move, args[0]) },
	}
	o.AddFlags(c.Flags(), flags...)
	exits(c, storeExits...)
	return c
}

func runAct(ctx context.Context, g *global, o actOptions, move, id string) error {
	r := api.ActRequest{ID: id, Reason: o.Reason, Note: o.Note, Day: o.Day.Date, To: o.To, From: o.From, On: g.on.Date, Force: o.Force}
	var err error
	if r.Files, err = readEvidence(o.Files); err != nil {
		return err
	}
	return g.withClient(ctx, func(c *api.Client) error {
		reply, err := c.Act(ctx, move, r)
		if err != nil {
			return err
		}
		if g.output == "json" {
			return writeJSON(g.stdout, reply)
		}
		x := reply.Obligation
		switch {
		case x == nil:
			fmt.Fprintln(g.stdout, g.tr(fmt.Sprintf("已将 %s 的 %d 项改派给 %s", o.From, reply.Moved, o.To), fmt.Sprintf("gave %d of %s to %s", reply.Moved, o.From, o.To)))
			return nil
		case g.output == "name":
			_, err := fmt.Fprintln(g.stdout, x.ID)
			return err
		case reply.Pending:
			fmt.Fprintf(g.stdout, "%s  %s %s\n", x.Short, x.Name, g.tr("：豁免申请已登记，等待第二人同意", ": the waiver waits for a second person"))
			return nil
		}
		fmt.Fprintf(g.stdout, "%s  %s  %s %s  %s", x.Short, x.Name, g.tr("截止", "due"), x.Due, g.state(x.State))
		if x.Level != "" {
			fmt.Fprintf(g.stdout, g.tr("，待%s签批", ", waits for the %s"), g.role(x.Level))
		}
		if move == "reassign" {
			fmt.Fprintf(g.stdout, "  → %s", x.Owner)
		}
		fmt.Fprintln(g.stdout)
		return nil
	})
}

// maxEvidence is what a file of evidence may hold.
const maxEvidence = 20 << 20

func readEvidence(paths []string) ([]api.File, error) {
	var out []api.File
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			return nil, fmt.Errorf("read evidence: %w", err)
		}
		data, err := io.ReadAll(io.LimitReader(f, maxEvidence+1))
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("read evidence %q: %w", p, err)
		}
		if len(data) > maxEvidence {
			return nil, usagef("--file %q: more than %d MiB", p, maxEvidence>>20)
		}
		out = append(out, api.File{Name: filepath.Base(p), Data: data})
	}
	return out, nil
}
