package rules

import (
	"strings"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// rulePlan is what of a rule is the same for every subject: which facts it
// asks for, and its periods with their days.
type rulePlan struct {
	terms    []term        // by their ends
	longest  calendar.Date // days of the longest of them
	asks     bool          // for anything
	asksHim  bool          // for the borrower's facts
	asksTime bool          // for the period
	when     answer
	except   []answer
	stretch  stretch
}

// stretch is the rule's own stretch of days of one loan.
type stretch struct {
	round       int
	loan        *loan.Loan
	first, last calendar.Date // zero where the loan does not say
}

// groupSeen is what a period knows of a unit as a whole.
type groupSeen struct {
	round                     int
	seen                      bool
	borrower, branch, officer string
}

// term is one period of a rule that can be due in the window.
type term struct {
	period calendar.Period
	name   string
	early  bool // counted from here a due day may be in the window's end
	late   bool // and in its beginning

	// The days of its duty, once they were worked out, where they depend on
	// nothing of the subject's.
	dated           bool
	due, raise, end calendar.Date
	provisional     bool
}

func (s *term) put(duty *obligation.Duty) {
	duty.Due, duty.Raise, duty.PeriodEnd, duty.Provisional = s.due, s.raise, s.end, s.provisional
}

func (s *term) take(duty *obligation.Duty) {
	s.dated, s.due, s.raise, s.end, s.provisional = true, duty.Due, duty.Raise, duty.PeriodEnd, duty.Provisional
}

// answer is what a condition said of a loan's facts, to be asked once: the
// periods to come are all asked of today's.
type answer struct {
	steady bool // it asks for nothing but the loan's facts
	round  int
	loan   *loan.Loan
	asOf   calendar.Date
	yes    bool
}

// plan gives the plan of a rule, which an override has one of its own.
func (d *deriver) plan(r *Rule) *rulePlan {
	p := d.plans[r]
	if p != nil {
		return p
	}
	p = &rulePlan{when: answer{steady: steady(r.When)}, except: make([]answer, len(r.Except))}
	all := []*Condition{r.When}
	for i, x := range r.Except {
		p.except[i].steady = steady(x.If)
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
	if r.Period() {
		back, ahead := reach(&r.Due)
		first, last := d.from.AddDays(-ahead), d.window.To.AddDays(back)
		for q := calendar.PeriodOf(r.every, first, d.book.Fiscal); q.Start <= last; q = q.Next(d.book.Fiscal) {
			anchor := q.End
			if r.Due.Anchor == "period.start" {
				anchor = q.Start
			}
			p.terms = append(p.terms, term{period: q, name: q.Label(d.book.Fiscal),
				early: anchor.AddDays(-back) <= d.window.To, late: anchor.AddDays(ahead) >= d.from})
			p.longest = max(p.longest, q.End-q.Start+1)
		}
	}
	d.plans[r] = p
	return p
}

// steady says that a condition asks for nothing but a loan's facts, and calls
// nothing that looks elsewhere.
func steady(c *Condition) bool {
	if c == nil || len(c.Names) == 0 || strings.Contains(c.Text, "count(") {
		return false
	}
	for _, name := range c.Names {
		if !strings.HasPrefix(name, "loan.") {
			return false
		}
	}
	return true
}

// holds asks a condition of the environment, or remembers what it said of the
// same loan's facts.
func (d *deriver) holds(c *Condition, a *answer, o *occurrence) (bool, error) {
	same := a.steady && o.loan != nil && d.filled.loan == o.loan
	if same && a.round == d.round && a.loan == o.loan && a.asOf == o.asOf {
		return a.yes, nil
	}
	yes, err := c.bool(&d.machine, d.env)
	if same && err == nil {
		a.round, a.loan, a.asOf, a.yes = d.round, o.loan, o.asOf, yes
	}
	return yes, err
}
