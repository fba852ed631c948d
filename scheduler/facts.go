package scheduler

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
	"tickler/rules"
	"tickler/store"
)

// gather reads the facts of a unit: a borrower with his loans and collateral,
// an officer or a branch with the loans in their care, a group with those of
// its members.
func gather(tx *store.Tx, u loan.Ref, today calendar.Date, dir *directory) (*loan.Facts, error) {
	f := &loan.Facts{Today: today}
	events, err := tx.EventsOf(u)
	if err != nil {
		return nil, err
	}
	f.Events = standing(events)
	if f.Branches, err = dir.allBranches(tx); err != nil {
		return nil, err
	}
	if f.Staff, err = dir.allStaff(tx); err != nil {
		return nil, err
	}
	switch u.Kind {
	case loan.KindBorrower:
		err = ofBorrower(tx, u, f, dir)
	case loan.KindBranch:
		err = ofBranch(tx, u, f, dir)
	case loan.KindOfficer:
		err = ofOfficer(tx, u, f, dir)
	case loan.KindGroup:
		err = ofGroup(tx, u, f, dir)
	}
	slices.SortFunc(f.Loans, func(a, b *loan.LoanFile) int { return strings.Compare(a.ID, b.ID) })
	return f, err
}

func ofBorrower(tx *store.Tx, u loan.Ref, f *loan.Facts, dir *directory) error {
	d, err := tx.Dossier(u.ID)
	if err != nil || d == nil {
		return err
	}
	f.Loans = d.Loans
	if d.Borrower != nil {
		f.Borrowers = map[string]*loan.Borrower{u.ID: d.Borrower}
	}
	groups, err := dir.groupsOf(tx, u.ID)
	if err != nil {
		return err
	}
	if len(groups) > 0 {
		f.Groups = map[string]*loan.Group{}
		for _, g := range groups {
			f.Groups[g.ID] = g
		}
	}
	return collaterals(tx, f, d)
}

func ofBranch(tx *store.Tx, u loan.Ref, f *loan.Facts, dir *directory) error {
	err := tx.DossiersOfBranch(u.ID, func(d *loan.Dossier) error {
		for _, l := range d.Loans {
			if v := l.History.At(f.Today); v != nil && v.Branch == u.ID {
				f.Loans = append(f.Loans, l)
			}
		}
		return relate(tx, f, borrowerUnit(d.ID), dir.reach.Borrower)
	})
	if err != nil || len(dir.reach.Below) == 0 {
		return err
	}
	for _, id := range sortedKeys(f.Branches) {
		if f.Branches[id].Parent == u.ID && id != u.ID {
			if err := relate(tx, f, branchUnit(id), dir.reach.Below); err != nil {
				return err
			}
		}
	}
	return nil
}

func ofOfficer(tx *store.Tx, u loan.Ref, f *loan.Facts, dir *directory) error {
	f.Borrowers = map[string]*loan.Borrower{}
	return tx.DossiersOfOfficer(u.ID, func(d *loan.Dossier) error {
		manages := d.Borrower != nil && d.Borrower.RiskManager == u.ID
		if manages {
			f.Borrowers[d.ID] = d.Borrower
		}
		for _, l := range d.Loans {
			if v := l.History.At(f.Today); v != nil && (manages || v.Officer == u.ID) {
				f.Loans = append(f.Loans, l)
			}
		}
		return relate(tx, f, borrowerUnit(d.ID), dir.reach.Officer)
	})
}

func ofGroup(tx *store.Tx, u loan.Ref, f *loan.Facts, dir *directory) error {
	groups, err := dir.allGroups(tx)
	if err != nil || groups[u.ID] == nil {
		return err
	}
	g := groups[u.ID]
	f.Groups = map[string]*loan.Group{u.ID: g}
	seen := map[string]bool{}
	for _, m := range g.Members {
		if seen[m.Borrower] {
			continue
		}
		seen[m.Borrower] = true
		d, err := tx.Dossier(m.Borrower)
		if err != nil {
			return err
		}
		if d == nil {
			continue // another bank's, or not yet lent to
		}
		f.Loans = append(f.Loans, d.Loans...)
	}
	return nil
}

// relate adds the events of another unit that count or close here.
func relate(tx *store.Tx, f *loan.Facts, u loan.Ref, kinds []string) error {
	if len(kinds) == 0 {
		return nil
	}
	events, err := tx.EventsOf(u)
	if err != nil {
		return err
	}
	for _, e := range standing(events) {
		if slices.Contains(kinds, e.Kind) {
			f.Related = append(f.Related, e)
		}
	}
	return nil
}

func sortedKeys[T any](m map[string]T) []string {
	return slices.Sorted(maps.Keys(m))
}

// collaterals adds the collateral of a dossier, and the loans of other
// borrowers that it secures.
func collaterals(tx *store.Tx, f *loan.Facts, d *loan.Dossier) error {
	if len(d.Collaterals) == 0 {
		return nil
	}
	f.Collaterals = map[string]*loan.Collateral{}
	have, related := map[string]bool{}, map[string]bool{}
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
			if related[owner] {
				continue
			}
			related[owner] = true
			if err := relate(tx, f, borrowerUnit(owner), rules.Warnings); err != nil {
				return err
			}
		}
	}
	return nil
}
