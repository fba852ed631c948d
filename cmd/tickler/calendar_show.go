package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"tickler/calendar"
)

func newCalendarShowCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "show YEAR",
		Short: "Every day of a year, and which document decided it · 全年日历",
		Long: `show prints the days of a year that are not ordinary: days off, make-up workdays,
the bank's own. With -o wide, csv or json it prints every day: date, workday
(true or false), kind (weekday, weekend, off, makeup, overlay, statutory), name,
and source, the notice's document number.`,
		Example: `  tickler calendar show 2026
  tickler calendar show 2026 -o csv`,
		Args: nArgs("YEAR"),
		RunE: func(_ *cobra.Command, args []string) error { return runCalendarShow(g, args[0]) },
	}
	exits(c, plainExits...)
	return c
}

// calendarDay is a day as scripts see it.
type calendarDay struct {
	Date    calendar.Date `json:"date"`
	Workday bool          `json:"workday"`
	Kind    string        `json:"kind"`
	Name    string        `json:"name"`
	Source  string        `json:"source"`
}

func runCalendarShow(g *global, year string) error {
	y, err := strconv.Atoi(year)
	if err != nil || len(year) != 4 || y < 1 {
		return usagef("YEAR %q: want four digits", year)
	}
	cal, err := g.calendar()
	if err != nil {
		return err
	}
	var days []calendarDay
	workdays := 0
	for d := calendar.MustDate(y, 1, 1); d.Year() == y; d = d.AddDays(1) {
		day, err := cal.Day(d)
		if err != nil {
			return err
		}
		if day.Workday {
			workdays++
		}
		days = append(days, calendarDay{day.Date, day.Workday, day.Kind.String(), day.Name, day.Source})
	}
	switch g.output {
	case "json":
		return writeJSON(g.stdout, days)
	case "csv":
		return writeCSV(g.stdout, []string{"date", "workday", "kind", "name", "source"}, func(yield func([]string) bool) {
			for _, d := range days {
				if !yield([]string{d.Date.String(), strconv.FormatBool(d.Workday), d.Kind, d.Name, d.Source}) {
					return
				}
			}
		})
	case "name":
		for _, d := range days {
			if d.Workday {
				fmt.Fprintln(g.stdout, d.Date)
			}
		}
		return nil
	}
	if err := g.calendarSheet(days).print(g.stdout, g.colour()); err != nil {
		return err
	}
	fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("%d 年共 %d 个工作日。", y, workdays), fmt.Sprintf("%d has %d workdays.", y, workdays)))
	if cal.Provisional(calendar.MustDate(y, 6, 30)) {
		fmt.Fprintln(g.stderr, g.tr("该年放假通知尚未载入：仅按周末和法定节假日，均为暂定。", "The year's notice is not loaded: weekends and the festivals by law only, all provisional."))
	}
	return nil
}

// calendarSheet shows runs of like days; -o wide shows every day.
func (g *global) calendarSheet(days []calendarDay) *sheet {
	s := &sheet{heads: []string{g.tr("日期", "Date"), g.tr("星期", "Weekday"), g.tr("天数", "Days"), g.tr("性质", "Kind"), g.tr("名称", "Name"), g.tr("文号", "Source")}, right: map[int]bool{2: true}}
	for i := 0; i < len(days); {
		d := days[i]
		j := i + 1
		if g.output != "wide" {
			if d.Kind == "weekday" || d.Kind == "weekend" {
				i++
				continue
			}
			for j < len(days) && days[j].Kind == d.Kind && days[j].Name == d.Name && days[j].Source == d.Source && days[j].Workday == d.Workday {
				j++
			}
		}
		last := days[j-1]
		date, weekday := d.Date.String(), g.weekday(d.Date.Weekday())
		if j-i > 1 {
			date += " – " + last.Date.String()[5:]
			weekday += "–" + g.weekday(last.Date.Weekday())
		}
		kind := g.kindOfDay(d.Kind, d.Workday, "", "", false)
		if kind == "" {
			kind = g.tr("工作日", "workday")
		}
		s.add(nil, date, weekday, strconv.Itoa(j-i), kind, d.Name, d.Source)
		i = j
	}
	return s
}
