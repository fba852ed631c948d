package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
)

func newOutboxCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "outbox",
		Short: "What would go to whom: digests to be sent · 待发摘要",
		Long: `outbox shows the digests that wait to be sent: one a person and working day, or
one for whoever has a role in a branch. What comes about on days off waits for
the next working day. Its commands only read.`,
		Example: `  tickler outbox list
  tickler outbox show 2026-10-08/S001`,
		Args: cobra.ArbitraryArgs,
	}
	c.RunE = group(c)
	c.AddCommand(newOutboxListCommand(g), newOutboxShowCommand(g))
	return c
}

// outboxOptions say whose digests to list.
type outboxOptions struct {
	To, Role, Branch string
}

func (o *outboxOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.To, "to", "", "of the person with this `STAFF` number")
	f.StringVar(&o.Role, "role", "", "of those to a `ROLE`: supervisor, president, ...")
	f.StringVar(&o.Branch, "branch", "", "of the role in the branch with this `ID`")
}

func newOutboxListCommand(g *global) *cobra.Command {
	var o outboxOptions
	c := &cobra.Command{
		Use:   "list [flags]",
		Short: "The digests to be sent · 待发摘要一览",
		Long: `list shows every digest that waits to be sent, with the number of its items: newly
raised, reminders, overdue and gone up, moved, cancelled, closed. With --on it
shows those that go out on that day; none does on a day off.

-o json holds the items, -o csv is a line for each.`,
		Example: `  tickler outbox list
  tickler outbox list --on 2026-10-08 --to S001
  tickler outbox list --role supervisor --branch B01 -o json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runOutboxList(c.Context(), g, o) },
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runOutboxList(ctx context.Context, g *global, o outboxOptions) error {
	switch {
	case o.To != "" && (o.Role != "" || o.Branch != ""):
		return usagef("--to names a person; --role and --branch name the others: give one of them")
	case o.Branch != "" && o.Role == "":
		return usagef("--branch goes with --role: want whose digests in it")
	}
	return g.withClient(ctx, func(c *api.Client) error {
		r, err := c.Outbox(ctx, api.OutboxRequest{On: g.on.Date, To: o.To, Role: o.Role, Branch: o.Branch, Items: g.output == "json" || g.output == "csv"})
		if err != nil {
			return err
		}
		switch g.output {
		case "json":
			return writeJSON(g.stdout, r.Digests)
		case "csv":
			return g.digestsCSV(r.Digests)
		case "name":
			var b strings.Builder
			for i := range r.Digests {
				b.WriteString(r.Digests[i].ID + "\n")
			}
			_, err := g.stdout.Write([]byte(b.String()))
			return err
		}
		if len(r.Digests) > 0 {
			if err := g.digestSheet(r.Digests).print(g.stdout, g.colour()); err != nil {
				return err
			}
		} else {
			fmt.Fprintln(g.stderr, g.tr("没有待发摘要。", "No digest waits to be sent."))
		}
		if r.Next != r.Today {
			fmt.Fprintln(g.stderr, g.tr(
				fmt.Sprintf("%s 是休息日，不发摘要；下一次 %s。", r.Today, r.Next),
				fmt.Sprintf("%s is a day off: no digest goes out; the next ones do on %s.", r.Today, r.Next)))
		}
		return nil
	})
}

var groupWords = map[string][2]string{
	api.GroupRaised: {"新触发", "Raised"}, api.GroupReminders: {"提醒", "Reminders"}, api.GroupEscalated: {"逾期升级", "Escalated"},
	api.GroupMoved: {"改期", "Moved"}, api.GroupCancelled: {"取消", "Cancelled"}, api.GroupClosed: {"已提交办结", "Closed"}, api.GroupOther: {"其他", "Other"},
}

func (g *global) group(name string) string { return g.tr(groupWords[name][0], groupWords[name][1]) }

// receiver is a person with his name, or a role and its branch.
func (g *global) receiver(d *api.Digest) string {
	if d.To != nil {
		return strings.TrimSpace(d.To.ID + " " + sameAs(d.To.Name, d.To.ID))
	}
	return strings.TrimSpace(g.role(d.Role) + " " + d.Branch)
}

func (g *global) digestStatus(s string) string {
	if s == api.DigestWaits {
		return g.tr("待发送", "to be sent")
	}
	return s
}

func (g *global) digestSheet(ds []api.Digest) *sheet {
	s := &sheet{heads: []string{g.tr("日期", "Day"), g.tr("收件人", "To")}, right: map[int]bool{}}
	for _, group := range api.DigestGroups {
		s.right[len(s.heads)] = true
		s.heads = append(s.heads, g.group(group))
	}
	s.heads = append(s.heads, g.tr("状态", "Status"), g.tr("编号", "ID"))
	for i := range ds {
		d := &ds[i]
		row := []string{d.Day.String(), g.receiver(d)}
		for _, group := range api.DigestGroups {
			n := ""
			if d.Counts[group] > 0 {
				n = strconv.Itoa(d.Counts[group])
			}
			row = append(row, n)
		}
		s.add(nil, append(row, g.digestStatus(d.Status), d.ID)...)
	}
	return s
}

func (g *global) digestsCSV(ds []api.Digest) error {
	head := []string{"digest", "day", "to", "to_name", "role", "branch", "status", "group", "message", "kind", "stands_for", "on", "late",
		"obligation", "rule", "name", "subject_kind", "subject_id", "borrower_id", "borrower_name", "owner", "due", "state", "overdue", "audit_seq", "audit_hash"}
	return writeCSV(g.stdout, head, func(yield func([]string) bool) {
		for i := range ds {
			d := &ds[i]
			var to, borrower api.Named
			if d.To != nil {
				to = *d.To
			}
			for _, group := range d.Groups {
				for _, x := range group.Items {
					if borrower = (api.Named{}); x.Borrower != nil {
						borrower = *x.Borrower
					}
					if !yield([]string{d.ID, d.Day.String(), to.ID, to.Name, d.Role, d.Branch, d.Status, group.Group, strconv.FormatUint(x.Message, 10), x.Kind, x.Stands.String(), x.On.String(), x.Late,
						x.Obligation, x.Rule, x.Name, string(x.Subject.Kind), x.Subject.ID, borrower.ID, borrower.Name, x.Owner, x.Due.String(), string(x.State), strconv.FormatBool(x.Overdue),
						strconv.FormatUint(d.Audit.Seq, 10), d.Audit.Hash}) {
						return
					}
				}
			}
		}
	})
}

func newOutboxShowCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "show ID",
		Short: "One digest with its items · 一份摘要",
		Long: `show prints a digest as its receiver would read it. ID is that of a list,
DAY/STAFF or DAY/ROLE@BRANCH, or the number of a message in it. At its end
stands the head of the audit trail, so that each digest is an anchor which a
trail that was cut or written anew does not agree with.`,
		Example: `  tickler outbox show 2026-10-08/S001
  tickler outbox show 2026-10-08/supervisor@B01 -o json`,
		Args: nArgs("ID"),
		RunE: func(c *cobra.Command, args []string) error { return runOutboxShow(c.Context(), g, args[0]) },
	}
	exits(c, storeExits...)
	return c
}

func runOutboxShow(ctx context.Context, g *global, id string) error {
	return g.withClient(ctx, func(c *api.Client) error {
		r, err := c.Outbox(ctx, api.OutboxRequest{ID: id, On: g.on.Date, Items: true})
		if err != nil {
			return err
		}
		d := &r.Digests[0]
		switch g.output {
		case "json":
			return writeJSON(g.stdout, d)
		case "csv":
			return g.digestsCSV(r.Digests)
		case "name":
			_, err := fmt.Fprintln(g.stdout, d.ID)
			return err
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s  %s %s  %s\n", g.receiver(d), d.Day, g.weekday(d.Day.Weekday()), g.tr("（", "(")+g.digestStatus(d.Status)+g.tr("）", ")"))
		for _, group := range d.Groups {
			fmt.Fprintf(&b, "\n%s\n", g.tr(fmt.Sprintf("%s（%d）", g.group(group.Group), len(group.Items)), fmt.Sprintf("%s (%d)", g.group(group.Group), len(group.Items))))
			for i := range group.Items {
				g.digestLine(&b, &group.Items[i])
			}
		}
		fmt.Fprintf(&b, "\n%s #%d %s\n", g.tr("审计链头", "audit head"), d.Audit.Seq, d.Audit.Hash)
		_, err = g.stdout.Write([]byte(b.String()))
		return err
	})
}

// digestLine is one item: what, about whom, until when, and how it stands.
func (g *global) digestLine(b *strings.Builder, x *api.DigestItem) {
	o := &api.Obligation{Subject: x.Subject, Borrower: x.Borrower, State: x.State, Overdue: x.Overdue, WorkdaysLeft: x.DaysLeft, LateWorkdays: x.LateDays}
	name := x.Name
	if name == "" {
		name = x.Rule
	}
	line := fmt.Sprintf("%s  %s %s%s  %s  %s  %s", x.Short, g.tr("截止", "due"), x.Due, star(x.Provisional), name, g.subject(o), g.standing(o))
	if x.Kind == "moved" && !x.WasDue.IsZero() {
		line += "  " + g.tr("原截止 "+x.WasDue.String(), "was "+x.WasDue.String())
	}
	if x.Kind == "escalate" && x.Owner != "" {
		line += "  " + g.tr("责任人 "+x.Owner, "owner "+x.Owner)
	}
	if x.Late != "" {
		line += "  " + g.tr("应于 "+x.Stands.String()+"："+x.Late, "of "+x.Stands.String()+": "+x.Late)
	}
	fmt.Fprintf(b, "  %s\n", line)
}
