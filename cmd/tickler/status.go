package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/obligation"
)

func newStatusCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "How the store and its daemon are · 运行状况",
		Long: `status says whether a daemon runs, which day it is for the store, what is in force
and what is wrong. It exits 1 when something is.`,
		Example: `  tickler status
  tickler status -o json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runStatus(c.Context(), g) },
	}
	exits(c, storeExits...)
	return c
}

func runStatus(ctx context.Context, g *global) error {
	return g.withClient(ctx, func(c *api.Client) error {
		r, err := c.Status(ctx)
		if err != nil {
			return err
		}
		if g.output == "json" {
			err = writeJSON(g.stdout, r)
		} else {
			err = g.writeStatus(r)
		}
		if err == nil && !r.Healthy {
			return status(exitFailed)
		}
		return err
	})
}

func (g *global) writeStatus(r *api.StatusReply) error {
	health := g.tr("正常", "healthy")
	if !r.Healthy {
		health = g.tr("异常", "UNHEALTHY")
	}
	daemon := g.tr("未运行（本命令直接打开数据库）", "not running (this command opened the store itself)")
	if r.Daemon {
		daemon = g.tr("运行中", "running")
		if r.Started != nil {
			daemon += g.tr("，启动于 ", ", since ") + g.moment(*r.Started)
		}
	}
	var states []string
	for _, s := range obligation.States {
		if n := r.Counts[string(s)]; n > 0 {
			states = append(states, g.state(s)+" "+strconv.Itoa(n))
		}
	}
	if n := r.Counts["overdue"]; n > 0 {
		states = append(states, g.tr("其中逾期 ", "of them overdue ")+strconv.Itoa(n))
	}
	cal := g.tr("确定至 ", "firm through ") + r.Calendar.FirmThrough.String()
	if r.Calendar.Level != "" && r.Calendar.Level != "ok" {
		cal += g.tr(fmt.Sprintf("，缺 %d 年放假通知（%s）", r.Calendar.MissingYear, r.Calendar.Level), fmt.Sprintf(", the notice for %d is missing (%s)", r.Calendar.MissingYear, r.Calendar.Level))
	}
	never := g.tr("尚无", "none yet")
	tick := never
	if r.LastTick != nil && !r.LastTick.IsZero() {
		tick = g.moment(*r.LastTick)
	}
	business := r.Business.String()
	if business == "" {
		business = never
	}
	window := r.WindowEnd.String()
	if window == "" {
		window = never
	}
	book := r.Rulebook.File
	if book == "" {
		book = g.tr("内置", "embedded")
	}
	var b strings.Builder
	writeFields(&b, []field{
		{g.tr("状况", "health"), health},
		{g.tr("守护进程", "daemon"), daemon},
		{g.tr("版本", "version"), r.Version},
		{g.tr("数据目录", "data"), r.Data},
		{g.tr("营业日", "business day"), business},
		{g.tr("上线日", "go-live"), r.GoLive.String()},
		{g.tr("计划至", "planned to"), window},
		{g.tr("上次扫描", "last scan"), tick},
		{g.tr("借据", "loans"), strconv.Itoa(r.Loans)},
		{g.tr("事项", "obligations"), strings.Join(states, g.tr("，", ", "))},
		{g.tr("规则簿", "rulebook"), strings.TrimSpace(book + "  " + shortDigest(r.Rulebook.Digest))},
		{g.tr("日历", "calendar"), cal + "  " + shortDigest(r.Calendar.Digest)},
		{g.tr("审计链", "audit"), anchorText(r.Audit)},
	})
	if _, err := fmt.Fprint(g.stdout, b.String()); err != nil {
		return err
	}
	for _, p := range r.Problems {
		fmt.Fprintln(g.stderr, g.tr("异常：", "problem: ")+p)
	}
	g.warn(r.Warnings)
	return nil
}

// shortDigest keeps what is enough to tell two apart.
func shortDigest(d string) string {
	if len(d) > 19 {
		return d[:19]
	}
	return d
}
