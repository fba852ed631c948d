package rules

import (
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// Reason is an obligation.Reason being written. Nothing is written, and
// nothing worked out, unless somebody asked.
type Reason struct{ obligation.Reason }

// Explain gives the reason of one obligation, worked out anew from the facts;
// nil if the rulebook does not derive it from them.
func Explain(b *Book, cal *calendar.Calendar, f *loan.Facts, unit loan.Ref, key obligation.Key, w Window) *obligation.Reason {
	d := newDeriver(b, cal, f, w)
	var over []string // the rules that it gives way to
	if r := b.Rule(key.Rule); r != nil {
		over = r.YieldsTo
	}
	d.only = func(r *Rule, s loan.Ref) bool {
		return s == key.Subject && (r.ID == key.Rule || slices.Contains(over, r.ID))
	}
	var found *Reason
	d.trace = func(r *Reason) {
		if r.Rule == key.Rule && r.Subject == key.Subject && r.Occurrence == key.Occurrence && (found == nil || r.Outcome == obligation.Derived) {
			found = r
		}
	}
	d.unit(unit)
	dropped := d.yield()
	if found == nil {
		return nil
	}
	giveWay(b, []*Reason{found}, dropped)
	return &found.Reason
}

// Verdicts gives what every active rule makes of one subject, in the order of
// the rulebook.
func Verdicts(b *Book, cal *calendar.Calendar, f *loan.Facts, unit, subject loan.Ref, w Window) []*obligation.Reason {
	d := newDeriver(b, cal, f, w)
	d.only = func(_ *Rule, s loan.Ref) bool { return s == subject }
	var told []*Reason
	d.trace = func(r *Reason) { told = append(told, r) }
	d.unit(unit)
	giveWay(b, told, d.yield())
	out := make([]*obligation.Reason, len(told))
	for i, r := range told {
		out[i] = &r.Reason
	}
	for _, r := range b.Rules {
		if err := d.failed[Attempt{subject, r.ID}]; err != nil {
			out = append(out, &obligation.Reason{Rule: r.ID, Name: r.Name, Clause: r.Clause, Set: b.SetOf(r), Stated: r.Stated,
				Subject: subject, Outcome: obligation.Failed, Why: err.Error()})
		}
	}
	return out
}

// Beyond gives what the period rules would make of a loan in the periods that
// it matures in, and that therefore never see it: it may be waived there, or it
// may be a loan that slips through between two periods' ends.
func Beyond(b *Book, cal *calendar.Calendar, f *loan.Facts, unit, subject loan.Ref, w Window) []*obligation.Reason {
	d := newDeriver(b, cal, f, w)
	d.whole = true
	d.only = func(r *Rule, s loan.Ref) bool { return s == subject && r.Period() }
	var maturity calendar.Date
	for _, file := range f.Loans {
		if l := file.History.At(d.today); file.ID == subject.ID && l != nil {
			maturity = l.Maturity
		}
	}
	var out []*obligation.Reason
	d.trace = func(r *Reason) {
		if p := r.Period; p != nil && p.Start <= maturity && maturity < p.End {
			out = append(out, &r.Reason)
		}
	}
	d.unit(unit)
	return out
}

// reason begins to write down why. If nobody asks it is one blank sheet, used
// again and again, on which nothing is kept.
func (d *deriver) reason(o *occurrence) *Reason {
	if d.trace == nil {
		return &d.blank
	}
	r := &Reason{}
	r.Reason = obligation.Reason{
		Rule: o.rule.ID, Name: o.rule.Name, Clause: o.rule.Clause, Set: d.book.SetOf(o.rule), Stated: o.rule.Stated,
		Subject: o.subject, Occurrence: o.name, AsOf: o.asOf, Period: o.period,
		Anchor: o.anchor, Limit: o.rule.Due.Text, Why: o.note,
	}
	if o.rule.Due.Anchor != "" && o.loan != nil {
		r.fact(d, o, o.rule.Due.Anchor)
		if o.rule.For == loan.KindLoan && o.rule.Due.Anchor != "loan.disbursed" {
			r.fact(d, o, "loan.disbursed")
		}
	}
	conditions := []*Condition{o.rule.When}
	for _, x := range o.rule.Except {
		conditions = append(conditions, x.If)
	}
	if o.rule.Needs != nil {
		conditions = append(conditions, o.rule.Needs.AtLeast)
	}
	for _, c := range conditions {
		if c == nil {
			continue
		}
		for _, name := range c.Names {
			r.fact(d, o, name)
		}
	}
	return r
}

func (r *Reason) fact(d *deriver, o *occurrence, name string) {
	for _, f := range r.Facts {
		if f.Name == name {
			return
		}
	}
	f := obligation.Fact{Name: name, Value: d.env.value(name)}
	if o.file != nil && len(name) > 5 && name[:5] == "loan." {
		for _, v := range o.file.History {
			if v.From <= o.asOf || f.From.IsZero() {
				f.From = v.From
			}
		}
	}
	r.Facts = append(r.Facts, f)
}

func (r *Reason) test(kind string, c *Condition, holds bool, why string, _ *env) {
	if r.Rule == "" {
		return
	}
	r.Tests = append(r.Tests, obligation.Test{Kind: kind, Text: c.Text, Holds: holds, Why: why})
}

// step writes down a limit, its landing, and every day between.
func (r *Reason) step(cal *calendar.Calendar, from calendar.Date, l calendar.Limit, res calendar.Result) {
	if r.Rule == "" {
		return
	}
	if l.Unit == calendar.Workdays {
		r.Steps = append(r.Steps, obligation.Step{Kind: obligation.StepCount, From: from, Limit: bare(l), To: res.Date, Days: days(cal, from, res.Date, true)})
		return
	}
	landing := l.Landing
	l.Landing = calendar.None
	raw, err := cal.Shift(from, l)
	if err != nil {
		return
	}
	if l.N != 0 {
		r.Steps = append(r.Steps, obligation.Step{Kind: obligation.StepCount, From: from, Limit: bare(l), To: raw.Date})
	}
	s := obligation.Step{Kind: obligation.StepLand, From: raw.Date, Limit: landing.String(), To: res.Date}
	if d, err := cal.Day(raw.Date); err == nil {
		s.Days = append(s.Days, counted(cal, d, 0))
	}
	if raw.Date != res.Date {
		s.Days = append(s.Days, days(cal, raw.Date, res.Date, false)...)
	}
	r.Steps = append(r.Steps, s)
}

func bare(l calendar.Limit) string {
	l.Landing = calendar.Unset
	return l.String()
}

// days lists the days strictly after from up to to, in the order of counting.
func days(cal *calendar.Calendar, from, to calendar.Date, number bool) []obligation.CountedDay {
	var out []obligation.CountedDay
	step := 1
	if to < from {
		step = -1
	}
	n := 0
	for day := from; day != to; {
		day = day.AddDays(step)
		d, err := cal.Day(day)
		if err != nil {
			return out
		}
		if d.Workday {
			n++
		}
		c := counted(cal, d, 0)
		if d.Workday && number {
			c.N = n
		}
		out = append(out, c)
	}
	return out
}

func counted(cal *calendar.Calendar, d calendar.Day, n int) obligation.CountedDay {
	return obligation.CountedDay{Date: d.Date, N: n, Workday: d.Workday, Kind: d.Kind.String(), Name: d.Name, Source: d.Source, Provisional: cal.Provisional(d.Date)}
}

func (r *Reason) note(from, to calendar.Date, limit string) {
	if r.Rule != "" {
		r.Steps = append(r.Steps, obligation.Step{Kind: obligation.StepSince, From: from, Limit: limit, To: to})
	}
}

// raised writes down how the day of raising was counted.
func (r *Reason) raised(cal *calendar.Calendar, from calendar.Date, l calendar.Limit, res calendar.Result) {
	due := r.Steps
	r.Steps = nil
	r.step(cal, from, l, res)
	r.Steps, r.RaiseSteps = due, r.Steps
}

func (r *Reason) payout(due, paidOut calendar.Date, res calendar.Result) {
	if r.Rule != "" {
		r.Steps = append(r.Steps, obligation.Step{Kind: obligation.StepPayout, From: due, Limit: paidOut.String(), To: res.Date})
	}
}

func (d *deriver) verdict(r *Reason, out obligation.Outcome) error {
	if d.trace != nil {
		r.Outcome = out
		d.trace(r)
	}
	return nil
}

// dismiss records that an occurrence never came to its conditions.
func (d *deriver) dismiss(o *occurrence, out obligation.Outcome, why string) error {
	if d.trace == nil {
		return nil
	}
	r := &Reason{obligation.Reason{
		Rule: o.rule.ID, Name: o.rule.Name, Clause: o.rule.Clause, Set: d.book.SetOf(o.rule), Stated: o.rule.Stated,
		Subject: o.subject, Occurrence: o.name, AsOf: o.asOf, Period: o.period, Anchor: o.anchor, Limit: o.rule.Due.Text, Why: why,
	}}
	return d.verdict(r, out)
}
