package bolt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tickler/store"
)

// Upgrade brings a store of an older schema to this program's, and gives the
// name of the file that keeps it as it was. One that is not older is left alone.
//
// The store is proved and copied; the copy is migrated, proved, and safe on the
// disk before it takes the name. The old file itself is never written: it gets a
// second name first (path.schemaN-moment) and only loses the one that the new
// file takes. So whenever the process ends there is a whole old store or a whole
// new one under the name, and a second Upgrade begins anew.
func Upgrade(ctx context.Context, path string, o Options, m store.Migration) (kept string, err error) {
	if path, err = resolve(path); err != nil {
		return "", err
	}
	l, err := takeLock(path, false, o.timeout())
	if err != nil {
		return "", err
	}
	defer l.release()
	old, err := openFile(path, o)
	if err != nil {
		return "", err
	}
	defer old.Close()
	head, err := store.New(old).Head(ctx)
	if err != nil || head.Schema >= store.Schema {
		return "", err
	}
	if err := discardDrafts(path); err != nil {
		return "", err
	}
	var damaged []error
	if err := old.CheckPages(ctx, func(err error) { damaged = append(damaged, err) }); err != nil || len(damaged) > 0 {
		return "", errors.Join(append(damaged, err)...)
	}
	if kept, err = keptName(path, head.Schema, m.At); err != nil {
		return "", err
	}
	if m.Digest, err = digest(path); err != nil {
		return "", err
	}
	m.From, m.Kept = head.Schema, filepath.Base(kept)
	name, err := draft(path, filepath.Base(path)+".*.tmp", func(f *os.File) error { return old.migrated(ctx, f, m) })
	if err != nil {
		return "", fmt.Errorf("the store stays as it was: %w", err)
	}
	defer os.Remove(name) // which it no longer has when all went well
	if err := old.Close(); err != nil {
		return "", err
	}
	if err := os.Link(path, kept); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("the store stays as it was: keep it under a second name: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return "", fmt.Errorf("the store stays as it was: %w", err)
	}
	if err := os.Rename(name, path); err != nil {
		return "", fmt.Errorf("the store stays as it was: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return "", fmt.Errorf("%w: %w", store.ErrOutcomeUnknown, err)
	}
	return kept, nil
}

// migrated writes a migrated copy of the store into a file.
func (db *DB) migrated(ctx context.Context, f *os.File, m store.Migration) error {
	err := db.run(ctx, false, func(t *tx) error {
		_, err := t.tx.WriteTo(&ctxWriter{ctx, f})
		return err
	})
	if err != nil {
		return err
	}
	work, err := openFile(f.Name(), Options{})
	if err != nil {
		return err
	}
	work.bolt.NoSync = true // draft syncs the whole
	return errors.Join(store.New(work).Migrate(ctx, m), work.Close())
}

// keptName is where the old store is kept: the name that an Upgrade gave it
// which was ended before it could take the other away, or a new one.
func keptName(path string, schema int, at time.Time) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	names, err := filepath.Glob(path + ".schema*-*")
	if err != nil {
		return "", err
	}
	for _, n := range names {
		if other, err := os.Stat(n); err == nil && os.SameFile(info, other) {
			return n, nil
		}
	}
	name := fmt.Sprintf("%s.schema%d-%s", path, schema, at.UTC().Format("20060102T150405Z"))
	if _, err := os.Lstat(name); err == nil {
		return "", &os.PathError{Op: "keep the old store", Path: name, Err: os.ErrExist}
	}
	return name, nil
}

// discardDrafts removes what a process that was ended left half written. The
// caller holds the lock, as everybody does who writes a draft of the store.
func discardDrafts(path string) error {
	names, err := filepath.Glob(path + ".*.tmp")
	for _, n := range names {
		err = errors.Join(err, os.Remove(n))
	}
	return err
}

func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}
