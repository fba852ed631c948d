package scheduler

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"tickler/api"
	"tickler/loan"
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
		at := slices.IndexFunc(d.Collaterals, func(x *loan.Collateral) bool { return x.ID == c.ID })
		if at >= 0 {
			d.Collaterals[at] = &c
		} else {
			d.Collaterals = append(d.Collaterals, &c)
		}
		in.changed[d.ID] = true
	}
	for i := range in.snap.Branches {
		if err := in.tx.PutBranch(&in.snap.Branches[i]); err != nil {
			return err
		}
		in.plan(branchUnit(in.snap.Branches[i].ID))
	}
	for i := range in.snap.Staff {
		if err := in.tx.PutStaff(&in.snap.Staff[i]); err != nil {
			return err
		}
	}
	for i := range in.snap.Groups {
		if err := in.tx.PutGroup(&in.snap.Groups[i]); err != nil {
			return err
		}
	}
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
		unit, err := in.tx.UnitOf(e.Subject)
		if errors.Is(err, store.ErrNotFound) {
			in.warnings = append(in.warnings, fmt.Sprintf("事件 %s：%s 不在台账中", e.Kind, e.Subject))
			continue
		}
		if err != nil {
			return err
		}
		if err := in.keepEvent(unit, e); err != nil {
			return err
		}
	}
	return nil
}
