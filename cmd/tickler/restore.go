package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
)

func newRestoreCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "restore FILE [flags]",
		Short: "Make the store from a backup · 恢复",
		Long: `restore proves a backup, copies it into the data directory as the store, and proves
the copy. It overwrites nothing: move a damaged store away first, and keep it.
It refuses while a daemon runs.

That it was restored, and from which file, is in the audit trail. What was done
after the backup is lost and has to be recorded again: files imported, events,
signatures. The next import and scan make up for the days since; what was raised
before the backup is not raised again.

Where the data directory has no rules.yaml, that of the backup is put there.`,
		Example: `  mv tickler-data/tickler.db tickler-data/tickler.db.damaged
  tickler restore /mnt/backup/tickler-monday.db
  tickler tick`,
		Args: nArgs("FILE"),
		RunE: func(c *cobra.Command, args []string) error { return runRestore(c.Context(), g, args[0]) },
	}
	exits(c, exitOK, exitFailed, exitUsage, exitFindings, exitLocked, exitNotAllowed, exitInterrupted)
	return c
}

func runRestore(ctx context.Context, g *global, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if c, err := g.dial(ctx); err != nil {
		return err
	} else if c != nil {
		return api.Errorf(api.Locked, "stop the daemon first", "restore into %q: a daemon runs on it (守护进程正在运行)", g.data)
	}
	if _, err := os.Lstat(g.storePath()); err == nil {
		return api.Errorf(api.Failed, fmt.Sprintf("move it away and keep it, then try again: mv %[1]s %[1]s.old", g.storePath()),
			"there is a store in %q already; restore overwrites nothing (不覆盖已有数据库)", g.data)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore: %w", err)
	}
	done := g.busy(g.tr("正在恢复", "restoring"))
	copied, err := g.restore(ctx, file)
	done()
	if err != nil {
		return err
	}
	if g.output == "json" {
		return writeJSON(g.stdout, copied)
	}
	fmt.Fprintf(g.stdout, g.tr("已从 %s 恢复并校验\n备份的营业日 %s，其审计链 %s\n", "restored and verified from %s\nbusiness date of the copy %s, its audit %s\n"),
		copied.File, g.dayOrNone(copied.Business), anchorText(copied.Audit))
	fmt.Fprintln(g.stderr, g.tr("下一步：补导备份之后的台账，补录之后办理的事项，再 tickler tick 或启动守护进程",
		"next: import the ledgers and record what was done since the backup, then \"tickler tick\" or start the daemon"))
	return nil
}

// restore makes the store. The record of it is in the file before the file has
// its name.
func (g *global) restore(ctx context.Context, file string) (*api.Copy, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, api.Errorf(api.Failed, "name a file that \"tickler backup\" or the daemon wrote", "restore: %v", err)
	}
	copied, err := g.prove(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", notThisCopy(err))
	}
	if err := os.MkdirAll(filepath.Join(g.data, calendarDir), 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	if err := g.owned(); err != nil {
		return nil, err
	}
	book := filepath.Join(g.data, "rules.yaml")
	err = bolt.Restore(ctx, file, g.storePath(), func(db *bolt.DB) error {
		st := store.New(db)
		if err := scheduler.Restored(ctx, st, scheduler.RestoreOptions{Copy: *copied, OSUser: osUser(), Now: g.now()}); err != nil {
			return err
		}
		if _, err := os.Stat(book); g.rules != "" || err == nil {
			return nil
		}
		text, err := scheduler.BookInForce(ctx, st)
		if err != nil || text == nil {
			return err
		}
		return writeFile(book, text, 0o600)
	})
	if err != nil {
		return nil, notThisCopy(err)
	}
	return copied, nil
}

// notThisCopy says of a damaged backup that it is not the one to take.
func notThisCopy(err error) error {
	if errors.Is(err, store.ErrCorrupt) || api.CodeOf(err) == api.Damaged {
		return api.Errorf(api.Damaged, "this backup is damaged: take an older one; nothing was restored (备份已损坏，未恢复)", "%v", err)
	}
	return err
}
