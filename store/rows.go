package store

import (
	"encoding/json"
	"fmt"

	"tickler/loan"
)

// Rows are small facts in tables, as JSON. The store's own tables are branch,
// staff and group; callers may keep others.
const (
	tableBranch = "branch"
	tableStaff  = "staff"
	tableGroup  = "group"
)

func rowKey(table, id string) []byte {
	return append(appendText(nil, table), id...)
}

// PutRow keeps v, as JSON, under a table and an id.
func (tx *Tx) PutRow(table, id string, v any) error {
	if table == "" {
		return fmt.Errorf("store: a row needs a table")
	}
	return tx.putJSON(bucketRow, rowKey(table, id), v)
}

// Row reads a row into v; ErrNotFound where there is none.
func (tx *Tx) Row(table, id string, v any) error {
	ok, err := tx.getJSON(bucketRow, rowKey(table, id), v)
	if err == nil && !ok {
		err = fmt.Errorf("%s %q: %w", table, id, ErrNotFound)
	}
	return err
}

// DeleteRow removes a row. One that is not there is no error.
func (tx *Tx) DeleteRow(table, id string) error {
	return tx.delete(bucketRow, rowKey(table, id))
}

// Rows calls fn for a table's rows in the order of their ids.
func (tx *Tx) Rows(table string, fn func(id string, row json.RawMessage) error) error {
	prefix := appendText(nil, table)
	return tx.scan(bucketRow, prefix, prefixEnd(prefix), jsonVersion, func(key, payload []byte) error {
		return fn(string(key[len(prefix):]), append(json.RawMessage(nil), payload...))
	})
}

func rowsAs[T any](tx *Tx, table string) (map[string]*T, error) {
	out := map[string]*T{}
	err := tx.Rows(table, func(id string, row json.RawMessage) error {
		v := new(T)
		if err := json.Unmarshal(row, v); err != nil {
			return damaged(bucketRow, rowKey(table, id), "%v", err)
		}
		out[id] = v
		return nil
	})
	return out, err
}

// Branches gives every branch by its id.
func (tx *Tx) Branches() (map[string]*loan.Branch, error) {
	return rowsAs[loan.Branch](tx, tableBranch)
}

// PutBranch keeps a branch.
func (tx *Tx) PutBranch(b *loan.Branch) error { return tx.PutRow(tableBranch, b.ID, b) }

// Staff gives every person by his id.
func (tx *Tx) Staff() (map[string]*loan.Staff, error) { return rowsAs[loan.Staff](tx, tableStaff) }

// PutStaff keeps a person.
func (tx *Tx) PutStaff(s *loan.Staff) error { return tx.PutRow(tableStaff, s.ID, s) }

// Groups gives every group by its id.
func (tx *Tx) Groups() (map[string]*loan.Group, error) { return rowsAs[loan.Group](tx, tableGroup) }

// PutGroup keeps a group.
func (tx *Tx) PutGroup(g *loan.Group) error { return tx.PutRow(tableGroup, g.ID, g) }
