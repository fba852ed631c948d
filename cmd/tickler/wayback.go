package main

import (
	"context"
	"fmt"
	"os"

	"tickler/api"
	"tickler/scheduler"
)

// newestGood looks for the newest backup that is sound; nil where there is none
// that this user can read.
func (g *global) newestGood(ctx context.Context) *api.Copy {
	return scheduler.NewestGood(ctx, g.data, g.newestDir(), g.prove)
}

// wayBack says, after what is wrong with the store, from what it can be had
// again. It gives whether something was lost: there is a file, an empty one
// perhaps, and a backup of what should be in it.
func (g *global) wayBack(ctx context.Context) (lost bool) {
	if g.proving || g.data == "" {
		return false
	}
	if _, err := os.ReadDir(g.data); err != nil {
		return false // none here, or another user's
	}
	c := g.newestGood(ctx)
	_, err := os.Lstat(g.storePath())
	if err != nil && c == nil {
		return false // nothing was ever here
	}
	fmt.Fprintln(g.stderr, g.newestWords(c))
	g.sayRestore(c)
	return err == nil && c != nil
}

func (g *global) newestWords(c *api.Copy) string {
	if c == nil {
		return fmt.Sprintf(g.tr("未找到完好的备份（已查 %s 与 tickler backup 写过的文件）", "no good backup was found (in %s and among the files that tickler backup wrote)"), g.newestDir())
	}
	return fmt.Sprintf(g.tr("最新的完好备份：%s（营业日 %s，审计链 %s）", "newest good backup: %s (business date %s, audit %s)"), c.File, g.dayOrNone(c.Business), anchorText(c.Audit))
}

// newestDir is where to look: where backups were turned off there may be some
// from before.
func (g *global) newestDir() string {
	if g.backups.Dir != "" {
		return g.backups.Dir
	}
	return defaultBackups(g.data).Dir
}

// sayRestore gives the commands that bring a backup back.
func (g *global) sayRestore(c *api.Copy) {
	if c == nil {
		return
	}
	away := ""
	if _, err := os.Lstat(g.storePath()); err == nil {
		away = fmt.Sprintf("mv %[1]s %[1]s.damaged && ", g.storePath())
	}
	fmt.Fprintf(g.stderr, g.tr("hint: 停止守护进程，保留损坏的文件，再恢复：%stickler%s restore %s\n", "hint: stop the daemon, keep the damaged file, and restore: %stickler%s restore %s\n"), away, g.dataFlag(), c.File)
}
