package bolt

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Scratch gives a copy of the store as it is now, for work that is thrown
// away: it is in a file of its own under dir ("" is the system's place for
// such files), nothing is synced, and nobody is held off. Where the system
// lets an open file lose its name, the file has none from the beginning, so
// that nothing of the customers is left behind however the process ends.
//
// The store goes on working meanwhile and is not changed.
func (db *DB) Scratch(ctx context.Context, dir string) (*DB, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(dir, "tickler-scratch-") // 0700: the owner's alone
	if err != nil {
		return nil, fmt.Errorf("copy the store: %w", err)
	}
	c, err := db.scratch(ctx, filepath.Join(dir, "tickler.db"))
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("copy the store to %s: %w", dir, err)
	}
	c.scratchDir = dir
	os.RemoveAll(dir) // or else Close does it
	return c, nil
}

func (db *DB) scratch(ctx context.Context, path string) (*DB, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	err = db.run(ctx, false, func(t *tx) error {
		return t.copyTo(f)
	})
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	c, err := openFile(path, Options{})
	if err != nil {
		return nil, err
	}
	c.bolt.NoSync = true
	return c, nil
}
