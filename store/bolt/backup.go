package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tickler/store"
)

// Backup writes a copy of the store, as it is now, under path, which must not
// be there yet. The store goes on working meanwhile. The copy gets its name
// when it was read back, every record of it proved, and is safe on the disk;
// before that nothing is under the name. Where the disk has no room for it
// nothing is begun. What a backup that was killed left in the directory is
// taken away.
func (db *DB) Backup(ctx context.Context, path string) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	path, err := absent(path)
	if err != nil {
		return fmt.Errorf("back up the store: %w", err)
	}
	dir := filepath.Dir(path)
	if err := sweep(dir, copyPattern); err != nil {
		return fmt.Errorf("back up the store: %w", err)
	}
	return placeAs(path, copyPattern, renameNew, func(f *os.File) error {
		// Held while it is written: who sweeps the directory lets it be.
		if err := tryLock(f, true); err != nil {
			return err
		}
		return db.run(ctx, false, func(t *tx) error {
			if err := room(dir, t.tx.Size()); err != nil {
				return err
			}
			return t.copyTo(f)
		})
	})
}

// copyTo writes what a transaction sees as a file that can be gone on with.
func (t *tx) copyTo(f *os.File) error {
	if _, err := t.tx.WriteTo(&ctxWriter{t.ctx, f}); err != nil {
		return err
	}
	return alignHeaders(f)
}

// alignHeaders puts the two headers of a copy where bbolt expects them. It
// writes each change's header to page 0 or 1 by the change's number, but copies
// with the newer one on page 0 always: the first change to an odd copy would
// overwrite the newer header and leave one that is two changes old beside it,
// which is how a lost header looks.
func alignHeaders(f *os.File) error {
	b := make([]byte, 2*pageSize)
	if _, err := f.ReadAt(b, 0); err != nil {
		return err
	}
	m0, ok0 := parseMeta(b)
	m1, ok1 := parseMeta(b[pageSize:])
	if !ok0 || !ok1 || m0.pageSize != pageSize || m0.txid%2 == 0 || m1.txid != m0.txid-1 {
		return nil // as it should be, or for inspect to refuse
	}
	swapped := bytes.Clone(b)
	copy(swapped[pageHeader:pageSize], b[pageSize+pageHeader:])
	copy(swapped[pageSize+pageHeader:], b[pageHeader:pageSize])
	_, err := f.WriteAt(swapped, 0)
	return err
}

// copyPattern names copies that are not whole yet.
const copyPattern = ".tickler-copy-*.tmp"

// sweep removes what copies that were killed left in a directory. Whoever is
// still writing one holds it locked.
func sweep(dir, pattern string) error {
	left, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range left {
		if ours, err := filepath.Match(pattern, e.Name()); err != nil || !ours || !e.Type().IsRegular() {
			continue
		}
		name := filepath.Join(dir, e.Name())
		f, err := os.Open(name)
		if err != nil {
			continue // gone meanwhile, or another user's
		}
		if tryLock(f, false) == nil {
			os.Remove(name)
		}
		f.Close()
	}
	return nil
}

// room says whether a directory has room for a copy of so many bytes, and a
// tenth of it to spare: a backup must not be what fills the disk. Where the
// system does not tell, the copy is tried.
func room(dir string, size int64) error {
	free, ok := freeBytes(dir)
	if need := uint64(size) + uint64(size)/10; ok && free < need {
		return fmt.Errorf("%w in %s: a copy needs %d MiB and %d MiB are free", ErrNoRoom, dir, need>>20+1, free>>20)
	}
	return nil
}

// ErrNoRoom says that a disk has no room for a copy. Nothing was written.
var ErrNoRoom = errors.New("not enough room")

// Restore makes a store at path, where there must be none, from a backup. The
// backup is proved, copied, given to finish as a store to write into, proved
// again and named, as Backup does. finish may be nil.
func Restore(ctx context.Context, backup, path string, finish func(*DB) error) error {
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
	dir := filepath.Dir(path)
	if info, err := src.Stat(); err != nil {
		return fmt.Errorf("restore the store: %w", err)
	} else if err := room(dir, info.Size()); err != nil {
		return fmt.Errorf("restore the store: %w", err)
	}
	pattern := ".tickler-restore-*.tmp" // whose writer holds the store's lock
	if err := sweep(dir, pattern); err != nil {
		return fmt.Errorf("restore the store: %w", err)
	}
	return placeAs(path, pattern, renameNew, func(f *os.File) error {
		if _, err := io.Copy(&ctxWriter{ctx, f}, src); err != nil {
			return err
		}
		if err := alignHeaders(f); err != nil {
			return err
		}
		if finish == nil {
			return nil
		}
		if err := verify(ctx, f.Name()); err != nil {
			return err
		}
		db, err := openFile(f.Name(), Options{})
		if err != nil {
			return err
		}
		return errors.Join(finish(db), db.Close())
	})
}

// OpenCopy opens a backup for reading. No lock is put beside it, and it may be
// on a network disk: nobody writes a backup.
func OpenCopy(path string) (*DB, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("open the copy: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open the copy: %s is no file", path)
	case info.Size() == 0:
		return nil, fmt.Errorf("%s is an empty file: %w", path, store.ErrEmpty)
	}
	db, err := openFile(path, Options{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return db, nil
}

// CheckCopy is Check for a backup.
func CheckCopy(ctx context.Context, path string) (errs []error, err error) {
	return check(ctx, path, func() (*DB, error) { return OpenCopy(path) })
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

// renameChecked is a rename after a look.
func renameChecked(from, to string) error {
	if _, err := absent(to); err != nil {
		return err
	}
	return os.Rename(from, to)
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
	if len(errs) > 1 {
		err = errors.Join(fmt.Errorf("and %d more like it", len(errs)-1), err)
	}
	if len(errs) > 0 {
		err = errors.Join(errs[0], err)
	}
	return err
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
		t.tree.all(true, used.mark, func(leaf page) bool {
			if ctx.Err() != nil {
				return false
			}
			for i := range leaf.n {
				if err := prove(leaf.key(i), leaf.value(i)); err != nil {
					report(err)
				}
			}
			return true
		}, func(err error) { report(damage(err)) })
		return ctx.Err()
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
