package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
	"tickler/calendar"
)

// simulateOptions say what to simulate.
type simulateOptions struct {
	From, To dateFlag
	Complete string
}

func (o *simulateOptions) AddFlags(f *pflag.FlagSet) {
	f.Var(&o.From, "from", "first `DATE` to tell of (default: today)")
	f.Var(&o.To, "to", "last `DATE`, at most 3 years ahead")
	f.StringVar(&o.Complete, "complete", "", "`WHEN` people do what they have to: on-time, each on its due day (default: never)")
}

func newSimulateCommand(g *global) *cobra.Command {
	var o simulateOptions
	c := &cobra.Command{
		Use:   "simulate --to DATE [flags]",
		Short: "What would be raised, reminded, escalated, on which day · 模拟",
		Long: `simulate takes a copy of the store through the days to come with the daemon's own
loop, and tells what it would do: the work by week and by person, and what piles
up on the first working day after three days off or more, beside an ordinary
working day. The store is not changed; a daemon may run meanwhile.

-o wide adds every person's weeks, -o json every day with the ids of what is
raised, reminded, escalated and due, -o csv a line for each of these.

Nothing happens in the simulation but time: no loan is repaid, extended or made,
so that those that mature count as unpaid from then on. Nobody does anything
either, unless --complete on-time is given: what is raised stays, is reminded and
goes up, which is the most that the loop can do, and the count of overdue duties
only grows. With --complete on-time everything is closed on its due day, by the
event that closes it, with the work that this brings about; then nothing goes up
but what is raised too late.`,
		Example: `  tickler simulate --to 2027-11-22
  tickler simulate --from 2027-01-01 --to 2027-03-31 --complete on-time
  tickler simulate --to 2026-12-31 -o json
  tickler simulate --to 2026-12-31 -o csv > december.csv`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runSimulate(c.Context(), g, o) },
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runSimulate(ctx context.Context, g *global, o simulateOptions) error {
	switch {
	case o.To.IsZero():
		return usagef("--to is missing: want the last day to simulate")
	case !o.From.IsZero() && !g.on.IsZero():
		return usagef("--from and --on say the same thing: give one of them")
	case !o.From.IsZero() && o.To.Date < o.From.Date:
		return usagef("--to %s is before --from %s", o.To, o.From)
	case o.Complete != "" && o.Complete != api.CompleteOnTime:
		return usagef("--complete %q: want %s, or leave it out", o.Complete, api.CompleteOnTime)
	}
	if o.From.IsZero() {
		o.From = g.on
	}
	if g.env["GOGC"] == "" {
		debug.SetGCPercent(400) // much is made and thrown away; this process ends soon
	}
	return g.withClient(ctx, func(c *api.Client) error {
		done := g.busy(g.tr("模拟中", "simulating"))
		r, err := c.Simulate(ctx, api.SimulateRequest{From: o.From.Date, To: o.To.Date, Complete: o.Complete,
			Lines: slices.Contains([]string{"json", "csv", "name"}, g.output)})
		done()
		if err != nil {
			return err
		}
		if err := g.printSimulation(r); err != nil {
			return err
		}
		for _, f := range r.Failed {
			fmt.Fprintln(g.stderr, g.tr("未能推算：", "not worked out: ")+f)
		}
		g.warn(r.Warnings)
		return nil
	})
}

func (g *global) printSimulation(r *api.SimulateReply) error {
	switch g.output {
	case "json":
		return writeJSON(g.stdout, r)
	case "csv":
		return writeCSV(g.stdout, []string{"date", "event", "to", "id", "rule", "name", "branch", "owner", "role", "raised", "due", "provisional"}, simulatedLines(r))
	case "name":
		var b strings.Builder
		for _, d := range r.Days {
			for _, id := range d.Raised {
				b.WriteString(id + "\n")
			}
		}
		_, err := g.stdout.Write([]byte(b.String()))
		return err
	}
	fmt.Fprintln(g.stdout, g.tr(
		fmt.Sprintf("模拟 %s 至 %s；此前已触发未办 %d 项，其中逾期 %d 项", r.From, r.To, r.Open, r.Overdue),
		fmt.Sprintf("%s to %s; on the desks before: %d, of them overdue %d", r.From, r.To, r.Open, r.Overdue)))
	sheets := []struct {
		zh, en string
		sheet  *sheet
	}{
		{"按周", "By week", g.weekSheet(r)},
		{"按责任人", "By owner", g.ownerSheet(r)},
		{"按周、按责任人", "By week and owner", nil},
		{"长假后首个工作日", "First working days after long holidays", g.holidaySheet(r)},
	}
	if g.output == "wide" {
		sheets[2].sheet = g.ownerWeekSheet(r)
	}
	for _, s := range sheets {
		if s.sheet == nil {
			continue
		}
		fmt.Fprintf(g.stdout, "\n%s\n\n", g.tr(s.zh, s.en))
		if len(s.sheet.rows) == 0 {
			fmt.Fprintln(g.stdout, g.tr("（无）", "(none)"))
		} else if err := s.sheet.print(g.stdout, g.colour()); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(r.AfterHolidays, func(a api.AfterHoliday) bool { return a.Provisional }) {
		g.explainStar()
	}
	return nil
}

// simulatedLines gives a row for everything that happens.
func simulatedLines(r *api.SimulateReply) func(yield func([]string) bool) {
	at := map[string]*api.SimulatedObligation{}
	for i := range r.Obligations {
		at[r.Obligations[i].ID] = &r.Obligations[i]
	}
	return func(yield func([]string) bool) {
		row := func(day calendar.Date, event, id, to string) bool {
			o := at[id]
			return yield([]string{day.String(), event, to, id, o.Rule, o.Name, o.Branch, o.Owner, o.Role, o.Raised.String(), o.Due.String(), strconv.FormatBool(o.Provisional)})
		}
		for i := range r.Days {
			d := &r.Days[i]
			for _, l := range []struct {
				event string
				ids   []string
			}{{"raised", d.Raised}, {"reminded", d.Reminded}, {"due", d.Due}, {"completed", d.Completed}} {
				for _, id := range l.ids {
					if !row(d.Date, l.event, id, "") {
						return
					}
				}
			}
			for _, e := range d.Escalated {
				if !row(d.Date, "escalated", e.ID, e.To) {
					return
				}
			}
		}
	}
}

// countHeads are the columns of WeekCounts.
func (g *global) countHeads(r *api.SimulateReply) []string {
	out := []string{g.tr("触发", "Raised"), g.tr("提醒", "Reminded"), g.tr("升级", "Escalated"), g.tr("到期", "Due")}
	if r.Complete != "" {
		out = append(out, g.tr("办结", "Completed"))
	}
	return append(out, g.tr("期末逾期", "Overdue at end"))
}

func countCells(r *api.SimulateReply, n api.WeekCounts) []string {
	out := []string{strconv.Itoa(n.Raised), strconv.Itoa(n.Reminded), strconv.Itoa(n.Escalated), strconv.Itoa(n.Due)}
	if r.Complete != "" {
		out = append(out, strconv.Itoa(n.Completed))
	}
	return append(out, strconv.Itoa(n.Overdue))
}

// countSheet begins a sheet whose columns after the named ones are numbers.
func (g *global) countSheet(r *api.SimulateReply, heads ...string) *sheet {
	s := &sheet{heads: append(heads, g.countHeads(r)...), right: map[int]bool{}}
	for i := len(heads); i < len(s.heads); i++ {
		s.right[i] = true
	}
	return s
}

func addCounts(a *api.WeekCounts, b api.WeekCounts) {
	a.Raised, a.Reminded, a.Escalated, a.Due, a.Completed = a.Raised+b.Raised, a.Reminded+b.Reminded, a.Escalated+b.Escalated, a.Due+b.Due, a.Completed+b.Completed
}

// weekSheet sums the weeks over all, and names who has the most to do.
func (g *global) weekSheet(r *api.SimulateReply) *sheet {
	s := g.countSheet(r, g.tr("周", "Week"), g.tr("起", "From"))
	s.heads = append(s.heads, g.tr("到期最多", "Most due"))
	for i := 0; i < len(r.Weeks); {
		first, most := &r.Weeks[i], &r.Weeks[i]
		var sum api.WeekCounts
		for ; i < len(r.Weeks) && r.Weeks[i].Week == first.Week; i++ {
			w := &r.Weeks[i]
			addCounts(&sum, w.WeekCounts)
			sum.Overdue += w.Overdue
			if w.Due > most.Due {
				most = w
			}
		}
		busiest := ""
		if most.Due > 0 {
			busiest = fmt.Sprintf("%s %d", g.simulatedOwner(most), most.Due)
		}
		s.add(nil, slices.Concat([]string{first.Week, first.From.String()}, countCells(r, sum), []string{busiest})...)
	}
	return s
}

// simulatedOwner is a person, or a role and its branch.
func (g *global) simulatedOwner(w *api.SimulatedWeek) string {
	if w.Owner != "" {
		return w.Owner
	}
	return strings.TrimSpace(g.role(w.Role) + " " + w.Branch)
}

// ownerSheet sums each person's weeks, and names the one with the most to do;
// below them come the roles whose persons the facts do not name.
func (g *global) ownerSheet(r *api.SimulateReply) *sheet {
	s := g.countSheet(r, g.tr("责任人", "Owner"))
	s.heads = append(s.heads, g.tr("最忙一周（到期）", "Busiest week (due)"))
	type total struct {
		api.WeekCounts
		most *api.SimulatedWeek // of one branch, where it is a role's
	}
	var people, roles []string
	at := map[string]*total{}
	last := ""
	if n := len(r.Weeks); n > 0 {
		last = r.Weeks[n-1].Week
	}
	for i := range r.Weeks {
		w := &r.Weeks[i]
		name, list := w.Owner, &people
		if name == "" { // a role, in every branch: -o wide tells them apart
			name, list = g.role(w.Role), &roles
		}
		t := at[name]
		if t == nil {
			t = &total{most: w}
			at[name] = t
			*list = append(*list, name)
		}
		addCounts(&t.WeekCounts, w.WeekCounts)
		if w.Week == last {
			t.Overdue += w.Overdue
		}
		if w.Due > t.most.Due {
			t.most = w
		}
	}
	slices.Sort(people)
	slices.Sort(roles)
	for _, name := range append(people, roles...) {
		t := at[name]
		busiest := ""
		if t.most.Due > 0 {
			busiest = fmt.Sprintf("%s %d", t.most.Week, t.most.Due)
		}
		s.add(nil, slices.Concat([]string{name}, countCells(r, t.WeekCounts), []string{busiest})...)
	}
	return s
}

func (g *global) ownerWeekSheet(r *api.SimulateReply) *sheet {
	s := g.countSheet(r, g.tr("周", "Week"), g.tr("起", "From"), g.tr("责任人", "Owner"))
	for i := range r.Weeks {
		w := &r.Weeks[i]
		s.add(nil, append([]string{w.Week, w.From.String(), g.simulatedOwner(w)}, countCells(r, w.WeekCounts)...)...)
	}
	return s
}

func (g *global) holidaySheet(r *api.SimulateReply) *sheet {
	s := &sheet{heads: []string{g.tr("日期", "Date"), g.tr("假期", "Holiday"), g.tr("休息天数", "Days off"), g.tr("到期", "Due"), g.tr("平日", "Ordinary"),
		g.tr("当天触发", "Raised"), g.tr("假期积压", "Waiting"), g.tr("平日", "Ordinary")},
		right: map[int]bool{2: true, 3: true, 4: true, 5: true, 6: true, 7: true}}
	for _, a := range r.AfterHolidays {
		s.add(nil, a.Date.String()+star(a.Provisional), a.Name, strconv.Itoa(a.DaysOff), strconv.Itoa(a.Due), tenth(a.OrdinaryDue),
			strconv.Itoa(a.Raised), strconv.Itoa(a.Waiting), tenth(a.OrdinaryRaised))
	}
	return s
}

func tenth(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
