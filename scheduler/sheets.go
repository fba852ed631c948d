package scheduler

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sort"

	"tickler/api"
	"tickler/loan"
	"tickler/rules"
	"tickler/store"
)

// takeSheets keeps what the other sheets of the file say.
func (in *intake) takeSheets() error {
	for i := range in.snap.Borrowers {
		b := in.snap.Borrowers[i]
		d, err := in.dossier(b.ID)
		if err != nil {
			return err
		}
		for _, row := range []*loan.Borrower{d.Borrower, &b} {
			if row != nil && row.RiskManager != "" && (d.Borrower == nil || d.Borrower.RiskManager != b.RiskManager) {
				in.plan(officerUnit(row.RiskManager))
			}
		}
		d.Borrower = &b
		in.changed[b.ID] = true
	}
	byLoan := map[string][]loan.Guarantor{}
	for _, g := range in.snap.Guarantors {
		byLoan[g.Loan] = append(byLoan[g.Loan], g)
	}
	for id, gs := range byLoan {
		d, f, err := in.loanFile(id)
		if err != nil {
			return err
		}
		if f == nil {
			in.warnings = append(in.warnings, fmt.Sprintf("保证人：借据 %s 不在台账中", id))
			continue
		}
		sort.Slice(gs, func(i, j int) bool { return gs[i].ID < gs[j].ID })
		f.Guarantors = gs
		in.changed[d.ID] = true
	}
	for i := range in.snap.Collaterals {
		c := in.snap.Collaterals[i]
		if len(c.Loans) == 0 {
			continue
		}
		d, f, err := in.loanFile(c.Loans[0])
		if err != nil {
			return err
		}
		if f == nil {
			in.warnings = append(in.warnings, fmt.Sprintf("押品 %s：借据 %s 不在台账中", c.ID, c.Loans[0]))
			continue
		}
		if err := in.collateralHere(d, c.ID); err != nil {
			return err
		}
		at := slices.IndexFunc(d.Collaterals, func(x *loan.Collateral) bool { return x.ID == c.ID })
		if at >= 0 {
			d.Collaterals[at] = &c
		} else {
			d.Collaterals = append(d.Collaterals, &c)
		}
		in.changed[d.ID] = true
	}
	if err := in.takeBranches(); err != nil {
		return err
	}
	for i := range in.snap.Staff {
		if err := in.tx.PutStaff(&in.snap.Staff[i]); err != nil {
			return err
		}
		if p, err := in.tx.Plan(officerUnit(in.snap.Staff[i].ID)); err != nil {
			return err
		} else if p != nil {
			in.plan(p.Unit)
		}
	}
	return in.takeGroups()
}

// takeBranches keeps the tree of branches. Whom it was and is below plans
// anew, and everybody where some branch has rules of its own.
func (in *intake) takeBranches() error {
	if len(in.snap.Branches) == 0 {
		return nil
	}
	known, err := in.tx.Branches()
	if err != nil {
		return err
	}
	grown := false
	for i := range in.snap.Branches {
		b := &in.snap.Branches[i]
		was := known[b.ID]
		if err := in.tx.PutBranch(b); err != nil {
			return err
		}
		in.plan(branchUnit(b.ID))
		for _, row := range []*loan.Branch{was, b} {
			if row != nil && row.Parent != "" {
				in.plan(branchUnit(row.Parent))
			}
		}
		grown = grown || was == nil && b.Parent != "" || was != nil && was.Parent != b.Parent
	}
	in.directory.branches = nil
	if grown && in.book.Overridden() {
		return in.everyUnit()
	}
	return nil
}

// takeGroups keeps the groups. Who was or is a member plans anew.
func (in *intake) takeGroups() error {
	if len(in.snap.Groups) == 0 {
		return nil
	}
	known, err := in.tx.Groups()
	if err != nil {
		return err
	}
	for i := range in.snap.Groups {
		g := &in.snap.Groups[i]
		if was := known[g.ID]; was != nil && reflect.DeepEqual(was, g) {
			continue
		}
		for _, row := range []*loan.Group{known[g.ID], g} {
			if row == nil {
				continue
			}
			for _, m := range row.Members {
				in.plan(borrowerUnit(m.Borrower))
			}
		}
		in.plan(groupUnit(g.ID))
		if err := in.tx.PutGroup(g); err != nil {
			return err
		}
	}
	in.directory.groups = nil
	return nil
}

// loanFile finds a loan in the dossiers at hand or in the store; nil where
// nobody has it.
func (in *intake) loanFile(id string) (*loan.Dossier, *loan.LoanFile, error) {
	for _, l := range in.snap.Loans {
		if l.ID == id {
			d, err := in.dossier(l.Borrower)
			if err != nil {
				return nil, nil, err
			}
			return d, fileOf(d, id), nil
		}
	}
	owner, err := in.tx.LoanOwner(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	d, err := in.dossier(owner)
	if err != nil {
		return nil, nil, err
	}
	return d, fileOf(d, id), nil
}

// takeEvents keeps the events of an 事件 sheet.
func (in *intake) takeEvents() error {
	for _, e := range in.snap.Events {
		kind := in.book.Events[e.Kind]
		if kind == nil {
			return api.Errorf(api.BadFile, "declare it under events in rules.yaml, or mend the sheet", "%s: unknown event %q", in.snap.Name, e.Kind)
		}
		if !slices.Contains(kind.For, e.Subject.Kind) {
			return api.Errorf(api.BadFile, "mend the sheet; nothing of the file was taken", "%s: %s is recorded of %s, not of %s", in.snap.Name, e.Kind, kindList(kind.For), e.Subject)
		}
		unit, err := in.tx.UnitOf(e.Subject)
		if errors.Is(err, store.ErrNotFound) {
			in.warnings = append(in.warnings, fmt.Sprintf("事件 %s：%s 不在台账中", e.Kind, e.Subject))
			continue
		}
		if err != nil {
			return err
		}
		written, _, err := kind.Note(e.Fields)
		if err != nil {
			return api.Errorf(api.BadFile, "mend the sheet; nothing of the file was taken", "%s: event of %s on %s: %v", in.snap.Name, e.Subject, e.Happened, err)
		}
		e.Fields, e.Party = written, written[rules.FieldParty]
		if rule, f := in.book.Lacks(e); rule != nil {
			return api.Errorf(api.BadFile, "mend the sheet; nothing of the file was taken", "%s: event %s of %s: rule %q counts from its %s (%s), which is not given", in.snap.Name, e.Kind, e.Subject, rule.ID, f.Name, f.Title)
		}
		if err := in.keepEvent(unit, e); err != nil {
			return err
		}
	}
	return nil
}
