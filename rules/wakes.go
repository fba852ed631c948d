package rules

import (
	"tickler/calendar"
	"tickler/loan"
)

// wakes notes the days on which facts at hand change their meaning by
// themselves: a maturity passes, a fact or an event of a day to come takes
// hold.
func (d *deriver) wakes(u loan.Ref) {
	for _, f := range d.facts.Loans {
		for i := range f.History {
			if v := &f.History[i]; v.From > d.today {
				d.wake(v.From)
			}
		}
	}
	d.wakeAtMaturities(u)
	for i := range d.facts.Events {
		d.wake(d.facts.Events[i].Happened)
	}
	for _, c := range d.facts.Collaterals {
		d.wake(c.LastInspected)
	}
}

// wakeAtMaturities notes the days after those on which loans mature, where that can
// change a duty of the unit.
func (d *deriver) wakeAtMaturities(u loan.Ref) {
	steady := d.steadyCares(u)
	for _, f := range d.facts.Loans {
		l := f.History.At(d.today)
		if l == nil || !l.Open() || l.Maturity.IsZero() {
			continue
		}
		matters := len(steady) == 0
		for _, c := range steady {
			matters = matters || !c.seen && c.of(l)
		}
		if matters {
			d.wake(d.landed(l.Maturity).AddDays(1))
		}
	}
}

// care is one way in which a unit has the care of loans.
type care struct {
	of   func(*loan.Loan) bool
	seen bool // every period to come sees one of those loans, whatever becomes of the others
}

// steadyCares gives the ways in which an officer, a branch or a group has loans
// in care; none where every loan counts by itself.
//
// The rules of these units ask of a loan whether a period sees it, and no more:
// what is unpaid is seen, and so is what matures behind the period. A branch
// that has a loan of thirty years does not care which of its others mature
// today.
func (d *deriver) steadyCares(u loan.Ref) []care {
	var cares []care
	switch u.Kind {
	case loan.KindBranch:
		cares = []care{{of: func(l *loan.Loan) bool { return l.Branch == u.ID }}}
	case loan.KindGroup:
		cares = []care{{of: func(*loan.Loan) bool { return true }}}
	case loan.KindOfficer:
		if !d.oneBranch(u.ID) {
			return nil
		}
		cares = []care{
			{of: func(l *loan.Loan) bool { return l.Officer == u.ID }},
			{of: func(l *loan.Loan) bool {
				b := d.facts.Borrowers[l.Borrower]
				return b != nil && b.RiskManager == u.ID
			}},
		}
	}
	last := d.lastEnd(u.Kind)
	for _, f := range d.facts.Loans {
		l := f.History.At(d.today)
		if l == nil || !d.seenInPeriod(l, d.today, d.today) {
			continue
		}
		if !l.Maturity.IsZero() && l.Maturity < last && !d.unpaid(l, d.today) {
			continue // a period to come will not see it, for a while
		}
		for i := range cares {
			cares[i].seen = cares[i].seen || cares[i].of(l)
		}
	}
	return cares
}

// oneBranch says that it does not matter which of his loans is seen first for
// the branch of an officer's duties.
func (d *deriver) oneBranch(officer string) bool {
	if s := d.facts.Staff[officer]; s != nil && s.Branch != "" {
		return true
	}
	var first *loan.Loan
	for _, f := range d.facts.Loans {
		l := f.History.At(d.today)
		switch {
		case l == nil || !l.Open():
		case first == nil:
			first = l
		case l.Branch != first.Branch:
			return false
		}
	}
	return true
}

// longestPeriod bounds the days of a period: a year.
const longestPeriod = 366

// lastEnd gives a day behind the end of every period that a rule of a kind of
// unit can be due for in the window.
func (d *deriver) lastEnd(kind loan.Kind) calendar.Date {
	if day, known := d.lastEnds[kind]; known {
		return day
	}
	most := 0
	see := func(r *Rule) {
		if r != nil && r.Period() {
			back, _ := reach(&r.Due)
			most = max(most, back)
		}
	}
	for _, r := range d.book.Rules {
		if r.For == kind {
			see(r)
			for i := range r.Overrides {
				see(r.Overrides[i].Rule)
			}
		}
	}
	day := d.window.To.AddDays(most + longestPeriod)
	d.lastEnds[kind] = day
	return day
}
