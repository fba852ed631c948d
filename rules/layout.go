package rules

import (
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// layout is a rulebook laid out for one kind of subject: its rules in their
// order, the questions that they ask, and what they made of the answers so far.
type layout struct {
	plans     []*rulePlan
	questions *questions
	earliest  calendar.Date // the first day whose facts a rule may ask for

	rulings map[replies][]ruling // answers -> what each of the plans makes of them
	given   replies              // of the last ones asked for
	last    []ruling
}

// ruling is what a rule makes of a subject's facts.
type ruling struct {
	holds truth       // unknown: as far as is known
	ask   []openIssue // in this order, of each occurrence
}

// openIssue is a condition that other facts than the subject's decide.
type openIssue struct {
	c      *Condition
	except bool
}

// maxRulings bounds what is remembered. A rulebook that asks for single amounts
// in many ways could make every loan a case of its own.
const maxRulings = 4096

// layout lays the rules for a kind out.
func (d *deriver) layout(kind loan.Kind) *layout {
	l := &layout{questions: newQuestions(kind), earliest: d.from, rulings: map[replies][]ruling{}}
	for _, r := range d.active(kind, loan.Ref{}) {
		p := d.plan(r)
		l.plans = append(l.plans, p)
		if r.When != nil {
			p.when = l.questions.read(r.When)
		}
		for _, x := range r.Except {
			p.except = append(p.except, l.questions.read(x.If))
		}
		p.way = d.wayOf(p)
		p.endsWith, p.officers = r.Due.OnPeriodEnd(), r.By == "officer"
		p.past = r.Due.Anchor == "date" && kind == loan.KindBorrower && len(r.Overrides) == 0 && !d.mayFall(&occurrence{rule: r, anchor: r.Due.Date})
		if p.way == byDay || p.way == bySchedule {
			p.firstDay = d.from.AddDays(-p.ahead)
			p.days = make([]datedDay, max(0, d.window.To.AddDays(p.back)-p.firstDay+1))
		}
		l.earliest = min(l.earliest, d.from.AddDays(-p.ahead))
		if len(p.terms) > 0 {
			l.earliest = min(l.earliest, p.terms[0].period.End)
			p.nth = d.periodsOf(r.every).holding(p.terms[0].period.End)
		}
		p.template = obligation.Duty{Key: obligation.Key{Rule: r.ID, Subject: loan.Ref{Kind: kind}}, Role: r.By}
		if len(r.Sign) > 0 {
			p.template.Sign = r.Sign[0].By
		}
	}
	return l
}

// wayOf says how a rule is worked out: a short way where it is regular.
func (d *deriver) wayOf(p *rulePlan) way {
	r := p.rule
	switch {
	case len(r.Overrides) > 0, len(r.Since) > 0, !r.Period() && r.For == loan.KindBorrower:
		return alwaysLong
	case !d.regular(p):
		return longWay
	case r.Period():
		return byPeriod
	case r.Every != "":
		return bySchedule
	}
	return byDay
}

// regular says that nothing about a rule's duties depends on more than their
// day, the subject and its officer.
func (d *deriver) regular(p *rulePlan) bool {
	r := p.rule
	conditional := slices.ContainsFunc(r.Sign, func(c Chain) bool { return c.If != nil })
	simple := len(r.Bys) < 2 && len(r.Dues) == 1 && !r.Above && !conditional &&
		r.By != "risk_manager" && r.EffectiveFrom.IsZero() && r.EffectiveTo.IsZero() && r.Due.Anchor != "period.start" && sameForAll(r.Raise)
	if r.For == loan.KindBorrower {
		return simple && (r.Needs == nil || r.Needs.Count != "supervision.done" && r.Needs.Cover == "")
	}
	return simple && len(r.Each) == 0 && r.Needs == nil && !p.asksHim
}

// sameForAll says that the day of raising depends on nothing of the subject's.
func sameForAll(raise *DateExpr) bool {
	if raise == nil {
		return true
	}
	switch raise.Anchor {
	case "due", "date", "period.start", "period.end":
		return true
	}
	return false
}

// rule says what the rules make of the answers.
func (l *layout) rule(given replies) []ruling {
	if l.last != nil && l.given == given {
		return l.last
	}
	all, known := l.rulings[given]
	if !known {
		all = make([]ruling, len(l.plans))
		for i, p := range l.plans {
			if p.way != alwaysLong {
				all[i] = p.settle(given)
			}
		}
		if len(l.rulings) >= maxRulings {
			clear(l.rulings)
		}
		l.rulings[given] = all
	}
	l.given, l.last = given, all
	return all
}

// settle says what one rule makes of the answers. A condition that may fail is
// asked before those behind it count.
func (p *rulePlan) settle(given replies) ruling {
	out := ruling{holds: always}
	if p.when != nil {
		switch p.when.settle(given) {
		case never:
			return ruling{holds: never}
		case unknown:
			out.holds, out.ask = unknown, append(out.ask, openIssue{c: p.rule.When})
			if p.when.risky {
				return p.askAll()
			}
		}
	}
	for i, x := range p.except {
		switch x.settle(given) {
		case always:
			return ruling{holds: never}
		case unknown:
			out.holds, out.ask = unknown, append(out.ask, openIssue{p.rule.Except[i].If, true})
			if x.risky {
				return p.askAll()
			}
		}
	}
	return out
}

// askAll leaves every condition of the rule to be asked.
func (p *rulePlan) askAll() ruling {
	out := ruling{}
	if p.rule.When != nil {
		out.ask = append(out.ask, openIssue{c: p.rule.When})
	}
	for _, x := range p.rule.Except {
		out.ask = append(out.ask, openIssue{x.If, true})
	}
	return out
}

// periodIndex numbers the periods of one length around the window.
type periodIndex struct {
	base calendar.Date
	at   []uint16 // day - base -> number of the period that holds it
}

func (x *periodIndex) holding(day calendar.Date) int {
	return int(x.at[min(max(int(day)-int(x.base), 0), len(x.at)-1)])
}

// periodsOf gives the index of the periods of a length: as wide as any rule of
// the book reaches.
func (d *deriver) periodsOf(every calendar.Every) *periodIndex {
	if x := d.periods[every]; x != nil {
		return x
	}
	back, ahead := 0, 0
	for _, r := range d.book.Rules {
		if r.Period() {
			b, a := reach(&r.Due)
			back, ahead = max(back, b), max(ahead, a)
		}
	}
	first := calendar.PeriodOf(every, d.from.AddDays(-ahead), d.book.Fiscal)
	x := &periodIndex{base: first.Start}
	n := uint16(0)
	for q := first; q.Start <= d.window.To.AddDays(back); q = q.Next(d.book.Fiscal) {
		for day := q.Start; day <= q.End; day++ {
			x.at = append(x.at, n)
		}
		n++
	}
	x.at = append(x.at, n) // and all days behind
	d.periods[every] = x
	return x
}

// endingFrom gives the place, among the terms that can be due in the window, of
// the first that ends on the day or later; it may be behind the last.
func (p *rulePlan) endingFrom(x *periodIndex, day calendar.Date) int {
	return max(x.holding(day)-p.nth, p.from)
}
