package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/calendar"
)

func newCalendarImportCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Take in a notice or an overlay · 载入放假通知",
		Long: `import checks a calendar file against the calendar in force and copies it into
DIR/calendar/ under its own name. A file that cannot be right is refused, with
every mistake. A running daemon takes it up by itself within seconds; otherwise
the next import or tick does.`,
		Example: `  tickler calendar diff 2027.yaml
  tickler calendar import 2027.yaml`,
		Args: nArgs("FILE"),
		RunE: func(_ *cobra.Command, args []string) error { return runCalendarImport(g, args[0]) },
	}
	exits(c, exitOK, exitFailed, exitUsage, exitNoStore)
	return c
}

// candidate is a calendar file held against the calendar in force.
type candidate struct {
	text []byte
	name string // its name in DIR/calendar
	old  *calendar.Calendar
	new  *calendar.Calendar
}

// weigh reads a file and lays it over the others. One of the same name that
// is there already gives way to it.
func (g *global) weigh(path string) (*candidate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read calendar file: %w", err)
	}
	c := &candidate{text: text, name: filepath.Base(path)}
	if ext := filepath.Ext(c.name); ext != ".yaml" {
		c.name = strings.TrimSuffix(c.name, ext) + ".yaml"
	}
	if c.old, err = g.calendar(); err != nil {
		return nil, err
	}
	// Checked in the order in which the directory is read.
	names, err := filepath.Glob(filepath.Join(g.data, calendarDir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list calendar files: %w", err)
	}
	mine := filepath.Join(g.data, calendarDir, c.name)
	texts := map[string][]byte{mine: text}
	for _, n := range names {
		if n != mine {
			if texts[n], err = os.ReadFile(n); err != nil {
				return nil, fmt.Errorf("read calendar file: %w", err)
			}
		}
	}
	var order []string
	for n := range texts {
		order = append(order, n)
	}
	sort.Strings(order)
	c.new = calendar.Builtin()
	for _, n := range order {
		shown := n
		if n == mine {
			shown = path
		}
		next, err := c.new.Add(shown, texts[n])
		if err != nil {
			return nil, api.Errorf(api.BadFile, "", "%v", err)
		}
		c.new = next
	}
	return c, nil
}

// changedDay is a day that two calendars see differently.
type changedDay struct {
	Date calendar.Date `json:"date"`
	Old  bool          `json:"old_workday"`
	New  bool          `json:"new_workday"`
	Name string        `json:"name"`
	Src  string        `json:"source"`
}

func (c *candidate) changes() ([]changedDay, error) {
	var out []changedDay
	first, last := c.old.Range()
	newFirst, newLast := c.new.Range()
	for d := max(first, newFirst); d <= min(last, newLast); d = d.AddDays(1) {
		a, err := c.old.Day(d)
		if err != nil {
			return nil, err
		}
		b, err := c.new.Day(d)
		if err != nil {
			return nil, err
		}
		if a.Workday != b.Workday {
			out = append(out, changedDay{d, a.Workday, b.Workday, b.Name, b.Source})
		}
	}
	return out, nil
}

func (g *global) writeChangedDays(c *candidate, days []changedDay) error {
	if len(days) > 0 {
		s := &sheet{heads: []string{g.tr("日期", "Date"), g.tr("星期", "Weekday"), g.tr("原", "Was"), g.tr("现", "Now"), g.tr("名称", "Name"), g.tr("文号", "Source")}}
		words := map[bool]string{true: g.tr("上班", "work"), false: g.tr("休息", "off")}
		for _, d := range days {
			s.add(nil, d.Date.String(), g.weekday(d.Date.Weekday()), words[d.Old], words[d.New], d.Name, d.Src)
		}
		if err := s.print(g.stdout, g.colour()); err != nil {
			return err
		}
	}
	firm := c.new.Status(g.wallDay()).FirmThrough
	fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("变动 %d 天；日历确定至 %s。", len(days), firm), fmt.Sprintf("%s changed; firm through %s.", plural(len(days), "day", "days"), firm)))
	return nil
}

func runCalendarImport(g *global, path string) error {
	if _, err := os.Stat(g.data); errors.Is(err, fs.ErrNotExist) {
		return api.Errorf(api.NoStore, `run "tickler init", or name the directory with --data`, "no data directory %q", g.data)
	}
	c, err := g.weigh(path)
	if err != nil {
		return err
	}
	days, err := c.changes()
	if err != nil {
		return err
	}
	to := filepath.Join(g.data, calendarDir, c.name)
	if there, err := os.ReadFile(to); err == nil && bytes.Equal(there, c.text) {
		fmt.Fprintln(g.stderr, g.tr("同一文件已载入过，没有变化。", "The same file is there already; nothing changed."))
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("make calendar directory: %w", err)
	}
	if err := writeFile(to, c.text, 0o600); err != nil {
		return err
	}
	if g.output == "json" {
		if days == nil {
			days = []changedDay{}
		}
		return writeJSON(g.stdout, map[string]any{"file": c.name, "digest": c.new.Version(), "changed": days})
	}
	return g.writeChangedDays(c, days)
}
