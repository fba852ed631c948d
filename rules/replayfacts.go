package rules

import (
	"slices"
	"sort"

	"tickler/loan"
)

// at gives a loan as known today; nil before it was.
func (p *play) at(l *loan.LoanFile) *loan.Loan {
	if l.History[0].From > p.today {
		return nil
	}
	return l.History.At(p.today)
}

// known gives the facts that a unit's derivation may know today, as the daemon
// gathers them. A loan's row stands until another one comes, as if a file had
// come every day.
func (p *play) known(ref loan.Ref) *loan.Facts {
	c := p.facts
	f := &loan.Facts{Today: p.today, Branches: c.branches, Staff: c.staff, Events: p.eventsOf(ref)}
	switch ref.Kind {
	case loan.KindBorrower:
		p.ofBorrower(ref, f)
	case loan.KindBranch:
		for _, l := range c.loans {
			if v := p.at(l); v != nil && v.Branch == ref.ID {
				p.take(f, l)
				p.relate(f, borrowerRef(v.Borrower), p.reach.Borrower)
			}
		}
		for _, id := range sortedKeys(c.branches) {
			if c.branches[id].Parent == ref.ID && id != ref.ID {
				p.relate(f, loan.Ref{Kind: loan.KindBranch, ID: id}, p.reach.Below)
			}
		}
	case loan.KindOfficer:
		f.Borrowers = map[string]*loan.Borrower{}
		for _, l := range c.loans {
			v := p.at(l)
			if v == nil {
				continue
			}
			b := c.borrowers[v.Borrower]
			manages := b != nil && b.RiskManager == ref.ID
			if manages {
				f.Borrowers[b.ID] = b
			}
			if manages || v.Officer == ref.ID {
				p.take(f, l)
				p.relate(f, borrowerRef(v.Borrower), p.reach.Officer)
			}
		}
	case loan.KindGroup:
		g := c.groups[ref.ID]
		if g == nil {
			break
		}
		f.Groups = map[string]*loan.Group{g.ID: g}
		for _, l := range c.loans {
			v := p.at(l)
			if v != nil && slices.ContainsFunc(g.Members, func(m loan.GroupMember) bool { return m.Borrower == v.Borrower }) {
				p.take(f, l)
			}
		}
	}
	sort.Slice(f.Loans, func(i, j int) bool { return f.Loans[i].ID < f.Loans[j].ID })
	return f
}

func (p *play) ofBorrower(ref loan.Ref, f *loan.Facts) {
	c := p.facts
	for _, l := range c.loans {
		if v := p.at(l); v != nil && v.Borrower == ref.ID {
			p.take(f, l)
		}
	}
	if b := c.borrowers[ref.ID]; b != nil {
		f.Borrowers = map[string]*loan.Borrower{ref.ID: b}
	}
	for _, id := range sortedKeys(c.groups) {
		if slices.ContainsFunc(c.groups[id].Members, func(m loan.GroupMember) bool { return m.Borrower == ref.ID }) {
			if f.Groups == nil {
				f.Groups = map[string]*loan.Group{}
			}
			f.Groups[id] = c.groups[id]
		}
	}
	for _, id := range sortedKeys(c.collaterals) {
		if c.unitOf(loan.Ref{Kind: loan.KindCollateral, ID: id}, p.today) != ref {
			continue
		}
		if f.Collaterals == nil {
			f.Collaterals = map[string]*loan.Collateral{}
		}
		f.Collaterals[id] = c.collaterals[id]
		for _, l := range c.loans { // of other borrowers, too
			if slices.Contains(c.collaterals[id].Loans, l.ID) && p.at(l) != nil {
				p.take(f, l)
			}
		}
	}
}

// take adds a loan, with what is known of it today.
func (p *play) take(f *loan.Facts, l *loan.LoanFile) {
	if slices.ContainsFunc(f.Loans, func(x *loan.LoanFile) bool { return x.ID == l.ID }) {
		return
	}
	now := *l
	n := len(now.History)
	for n > 1 && now.History[n-1].From > p.today {
		n--
	}
	now.History, now.Confirmed = now.History[:n:n], p.today
	f.Loans = append(f.Loans, &now)
}

// relate adds the events of another unit that count or close here.
func (p *play) relate(f *loan.Facts, u loan.Ref, kinds []string) {
	if len(kinds) == 0 {
		return
	}
	for _, e := range p.eventsOf(u) {
		if slices.Contains(kinds, e.Kind) && !slices.ContainsFunc(f.Related, func(x loan.Event) bool { return x.ID == e.ID }) {
			f.Related = append(f.Related, e)
		}
	}
}
