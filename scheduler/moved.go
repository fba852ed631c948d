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
// events.
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
	old.Loans = slices.DeleteFunc(old.Loans, func(x *loan.LoanFile) bool { return x == f })
	d.Loans = append(d.Loans, f)
	sort.Slice(d.Loans, func(i, j int) bool { return d.Loans[i].ID < d.Loans[j].ID })
	in.changed[old.ID], in.changed[d.ID] = true, true
	from, to := borrowerUnit(old.ID), borrowerUnit(d.ID)
	subject := loan.Ref{Kind: loan.KindLoan, ID: id}
	events, err := in.tx.EventsOf(from)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if e.Subject == subject {
			if err := in.tx.PutEvent(to, e); err != nil {
				return nil, err
			}
		}
	}
	plan, err := in.tx.Plan(from)
	if err != nil || plan == nil {
		return f, err
	}
	there, err := in.tx.Plan(to)
	if err != nil {
		return nil, err
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
		return nil, err
	}
	return f, in.tx.PutPlan(there)
}
