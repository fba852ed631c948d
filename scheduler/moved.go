package scheduler

import (
	"errors"
	"slices"
	"sort"

	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

// moveHere brings a loan that another borrower had, with its obligations and
// events, and the collateral that is kept with it.
func (in *intake) moveHere(d *loan.Dossier, id string) (*loan.LoanFile, error) {
	owner, err := in.tx.LoanOwner(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	old, err := in.dossier(owner)
	if err != nil {
		return nil, err
	}
	f := fileOf(old, id)
	if f == nil {
		return nil, nil
	}
	in.moved = true
	old.Loans = slices.DeleteFunc(old.Loans, func(x *loan.LoanFile) bool { return x == f })
	d.Loans = append(d.Loans, f)
	sort.Slice(d.Loans, func(i, j int) bool { return d.Loans[i].ID < d.Loans[j].ID })
	in.touched[old.ID], in.touched[d.ID] = true, true
	if err := in.moveUnit(old.ID, d.ID, loan.Ref{Kind: loan.KindLoan, ID: id}); err != nil {
		return nil, err
	}
	for _, c := range slices.Clone(old.Collaterals) {
		if c.Loans[0] == id {
			if err := in.moveCollateral(old, d, c); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// collateralHere brings a collateral that stood with another borrower's loan.
func (in *intake) collateralHere(d *loan.Dossier, id string) error {
	owner, err := in.tx.CollateralOwner(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && owner == d.ID {
		return nil
	}
	if err != nil {
		return err
	}
	old, err := in.dossier(owner)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(old.Collaterals, func(c *loan.Collateral) bool { return c.ID == id })
	if i < 0 {
		return nil // moved with its loan
	}
	return in.moveCollateral(old, d, old.Collaterals[i])
}

func (in *intake) moveCollateral(old, d *loan.Dossier, c *loan.Collateral) error {
	old.Collaterals = slices.DeleteFunc(old.Collaterals, func(x *loan.Collateral) bool { return x == c })
	d.Collaterals = append(d.Collaterals, c)
	in.touched[old.ID], in.touched[d.ID] = true, true
	return in.moveUnit(old.ID, d.ID, loan.Ref{Kind: loan.KindCollateral, ID: c.ID})
}

// moveUnit brings the obligations and events of a subject from one borrower to
// another.
func (in *intake) moveUnit(old, here string, subject loan.Ref) error {
	from, to := borrowerUnit(old), borrowerUnit(here)
	events, err := in.tx.EventsOf(from)
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Subject == subject {
			if err := in.tx.PutEvent(to, e); err != nil {
				return err
			}
		}
	}
	plan, err := in.tx.Plan(from)
	if err != nil || plan == nil {
		return err
	}
	there, err := in.tx.Plan(to)
	if err != nil {
		return err
	}
	if there == nil {
		there = &store.Plan{Unit: to}
	}
	var stay []obligation.Obligation
	for _, o := range plan.Obligations {
		if o.Subject == subject {
			there.Obligations = append(there.Obligations, o)
		} else {
			stay = append(stay, o)
		}
	}
	plan.Obligations = stay
	if err := in.tx.PutPlan(plan); err != nil {
		return err
	}
	return in.tx.PutPlan(there)
}
