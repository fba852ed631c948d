package rules

import (
	"strings"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// rulePlan is what of a rule is the same for every subject: which facts it
// asks for, its periods, and what is needed to go the short way.
type rulePlan struct {
	rule     *Rule
	asks     bool // for anything
	asksHim  bool // for the borrower's facts
	asksTime bool // for the period

	// Due days lie no further than so many days from their anchor.
	back, ahead int

	terms    []term        // of a period rule, by their ends
	nth      int           // of the first of them, among all periods of the length
	from, to int           // of terms: those that can be due in the window
	stretch  stretch       // of the loan that was asked last
	days     []datedDay    // of any other rule: day - firstDay -> what is due, where that can be in the window
	firstDay calendar.Date // of days

	past     bool // counted from one fixed day, and never due in the window
	endsWith bool // due with its period
	officers bool // performed by the officer
	way      way
	when     *formula // nil without one
	except   []*formula
	template obligation.Duty // what all duties of the rule have in common
}

// way is how a rule is worked out.
type way uint8

const (
	longWay    way = iota // where its conditions may hold
	alwaysLong            // whatever they say
	byDay                 // counted from one of the loan's own days
	byPeriod              // period by period
	bySchedule            // by the dates of the loan's schedule
)

// stretch is the rule's own stretch of days of one loan.
type stretch struct {
	round       int
	loan        *loan.Loan
	first, last calendar.Date // zero where the loan does not say
}

// term is one period of a rule that can be due in the window.
type term struct {
	period calendar.Period
	name   string
	early  bool // counted from here a due day may be in the window's end
	late   bool // and in its beginning
	env    periodEnv
	dated  datedDay
}

// datedDay is what is due counted from a day, once it was worked out, where
// that depends on nothing of the subject's.
type datedDay struct {
	known       bool
	provisional bool
	anchor      calendar.Date
	due, raise  calendar.Date
}

// plan gives the plan of a rule, which an override has one of its own.
func (d *deriver) plan(r *Rule) *rulePlan {
	p := d.plans[r]
	if p != nil {
		return p
	}
	p = &rulePlan{rule: r}
	all := []*Condition{r.When}
	for _, x := range r.Except {
		all = append(all, x.If)
	}
	for _, c := range r.Sign {
		all = append(all, c.If)
	}
	if r.Needs != nil {
		all = append(all, r.Needs.AtLeast)
	}
	for _, c := range all {
		if c == nil {
			continue
		}
		p.asks = true
		for _, name := range c.Names {
			p.asksHim = p.asksHim || strings.HasPrefix(name, "borrower.")
			p.asksTime = p.asksTime || strings.HasPrefix(name, "period.")
		}
	}
	for _, role := range r.Bys {
		p.asksHim = p.asksHim || role == "risk_manager"
	}
	p.back, p.ahead = reach(&r.Due)
	if r.Period() {
		d.layTerms(p)
	}
	d.plans[r] = p
	return p
}

// layTerms lays out the periods of a rule.
func (d *deriver) layTerms(p *rulePlan) {
	r := p.rule
	first, last := d.from.AddDays(-p.ahead), d.window.To.AddDays(p.back)
	for q := calendar.PeriodOf(r.every, first, d.book.Fiscal); q.Start <= last; q = q.Next(d.book.Fiscal) {
		anchor := q.End
		if r.Due.Anchor == "period.start" {
			anchor = q.Start
		}
		t := term{period: q, name: q.Label(d.book.Fiscal),
			early: anchor.AddDays(-p.back) <= d.window.To, late: anchor.AddDays(p.ahead) >= d.from}
		t.env = periodEnv{Start: Day{q.Start}, End: Day{q.End}, Number: q.Number(), Label: t.name}
		p.terms = append(p.terms, t)
	}
	p.from, p.to = len(p.terms), len(p.terms)
	for i := range p.terms {
		if p.terms[i].late {
			p.from = i
			break
		}
	}
	for p.to > p.from && !p.terms[p.to-1].early {
		p.to--
	}
}
