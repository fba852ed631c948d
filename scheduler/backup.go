package scheduler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tickler/api"
	"tickler/store"
)

// Prover reads a whole copy of a store and says what is in it; it is
// store.ErrCorrupt where the copy is not sound. It must stand whatever a
// damaged file does to whoever reads it.
type Prover func(ctx context.Context, file string) (*api.Copy, error)

// Backup writes a copy of the store to a new file, proves it, and keeps that it
// was made.
func (s *Scheduler) Backup(ctx context.Context, actor Actor, r api.BackupRequest) (*api.Copy, error) {
	if err := s.allowed(As(ctx, actor), actBackup, true); err != nil { // it holds every branch
		return nil, err
	}
	if !filepath.IsAbs(r.File) {
		return nil, api.Errorf(api.Usage, "name the whole path", "backup to %q: not an absolute path", r.File)
	}
	c, err := s.backup(ctx, actor, r.File, nil)
	if err != nil {
		return nil, refine(err)
	}
	return c, nil
}

// backup makes one copy at a time. then, where it is set, does what belongs to
// the copy once it is proved, and adds to its record.
func (s *Scheduler) backup(ctx context.Context, actor Actor, file string, then func(*api.Copy) (map[string]any, error)) (*api.Copy, error) {
	s.copying.Lock()
	defer s.copying.Unlock()
	if s.cfg.Prove == nil {
		return nil, fmt.Errorf("back up this store: %w", errors.ErrUnsupported)
	}
	if err := s.cfg.Store.Backup(ctx, file); err != nil {
		hint := "name a directory that is there, with room for a copy of the store"
		if errors.Is(err, fs.ErrExist) {
			hint = "a backup overwrites nothing: name a new file (不覆盖已有文件)"
		}
		if errors.Is(err, store.ErrCorrupt) || ctx.Err() != nil {
			return nil, err
		}
		return nil, api.Errorf(api.Failed, hint, "%v", err)
	}
	c, err := s.cfg.Prove(ctx, file)
	if err != nil {
		os.Remove(file) // it was made here, and nobody may trust it
		return nil, fmt.Errorf("read the copy %s again: %w", file, err)
	}
	detail := map[string]any{"file": file, "size": c.Size, "digest": c.Digest, "business": c.Business, "audit": c.Audit}
	if then != nil {
		more, err := then(c)
		if err != nil {
			return nil, err
		}
		for k, v := range more {
			detail[k] = v
		}
	}
	if err := s.remember(file); err != nil {
		s.log.Warn("note where the backup is", "file", file, "error", err)
	}
	now := s.moment()
	err = s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		return underStanding(&meta, actor, now).write(tx, "store.backup", "", detail)
	})
	if err != nil {
		return nil, fmt.Errorf("the copy %s is made and sound, but not in the audit trail: %w", file, err)
	}
	return c, nil
}

// created is when the store was made.
func (s *Scheduler) created(ctx context.Context) (at time.Time, err error) {
	err = s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		at = meta.Created
		return err
	})
	return at, err
}

// RestoreOptions say from what a store was restored.
type RestoreOptions struct {
	Copy   api.Copy
	OSUser string
	Now    time.Time // zero is this moment
}

// Restored keeps, in a store that is being restored, where it came from. What
// was missed since its business date the next scan makes up, as after any time
// in which nobody scanned.
func Restored(ctx context.Context, st *store.Store, o RestoreOptions) error {
	if o.Now.IsZero() {
		o.Now = Now()
	}
	return st.Update(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		by := underStanding(&meta, Actor{OSUser: o.OSUser}, o.Now.UTC().Truncate(time.Second))
		return by.write(tx, "store.restored", "", map[string]any{"file": o.Copy.File, "size": o.Copy.Size, "digest": o.Copy.Digest,
			"business": o.Copy.Business, "audit": o.Copy.Audit})
	})
}

// BookInForce gives the text of the rulebook that a store ran last; nil where
// it never ran one.
func BookInForce(ctx context.Context, st *store.Store) (text []byte, err error) {
	err = st.View(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil || meta.Rulebook == "" {
			return err
		}
		text, err = tx.Book(meta.Rulebook)
		return err
	})
	return text, err
}
