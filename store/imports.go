package store

import (
	"errors"
	"time"

	"tickler/calendar"
)

// Import is one ledger file that was taken in.
type Import struct {
	Digest   string        `json:"digest"` // of the file, sha256:…
	Name     string        `json:"name"`
	DataDate calendar.Date `json:"data_date"`
	Branches []string      `json:"branches,omitempty"` // whose loans it held
	At       time.Time     `json:"at"`
	By       string        `json:"by,omitempty"`

	Rows    int `json:"rows"`
	New     int `json:"new"`
	Changed int `json:"changed"`
	Gone    int `json:"gone"`
	Events  int `json:"events"`
}

// PutImport keeps an import. One of the same data date and digest is replaced.
func (tx *Tx) PutImport(im Import) error {
	if im.Digest == "" {
		return errors.New("store: an import needs its file's digest")
	}
	return tx.putJSON(bucketImport, append(appendDay(nil, im.DataDate), im.Digest...), im)
}

// Imports calls fn for every import, by data date.
func (tx *Tx) Imports(fn func(Import) error) error {
	return scanAs(tx, bucketImport, nil, nil, fn)
}

// ImportsOf gives the imports of one data date.
func (tx *Tx) ImportsOf(d calendar.Date) ([]Import, error) {
	var out []Import
	prefix := appendDay(nil, d)
	err := scanAs(tx, bucketImport, prefix, prefixEnd(prefix), func(im Import) error {
		out = append(out, im)
		return nil
	})
	return out, err
}

// LastDataDate gives the newest data date of a branch, zero where it has none.
// The branch "" is for files that name none.
func (tx *Tx) LastDataDate(branch string) (calendar.Date, error) {
	key := appendText(nil, branch)
	p, err := tx.get(bucketDataDate, key, 1)
	if err != nil || p == nil {
		return 0, err
	}
	d, rest, ok := cutDay(p)
	if !ok || len(rest) != 0 {
		return 0, damaged(bucketDataDate, key, "%v", errBadRecord)
	}
	return d, nil
}

// SetLastDataDate keeps the newest data date of a branch.
func (tx *Tx) SetLastDataDate(branch string, d calendar.Date) error {
	return tx.put(bucketDataDate, appendText(nil, branch), 1, appendDay(nil, d))
}
