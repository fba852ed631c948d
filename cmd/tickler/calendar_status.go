package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tickler/calendar"
)

func newCalendarStatusCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "How far the calendar can be trusted · 日历状况",
		Long: `status says through which day the notices are loaded, from which day on dates are
provisional, and which year's notice is missing: a warning from 1 November, an
alarm from 15 December.`,
		Example: `  tickler calendar status
  tickler calendar status -o json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return runCalendarStatus(g) },
	}
	exits(c, plainExits...)
	return c
}

// calendarState is the form of calendar status -o json.
type calendarState struct {
	Digest          string        `json:"digest"`
	FirmThrough     calendar.Date `json:"firm_through"`
	ProvisionalFrom calendar.Date `json:"provisional_from"`
	Last            calendar.Date `json:"last"`
	MissingYear     int           `json:"missing_year"`
	Level           string        `json:"level"`
	Today           calendar.Date `json:"today"`
	Notices         int           `json:"notices"`
	Overlay         int           `json:"overlay"`
}

func runCalendarStatus(g *global) error {
	cal, err := g.calendar()
	if err != nil {
		return err
	}
	today := g.wallDay()
	s := cal.Status(today)
	r := calendarState{cal.Version(), s.FirmThrough, s.ProvisionalFrom, s.Last, s.MissingYear, s.Level.String(), today, len(cal.Notices()), len(cal.Overlay())}
	if g.output == "json" {
		return writeJSON(g.stdout, r)
	}
	level := map[string]string{"ok": g.tr("正常", "ok"), "warning": g.tr("提示", "warning"), "alarm": g.tr("告警", "alarm")}[r.Level]
	notices := cal.Notices()
	newest := ""
	if n := len(notices); n > 0 {
		newest = g.tr("，最新 ", ", the newest ") + notices[n-1].Number
	}
	var b strings.Builder
	writeFields(&b, []field{
		{g.tr("状况", "level"), level},
		{g.tr("确定至", "firm through"), r.FirmThrough.String()},
		{g.tr("暂定自", "provisional from"), r.ProvisionalFrom.String()},
		{g.tr("可推算至", "known to"), r.Last.String()},
		{g.tr("缺少", "missing"), g.tr(fmt.Sprintf("%d 年放假通知", r.MissingYear), fmt.Sprintf("the notice for %d", r.MissingYear))},
		{g.tr("放假通知", "notices"), g.tr(fmt.Sprintf("%d 份", r.Notices), fmt.Sprint(r.Notices)) + newest},
		{g.tr("本行规定", "overlay"), g.tr(fmt.Sprintf("%d 份", r.Overlay), fmt.Sprint(r.Overlay))},
		{g.tr("摘要", "digest"), r.Digest},
	})
	_, err = fmt.Fprint(g.stdout, b.String())
	return err
}
