package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/calendar"
)

func newBackupCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "backup FILE [flags]",
		Short: "Copy the store while it works, and prove the copy · 备份",
		Long: `backup writes a copy of the database to FILE, which must not be there yet. A daemon
goes on working meanwhile and writes the file itself, readable for its own user
alone. The copy is one exact state. It gets its name when every record of it was
read back and proved and it is safe on the disk: a backup that was killed, or for
which there was no room, leaves nothing under the name.

The copy holds the database: facts, duties, rulebooks and calendars that were in
force, people, the audit trail. Not in it are rules.yaml, config.yaml, calendar/
and the files of evidence/: copy those as well.

The daemon makes such copies by itself as config.yaml says (backup:).`,
		Example: `  tickler backup /mnt/backup/tickler-monday.db
  tickler backup monday.db -o json`,
		Args: nArgs("FILE"),
		RunE: func(c *cobra.Command, args []string) error { return runBackup(c.Context(), g, args[0]) },
	}
	exits(c, exitOK, exitFailed, exitUsage, exitFindings, exitNoStore, exitLocked, exitNotAllowed, exitInterrupted)
	return c
}

func runBackup(ctx context.Context, g *global, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	done := g.busy(g.tr("正在备份", "copying"))
	var r *api.Copy
	err = g.withClient(ctx, func(c *api.Client) (err error) {
		r, err = c.Backup(ctx, api.BackupRequest{File: file})
		return err
	})
	done()
	if err != nil {
		return err
	}
	if g.output == "json" {
		return writeJSON(g.stdout, r)
	}
	fmt.Fprintf(g.stdout, g.tr("已备份并校验：%s\n大小 %s，营业日 %s，审计链 %s\n", "backed up and verified: %s\n%s, business date %s, audit %s\n"),
		r.File, bytesText(r.Size), g.dayOrNone(r.Business), anchorText(r.Audit))
	return nil
}

// bytesText is a file's size for people.
func bytesText(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", (n+1023)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// dayOrNone is a business date, which a store has from its first import or scan
// on.
func (g *global) dayOrNone(d calendar.Date) string {
	if d.IsZero() {
		return g.tr("（无）", "(none)")
	}
	return d.String()
}
