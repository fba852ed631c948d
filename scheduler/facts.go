package scheduler

import (
	"errors"
	"sort"

	"tickler/calendar"
	"tickler/loan"
	"tickler/store"
)

// gather reads the facts of a unit: a borrower with his loans and collateral,
// an officer or a branch with the loans in their care. It gives the branch
// whose go_live day counts. The directories are read once and kept.
func gather(tx *store.Tx, u loan.Ref, today calendar.Date, branches *map[string]*loan.Branch, staff *map[string]*loan.Staff) (*loan.Facts, string, error) {
	f := &loan.Facts{Today: today}
	var err error
	if f.Events, err = tx.EventsOf(u); err != nil {
		return nil, "", err
	}
	if *branches == nil {
		if *branches, err = tx.Branches(); err != nil {
			return nil, "", err
		}
		if *staff, err = tx.Staff(); err != nil {
			return nil, "", err
		}
	}
	f.Branches, f.Staff = *branches, *staff
	branch := ""
	switch u.Kind {
	case loan.KindBorrower:
		d, err := tx.Dossier(u.ID)
		if err != nil || d == nil {
			return f, "", err
		}
		f.Loans = d.Loans
		if d.Borrower != nil {
			f.Borrowers = map[string]*loan.Borrower{u.ID: d.Borrower}
			branch = d.Borrower.Branch
		}
		for _, l := range d.Loans {
			if v := l.History.At(today); v != nil && branch == "" {
				branch = v.Branch
			}
		}
		if err := collaterals(tx, f, d); err != nil {
			return nil, "", err
		}
	case loan.KindBranch:
		branch = u.ID
		err = tx.DossiersOfBranch(u.ID, func(d *loan.Dossier) error {
			for _, l := range d.Loans {
				if v := l.History.At(today); v != nil && v.Branch == u.ID {
					f.Loans = append(f.Loans, l)
				}
			}
			return nil
		})
	case loan.KindOfficer:
		err = tx.DossiersOfOfficer(u.ID, func(d *loan.Dossier) error {
			for _, l := range d.Loans {
				if v := l.History.At(today); v != nil && v.Officer == u.ID {
					f.Loans = append(f.Loans, l)
					if branch == "" {
						branch = v.Branch
					}
				}
			}
			return nil
		})
		if s := f.Staff[u.ID]; s != nil && s.Branch != "" {
			branch = s.Branch
		}
	}
	sort.Slice(f.Loans, func(i, j int) bool { return f.Loans[i].ID < f.Loans[j].ID })
	return f, branch, err
}

// collaterals adds the collateral of a dossier, and the loans of other
// borrowers that it secures.
func collaterals(tx *store.Tx, f *loan.Facts, d *loan.Dossier) error {
	if len(d.Collaterals) == 0 {
		return nil
	}
	f.Collaterals = map[string]*loan.Collateral{}
	have := map[string]bool{}
	for _, l := range d.Loans {
		have[l.ID] = true
	}
	for _, c := range d.Collaterals {
		f.Collaterals[c.ID] = c
		for _, id := range c.Loans {
			if have[id] {
				continue
			}
			have[id] = true
			owner, err := tx.LoanOwner(id)
			if errors.Is(err, store.ErrNotFound) {
				continue // secured, but not in the ledger
			}
			if err != nil {
				return err
			}
			other, err := tx.Dossier(owner)
			if err != nil {
				return err
			}
			for _, l := range other.Loans {
				if l.ID == id {
					f.Loans = append(f.Loans, l)
				}
			}
		}
	}
	return nil
}
