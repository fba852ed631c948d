package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/scheduler"
)

func newRebuildCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "rebuild [flags]",
		Short: "Make indexes and lost plans again from facts, rules and audit · 重建",
		Long: `rebuild makes the indexes of the store again, and every plan that is missing or
cannot be read: from the facts, the rulebooks and calendars that were in force,
and what the audit trail says of each duty. Plans that can be read stay as they
are. It copies the file first, does everything in one change or nothing, and may
be run again.

It mends what "tickler check" finds in indexes and plans. Facts, events, people
and the audit trail are what it builds from: where those are damaged, restore a
backup instead. It refuses while a daemon runs.

What no record has does not come back: that a duty was cancelled, moved or given
to another person before it was ever raised.`,
		Example: `  tickler rebuild
  tickler rebuild -o json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runRebuild(c.Context(), g) },
	}
	exits(c, exitOK, exitFailed, exitUsage, exitFindings, exitNoStore, exitLocked, exitNotAllowed, exitInterrupted)
	return c
}

func runRebuild(ctx context.Context, g *global) error {
	if c, err := g.dial(ctx); err != nil {
		return err
	} else if c != nil {
		return api.Errorf(api.Locked, "stop the daemon first", "rebuild %q: a daemon runs on it (守护进程正在运行)", g.data)
	}
	if err := g.owned(); err != nil {
		return err
	}
	st, err := g.openStore(ctx, lockWait)
	if err != nil {
		return err
	}
	done := g.busy(g.tr("正在重建", "rebuilding"))
	r, err := func() (*api.RebuildReply, error) {
		kept, err := keepFile(g.storePath(), g.now())
		if err != nil {
			return nil, err
		}
		r, err := scheduler.Rebuild(ctx, st, scheduler.Actor{OSUser: osUser()}, g.now())
		if err == nil {
			r.Copy = kept
		}
		return r, err
	}()
	done()
	if closeErr := st.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("close the store: %w", closeErr)
	}
	if err != nil {
		return err
	}
	if g.output == "json" {
		return writeJSON(g.stdout, r)
	}
	fmt.Fprintf(g.stdout, g.tr("索引已重建；计划：保留 %d 户，重建 %d 户共 %d 项，其中无法读取而重建 %d 户\n原文件副本：%s\n",
		"indexes made again; plans: %d kept, %d made again with %d duties, %d of them because they could not be read\ncopy of the file as it was: %s\n"),
		r.Kept, r.Plans, r.Obligations, r.Dropped, r.Copy)
	if len(r.Unknown) > 0 {
		fmt.Fprintf(g.stderr, g.tr("以下事项仅余审计记录所载，日期与责任人不全：%s\n", "of these only what the audit says is left, without all of their days and owners: %s\n"), strings.Join(r.Unknown, " "))
	}
	fmt.Fprintln(g.stderr, g.tr("下一步：tickler check，再 tickler tick", `next: "tickler check", then "tickler tick"`))
	return nil
}

// keepFile copies the database as it is, damage and all: a backup would refuse
// it. The caller holds the store.
func keepFile(path string, now time.Time) (to string, err error) {
	to = path + ".before-rebuild-" + now.UTC().Format("20060102T150405Z")
	in, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("copy the store: %w", err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("copy the store: %w", err)
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		os.Remove(to)
		return "", fmt.Errorf("copy the store: %w", err)
	}
	return to, nil
}
