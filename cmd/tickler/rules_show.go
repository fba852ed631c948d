package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/calendar"
)

func newRulesShowCommand(g *global) *cobra.Command {
	var at dateFlag
	c := &cobra.Command{
		Use:   "show ID [flags]",
		Short: "One rule with its conditions and exemptions · 一条规则",
		Long:  `show prints one rule: its clause, whom it is for, when, what exempts, and its limit.`,
		Example: `  tickler rules show maturity-notice
  tickler rules show maturity-notice --at 2026-11-23
  tickler rules show maturity-notice -o json`,
		Args: nArgs("ID"),
		RunE: func(c *cobra.Command, args []string) error { return runRulesShow(c.Context(), g, args[0], at.Date) },
	}
	c.Flags().Var(&at, "at", atUsage)
	exits(c, storeExits...)
	return c
}

func runRulesShow(ctx context.Context, g *global, id string, at calendar.Date) error {
	b, err := g.bookAt(ctx, at)
	if err != nil {
		return err
	}
	r := b.Rule(id)
	if r == nil {
		return api.Errorf(api.NotFound, `"tickler rules list" shows them`, "no rule %q", id)
	}
	f := formOf(b, r)
	if g.output == "json" {
		return writeJSON(g.stdout, f)
	}
	yes := map[bool]string{true: g.tr("是", "yes"), false: g.tr("否", "no")}
	stated := g.tr("手册写明", "the manual's")
	if !f.Stated {
		stated = g.tr("本行规定（手册未写明）", "the bank's own")
	}
	var sb strings.Builder
	fmt.Fprintf(&sb, "%s  %s\n", f.ID, f.Name)
	writeFields(&sb, []field{
		{g.tr("依据", "clause"), f.Clause},
		{g.tr("资料表行", "rows"), strings.Join(f.Rows, ", ")},
		{g.tr("缺页", "page missing"), f.SourceMissing},
		{g.tr("制度", "set"), strings.Join(f.Sets, ", ")},
		{g.tr("启用", "enabled"), yes[f.Enabled]},
		{g.tr("对象", "for"), f.For},
		{g.tr("管户", "in the care of"), strings.Join(f.Who, ", ")},
		{g.tr("逐一", "each"), strings.Join(f.Each, ", ")},
		{g.tr("事件", "on"), strings.Join(streaks(g, f), ", ")},
		{g.tr("周期", "every"), f.Every},
		{g.tr("自", "since"), strings.Join(f.Since, ", ")},
		{g.tr("条件", "when"), f.When},
		{g.tr("定额", "needs"), f.Needs},
		{g.tr("期限", "due"), f.Due},
		{g.tr("期限出处", "figure"), stated},
		{g.tr("触发", "raise"), f.Raise},
		{g.tr("落点", "landing"), f.Landing},
		{g.tr("由", "by"), strings.Join(roles(g, f.Bys), g.tr("、", ", "))},
		{g.tr("办理机构", "at"), map[string]string{"above": g.tr("上级机构", "the branch above")}[f.Branch]},
		{g.tr("签批", "sign"), strings.Join(f.Sign, " → ")},
		{g.tr("办结于", "closes on"), strings.Join(closers(f), ", ")},
		{g.tr("让位于", "yields to"), strings.Join(f.YieldsTo, ", ")},
		{g.tr("通知书", "notice"), f.Notice},
		{g.tr("生效", "effective from"), f.EffectiveFrom.String()},
		{g.tr("失效", "effective to"), f.EffectiveTo.String()},
		{g.tr("说明", "note"), f.Note},
		{g.tr("行号", "line"), fmt.Sprintf("%s:%d", b.File, f.Line)},
	})
	for _, x := range f.Signing {
		fmt.Fprintf(&sb, "  %s  %s  %s\n", g.tr("签批", "sign"), x.If, strings.Join(x.By, " → "))
	}
	for _, x := range f.Overrides {
		text := g.tr("截止 ", "due ") + x.Due
		if x.Off {
			text = g.tr("不执行", "off")
		}
		fmt.Fprintf(&sb, "  %s  %s  %s  %s\n", g.tr("机构另有规定", "override"), x.Branch, text, x.Why)
	}
	for _, x := range f.Except {
		fmt.Fprintf(&sb, "  %s  %s  %s\n", g.tr("豁免", "except"), x.Why, x.If)
	}
	_, err = fmt.Fprint(g.stdout, sb.String())
	return err
}

// streaks are the events that begin a rule, with the months that it waits for.
func streaks(g *global, f ruleForm) []string {
	var out []string
	for _, kind := range f.On {
		if n := f.InARow[kind]; n > 0 {
			kind += g.tr(fmt.Sprintf("（连续 %d 个月）", n), fmt.Sprintf(" (%d months in a row)", n))
		}
		out = append(out, kind)
	}
	return out
}

func roles(g *global, words []string) []string {
	var out []string
	for _, w := range words {
		out = append(out, g.role(w))
	}
	return out
}

// closers are the events that close a rule, with what must hold of them.
func closers(f ruleForm) []string {
	var out []string
	for _, kind := range f.ClosesOn {
		if c := f.ClosesIf[kind]; c != "" {
			kind += " (" + c + ")"
		}
		out = append(out, kind)
	}
	return out
}
