package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/report"
)

// fewTargets is how many that are short the screen lists of each rule.
const fewTargets = 10

func newReportCoverageCommand(g *global) *cobra.Command {
	var o figureOptions
	var from, to dateFlag
	c := &cobra.Command{
		Use:   "coverage [flags]",
		Short: "How far quotas and coverages have come · 覆盖率与数量要求",
		Long: `coverage shows the obligations that ask for a number or a share: the work logs of
a month (篇三 一(二)2), the loans carried forward at the year's end (篇三 一(二)1),
the 40 % of branches that a year's supervision visits (篇三 五 5). For each rule and
period it says how much there is, how much is needed, of how many, what is missing
and until when; then the ones that are short. On the screen the first few of
those are listed, with -o wide, csv, json or xlsx all.

By default it shows what runs on the day and what is overdue, with --from or --to
what falls due in that range. The counts are those of the plan, as of the last
scan; with an earlier --on, what was completed later is shown as not yet complete.`,
		Example: `  tickler report coverage
  tickler report coverage --branch B01 -o wide
  tickler report coverage --from 2026-12-01 --to 2026-12-31 --out coverage.xlsx`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r := api.FiguresRequest{On: g.on.Date, From: from.Date, To: to.Date, Branch: o.Branch}
			return runReportCoverage(c.Context(), g, o, r)
		},
	}
	c.Flags().Var(&from, "from", "first due `DATE`, included")
	c.Flags().Var(&to, "to", "last due `DATE`, included")
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runReportCoverage(ctx context.Context, g *global, o figureOptions, r api.FiguresRequest) error {
	if !r.From.IsZero() && !r.To.IsZero() && r.From > r.To {
		return usagef("--from %s is after --to %s", r.From, r.To)
	}
	return g.figures(ctx, o, func(c *api.Client) (*figureDoc, []string, error) {
		reply, err := c.Coverage(ctx, r)
		if err != nil {
			return nil, nil, err
		}
		return g.coverageDoc(reply), reply.Warnings, nil
	})
}

var standingWords = map[report.Standing][2]string{
	report.DoneInTime: {"按时", "in time"}, report.DoneLate: {"迟办", "late"}, report.Overdue: {"逾期", "overdue"}, report.Lapsed: {"失效未办", "lapsed"},
	report.Waived: {"豁免", "waived"}, report.NotYetDue: {"未到期", "not yet due"},
}

func (g *global) coverageDoc(r *api.CoverageReply) *figureDoc {
	d := &figureDoc{json: r, facts: g.headFacts(&r.FiguresHead)}
	d.zh, d.en = g.about(&r.FiguresHead, "覆盖率与数量要求", "quotas and coverages")
	groups := &figureTable{zh: "汇总", en: "Summary", columns: []figureColumn{
		{"rule", "规则", "Rule", cellText, false}, {"name", "事项", "Duty", cellText, false}, {"clause", "依据", "Clause", cellText, true}, {"occurrence", "期次", "Occurrence", cellText, false},
		{"duties", "项数", "Duties", cellWhole, false}, {"met", "已达", "Met", cellWhole, false}, {"short", "未达", "Short", cellWhole, false}, {"missed", "过期未达", "Missed", cellWhole, false}, {"waived", "豁免", "Waived", cellWhole, false},
		{"have", "已完成", "Have", cellWhole, false}, {"need", "应完成", "Need", cellWhole, false}, {"of", "全部", "Of", cellWhole, false}, {"missing", "尚缺", "Missing", cellWhole, false}, {"until", "期限", "Until", cellDate, false},
	}}
	columns := []figureColumn{
		{"rule", "规则", "Rule", cellText, false}, {"occurrence", "期次", "Occurrence", cellText, false}, {"subject_kind", "对象类别", "Kind", cellText, true}, {"subject_id", "对象", "Subject", cellText, false}, {"subject_name", "名称", "Name", cellText, false},
		{"branch", "机构", "Branch", cellText, false}, {"owner", "责任人", "Owner", cellText, false}, {"role", "岗位", "Role", cellText, true},
		{"have", "已完成", "Have", cellWhole, false}, {"need", "应完成", "Need", cellWhole, false}, {"of", "全部", "Of", cellWhole, false}, {"missing", "尚缺", "Missing", cellWhole, false},
		{"until", "期限", "Until", cellDate, false}, {"standing", "状况", "Standing", cellText, true}, {"id", "编号", "ID", cellText, true},
	}
	all := &figureTable{zh: "未达明细", en: "Short", columns: columns}
	few := &figureTable{zh: "未达明细", en: "Short", columns: columns}
	every := &figureTable{columns: columns} // for scripts: the words of the program
	for i := range r.Coverages {
		c := &r.Coverages[i]
		row := figureRow{cells: []any{c.Rule, c.Name, c.Clause, c.Occurrence, c.Duties, c.Met, c.Short, c.Missed, c.Waived, c.Have, c.Need, c.Of, c.Missing, c.Until}}
		if c.Missed > 0 {
			row.shade = late
		}
		groups.rows = append(groups.rows, row)
		short := 0
		for j := range c.Targets {
			t := &c.Targets[j]
			cells := []any{c.Rule, c.Occurrence, string(t.Subject.Kind), t.Subject.ID, t.Name, t.Branch, t.Owner, t.Role, t.Have, t.Need, t.Of, t.Missing, t.Until, string(t.Standing), t.ID}
			every.rows = append(every.rows, figureRow{cells: cells})
			if t.Missing == 0 {
				continue
			}
			cells = append([]any{}, cells...)
			cells[2], cells[7], cells[13] = g.kind(t.Subject.Kind), g.role(t.Role), g.tr(standingWords[t.Standing][0], standingWords[t.Standing][1])
			row := figureRow{cells: cells}
			if t.Standing == report.Overdue || t.Standing == report.Lapsed {
				row.shade = late
			}
			all.rows = append(all.rows, row)
			if short++; short <= fewTargets {
				few.rows = append(few.rows, row)
			}
		}
		if more := short - fewTargets; more > 0 {
			d.next = append(d.next, g.tr(fmt.Sprintf("%s %s 未达的另有 %d 项，见 -o wide。", c.Rule, c.Occurrence, more), fmt.Sprintf("%s %s: %d more are short, see -o wide.", c.Rule, c.Occurrence, more)))
		}
	}
	d.tables, d.screen, d.csv = []*figureTable{groups, all}, []*figureTable{groups, few}, every
	d.notes = []string{
		g.tr("尚缺 = 应完成 − 已完成，逐项计算后相加：一项多做的不抵另一项的缺。豁免的不计入完成数。", "Missing = need - have, of each and then summed: what one has too much makes up for no other. Waived ones are not in the sums."),
		g.tr("期限为最后一日：截止日，或期末截止的期末日。完成数为最近一次扫描时的计数。", "Until: the last day, which is the due day, or the period's end of a duty due on it. Counts are as of the last scan."),
	}
	return d
}
