package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tickler/calendar"
)

func newCalendarShiftCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "shift [DATE LIMIT]",
		Short: "The day a limit ends on · 推算日期",
		Long: `shift prints the day that a limit ends on. LIMIT is [-]N workday, day, week, month
or year(s), and optionally following, preceding or modified_following: where a
limit lands that ends on a day off.

Without arguments it reads lines DATE<TAB>LIMIT and answers each with a line: the
date, then a tab and "provisional" where it rests on a year without a notice. A
bad line is answered "error: ..." in its place, and the exit status is 1.`,
		Example: `  tickler calendar shift 2026-09-30 "1 workday"
  tickler calendar shift 2026-03-02 "-10 workday"
  tickler calendar shift 2026-01-31 "1 month following"
  tickler calendar shift < limits.tsv > dates.txt`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				return runShiftBatch(c.Context(), g)
			case 1:
				return usagef("want DATE LIMIT, or nothing to read lines from stdin")
			}
			return runShift(g, args[0], strings.TrimSpace(strings.Join(args[1:], " ")))
		},
	}
	exits(c, plainExits...)
	return c
}

func runShift(g *global, date, limit string) error {
	cal, err := g.calendar()
	if err != nil {
		return err
	}
	d, err := calendar.ParseDate(date)
	if err != nil {
		return usagef("%v", err)
	}
	l, err := calendar.ParseLimit(limit)
	if err != nil {
		return usagef("%v", err)
	}
	r, err := cal.Shift(d, l)
	if err != nil {
		return err
	}
	if g.output == "json" {
		return writeJSON(g.stdout, map[string]any{"date": r.Date, "provisional": r.Provisional})
	}
	_, err = fmt.Fprintf(g.stdout, "%s\n", appendResult(nil, r))
	return err
}

func appendResult(b []byte, r calendar.Result) []byte {
	b = r.Date.Append(b)
	if r.Provisional {
		b = append(b, "\tprovisional"...)
	}
	return b
}

// runShiftBatch answers each line as soon as no further one waits, so that it
// can sit at the end of a pipe.
func runShiftBatch(ctx context.Context, g *global) error {
	cal, err := g.calendar()
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(g.stdin, 64<<10)
	out := bufio.NewWriterSize(g.stdout, 64<<10)
	limits := map[string]calendar.Limit{} // text -> what it says; the same few come again and again
	bad := false
	for n := 0; ; n++ {
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		line, long, err := in.ReadLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read stdin: %w", err)
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var r calendar.Result
		if long {
			for long && err == nil {
				_, long, err = in.ReadLine()
			}
			err = errors.New("the line is too long")
		} else {
			r, err = shiftLine(cal, limits, line)
		}
		if err != nil {
			bad = true
			fmt.Fprintf(out, "error: %s\n", oneLine(err.Error()))
			continue
		}
		if _, err := out.Write(append(appendResult(out.AvailableBuffer(), r), '\n')); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if bad {
		return status(exitFailed)
	}
	return nil
}

// maxLimits bounds what is remembered of one batch.
const maxLimits = 10_000

func shiftLine(cal *calendar.Calendar, limits map[string]calendar.Limit, line []byte) (calendar.Result, error) {
	date, limit, ok := bytes.Cut(line, []byte{'\t'})
	if !ok {
		return calendar.Result{}, fmt.Errorf("%q: want DATE, a tab, LIMIT", line)
	}
	d, err := calendar.ParseDate(string(date))
	if err != nil {
		return calendar.Result{}, err
	}
	l, known := limits[string(limit)]
	if !known {
		if l, err = calendar.ParseLimit(string(limit)); err != nil {
			return calendar.Result{}, err
		}
		if len(limits) < maxLimits {
			limits[string(limit)] = l
		}
	}
	return cal.Shift(d, l)
}
