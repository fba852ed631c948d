package scheduler

import (
	"tickler/loan"
	"tickler/rules"
	"tickler/store"
)

// directory holds the facts that many units share: branches, staff and groups.
// They are read once in a transaction, when first asked for.
type directory struct {
	reach rules.Reach // what the rulebook asks of units other than their own

	branches map[string]*loan.Branch
	staff    map[string]*loan.Staff
	groups   map[string]*loan.Group
	memberOf map[string][]*loan.Group // borrower -> his groups, by id
}

func (d *directory) allBranches(tx *store.Tx) (map[string]*loan.Branch, error) {
	var err error
	if d.branches == nil {
		d.branches, err = tx.Branches()
	}
	return d.branches, err
}

func (d *directory) allStaff(tx *store.Tx) (map[string]*loan.Staff, error) {
	var err error
	if d.staff == nil {
		d.staff, err = tx.Staff()
	}
	return d.staff, err
}

func (d *directory) allGroups(tx *store.Tx) (map[string]*loan.Group, error) {
	if d.groups != nil {
		return d.groups, nil
	}
	groups, err := tx.Groups()
	if err != nil {
		return nil, err
	}
	d.groups, d.memberOf = groups, map[string][]*loan.Group{}
	for _, id := range sortedKeys(groups) {
		for _, m := range groups[id].Members {
			if of := d.memberOf[m.Borrower]; len(of) == 0 || of[len(of)-1] != groups[id] {
				d.memberOf[m.Borrower] = append(of, groups[id])
			}
		}
	}
	return groups, nil
}

func (d *directory) groupsOf(tx *store.Tx, borrower string) ([]*loan.Group, error) {
	_, err := d.allGroups(tx)
	return d.memberOf[borrower], err
}
