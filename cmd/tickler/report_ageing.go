package main

import (
	"context"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/report"
)

func newReportAgeingCommand(g *global) *cobra.Command {
	var o figureOptions
	var by byFlag
	c := &cobra.Command{
		Use:   "ageing [flags]",
		Short: "How old is what is overdue · 逾期账龄",
		Long: `ageing counts what is overdue on the day by its age: the working days after the
last day on which it would have been in time, up to and with the day, by the
calendar in force. What is overdue over a weekend or a holiday, with no working
day passed since, has a column of its own. The total is the number of overdue
obligations that upcoming and overdue list.

With --on it counts as if today were that day: what was submitted later was
overdue then. What lapsed since is gone from it.`,
		Example: `  tickler report ageing
  tickler report ageing --by branch,officer
  tickler report ageing --by rule --on 2026-11-23 --out ageing.xlsx`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r := api.FiguresRequest{On: g.on.Date, Branch: o.Branch, By: by}
			return runReportAgeing(c.Context(), g, o, r)
		},
	}
	c.Flags().Var(&by, "by", byUsage)
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runReportAgeing(ctx context.Context, g *global, o figureOptions, r api.FiguresRequest) error {
	return g.figures(ctx, o, func(c *api.Client) (*figureDoc, []string, error) {
		reply, err := c.Ageing(ctx, r)
		if err != nil {
			return nil, nil, err
		}
		return g.ageingDoc(reply), reply.Warnings, nil
	})
}

func (g *global) ageingDoc(r *api.AgeingReply) *figureDoc {
	d := &figureDoc{json: r, facts: g.headFacts(&r.FiguresHead)}
	d.zh, d.en = g.about(&r.FiguresHead, "逾期账龄", "ageing of what is overdue")
	columns := append(byColumns(r.By), []figureColumn{
		{"total", "逾期", "Overdue", cellWhole, false}, {"under_1", "不足1个工作日", "Under 1", cellWhole, false}, {"1_to_5", "1-5", "1-5", cellWhole, false},
		{"6_to_10", "6-10", "6-10", cellWhole, false}, {"11_to_20", "11-20", "11-20", cellWhole, false}, {"over_20", "20以上", "Over 20", cellWhole, false},
		{"oldest", "最长（工作日）", "Oldest (workdays)", cellWhole, false}, {"since", "最早应于", "Since", cellDate, false},
	}...)
	d.tables = []*figureTable{{zh: "逾期账龄", en: "Ageing", columns: columns, rows: treeRows(g, r.Total, r.By, func(a *report.Ages) []any {
		return []any{a.Total, a.Under1, a.To5, a.To10, a.To20, a.Over20, a.Oldest, a.Since}
	})}}
	d.notes = []string{
		g.tr("逾期：最后一日已过而未提交。最后一日即截止日；期末截止的，为期末日。", "Overdue: the last day has passed with nothing submitted. The last day is the due day, or the period's end of a duty due on it."),
		g.tr("账龄 = 最后一日的次日到统计日（含）的工作日数，按现行日历（含调休）。不足1个工作日：周末、节假日期间刚逾期的。", "Age = the working days after the last day, up to and with the day, by the calendar in force. Under 1: overdue over a weekend or a holiday, no working day has passed."),
	}
	return d
}
