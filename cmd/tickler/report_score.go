package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
	"tickler/calendar"
	"tickler/report"
)

type scoreOptions struct {
	Quarter string
	Scheme  report.Scheme
	figureOptions
}

func (o *scoreOptions) AddFlags(f *pflag.FlagSet) {
	d := report.DefaultScheme
	o.Scheme.Yuan = d.Yuan
	f.StringVar(&o.Quarter, "quarter", "", "the `QUARTER` to score, such as 2026-Q3 (default: the last one that ended, or the running one where the branch went live since)")
	f.IntVar(&o.Scheme.Missed, "missed", d.Missed, "`POINTS` that are lost if every duty lapsed undone, 0-100")
	f.IntVar(&o.Scheme.Overdue, "overdue", d.Overdue, "`POINTS` that are lost if every duty is overdue and open, 0-100")
	f.IntVar(&o.Scheme.Late, "late", d.Late, "`POINTS` that are lost if every duty was done late, 0-100")
	f.IntVar(&o.Scheme.Line, "line", d.Line, "a score below so many `POINTS` is too low, 0-100")
	o.figureOptions.AddFlags(f)
}

func newReportScoreCommand(g *global) *cobra.Command {
	var o scoreOptions
	c := &cobra.Command{
		Use:   "score [flags]",
		Short: "The 100-point score of every branch · 百分制评分",
		Long: `score gives every branch its 100 points for a quarter (set county, 篇四 4), and says
which are below the line of 80. The manual asks for a score and draws the line;
it gives no scheme. So this one is the bank's own, out of its on-time figures:

  score = 100 - (missed x 100 + overdue x 100 + late x 50) / due

over the duties of the branch that fell due in the quarter, as they stand on the
day. Due, late, overdue and missed (lapsed) are those of "tickler report ontime";
what is waived or not yet due does not count. So 80 points are one duty in five
not done, or two in five done late. The flags change the points. The score has
one decimal, half up, and the line is held against what is shown. The deductions
are listed by rule and add up. The duty to score a unit costs it nothing.

A score that was recorded for the quarter (unit.scored) is shown beside the
computed one, and wins. A unit below the line is to be deducted 300 yuan and gets
a term to put things right: recording the score opens score-rectification.

On the screen the deductions of those below the line are listed, with -o wide,
json or xlsx all.`,
		Example: `  tickler report score
  tickler report score --quarter 2026-Q3 --branch B01 -o wide
  tickler report score --late 30 --out score.xlsx`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runReportScore(c.Context(), g, o)
		},
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runReportScore(ctx context.Context, g *global, o scoreOptions) error {
	for _, p := range []struct {
		name string
		n    int
	}{{"missed", o.Scheme.Missed}, {"overdue", o.Scheme.Overdue}, {"late", o.Scheme.Late}, {"line", o.Scheme.Line}} {
		if p.n < 0 || p.n > 100 {
			return usagef("--%s %d: want 0 to 100 points", p.name, p.n)
		}
	}
	return g.figures(ctx, o.figureOptions, func(c *api.Client) (*figureDoc, []string, error) {
		reply, err := c.Score(ctx, api.ScoreRequest{On: g.on.Date, Quarter: o.Quarter, Branch: o.Branch, Scheme: o.Scheme})
		if err != nil {
			return nil, nil, err
		}
		return g.scoreDoc(reply), reply.Warnings, nil
	})
}

func (g *global) scoreDoc(r *api.ScoreReply) *figureDoc {
	d := &figureDoc{json: r, facts: append([][2]any{{g.tr("季度", "Quarter"), r.Quarter}}, g.headFacts(&r.FiguresHead)...)}
	d.zh, d.en = g.about(&r.FiguresHead, "百分制评分  "+r.Quarter, "100-point score  "+r.Quarter)
	if !r.Followed {
		d.zh += "（本行未执行 county，供参考）"
		d.en += "  (for information: set county is not followed)"
	}
	units := &figureTable{zh: "评分", en: "Scores", columns: []figureColumn{
		{"branch", "机构", "Branch", cellText, false}, {"branch_name", "机构名称", "Branch name", cellText, false}, {"score", "得分", "Score", cellTenths, false},
		{"computed", "推算", "Computed", cellTenths, false}, {"recorded", "已登记", "Recorded", cellTenths, false}, {"recorded_on", "登记的评分日", "Recorded of", cellDate, true}, {"event", "事件", "Event", cellText, true},
		{"due", "应办", "Due", cellWhole, false}, {"in_time", "按时", "In time", cellWhole, false}, {"late", "迟办", "Late", cellWhole, false}, {"overdue", "逾期", "Overdue", cellWhole, false}, {"lapsed", "失效", "Lapsed", cellWhole, false},
		{"below", "低于" + fmt.Sprint(r.Scheme.Line), "Below " + fmt.Sprint(r.Scheme.Line), cellText, false}, {"yuan", "扣减（元）", "Deducted (yuan)", cellWhole, false},
	}}
	columns := []figureColumn{
		{"branch", "机构", "Branch", cellText, false}, {"rule", "规则", "Rule", cellText, false}, {"name", "事项", "Duty", cellText, false},
		{"due", "应办", "Due", cellWhole, false}, {"late", "迟办", "Late", cellWhole, false}, {"overdue", "逾期", "Overdue", cellWhole, false}, {"lapsed", "失效", "Lapsed", cellWhole, false}, {"points", "扣分", "Points", cellTenths, false},
	}
	all := &figureTable{zh: "扣分明细", en: "Deductions", columns: columns}
	below := &figureTable{zh: "扣分明细（低于线的机构）", en: "Deductions of those below the line", columns: columns}
	for i := range r.Units {
		u := &r.Units[i]
		var recorded *float64
		var on calendar.Date
		var event string
		row := figureRow{}
		if m := u.Recorded; m != nil {
			recorded, on, event = &m.Score, m.On, m.Event
		}
		if u.Below {
			row.shade = late
		}
		row.cells = []any{u.Branch, u.Name, u.Score, u.Computed, recorded, on, event, u.Tally.Due, u.Tally.InTime, u.Tally.Late, u.Tally.Overdue, u.Tally.Lapsed, u.Below, u.Yuan}
		units.rows = append(units.rows, row)
		for _, x := range u.Deductions {
			points := x.Points
			row := figureRow{cells: []any{u.Branch, x.Rule, x.Name, x.Due, x.Late, x.Overdue, x.Lapsed, &points}}
			all.rows = append(all.rows, row)
			if u.Below {
				below.rows = append(below.rows, row)
			}
		}
		if u.Below {
			d.next = append(d.next, g.scoreStep(r, u))
		}
	}
	d.tables, d.screen = []*figureTable{units, all}, []*figureTable{units, below}
	s := r.Scheme
	d.notes = []string{
		g.tr(fmt.Sprintf("推算 = 100 − （失效×%d + 逾期×%d + 迟办×%d）÷ 应办，保留一位小数；各规则的扣分相加等于所扣总分。", s.Missed, s.Overdue, s.Late),
			fmt.Sprintf("Computed = 100 - (lapsed x %d + overdue x %d + late x %d) / due, to one decimal; the rules' deductions add up to what is lost.", s.Missed, s.Overdue, s.Late)),
		g.tr("手册只要求百分制并以80分为线（篇四 4），没有给出评分标准：以上标准由本行确定，可用参数调整。已登记的评分（unit.scored）优先。", "The manual asks for 100 points with a line at 80 (篇四 4) and gives no scheme: this one is the bank's own, and flags change it. A recorded score (unit.scored) wins."),
		g.tr(fmt.Sprintf("统计本机构本季到期的事项，按 %s 的状况；豁免、未到期的不计；对机构评分这一事项本身不计。", r.On), fmt.Sprintf("Counted: the branch's duties that fell due in the quarter, as they stand on %s; not what is waived or not yet due, nor the duty to score it.", r.On)),
	}
	if r.Running {
		d.notes = append(d.notes, g.tr("本季尚未结束，得分为到当日的推算。", "The quarter has not ended: the score is as of the day."))
	}
	return d
}

// scoreStep says what comes next for a unit below the line.
func (g *global) scoreStep(r *api.ScoreReply, u *report.UnitScore) string {
	if u.Recorded != nil {
		return g.tr(fmt.Sprintf("%s：登记得分 %.1f，低于 %d 分，扣减 %d 元；限期整改见 tickler upcoming --branch %s --rule score-rectification", u.Branch, u.Recorded.Score, r.Scheme.Line, u.Yuan, shellWord(u.Branch)),
			fmt.Sprintf("%s: recorded score %.1f, below %d: %d yuan are deducted; the rectification: tickler upcoming --branch %s --rule score-rectification", u.Branch, u.Recorded.Score, r.Scheme.Line, u.Yuan, shellWord(u.Branch)))
	}
	step := fmt.Sprintf("tickler record unit.scored %s --set score=%.1f --set period=%s", shellWord("branch/"+u.Branch), *u.Computed, r.Quarter)
	return g.tr(fmt.Sprintf("%s：推算 %.1f，低于 %d 分，核定后扣减 %d 元；下一步登记评分：%s", u.Branch, *u.Computed, r.Scheme.Line, u.Yuan, step),
		fmt.Sprintf("%s: computed %.1f, below %d: once confirmed, %d yuan are deducted; next, record the score: %s", u.Branch, *u.Computed, r.Scheme.Line, u.Yuan, step))
}

// shellWord quotes what a shell would take apart.
func shellWord(s string) string {
	if strings.ContainsAny(s, " '\"\\$&;|<>()*?[]{}~`#!\t\n") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
