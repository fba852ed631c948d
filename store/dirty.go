package store

import "tickler/loan"

// MarkDirty notes that a unit is to be derived again, and why; "" says nothing.
func (tx *Tx) MarkDirty(unit loan.Ref, why string) error {
	u, err := unitKey(unit)
	if err != nil {
		return err
	}
	return tx.put(bucketDirty, u, 1, []byte(why))
}

// ClearDirty takes the mark away. One that is not there is no error.
func (tx *Tx) ClearDirty(unit loan.Ref) error {
	u, err := unitKey(unit)
	if err != nil {
		return err
	}
	return tx.delete(bucketDirty, u)
}

// Dirty calls fn for the marked units in the order of their keys, as long as it
// says to go on.
func (tx *Tx) Dirty(fn func(unit loan.Ref, why string) (more bool)) error {
	err := tx.scan(bucketDirty, nil, nil, 1, func(key, why []byte) error {
		r, ok := parseRef(key)
		if !ok {
			return damaged(bucketDirty, key, "it names no unit")
		}
		if !fn(r, string(why)) {
			return errStop
		}
		return nil
	})
	if err == errStop {
		err = nil
	}
	return err
}
