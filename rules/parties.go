package rules

import (
	"cmp"
	"slices"

	"tickler/loan"
	"tickler/obligation"
)

// fanOut keeps a duty: once, or once for each role or party.
func (d *deriver) fanOut(duty *obligation.Duty, o *occurrence) {
	r := o.rule
	if len(r.Bys) > 1 {
		for _, role := range r.Bys {
			one := *duty
			one.Party, one.Role, one.Owner = loan.Ref{Kind: RoleParty, ID: role}, role, d.owner(o, role)
			d.keep(&one, r)
		}
		return
	}
	if len(r.Each) == 0 {
		d.keep(duty, r)
		return
	}
	for i := range r.Each {
		f := &r.Each[i]
		switch {
		case f.Names != nil:
			for _, name := range f.Names {
				one := *duty
				one.Party, one.PartyName = loan.Ref{Kind: f.Kind, ID: name}, name
				d.keep(&one, r)
			}
		case f.Kind == r.For:
			d.keep(duty, r) // the subject himself
		case f.Word == "guarantor":
			for _, g := range d.guarantors(o) {
				one := *duty
				one.Party, one.PartyName = loan.Ref{Kind: loan.KindGuarantor, ID: g.ID}, g.Name
				d.keep(&one, r)
			}
		case f.Word == "borrower":
			d.eachBorrower(duty, o)
		case f.Word == "lead_branch":
			d.keep(d.toLead(*duty), r)
		default:
			d.eachMember(duty, o, f.Kind)
		}
	}
}

// eachBorrower makes one duty for each borrower of a branch who had a loan by
// the occurrence's day and still has one, be it another that paid that one off.
func (d *deriver) eachBorrower(duty *obligation.Duty, o *occurrence) {
	oldest, since := map[string]*loan.Loan{}, map[string]bool{}
	for _, f := range d.facts.Loans {
		l := f.History.At(d.today)
		if l == nil || l.Branch != o.branch {
			continue
		}
		// One that was settled before the day made nobody a borrower then.
		if then := f.History.At(o.asOf); l.Disbursed <= o.asOf && then.Open() {
			since[l.Borrower] = true
		}
		if !l.Open() {
			continue
		}
		if x := oldest[l.Borrower]; x == nil || l.Disbursed < x.Disbursed {
			oldest[l.Borrower] = l
		}
	}
	ids := make([]string, 0, len(oldest))
	for id := range oldest {
		if since[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		one := *duty
		one.Party, one.PartyName, one.Borrower = loan.Ref{Kind: loan.KindBorrower, ID: id}, oldest[id].BorrowerName, id
		if one.Role == "officer" {
			one.Owner = oldest[id].Officer
		}
		d.keep(&one, o.rule)
	}
}

// nobody is the party of a group whose lead branch the facts do not name.
const nobody = "牵头行"

// toLead addresses a duty to the lead branch of the borrower's group.
func (d *deriver) toLead(duty obligation.Duty) *obligation.Duty {
	duty.Party, duty.PartyName = loan.Ref{Kind: loan.KindBranch, ID: nobody}, nobody
	if g, _ := d.groupOf(duty.Borrower); g != nil {
		if m := lead(g); m != nil && m.Branch != "" {
			duty.Party.ID, duty.PartyName = m.Branch, d.branchName(m.Branch)
		}
	}
	return &duty
}

// eachMember makes one duty for each participant branch of a group, in one
// direction: to the lead it is the member's to do, to the member the lead's,
// where the lead branch is one of ours.
func (d *deriver) eachMember(duty *obligation.Duty, o *occurrence, direction loan.Kind) {
	g := d.facts.Groups[o.subject.ID]
	if g == nil {
		return
	}
	first := lead(g)
	done := map[string]bool{}
	if first != nil {
		done[first.Branch] = true
	}
	members := slices.Clone(g.Members)
	slices.SortStableFunc(members, func(a, b loan.GroupMember) int { return cmp.Compare(a.Branch, b.Branch) })
	for i := range members {
		m := &members[i]
		if m.Branch == "" || done[m.Branch] {
			continue
		}
		done[m.Branch] = true
		one := *duty
		one.Party, one.PartyName = loan.Ref{Kind: direction, ID: m.Branch}, d.branchName(m.Branch)
		by := m
		if direction == "to_member" && first != nil && d.lends(first) {
			by = first
		}
		one.Branch, one.Borrower = by.Branch, by.Borrower
		if one.Role == "officer" {
			one.Owner = d.officerOf(by)
		}
		d.keep(&one, o.rule)
	}
}

func lead(g *loan.Group) *loan.GroupMember {
	for i := range g.Members {
		if g.Members[i].Lead {
			return &g.Members[i]
		}
	}
	return nil
}

// groupOf finds the group that names a borrower, and his part in it.
func (d *deriver) groupOf(borrower string) (*loan.Group, *loan.GroupMember) {
	if len(d.facts.Groups) == 0 {
		return nil, nil
	}
	var ids []string
	for id := range d.facts.Groups {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		g := d.facts.Groups[id]
		for i := range g.Members {
			if g.Members[i].Borrower == borrower && borrower != "" {
				return g, &g.Members[i]
			}
		}
	}
	return nil, nil
}

func (d *deriver) branchName(id string) string {
	if b := d.facts.Branches[id]; b != nil && b.Name != "" {
		return b.Name
	}
	return id
}

// lends says that one of the facts' open loans is the member's.
func (d *deriver) lends(m *loan.GroupMember) bool { return d.loanOf(m) != nil }

func (d *deriver) officerOf(m *loan.GroupMember) string {
	if l := d.loanOf(m); l != nil {
		return l.Officer
	}
	return ""
}

// loanOf is the member's oldest open loan, of his branch where there is one.
func (d *deriver) loanOf(m *loan.GroupMember) *loan.Loan {
	var oldest *loan.Loan
	for _, f := range d.facts.Loans {
		l := f.History.At(d.today)
		if l == nil || !l.Open() || l.Borrower != m.Borrower {
			continue
		}
		here := l.Branch == m.Branch
		if was := oldest != nil && oldest.Branch == m.Branch; oldest == nil || here && !was || here == was && l.Disbursed < oldest.Disbursed {
			oldest = l
		}
	}
	return oldest
}
