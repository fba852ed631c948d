package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
)

func newWhyCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "why ID | LOAN | KIND/ID",
		Short: "Why it is due that day, day by day; every rule's verdict on a loan · 为什么",
		Long: `why proves a date. Of an obligation it prints the clause, the facts with the file
they came from, every condition and exemption that was asked, and the arithmetic:
each day counted, or skipped and why, with the notice's number.

Of a loan (or KIND/ID: a borrower, an officer, a branch) it prints every rule's
verdict: what is due, what is exempt and by which exemption, what does not apply.`,
		Example: `  tickler why 3fa9c01e
  tickler why maturity-notice:loan/JJ2026001:2026-12-31
  tickler why JJ2026001
  tickler why borrower/C001 -o json`,
		Args: nArgs("ID"),
		RunE: func(c *cobra.Command, args []string) error { return runWhy(c.Context(), g, args[0]) },
	}
	exits(c, storeExits...)
	return c
}

func runWhy(ctx context.Context, g *global, what string) error {
	return g.withClient(ctx, func(c *api.Client) error {
		r, err := c.Why(ctx, api.WhyRequest{What: what, On: g.on.Date})
		if err != nil {
			return err
		}
		if g.output == "json" {
			return writeJSON(g.stdout, r)
		}
		var b strings.Builder
		if g.output == "csv" && r.Subject == nil {
			return usagef("-o csv: the proof of one obligation has no rows; want table or json")
		}
		switch {
		case r.Reason != nil:
			g.writeReason(&b, r)
		case r.Subject != nil:
			if g.output == "csv" {
				return g.verdictCSV(r)
			}
			g.writeVerdicts(&b, r)
			for _, v := range r.Verdicts {
				if v.Outcome == obligation.Derived && v.Provisional {
					defer g.explainStar()
					break
				}
			}
		case r.Obligation != nil:
			g.showObligation(&b, r.Obligation)
			fmt.Fprintf(&b, "\n%s\n", r.Changed)
		}
		_, err = fmt.Fprint(g.stdout, b.String())
		return err
	})
}

// writeReason prints the proof of one obligation.
func (g *global) writeReason(b *strings.Builder, r *api.WhyReply) {
	w := r.Reason
	own := ""
	if !w.Stated {
		own = g.tr("（手册未写明期限，由本行规定）", " (the manual gives no figure: it is the bank's own)")
	}
	id := ""
	borrower := ""
	if o := r.Obligation; o != nil {
		id = o.Short + "  " + o.ID
		if o.Borrower != nil {
			borrower = "  " + strings.TrimSpace(o.Borrower.ID+" "+o.Borrower.Name)
		}
	}
	b.WriteString(w.Name)
	if o := r.Obligation; o != nil {
		b.WriteString("  " + g.standing(o))
	}
	b.WriteString("\n")
	period := ""
	if w.Period != nil {
		period = w.Period.Start.String() + " – " + w.Period.End.String()
	}
	writeFields(b, []field{
		{g.tr("编号", "id"), id},
		{g.tr("规则", "rule"), w.Rule},
		{g.tr("依据", "clause"), w.Clause + own},
		{g.tr("制度", "set"), w.Set},
		{g.tr("对象", "subject"), g.kind(w.Subject.Kind) + " " + w.Subject.ID + borrower},
		{g.tr("期次", "occurrence"), w.Occurrence},
		{g.tr("期间", "period"), period},
		{g.tr("认定日", "as of"), w.AsOf.String()},
		{g.tr("期限", "limit"), g.due(w.Limit) + g.tr("（"+w.Limit+"）", "")},
		{g.tr("结论", "verdict"), strings.TrimSpace(g.outcome(w.Outcome) + " " + w.Why)},
	})
	g.writeFacts(b, w.Facts)
	g.writeTests(b, w.Tests)
	if len(w.Steps) > 0 {
		fmt.Fprintf(b, "\n%s\n", g.tr("推算", "Arithmetic"))
		if !w.Anchor.IsZero() {
			fmt.Fprintf(b, "  %s  %s %s\n", g.tr("起算日", "anchor"), w.Anchor, g.weekday(w.Anchor.Weekday()))
		}
		for _, s := range w.Steps {
			g.writeStep(b, s)
		}
	}
	if !w.Due.IsZero() {
		fmt.Fprintf(b, "\n%s  %s %s%s\n", g.tr("截止日", "due  "), w.Due, g.weekday(w.Due.Weekday()), g.ifProvisional(w.Provisional))
	}
	if !w.Raise.IsZero() {
		fmt.Fprintf(b, "%s  %s %s\n", g.tr("触发日", "raise"), w.Raise, g.weekday(w.Raise.Weekday()))
		for _, s := range w.RaiseSteps {
			g.writeStep(b, s)
		}
	}
	if r.Changed != "" {
		fmt.Fprintf(b, "\n%s%s\n", g.tr("注意：", "note: "), r.Changed)
	}
}

func (g *global) ifProvisional(p bool) string {
	if p {
		return g.tr("（暂定：涉及的年度尚无放假通知）", " (provisional: it rests on a year without a notice)")
	}
	return ""
}

func (g *global) writeFacts(b *strings.Builder, fs []obligation.Fact) {
	if len(fs) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", g.tr("事实", "Facts"))
	nameWidth, valueWidth := 0, 0
	for _, f := range fs {
		nameWidth = max(nameWidth, text.StringWidthWithoutEscSequences(g.fact(f.Name)))
		valueWidth = max(valueWidth, text.StringWidthWithoutEscSequences(g.value(f.Value)))
	}
	for _, f := range fs {
		from := g.tr("推算得出", "worked out")
		if !f.From.IsZero() {
			from = g.tr("据 "+f.From.String()+" 台账", "from the ledger of "+f.From.String())
		}
		fmt.Fprintf(b, "  %s  %s  %s\n", pad(g.fact(f.Name), nameWidth), pad(g.value(f.Value), valueWidth), from)
	}
}

func (g *global) writeTests(b *strings.Builder, ts []obligation.Test) {
	if len(ts) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", g.tr("条件与豁免", "Conditions and exemptions"))
	for _, t := range ts {
		holds := g.tr("不成立", "does not hold")
		if t.Holds {
			holds = g.tr("成立", "holds")
		}
		kind := g.tr("条件", "when")
		if t.Kind == "except" {
			kind = g.tr("豁免", "except")
			if t.Holds {
				holds = g.tr("成立，豁免", "holds: exempt")
			}
		}
		fmt.Fprintf(b, "  %s  %s  %s", kind, pad(holds, g.width(13, 10)), t.Text)
		if t.Why != "" {
			fmt.Fprint(b, g.tr("（"+t.Why+"）", " ("+t.Why+")"))
		}
		b.WriteString("\n")
	}
}

// width picks a column's width by the language.
func (g *global) width(en, zh int) int {
	if g.lang == "en" {
		return en
	}
	return zh
}

// writeStep prints one step of the arithmetic with every day it went over.
func (g *global) writeStep(b *strings.Builder, s obligation.Step) {
	day := func(d calendar.Date) string { return d.String() + " " + g.weekday(d.Weekday()) }
	line := func(title, text string) { fmt.Fprintf(b, "  %s  %s\n", pad(title, 6), text) }
	switch s.Kind {
	case obligation.StepCount:
		line(g.tr("计期", "count"), g.limit(s.Limit)+" → "+day(s.To))
	case obligation.StepLand:
		if s.From == s.To {
			line(g.tr("落点", "land"), day(s.To)+g.tr("，不必移动", ", stays"))
			if len(s.Days) > 0 && s.Days[0].Workday && s.Days[0].Source == "" {
				return
			}
		} else {
			line(g.tr("落点", "land"), day(s.From)+g.tr("（"+g.landing(s.Limit)+"）", " ("+s.Limit+")")+" → "+day(s.To))
		}
	case obligation.StepPayout:
		line(g.tr("发放", "payout"), g.tr(
			fmt.Sprintf("%s 早于发放日 %s，改为发放日当日或其后第一个工作日 %s", day(s.From), s.Limit, day(s.To)),
			fmt.Sprintf("%s is before the payout on %s: moved to %s, the first working day from it on", day(s.From), s.Limit, day(s.To))))
	case obligation.StepSince:
		line(g.tr("上次", "since"), day(s.From)+" → "+day(s.To)+"  "+s.Limit)
	default:
		line(string(s.Kind), day(s.From)+" → "+day(s.To)+"  "+s.Limit)
	}
	g.writeDays(b, s.Days, s.Kind == obligation.StepCount)
}

// writeDays lists every day of a step: its number in the count, or that it is
// skipped, and why.
func (g *global) writeDays(b *strings.Builder, days []obligation.CountedDay, counting bool) {
	for i := 0; i < len(days); i++ {
		d := days[i]
		date, weekday := d.Date.String(), g.weekday(d.Date.Weekday())
		// The two days of an ordinary weekend share a line.
		if i+1 < len(days) && plainWeekend(d) && plainWeekend(days[i+1]) {
			next := days[i+1].Date
			second := next.String()[8:]
			if next.Month() != d.Date.Month() {
				second = next.String()[5:]
			}
			date += g.tr("、", ", ") + second
			weekday += g.tr("、", "+") + g.weekday(next.Weekday())
			i++
		}
		n, why := "", g.dayKind(d)
		switch {
		case d.N > 0:
			n = fmt.Sprintf("%d", d.N)
		case !d.Workday:
			n = g.tr("跳过", "skip")
		case !counting && why == "":
			why = g.tr("工作日", "workday")
		}
		line := fmt.Sprintf("          %s  %s  %s%s  %s", pad(date, 17), pad(weekday, 10), strings.Repeat(" ", 4-min(4, text.StringWidthWithoutEscSequences(n))), n, why)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func plainWeekend(d obligation.CountedDay) bool {
	return !d.Workday && d.Kind == calendar.KindWeekend.String() && d.Source == ""
}

// dayKind says why a day counts or not.
func (g *global) dayKind(d obligation.CountedDay) string {
	return g.kindOfDay(d.Kind, d.Workday, d.Name, d.Source, d.Provisional)
}

func (g *global) kindOfDay(kind string, workday bool, name, source string, provisional bool) string {
	var parts []string
	switch kind {
	case "weekday":
	case "weekend":
		parts = append(parts, g.tr("周末", "weekend"))
	case "off":
		parts = append(parts, g.tr("放假", "off"))
	case "makeup":
		parts = append(parts, g.tr("调休上班", "make-up workday"))
	case "statutory":
		parts = append(parts, g.tr("法定节假日", "statutory festival"))
	case "overlay":
		if workday {
			parts = append(parts, g.tr("本行规定上班", "the bank works"))
		} else {
			parts = append(parts, g.tr("本行规定休息", "the bank rests"))
		}
	default:
		parts = append(parts, kind)
	}
	if name != "" {
		parts = append(parts, name)
	}
	if source != "" {
		parts = append(parts, source)
	}
	if provisional {
		parts = append(parts, g.tr("暂定", "provisional"))
	}
	return strings.Join(parts, " ")
}

var unitWords = strings.NewReplacer("workdays", "个工作日", "workday", "个工作日", "days", "天", "day", "天", "weeks", "周", "week", "周",
	"months", "个月", "month", "个月", "years", "年", "year", "年")

// limit says "10 workdays" as people do.
func (g *global) limit(l string) string {
	if g.lang == "en" {
		return l
	}
	if rest, back := strings.CutPrefix(l, "-"); back {
		return "往前 " + unitWords.Replace(rest)
	}
	return "往后 " + unitWords.Replace(l)
}

// due says "10 workdays after loan.maturity" as people do.
func (g *global) due(l string) string {
	if g.lang == "en" {
		return l
	}
	name := func(anchor string) string {
		if w := factWords[anchor]; w != "" {
			return w
		}
		return anchor
	}
	switch f := strings.Fields(l); {
	case len(f) == 2 && f[0] == "on":
		return name(f[1]) + "当日"
	case len(f) == 4 && f[0] == "0":
		return name(f[3]) + "当日"
	case len(f) == 4 && f[2] == "before":
		return name(f[3]) + "前 " + f[0] + " " + unitWords.Replace(f[1])
	case len(f) == 4 && f[2] == "after":
		return name(f[3]) + "后 " + f[0] + " " + unitWords.Replace(f[1])
	}
	return l
}

func (g *global) landing(l string) string {
	if g.lang == "en" {
		return l
	}
	switch l {
	case "following":
		return "非工作日，顺延"
	case "preceding":
		return "非工作日，提前"
	case "modified_following":
		return "非工作日，顺延但不跨月"
	}
	return l
}

// writeVerdicts prints what every rule makes of a subject.
func (g *global) writeVerdicts(b *strings.Builder, r *api.WhyReply) {
	fmt.Fprintf(b, "%s %s\n", g.kind(r.Subject.Kind), r.Subject.ID)
	g.writeFacts(b, r.Facts)
	groups := []struct {
		title string
		of    []obligation.Outcome
	}{
		{g.tr("应办", "Due"), []obligation.Outcome{obligation.Derived}},
		{g.tr("无法推算", "Could not be worked out"), []obligation.Outcome{obligation.Failed}},
		{g.tr("豁免", "Exempt"), []obligation.Outcome{obligation.Exempt}},
		{g.tr("条件不成立", "Condition false"), []obligation.Outcome{obligation.WhenFalse}},
		{g.tr("不适用", "Does not apply"), []obligation.Outcome{obligation.NotSeen, obligation.NoAnchor, obligation.NotEffective, obligation.Yielded, obligation.Outside}},
	}
	for _, group := range groups {
		var mine []*obligation.Reason
		for _, v := range r.Verdicts {
			for _, o := range group.of {
				if v.Outcome == o {
					mine = append(mine, v)
				}
			}
		}
		if len(mine) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n%s\n", group.title)
		derived := group.of[0] == obligation.Derived
		s := &sheet{heads: []string{g.tr("规则", "Rule"), g.tr("事项", "Duty"), g.tr("期次", "Occurrence"), g.tr("说明", "Because")}, shrink: []shrink{{1, 24}}, wrap: true}
		if derived {
			s.heads = []string{g.tr("规则", "Rule"), g.tr("事项", "Duty"), g.tr("期次", "Occurrence"), g.tr("截止日", "Due"), g.tr("触发日", "Raise"), g.tr("期限", "Limit")}
		}
		var last string
		n := 0
		for _, v := range mine {
			if derived {
				s.add(nil, v.Rule, v.Name, v.Occurrence, v.Due.String()+star(v.Provisional), v.Raise.String(), g.due(v.Limit))
				continue
			}
			because := g.because(v)
			// Of a rule that says the same of many occurrences one line is enough.
			if same := v.Rule + "\x00" + because; same == last {
				n++
				s.rows[len(s.rows)-1][2] = g.tr(fmt.Sprintf("至 %s ×%d", v.Occurrence, n), fmt.Sprintf("to %s ×%d", v.Occurrence, n))
				continue
			} else {
				last, n = same, 1
			}
			s.add(nil, v.Rule, v.Name, v.Occurrence, because)
		}
		var table strings.Builder
		if width, ok := terminal(g.stdout); ok {
			s.fit(width - 2)
		}
		_ = s.print(&table, false)
		for line := range strings.Lines(table.String()) {
			b.WriteString("  " + line)
		}
	}
}

// because gives the verdict in a few words: the exemption, the condition.
func (g *global) because(v *obligation.Reason) string {
	for _, t := range v.Tests {
		switch {
		case v.Outcome == obligation.Exempt && t.Kind == "except" && t.Holds:
			if t.Why != "" {
				return t.Why
			}
			return t.Text
		case v.Outcome == obligation.WhenFalse && t.Kind == "when" && !t.Holds && v.Why == "":
			return t.Text
		}
	}
	switch {
	case v.Why != "":
		return v.Why
	case v.Outcome == obligation.Derived:
		return v.Limit
	}
	return g.outcome(v.Outcome)
}

func (g *global) verdictCSV(r *api.WhyReply) error {
	return writeCSV(g.stdout, []string{"rule", "name", "clause", "set", "occurrence", "outcome", "due", "raise", "why"}, func(yield func([]string) bool) {
		for _, v := range r.Verdicts {
			if !yield([]string{v.Rule, v.Name, v.Clause, v.Set, v.Occurrence, string(v.Outcome), v.Due.String(), v.Raise.String(), g.because(v)}) {
				return
			}
		}
	})
}
