package rules

import (
	"cmp"
	"slices"

	"tickler/calendar"
	"tickler/loan"
)

// fillLoan puts a loan's facts as of a day into the environment; end is the
// last day of the period that is asked about, zero for none.
//
// What no condition of the rule asks for is left as it was, unless a reason is
// being written.
func (d *deriver) fillLoan(p *rulePlan, f *loan.LoanFile, l *loan.Loan, asOf, end calendar.Date) {
	if p.asks || d.trace != nil {
		d.fillLoanAlone(f, l, asOf)
	}
	if !p.asksHim && d.trace == nil || d.filled.borrower == l.Borrower && d.filled.asOf == asOf && d.filled.end == end {
		return
	}
	d.fillBorrower(l.Borrower, asOf, end)
	if d.filled.loan == l && d.filled.asOf == asOf {
		d.filled.borrower, d.filled.end = l.Borrower, end
	}
}

func (d *deriver) fillLoanAlone(f *loan.LoanFile, l *loan.Loan, asOf calendar.Date) {
	if d.filled.loan == l && d.filled.asOf == asOf {
		return
	}
	d.filled.loan, d.filled.asOf, d.filled.borrower = l, asOf, ""
	d.counting = loan.Ref{Kind: loan.KindLoan, ID: f.ID}
	d.env.Loan = loanEnv{
		ID: f.ID, Contract: l.Contract, Borrower: l.Borrower, Branch: l.Branch, Officer: l.Officer,
		Product: l.Product, Amount: l.Amount.Yuan(), Balance: l.Balance.Yuan(), InterestArrears: l.Arrears.Yuan(),
		Currency: l.Currency, Disbursed: Day{l.Disbursed}, Maturity: Day{l.Maturity},
		MaturityLanded: Day{d.landed(l.Maturity)}, OriginalMaturity: Day{l.OriginalMaturity},
		TermMonths: termMonths(l), Class: string(l.Class), Mode: string(l.Mode), Guarantee: l.Guarantee,
		Extended: l.Extended(), FirstTime: l.FirstTime(), Transferred: d.transferred(f, l, asOf),
		Abnormal: d.abnormal(f, l, asOf), Unpaid: d.unpaid(l, asOf), Status: l.Status, X: l.X,
	}
}

// unlimited is the term of a loan one of whose days nobody wrote down: it is no
// short one, and exempt from nothing.
const unlimited = 9999

func termMonths(l *loan.Loan) int {
	if l.Maturity.IsZero() || l.Disbursed.IsZero() {
		return unlimited
	}
	return l.TermMonths()
}

// count is how often something happened to the subject at hand.
func (d *deriver) count(kind string, from, to Day) int {
	n := 0
	for i := range d.facts.Events {
		e := &d.facts.Events[i]
		if e.Kind == kind && e.Withdrawn == nil && e.Happened >= from.Date && e.Happened <= to.Date && d.concerns(e.Subject, d.counting) {
			n++
		}
	}
	return n
}

func (d *deriver) transferred(f *loan.LoanFile, l *loan.Loan, asOf calendar.Date) bool {
	if l.Transferred() {
		return true
	}
	for i := range d.facts.Events {
		e := &d.facts.Events[i]
		if e.Kind == "loan.transferred" && e.Subject.ID == f.ID && e.Subject.Kind == loan.KindLoan && e.Happened <= asOf && e.Withdrawn == nil {
			return true
		}
	}
	return false
}

// Warnings are the events that open and end the warnings of a loan or a
// borrower, which make his loans abnormal.
var Warnings = []string{"warning.opened", "warning.signal", "warning.confirmed", "warning.system", "warning.handled", "warning.closed"}

// Warns says that a kind of event is one of those.
func Warns(kind string) bool { return slices.Contains(Warnings, kind) }

// abnormal: class not normal, or unpaid, or an open warning.
func (d *deriver) abnormal(f *loan.LoanFile, l *loan.Loan, asOf calendar.Date) bool {
	if l.Class != loan.Normal || d.unpaid(l, asOf) {
		return true
	}
	// Two lists in order of their days are read as one.
	events := d.facts.Events
	if len(d.facts.Related) > 0 {
		events = slices.Concat(events, d.facts.Related)
		slices.SortStableFunc(events, func(a, b loan.Event) int {
			return cmp.Or(cmp.Compare(a.Happened, b.Happened), cmp.Compare(a.ID, b.ID))
		})
	}
	open, system := false, false
	for i := range events {
		e := &events[i]
		if e.Happened > asOf || e.Withdrawn != nil || e.Subject != (loan.Ref{Kind: loan.KindLoan, ID: f.ID}) && e.Subject != (loan.Ref{Kind: loan.KindBorrower, ID: l.Borrower}) {
			continue
		}
		switch e.Kind {
		case "warning.opened", "warning.signal", "warning.confirmed":
			open = true
		case "warning.system":
			system = true
		case "warning.handled":
			system = false
		case "warning.closed":
			open, system = false, false
		}
	}
	return open || system
}

func (d *deriver) fillPeriod(plan *rulePlan, p *calendar.Period, name string) {
	if !plan.asksTime && d.trace == nil {
		return
	}
	d.env.Period = periodEnv{Start: Day{p.Start}, End: Day{p.End}, Number: p.Number(), Label: name}
}

// sees says that a loan counts towards its borrower, officer or branch: as of
// the day something was left, and a period ending on end, if there is one,
// sees it.
func (d *deriver) sees(l *loan.Loan, asOf, end calendar.Date) bool {
	if end.IsZero() {
		return l.Open()
	}
	return d.seenInPeriod(l, end, asOf)
}

// fillBorrower puts a borrower's facts as of a day into the environment, over
// those of his loans that a period ending on `end` sees (all that are open,
// for zero), and says whether one of them still is. Mode key if any of them
// is, class the worst; branch and officer of his own sheet, or else of his
// oldest open loan.
func (d *deriver) fillBorrower(id string, asOf, end calendar.Date) bool {
	b := borrowerEnv{ID: id, Mode: string(loan.Regular), Class: string(loan.Normal)}
	var oldest *loan.Loan
	open, seen := false, false // of the oldest; of any
	for _, f := range d.facts.Loans {
		l := f.History.At(asOf)
		if l == nil || l.Borrower != id {
			continue
		}
		sees := d.sees(l, asOf, end)
		if oldest == nil || sees && !open || sees == open && l.Disbursed < oldest.Disbursed {
			oldest, open = l, sees
		}
		if !sees {
			continue
		}
		seen = seen || f.History.At(d.today).Open()
		if l.Mode == loan.Key {
			b.Mode = string(loan.Key)
		}
		if l.Class.Rank() > loan.Class(b.Class).Rank() {
			b.Class = string(l.Class)
		}
		b.Balance += l.Balance.Yuan()
	}
	if oldest != nil {
		b.Name, b.Branch, b.Officer = oldest.BorrowerName, oldest.Branch, oldest.Officer
	}
	if s := d.facts.Borrowers[id]; s != nil {
		b.Type, b.Industry, b.Rating, b.Group, b.X = s.Type, s.Industry, s.Rating, s.Group, s.X
		b.RiskManager, b.Custodian = s.RiskManager, s.Custodian
		b.Stock, b.Exposure = s.Stock.Yuan(), s.Exposure.Yuan()
		if s.Name != "" {
			b.Name = s.Name
		}
		if s.Branch != "" {
			b.Branch = s.Branch
		}
		if s.Officer != "" {
			b.Officer = s.Officer
		}
		if s.Mode == loan.Key {
			b.Mode = string(loan.Key)
		}
	}
	if g, m := d.groupOf(id); g != nil {
		b.Group, b.GroupRole = g.ID, "participant"
		if m.Lead {
			b.GroupRole = "lead"
		}
	}
	d.env.Borrower = b
	return seen
}

// fillGroup fills the environment for a borrower, an officer or a branch and
// says whether a period ending on `end` sees it: one of its loans is seen, and
// not settled since.
func (d *deriver) fillGroup(o *occurrence, end calendar.Date) bool {
	d.forget()
	d.counting = o.subject
	id := o.subject.ID
	if o.subject.Kind == loan.KindBorrower {
		seen := d.fillBorrower(id, o.asOf, end)
		o.borrower, o.branch, o.officer = id, d.env.Borrower.Branch, d.env.Borrower.Officer
		return seen
	}
	seen := false
	for _, f := range d.facts.Loans {
		l := f.History.At(o.asOf)
		if l == nil || !d.sees(l, o.asOf, end) || !f.History.At(d.today).Open() || !d.inCare(o, l) {
			continue
		}
		seen = true
		if o.subject.Kind == loan.KindOfficer && o.branch == "" {
			o.branch = l.Branch
		}
		break
	}
	switch o.subject.Kind {
	case loan.KindOfficer:
		o.officer = id
		d.env.Officer = officerEnv{ID: id, Name: id, Branch: o.branch}
		if s := d.facts.Staff[id]; s != nil {
			d.env.Officer.Name, d.env.Officer.Post = s.Name, s.Post
			if s.Branch != "" {
				o.branch = s.Branch
				d.env.Officer.Branch = s.Branch
			}
		}
	case loan.KindBranch:
		o.branch = id
		d.env.Branch = branchEnv{ID: id, Name: id}
		if b := d.facts.Branches[id]; b != nil {
			d.env.Branch = branchEnv{ID: id, Name: b.Name, Parent: b.Parent, Level: b.Level, Opened: Day{b.Opened}, X: b.X}
		}
		d.env.Branch.Subordinates = d.subordinates(id)
		// Who has branches to cover is seen by them.
		seen = seen || o.rule.Needs != nil && o.rule.Needs.Cover == "subordinate_branches" && d.env.Branch.Subordinates > 0
	case loan.KindGroup:
		if g := d.facts.Groups[id]; g != nil {
			m := lead(g)
			for i := range g.Members {
				if m != nil && d.lends(m) {
					break
				}
				m = &g.Members[i]
			}
			if m != nil {
				o.branch, o.officer = m.Branch, d.officerOf(m)
			}
		}
	}
	return seen
}

// subordinates counts the branches right below one.
func (d *deriver) subordinates(id string) int {
	if d.below == nil {
		d.below = map[string]int{}
		for other, b := range d.facts.Branches {
			if b.Parent != other {
				d.below[b.Parent]++
			}
		}
	}
	return d.below[id]
}

// inCare says that a loan is the subject's: of its branch, of its group, or in
// the officer's care in one of the ways that the rule asks for.
func (d *deriver) inCare(o *occurrence, l *loan.Loan) bool {
	id := o.subject.ID
	switch o.subject.Kind {
	case loan.KindBranch:
		return l.Branch == id
	case loan.KindGroup:
		return true // the facts hold no other loans
	case loan.KindOfficer:
		for _, who := range o.rule.Who {
			switch who {
			case "officer":
				if l.Officer == id {
					return true
				}
			case "risk_manager":
				if b := d.facts.Borrowers[l.Borrower]; b != nil && b.RiskManager == id {
					return true
				}
			}
		}
		return o.rule.Who == nil && l.Officer == id
	}
	return false
}
