package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/report"
)

func newCheckPortfolioCommand(g *global) *cobra.Command {
	var fatal bool
	c := &cobra.Command{
		Use:   "portfolio",
		Short: "Look for what is missing in the facts · 检查台账完整性",
		Long: `portfolio looks through every borrower with an open loan for what must be there all
the time and has no deadline: an officer, a risk manager (set county), a keeper
of the file, the tier that his balance and class ask for (large_loan and
medium_loan of the rulebook's params), customer category and responsibility, a log
of the last year, exposure and industry, maturities, NPLs managed the regular way,
columns that were empty and assumed, loans that no report rule sees.

Each check cites its clause and the rows of the source. A check that only sets
ask for which the branch does not follow is shown for information. Of each the
first few are listed; -o json and -o csv list all. What nobody in the ledger has
is one line.`,
		Example: `  tickler check portfolio
  tickler check portfolio -o csv > gaps.csv
  tickler check portfolio --lint-fatal`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runCheckPortfolio(c.Context(), g, fatal) },
	}
	c.Flags().BoolVar(&fatal, "lint-fatal", false, "exit 3 if a check of a followed set found something")
	exits(c, exitOK, exitFailed, exitUsage, exitFindings, exitNoStore, exitLocked, exitNotAllowed, exitInterrupted)
	return c
}

func runCheckPortfolio(ctx context.Context, g *global, fatal bool) error {
	return g.withClient(ctx, func(c *api.Client) error {
		done := g.busy(g.tr("正在检查", "checking"))
		r, err := c.Portfolio(ctx, api.PortfolioRequest{On: g.on.Date})
		done()
		if err != nil {
			return err
		}
		if err := g.writePortfolio(r); err != nil {
			return err
		}
		g.warn(r.Warnings)
		if fatal && r.Amiss() > 0 {
			return status(exitFindings)
		}
		return nil
	})
}

func (g *global) writePortfolio(r *api.PortfolioReply) error {
	switch g.output {
	case "json":
		return writeJSON(g.stdout, r)
	case "csv":
		return writeCSV(g.stdout, []string{"check", "clause", "rows", "followed", "what", "note", "subject", "name", "branch", "officer", "have", "want", "count"}, func(yield func([]string) bool) {
			for i := range r.Groups {
				p := &r.Groups[i]
				for j := range p.Findings {
					f := &p.Findings[j]
					subject := ""
					if f.Subject != nil {
						subject = f.Subject.String()
					}
					if !yield([]string{p.Check, p.Clause, strings.Join(p.Rows, " "), strconv.FormatBool(p.Followed), f.What, strconv.FormatBool(f.Note), subject, f.Name, f.Branch, f.Officer, f.Have, f.Want, strconv.Itoa(f.Count)}) {
						return
					}
				}
			}
		})
	case "name":
		for i := range r.Groups {
			if r.Groups[i].Count > 0 {
				fmt.Fprintln(g.stdout, r.Groups[i].Check)
			}
		}
		return nil
	}
	var b strings.Builder
	for i := range r.Groups {
		g.portfolioGroup(&b, &r.Groups[i])
	}
	if _, err := fmt.Fprint(g.stdout, b.String()); err != nil {
		return err
	}
	fmt.Fprintf(g.stderr, g.tr("%s：在管客户 %d 户，借据 %d 笔；本行执行的制度共发现 %d 项。\n", "%s: %d borrowers, %d open loans; %d findings of the sets that the branch follows\n"), r.On, r.Borrowers, r.Loans, r.Amiss())
	return nil
}

// shownFindings is how many subjects of a finding a table lists.
const shownFindings = 5

func (g *global) portfolioGroup(b *strings.Builder, p *report.Group) {
	count := g.tr("无", "none")
	if p.Count > 0 {
		count = g.tr(fmt.Sprintf("%d 项", p.Count), strconv.Itoa(p.Count))
	}
	info := ""
	if !p.Followed {
		info = g.tr("，本行未执行 "+strings.Join(p.Sets, "、")+"，供参考", ", for information: set "+strings.Join(p.Sets, ", ")+" is not followed")
	}
	fmt.Fprintf(b, "%s  %s  %s%s  [%s; %s]\n", p.Check, g.checkName(p), count, info, p.Clause, strings.Join(p.Rows, " "))
	shown, hidden := map[string]int{}, map[string]int{}
	var order []string // of what is hidden
	for i := range p.Findings {
		f := &p.Findings[i]
		if f.Note && f.Subject != nil {
			continue
		}
		if shown[f.What]++; shown[f.What] > shownFindings {
			if hidden[f.What]++; hidden[f.What] == 1 {
				order = append(order, f.What)
			}
			continue
		}
		fmt.Fprintf(b, "  %s\n", g.finding(f))
	}
	for _, what := range order {
		fmt.Fprintf(b, "  … %s\n", g.tr(fmt.Sprintf("%s：另有 %d 项，见 -o csv", g.what(what), hidden[what]), fmt.Sprintf("%s: %d more, see -o csv", g.what(what), hidden[what])))
	}
	g.exempt(b, p)
}

// exempt sums up the notes that speak of one subject each.
func (g *global) exempt(b *strings.Builder, p *report.Group) {
	n := map[string]int{}
	var order []string
	for i := range p.Findings {
		if f := &p.Findings[i]; f.Note && f.Subject != nil {
			if n[f.Have]++; n[f.Have] == 1 {
				order = append(order, f.Have)
			}
		}
	}
	for _, have := range order {
		fmt.Fprintf(b, "  %s\n", g.tr(fmt.Sprintf("另有 %d 笔按规则豁免（%s）", n[have], have), fmt.Sprintf("%d more are exempt by rule (%s)", n[have], have)))
	}
}

// finding is one line about one finding.
func (g *global) finding(f *report.Finding) string {
	text := g.what(f.What)
	switch {
	case f.Want != "":
		text += g.tr("：现为 "+f.Have+"，应为 "+g.tiers(f.Want), ": "+f.Have+", want "+g.tiers(f.Want))
	case f.What == report.NoOfficer && f.Have != "":
		text += g.tr("（客户由 "+f.Have+" 管理）", " (the borrower's is "+f.Have+")")
	case f.Have != "":
		text += g.tr("：", ": ") + g.value(f.Have)
	}
	if f.Subject == nil {
		if f.Note {
			return g.tr(fmt.Sprintf("提示：%s（%d 户）", text, f.Count), fmt.Sprintf("note: %s (%d borrowers)", text, f.Count))
		}
		why := g.tr("台账没有这一列，或全部为空", "the ledger has no such column, or nothing in it")
		if f.What == report.NoLog {
			why = g.tr("没有一户有记录", "nobody has one")
		}
		return g.tr(fmt.Sprintf("全部（%d）：%s；%s", f.Count, text, why), fmt.Sprintf("all (%d): %s; %s", f.Count, text, why))
	}
	who := f.Subject.String()
	if f.Name != "" && f.Name != f.Subject.ID {
		who += " " + f.Name
	}
	if f.Branch != "" {
		who += g.tr("（"+f.Branch+"）", " ("+f.Branch+")")
	}
	return who + g.tr("：", ": ") + text
}

var checkWords = map[string]string{
	report.CheckStaffed: "an officer for every borrower and loan, and a risk manager", report.CheckCustodian: "a keeper for every file", report.CheckTier: "managed by the tier of his size and class",
	report.CheckCategory: "customer category, responsibility for every loan", report.CheckStageLog: "a log for each stage", report.CheckWatchFacts: "exposure and industry",
	report.CheckMaturity: "a maturity for every loan", report.CheckNPLMode: "no NPL managed the regular way", report.CheckAssumed: "mode and class as the ledger says", report.CheckReports: "a report rule for every loan",
}

func (g *global) checkName(p *report.Group) string {
	if w := checkWords[p.Check]; w != "" {
		return g.tr(p.Name, w)
	}
	return p.Name
}

var findingWords = map[string][2]string{
	report.NoOfficer: {"没有客户经理", "no officer"}, report.SeveralOfficers: {"客户经理不止一名", "several officers"}, report.NoRiskManager: {"没有风险经理", "no risk manager"},
	report.NoCustodian: {"没有档案管理人", "no file custodian"}, report.WrongTier: {"管户层级不符", "managed by another tier"},
	report.NoPost: {"客户经理的岗位看不出管户层级", "the officer's post tells no tier"}, report.NoThreshold: {"规则簿 params 没有界线", "the rulebook's params have no threshold"},
	report.NoCategory: {"没有客户类别", "no customer category"}, report.UnknownCategory: {"客户类别不在五类之中", "not one of the five customer categories"}, report.NoResponsibility: {"没有责任认定", "responsibility not established"},
	report.NoLog: {"近一年没有检查或工作日志记录", "no inspection or work log in the last year"}, report.NoExposure: {"没有敞口", "no exposure"}, report.NoIndustry: {"没有行业", "no industry"},
	report.NoMaturity: {"没有到期日", "no maturity"}, report.NPLRegular: {"不良贷款按常规管理", "an NPL in mode regular"}, report.ModeAssumed: {"管理方式为空，按常规读入", "no mode in the ledger, read as regular"},
	report.ClassAssumed: {"五级分类为空，按正常读入", "no class in the ledger, read as normal"}, report.NoReportRule: {"没有任何贷后检查报告规则适用", "no report rule sees it"}, report.ExemptFromReport: {"按规则豁免", "exempt by rule"},
}

func (g *global) what(w string) string {
	if t, ok := findingWords[w]; ok {
		return g.tr(t[0], t[1])
	}
	return w
}

var tierWords = map[report.Tier][2]string{
	report.TierPresident: {"行级干部", "the branch's management"}, report.TierDepartment: {"客户部门", "the customer department"},
	report.TierOutlet: {"营业单位", "the outlet"}, report.TierAssets: {"资产经营部", "asset management"},
}

func (g *global) tiers(joined string) string {
	var out []string
	for _, t := range strings.Split(joined, "|") {
		w := tierWords[report.Tier(t)]
		out = append(out, g.tr(w[0], w[1]))
	}
	return strings.Join(out, g.tr("或", " or "))
}
