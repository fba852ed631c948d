package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/store"
)

// tell gives what a simulation came to.
func (m *simulation) tell() *api.SimulateReply {
	r := &api.SimulateReply{From: m.from, To: m.to, Open: m.started.open, Overdue: m.started.overdue, Maturing: m.maturing,
		Days: []api.SimulatedDay{}, Weeks: m.tellWeeks(), AfterHolidays: m.afterHolidays(), Obligations: []api.SimulatedObligation{}, Warnings: m.warnings()}
	if m.onTime {
		r.Complete = api.CompleteOnTime
	}
	for _, h := range m.shards {
		m.failed = append(m.failed, h.failed...)
	}
	slices.Sort(m.failed)
	r.Failed = slices.Compact(m.failed)
	if m.lines {
		m.tellLines(r)
	}
	return r
}

func (m *simulation) tellLines(r *api.SimulateReply) {
	named := map[string]bool{}
	for i := range m.days {
		d := m.days[i].SimulatedDay
		for _, list := range []*[]string{&d.Raised, &d.Reminded, &d.Due, &d.Completed} {
			*list = append([]string{}, *list...)
			slices.Sort(*list)
			for _, id := range *list {
				named[id] = true
			}
		}
		d.Escalated = append([]api.SimulatedEscalated{}, d.Escalated...)
		slices.SortFunc(d.Escalated, func(a, b api.SimulatedEscalated) int {
			return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.To, b.To))
		})
		for _, e := range d.Escalated {
			named[e.ID] = true
		}
		r.Days = append(r.Days, d)
	}
	for _, id := range slices.Sorted(maps.Keys(named)) {
		o := &m.desks[id].o
		v := api.SimulatedObligation{ID: id, Rule: o.Rule, Branch: o.Branch, Owner: o.Owner, Role: o.Role, Raised: o.RaisedOn, Due: o.Due, Provisional: o.Provisional}
		if rule := m.book.Rule(o.Rule); rule != nil {
			v.Name = rule.Name
		}
		r.Obligations = append(r.Obligations, v)
	}
}

func (m *simulation) tellWeeks() []api.SimulatedWeek {
	out := make([]api.SimulatedWeek, 0, len(m.weeks))
	for k, n := range m.weeks {
		y, w := k.end.ISOWeek()
		monday := k.end.AddDays(-(int(k.end.Weekday()) + 6) % 7)
		out = append(out, api.SimulatedWeek{Week: fmt.Sprintf("%04d-W%02d", y, w), From: max(monday, m.from), Owner: k.owner, Role: k.role, Branch: k.branch, WeekCounts: *n})
	}
	slices.SortFunc(out, func(a, b api.SimulatedWeek) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Branch, b.Branch), cmp.Compare(a.Role, b.Role))
	})
	return out
}

// longHoliday is how many days off in a row are more than a weekend.
const longHoliday = 3

// afterHolidays finds the first working days after long holidays and what
// piles up on them, beside the mean of the other working days.
func (m *simulation) afterHolidays() []api.AfterHoliday {
	out := []api.AfterHoliday{}
	due, raised, ordinary := 0, 0, 0
	waiting := 0
	for i := range m.days {
		d := &m.days[i]
		if !d.Workday {
			waiting += d.raised
			continue
		}
		if name, off := m.holidayBefore(d.Date); off >= longHoliday {
			out = append(out, api.AfterHoliday{Date: d.Date, Name: name, DaysOff: off, Provisional: d.Provisional || m.cal.Provisional(d.Date.AddDays(-1)),
				Due: d.due, Raised: d.raised, Waiting: waiting})
		} else {
			due, raised, ordinary = due+d.due, raised+d.raised+waiting, ordinary+1
		}
		waiting = 0
	}
	for i := range out {
		if ordinary > 0 {
			out[i].OrdinaryDue, out[i].OrdinaryRaised = mean(due, ordinary), mean(raised, ordinary)
		}
	}
	return out
}

// mean is to one decimal.
func mean(sum, n int) float64 { return float64((20*sum+n)/(2*n)) / 10 }

// holidayBefore gives the days off that end on the eve of a day, and their name.
func (m *simulation) holidayBefore(day calendar.Date) (name string, off int) {
	var names []string
	for d := day - 1; ; d-- {
		it, err := m.cal.Day(d)
		if err != nil || it.Workday {
			slices.Reverse(names)
			return strings.Join(names, "、"), off
		}
		off++
		if it.Name != "" && !slices.Contains(names, it.Name) {
			names = append(names, it.Name)
		}
	}
}

// maturities counts the loans that mature while the simulation runs.
func (m *simulation) maturities(tx *store.Tx) (n int, err error) {
	err = tx.ScanDossiers(func(d *loan.Dossier) error {
		for _, f := range d.Loans {
			if l := f.History.At(m.first); l != nil && l.Open() && l.Maturity >= m.first && l.Maturity <= m.to {
				n++
			}
		}
		return nil
	})
	return n, err
}

// warnings say what the result rests on.
func (m *simulation) warnings() []string {
	out := []string{}
	for y := m.from.Year(); y <= m.to.Year(); y++ {
		if first := max(m.from, calendar.MustDate(y, 1, 1)); m.cal.Provisional(first) {
			out = append(out, fmt.Sprintf("%d 年放假通知尚未导入，该年的日期均为暂定 / no holiday notice for %d yet: the days of that year are provisional", y, y))
		}
	}
	if m.maturing > 0 {
		out = append(out, fmt.Sprintf("期间有 %d 笔贷款到期；模拟中无人还款，到期后按未还处理 / %d loans mature meanwhile; nobody repays in a simulation, so they count as unpaid from then on", m.maturing, m.maturing))
	}
	for _, id := range slices.Sorted(maps.Keys(m.unclosed)) {
		out = append(out, fmt.Sprintf("规则 %s 的 %d 项无法自动办结，留在待办 / rule %s: %d cannot be completed by a single event and stay open", id, m.unclosed[id], id, m.unclosed[id]))
	}
	return out
}
