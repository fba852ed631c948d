package store

import "tickler/loan"

// MarkDirty notes that a unit is to be derived again.
func (tx *Tx) MarkDirty(unit loan.Ref) error {
	u, err := unitKey(unit)
	if err != nil {
		return err
	}
	return tx.put(bucketDirty, u, 1, nil)
}

// ClearDirty takes the mark away. One that is not there is no error.
func (tx *Tx) ClearDirty(unit loan.Ref) error {
	u, err := unitKey(unit)
	if err != nil {
		return err
	}
	return tx.delete(bucketDirty, u)
}

// Dirty lists the marked units.
func (tx *Tx) Dirty() ([]loan.Ref, error) {
	var out []loan.Ref
	err := tx.scan(bucketDirty, nil, nil, 1, func(key, _ []byte) error {
		r, ok := parseRef(key)
		if !ok {
			return damaged(bucketDirty, key, "it names no unit")
		}
		out = append(out, r)
		return nil
	})
	return out, err
}
