package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"tickler/store"
)

// Backup writes a copy of the store, as it is now, under path, which must not
// be there yet. The store goes on working meanwhile. The copy gets its name
// when it was read back, every record of it proved, and is safe on the disk;
// before that nothing is under the name.
func (db *DB) Backup(ctx context.Context, path string) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	path, err := absent(path)
	if err != nil {
		return fmt.Errorf("back up the store: %w", err)
	}
	return place(path, func(f *os.File) error {
		return db.run(ctx, false, func(t *tx) error {
			_, err := t.tx.WriteTo(&ctxWriter{ctx, f})
			return err
		})
	})
}

// Restore makes a store at path, where there must be none, from a backup. The
// backup is proved, copied, proved again and named, as Backup does.
func Restore(ctx context.Context, backup, path string) error {
	path, err := absent(path)
	if err != nil {
		return fmt.Errorf("restore the store: %w", err)
	}
	l, err := takeLock(path, false, Options{}.timeout())
	if err != nil {
		return err
	}
	defer l.release()
	src, err := os.Open(backup)
	if err != nil {
		return fmt.Errorf("restore the store: %w", err)
	}
	defer src.Close()
	if _, _, err := inspect(src, false); err != nil {
		return fmt.Errorf("restore the store from %s: %w", backup, err)
	}
	return place(path, func(f *os.File) error {
		_, err := io.Copy(&ctxWriter{ctx, f}, src)
		return err
	})
}

// absent gives the full name of a file that must not be there.
func absent(path string) (string, error) {
	path, err := resolve(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Lstat(path); err == nil {
		return "", &os.PathError{Op: "create", Path: path, Err: os.ErrExist}
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	return path, nil
}

type ctxWriter struct {
	ctx context.Context
	w   io.Writer
}

func (w *ctxWriter) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(b)
}

// verify reads a whole file that nobody else has, without a lock beside it.
func verify(ctx context.Context, path string) error {
	errs, err := check(ctx, path, func() (*DB, error) { return openFile(path, Options{ReadOnly: true}) })
	return errors.Join(append(errs, err)...)
}

// Check reads a whole store that nobody holds and lists what is wrong with it:
// its headers, its pages, those that are free, and the checksum of every
// record. err says that it could not be looked at: store.ErrNoStore,
// store.ErrLocked, or what the disk said.
func Check(ctx context.Context, path string) (errs []error, err error) {
	return check(ctx, path, func() (*DB, error) { return Open(path, Options{ReadOnly: true}) })
}

func check(ctx context.Context, path string, open func() (*DB, error)) (errs []error, err error) {
	db, err := open()
	if errors.Is(err, store.ErrCorrupt) {
		return []error{err}, nil
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := db.CheckPages(ctx, func(err error) { errs = append(errs, err) }); err != nil {
		return errs, err
	}
	if len(errs) > 0 {
		return errs, nil // bbolt's own check cannot be trusted with such a tree
	}
	err = db.run(ctx, false, func(t *tx) error {
		for err := range t.tx.Check() {
			errs = append(errs, corrupt("%v", err))
		}
		return nil
	})
	return errs, err
}

// CheckPages looks at every page of the tree and at the checksum of every
// record, in one View, and calls report for each that is not sound. On a big
// store at work it keeps old pages from being used again while it lasts: check
// a backup instead.
func (db *DB) CheckPages(ctx context.Context, report func(error)) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	err := db.run(ctx, false, func(t *tx) error {
		used := newBitmap(t.tree.count())
		t.tree.all(true, used.mark, func(leaf page) {
			if ctx.Err() != nil {
				return
			}
			for i := range leaf.n {
				if err := prove(leaf.key(i), leaf.value(i)); err != nil {
					report(err)
				}
			}
		}, func(err error) { report(damage(err)) })
		return nil
	})
	if errors.Is(err, store.ErrCorrupt) {
		report(err)
		return nil
	}
	return err
}

var _ interface {
	store.Backend
	store.Backuper
	store.Checker
	store.Stater
} = (*DB)(nil)
