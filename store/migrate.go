package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Schema is the form of the store (layout.go) that this program reads and
// writes. A change of any record's form, or of a key's, is a new schema with a
// migration; the stores of testdata/ hold that against every change.
const Schema = 1

// migrations[i] takes a store from schema i+1 to i+2. Released ones stay as they
// are: a store may be of any schema that ever was.
var migrations = []migration{}

// A migration rewrites records a page at a time: it begins at a key, nil the
// first time, and gives the key to go on with, nil after the last page. Each
// page is a transaction of its own, on a copy that nobody else sees.
type migration func(tx *Tx, from []byte) (next []byte, err error)

// Migration is what the audit says of one.
type Migration struct {
	At      time.Time // of the migration
	OSUser  string    // who started the program that did it
	Program string    // its version
	From    int       // schema
	Kept    string    // name of the file that holds the store as it was
	Digest  string    // of that file, sha256: and hex
}

// Head reads the head record whatever the schema; ErrNotFound in a new store.
// Its form never changes, so that every program can say whose the store is.
func (s *Store) Head(ctx context.Context) (m Meta, err error) {
	err = s.backend.View(ctx, func(r Reader) error {
		tx := &Tx{store: s, r: r, dict: s.dict.Load()}
		m, err = tx.Meta()
		return err
	})
	return m, err
}

// Migrate brings a store of an older schema to this program's. Between its
// transactions the store is of no schema at all: it is for a copy.
func (s *Store) Migrate(ctx context.Context, m Migration) error {
	s.sound.Store(true) // of no schema until it is done
	for n := m.From; n < Schema; n++ {
		if n < 1 || n > len(migrations) {
			return fmt.Errorf("no migration from schema %d", n)
		}
		for from, more := []byte(nil), true; more; {
			err := s.Update(ctx, func(tx *Tx) (err error) {
				from, err = migrations[n-1](tx, from)
				return err
			})
			if err != nil {
				return fmt.Errorf("migrate from schema %d: %w", n, err)
			}
			more = from != nil
		}
	}
	return s.Update(ctx, func(tx *Tx) error {
		head, err := tx.Meta()
		if err != nil {
			return err
		}
		detail, err := AuditDetail(map[string]any{"from": m.From, "to": Schema, "kept": m.Kept, "digest": m.Digest, "written_by": head.Program, "program": m.Program})
		if err != nil {
			return err
		}
		if _, err := tx.Audit(Record{At: m.At, Business: head.BusinessDate, OSUser: m.OSUser, Action: "store.migrated", Detail: detail, Rulebook: head.Rulebook, Calendar: head.Calendar}); err != nil {
			return err
		}
		head.Schema, head.Program = Schema, m.Program
		return tx.PutMeta(head)
	})
}

// checkSchema refuses a store that this program cannot read.
func (tx *Tx) checkSchema() error {
	if tx.store.sound.Load() {
		return nil
	}
	m, err := tx.Meta()
	switch {
	case errors.Is(err, ErrNotFound): // new, or the first transaction makes it
		return nil
	case err != nil:
		return err
	case m.Schema > Schema:
		return m.newer()
	case m.Schema < Schema:
		return fmt.Errorf("%w (schema %d; this program writes %d)", ErrOlder, m.Schema, Schema)
	}
	tx.store.sound.Store(true)
	return nil
}

// newer says whose the store is.
func (m *Meta) newer() error {
	by := ""
	if m.Program != "" {
		by = ", written by version " + m.Program
	}
	return fmt.Errorf("%w (schema %d%s; this program knows schema %d)", ErrNewer, m.Schema, by, Schema)
}
