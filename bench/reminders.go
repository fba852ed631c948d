//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"tickler/calendar"
)

// reminders are the programs that a clerk would keep duties in. They are given
// the first hundred thousand.
var reminders = []reminder{
	{
		program: "remind",
		file:    "duties.rem",
		line: func(i int, cell []string, due calendar.Date) string {
			year, month, day := due.Civil()
			return fmt.Sprintf("REM %d %s %d TAG %s MSG %s %s\n", day, month.String()[:3], year, cell[5], cell[0], cell[6])
		},
		// A month's table as text, which a clerk would grep.
		list: func(ctx context.Context, dir, _ string, from, _ calendar.Date) *exec.Cmd {
			return exec.CommandContext(ctx, "remind", "-s2", filepath.Join(dir, "duties.rem"), from.String())
		},
	},
	{
		program: "task",
		file:    filepath.Join("task", "pending.data"),
		line: func(i int, cell []string, due calendar.Date) string {
			const epoch = 719_163 // 1970-01-01
			return fmt.Sprintf("[description:\"%s\" due:\"%d\" entry:\"1760000000\" modified:\"1760000000\" project:\"%s\" status:\"pending\" uuid:\"%08x-0000-4000-8000-%012x\"]\n",
				strings.ReplaceAll(cell[0], `"`, ""), (int64(due)-epoch)*86_400+43_200, cell[5], i, i)
		},
		list: func(ctx context.Context, dir, branch string, from, to calendar.Date) *exec.Cmd {
			c := exec.CommandContext(ctx, "task", "rc:"+os.DevNull, "rc.data.location="+filepath.Join(dir, "task"), "rc.confirmation=no", "rc.gc=off", "rc.verbose=nothing",
				"project:"+branch, "due.after:"+from.AddDays(-1).String(), "due.before:"+to.AddDays(1).String(), "list")
			c.Env = append(os.Environ(), "HOME="+dir)
			return c
		},
	},
}

type reminder struct {
	program string
	file    string // in the run's directory
	line    func(i int, cell []string, due calendar.Date) string
	list    func(ctx context.Context, dir, branch string, from, to calendar.Date) *exec.Cmd
}

// mostReminders bounds what they are given: they read all of it each time.
const mostReminders = 100_000

// fill writes the program's own file from lines of dutyColumns.
func (r reminder) fill(dir, rows string) error {
	in, err := os.Open(rows)
	if err != nil {
		return err
	}
	defer in.Close()
	path := filepath.Join(dir, r.file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	w := bufio.NewWriter(out)
	lines := bufio.NewScanner(in)
	for i := 0; i < mostReminders && lines.Scan(); i++ {
		cell := strings.Split(lines.Text(), "\t")
		due, err := calendar.ParseDate(cell[8])
		if err != nil {
			return err
		}
		w.WriteString(r.line(i, cell, due))
	}
	if err := errors.Join(lines.Err(), w.Flush()); err != nil {
		return err
	}
	return out.Close()
}
