package main

import (
	"context"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/report"
)

func newReportOntimeCommand(g *global) *cobra.Command {
	var o figureOptions
	var by byFlag
	var from, to dateFlag
	c := &cobra.Command{
		Use:   "ontime [flags]",
		Short: "How much was done in time · 按时率",
		Long: `ontime counts the obligations whose due day lies in the range (both ends included;
by default from the first day of the quarter to today) by what became of them:

  in time      submitted on the last day or before; signatures may follow
  late         submitted after it, by so many working days on average and at most
  missed       overdue and still open, or lapsed: its cause went away undone
  waived       shown apart, not counted
  not yet due  open, its last day has not passed; not counted

The last day is the due day; of a duty due on a period's end it is the period's
end. Due = in time + late + missed, and the rate is in time / due, to one decimal,
half up. What was cancelled is in no column. These figures are the evidence of the
evaluation of the work plan (篇二) and of the officers' assessment (篇四 1).

With --on it counts as if today were that day: what was submitted later was open
then. The day of the act counts, not the day it was recorded. When something was
waived or cancelled is not kept with it: it is so on every day.

-o xlsx, or --out NAME.xlsx, writes a workbook.`,
		Example: `  tickler report ontime
  tickler report ontime --by branch,officer --from 2026-10-01 --to 2026-12-31
  tickler report ontime --by rule --branch B01 -o csv > ontime.csv
  tickler report ontime --by quarter --by role --from 2026-01-01 --out ontime.xlsx`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r := api.FiguresRequest{On: g.on.Date, From: from.Date, To: to.Date, Branch: o.Branch, By: by}
			return runReportOntime(c.Context(), g, o, r)
		},
	}
	c.Flags().Var(&by, "by", byUsage)
	c.Flags().Var(&from, "from", "first due `DATE`, included (default: the first day of --to's quarter)")
	c.Flags().Var(&to, "to", "last due `DATE`, included (default: today)")
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runReportOntime(ctx context.Context, g *global, o figureOptions, r api.FiguresRequest) error {
	if !r.From.IsZero() && !r.To.IsZero() && r.From > r.To {
		return usagef("--from %s is after --to %s", r.From, r.To)
	}
	return g.figures(ctx, o, func(c *api.Client) (*figureDoc, []string, error) {
		reply, err := c.Ontime(ctx, r)
		if err != nil {
			return nil, nil, err
		}
		return g.ontimeDoc(reply), reply.Warnings, nil
	})
}

// tallyColumns are the columns of a Tally, and tallyCells its cells.
var tallyColumns = []figureColumn{
	{"due", "应办", "Due", cellWhole, false}, {"in_time", "按时", "In time", cellWhole, false}, {"late", "迟办", "Late", cellWhole, false},
	{"late_average", "平均迟（工作日）", "Late avg (workdays)", cellTenths, false}, {"late_most", "最多迟（工作日）", "Late most", cellWhole, false},
	{"missed", "未办", "Missed", cellWhole, false}, {"overdue", "其中逾期", "Overdue", cellWhole, false}, {"lapsed", "其中失效", "Lapsed", cellWhole, false},
	{"rate", "按时率", "Rate", cellPercent, false}, {"waived", "豁免（不计）", "Waived (apart)", cellWhole, false}, {"not_yet_due", "未到期（不计）", "Not yet due (apart)", cellWhole, false},
}

func tallyCells(t *report.Tally) []any {
	return []any{t.Due, t.InTime, t.Late, t.LateAverage, t.LateMost, t.Missed, t.Overdue, t.Lapsed, t.Rate, t.Waived, t.NotYetDue}
}

func (g *global) ontimeDoc(r *api.OntimeReply) *figureDoc {
	d := &figureDoc{json: r, facts: g.headFacts(&r.FiguresHead)}
	d.zh, d.en = g.about(&r.FiguresHead, "按时率", "on-time figures")
	d.tables = []*figureTable{{zh: "按时率", en: "On time", columns: append(byColumns(r.By), tallyColumns...), rows: treeRows(g, r.Total, r.By, tallyCells)}}
	d.notes = g.tallyNotes()
	return d
}

// tallyNotes say how a Tally is worked out.
func (g *global) tallyNotes() []string {
	return []string{
		g.tr("按时率 = 按时 ÷ 应办，保留一位小数（四舍五入）；应办 = 按时 + 迟办 + 未办。", "Rate = in time / due, to one decimal, half up; due = in time + late + missed."),
		g.tr("按截止日在范围内（含首尾）的事项统计。最后一日当天或之前提交为按时，签批在后不影响；之后提交为迟办，迟几个工作日从最后一日的次日数到提交日。", "Counted: what falls due in the range, both ends included. In time: submitted on the last day or before, whenever it was signed; late: after it, by the working days after the last day up to the day of submitting."),
		g.tr("最后一日即截止日；期末截止的，为期末日。未办 = 逾期仍未提交 + 失效（事由在过期后消失，始终未办）。", "The last day is the due day, or the period's end of a duty due on it. Missed = overdue and still open + lapsed (its cause went away undone)."),
		g.tr("豁免、未到期单列，不计入应办；已取消的不统计。统计日之后提交的，按当日未提交计。", "Waived and not yet due stand apart and do not count; cancelled is in no column. What was submitted after the day was open on it."),
	}
}
