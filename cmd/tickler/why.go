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
		switch {
		case r.Reason != nil:
			g.writeReason(&b, r)
		case r.Subject != nil:
			if g.output == "csv" {
				return g.verdictCSV(r)
			}
			g.writeVerdicts(&b, r)
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
		b.WriteString(g.tr("（"+g.state(o.State)+"，"+g.left(o)+"）", " ("+g.state(o.State)+", "+g.left(o)+")"))
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
		{g.tr("规定", "limit"), w.Limit},
		{g.tr("结论", "verdict"), strings.TrimSpace(g.outcome(w.Outcome) + " " + w.Why)},
	})
	g.writeFacts(b, w.Facts)
	g.writeTests(b, w.Tests)
	if len(w.Steps) > 0 {
		fmt.Fprintf(b, "\n%s\n", g.tr("推算", "Arithmetic"))
		fmt.Fprintf(b, "  %s  %s %s\n", g.tr("起算日", "anchor"), w.Anchor, g.weekday(w.Anchor.Weekday()))
		for _, s := range w.Steps {
			g.writeStep(b, s)
		}
	}
	if !w.Due.IsZero() {
		fmt.Fprintf(b, "\n%s  %s %s%s\n", g.tr("截止日", "due  "), w.Due, g.weekday(w.Due.Weekday()), g.ifProvisional(w.Provisional))
	}
	if !w.Raise.IsZero() {
		fmt.Fprintf(b, "%s  %s %s\n", g.tr("触发日", "raise"), w.Raise, g.weekday(w.Raise.Weekday()))
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
	switch s.Kind {
	case obligation.StepCount:
		fmt.Fprintf(b, "  %s  %s → %s %s\n", g.tr("计期", "count"), g.limit(s.Limit), s.To, g.weekday(s.To.Weekday()))
	case obligation.StepLand:
		if s.From == s.To {
			fmt.Fprintf(b, "  %s  %s %s\n", g.tr("落点", "land "), s.To, g.tr(g.weekday(s.To.Weekday())+" 无需移动", g.weekday(s.To.Weekday())+" stays"))
		} else {
			fmt.Fprintf(b, "  %s  %s %s（%s）→ %s %s\n", g.tr("落点", "land "), s.From, g.weekday(s.From.Weekday()), g.landing(s.Limit), s.To, g.weekday(s.To.Weekday()))
		}
	case obligation.StepPayout:
		fmt.Fprintf(b, "  %s  %s\n", g.tr("发放", "paid "), g.tr(
			fmt.Sprintf("%s 早于发放日 %s，改为发放日当日或其后第一个工作日 %s", s.From, s.Limit, s.To),
			fmt.Sprintf("%s is before the payout on %s: moved to %s, the first working day from it on", s.From, s.Limit, s.To)))
	case obligation.StepSince:
		fmt.Fprintf(b, "  %s  %s → %s  %s\n", g.tr("上次", "since"), s.From, s.To, s.Limit)
	default:
		fmt.Fprintf(b, "  %s  %s → %s  %s\n", s.Kind, s.From, s.To, s.Limit)
	}
	g.writeDays(b, s.Days)
}

func (g *global) writeDays(b *strings.Builder, days []obligation.CountedDay) {
	for i := 0; i < len(days); i++ {
		d := days[i]
		date, weekday := d.Date.String(), g.weekday(d.Date.Weekday())
		// The two days of an ordinary weekend share a line.
		if i+1 < len(days) && plainWeekend(d) && plainWeekend(days[i+1]) {
			next := days[i+1]
			date += "、" + next.Date.String()[8:]
			if g.lang == "en" {
				date = d.Date.String() + ", " + next.Date.String()[8:]
			}
			weekday += "、" + g.weekday(next.Date.Weekday())
			if g.lang == "en" {
				weekday = g.weekday(d.Date.Weekday()) + "+" + g.weekday(next.Date.Weekday())
			}
			i++
		}
		n := ""
		switch {
		case d.N > 0:
			n = fmt.Sprintf("%d", d.N)
		case !d.Workday:
			n = g.tr("跳过", "skip")
		}
		line := fmt.Sprintf("      %s  %s  %s  %s", pad(date, 14), pad(weekday, g.width(7, 10)), strings.Repeat(" ", 4-min(4, text.StringWidthWithoutEscSequences(n)))+n, g.dayKind(d))
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
		{g.tr("豁免", "Exempt"), []obligation.Outcome{obligation.Exempt}},
		{g.tr("条件不成立", "Condition false"), []obligation.Outcome{obligation.WhenFalse}},
		{g.tr("不适用", "Does not apply"), []obligation.Outcome{obligation.NotSeen, obligation.NoAnchor, obligation.NotEffective, obligation.Outside}},
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
		s := &sheet{heads: []string{g.tr("规则", "Rule"), g.tr("事项", "Duty"), g.tr("期次", "Occurrence"), g.tr("截止日", "Due"), g.tr("说明", "Because")}, shrink: []int{4, 1}}
		var last string
		n := 0
		for _, v := range mine {
			row := []string{v.Rule, v.Name, v.Occurrence, "", g.because(v)}
			if !v.Due.IsZero() {
				row[3] = v.Due.String() + star(v.Provisional)
			}
			// Of a rule that says the same of many occurrences one line is enough.
			same := v.Rule + "\x00" + row[4]
			if v.Outcome != obligation.Derived && same == last {
				n++
				s.rows[len(s.rows)-1][2] = g.tr(fmt.Sprintf("至 %s（%d 期）", v.Occurrence, n), fmt.Sprintf("to %s (%d)", v.Occurrence, n))
				continue
			}
			last, n = same, 1
			s.add(nil, row...)
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
