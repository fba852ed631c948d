package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
	"tickler/scheduler"
)

// The sample ledger: forty loans of invented companies, every case that the
// manual knows. Its dates are offsets from the day it is read on: {d-10} days,
// {m+2} months, {y-1} years, {w+5} workdays.
//
//go:embed demo/*.csv
var sample embed.FS

// sampleFiles in the order of import: the loans, then what is known beside them.
var sampleFiles = []string{"loans.csv", "branches.csv", "staff.csv", "collateral.csv", "events.csv"}

// goLiveBefore is how long the demo branch has been live, in days.
const goLiveBefore = 20

func newDemoCommand(g *global) *cobra.Command {
	var days int
	c := &cobra.Command{
		Use:   "demo [flags]",
		Short: "A throw-away branch: what is due, and why · 演示",
		Long: `demo builds a branch from a sample ledger that comes with the program, runs the
daemon's own loop on it until its first scan, prints what is overdue, what falls
due in the next days, and the proof of one date, and ends. It needs nothing and
leaves one directory: a new one, or --data DIR if that holds no store.`,
		Example: `  tickler demo
  tickler demo --days 10 --lang en`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDemo(c.Context(), g, days) },
	}
	c.Flags().IntVar(&days, "days", 30, "how many days ahead to list, `N`")
	exits(c, exitOK, exitFailed, exitUsage, exitInterrupted)
	return c
}

func runDemo(ctx context.Context, g *global, days int) error {
	switch {
	case days < 0 || days > maxDays:
		return usagef("--days %d: want 0 to %d", days, maxDays)
	case !g.on.IsZero():
		return usagef("--on: the demo runs the daemon's loop, which keeps the day by the clock")
	}
	named := g.flags.Changed("data")
	if !named {
		dir, err := os.MkdirTemp("", "tickler-demo-")
		if err != nil {
			return fmt.Errorf("make demo directory: %w", err)
		}
		g.data = dir
	} else if _, err := os.Stat(g.storePath()); err == nil {
		return api.Errorf(api.Failed, "name another directory, or leave --data out", "there is a store in %q already", g.data)
	}
	g.rules = "" // the demo's own, which can then be edited
	say := func(zh, en string) { fmt.Fprintln(g.stderr, g.tr(zh, en)) }

	today := calendar.DateIn(g.now(), g.zone())
	if err := createStore(ctx, g, scheduler.InitOptions{GoLive: today.AddDays(-goLiveBefore), OSUser: osUser(), Now: g.now()}); err != nil {
		return err
	}
	say("① 建库："+g.data, "1. a store: "+g.data)
	if err := demoImport(ctx, g, today); err != nil {
		return err
	}
	if err := demoLoop(ctx, g); err != nil {
		return err
	}
	say("③ 守护进程的循环已跑完第一次扫描", "3. the daemon's loop has made its first scan")
	return demoTell(ctx, g, today, days)
}

// demoImport writes the sample with the day's dates and takes it in, as any
// ledger.
func demoImport(ctx context.Context, g *global, today calendar.Date) error {
	p, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	cal, err := g.calendar()
	if err != nil {
		return err
	}
	loans, err := importSample(ctx, p.client, cal, today)
	if err != nil {
		return err
	}
	fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("② 导入样例台账：借据 %d 笔，%s", loans.Rows, counts(loans.Plan, g.change)), fmt.Sprintf("2. the sample ledger: %d loans, %s", loans.Rows, counts(loans.Plan, g.change))))
	return nil
}

// importSample imports every sample file and gives the reply for the loans.
func importSample(ctx context.Context, c *api.Client, cal *calendar.Calendar, today calendar.Date) (loans *api.ImportReply, err error) {
	for _, name := range sampleFiles {
		text, err := sample.ReadFile("demo/" + name)
		if err != nil {
			return nil, err
		}
		if text, err = dated(cal, today, text); err != nil {
			return nil, fmt.Errorf("sample %s: %w", name, err)
		}
		reply, err := c.Import(ctx, api.ImportRequest{Name: name, DataDate: today}, api.Upload{Reader: bytes.NewReader(text), Size: int64(len(text))})
		if err != nil {
			return nil, fmt.Errorf("import sample: %w", err)
		}
		if name == sampleFiles[0] {
			loans = reply
		}
	}
	return loans, nil
}

var offset = regexp.MustCompile(`\{([dmywp])([+-][0-9]+)\}`)

// dated replaces the offsets of a sample file by dates.
func dated(cal *calendar.Calendar, today calendar.Date, text []byte) ([]byte, error) {
	var failed error
	out := offset.ReplaceAllFunc(text, func(m []byte) []byte {
		part := offset.FindSubmatch(m)
		n, err := strconv.Atoi(string(part[2]))
		var d calendar.Date
		switch part[1][0] {
		case 'd':
			d = today.AddDays(n)
		case 'm':
			d = today.AddMonths(n)
		case 'y':
			d = today.AddYears(n)
		case 'w', 'p': // p is the month of that working day
			var r calendar.Result
			r, err = cal.AddWorkdays(today, n)
			d = r.Date
		}
		failed = errors.Join(failed, err)
		if part[1][0] == 'p' {
			return []byte(calendar.PeriodOf(calendar.Month, d, calendar.Fiscal{}).Label(calendar.Fiscal{}))
		}
		return []byte(d.String())
	})
	if bytes.ContainsAny(out, "{}") {
		failed = errors.Join(failed, errors.New("an offset is left"))
	}
	return out, failed
}

// demoLoop runs the daemon's loop and ends it after its first scan.
func demoLoop(ctx context.Context, g *global) error {
	g.backups = scheduler.BackupPlan{} // it is thrown away
	p, err := g.openAs(ctx, scheduler.Config{Daemon: true})
	if err != nil {
		return err
	}
	defer p.close()
	loop, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- p.scheduler.Run(loop) }()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case err := <-ran:
			if err == nil {
				err = errors.New("the loop ended without a scan")
			}
			return errors.Join(ctx.Err(), err)
		case <-poll.C:
			s, err := p.client.Status(ctx)
			if err != nil {
				return err
			}
			if s.LastTick != nil && !s.LastTick.IsZero() {
				stop()
				return <-ran
			}
		}
	}
}

// demoLines is how many overdue ones are printed.
const demoLines = 15

func demoTell(ctx context.Context, g *global, today calendar.Date, days int) error {
	p, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	late, err := p.client.List(ctx, api.ListRequest{Overdue: true})
	if err != nil {
		return err
	}
	next, err := p.client.List(ctx, api.ListRequest{From: today, To: today.AddDays(days)})
	if err != nil {
		return err
	}
	if g.output != "table" && g.output != "wide" {
		return g.printObligations(append(late.Obligations, next.Obligations...))
	}
	title := func(zh, en string) { fmt.Fprintf(g.stdout, "\n%s\n\n", g.tr(zh, en)) }
	list := func(all []api.Obligation) error {
		shown := all[:min(len(all), demoLines)]
		if len(shown) == 0 {
			fmt.Fprintln(g.stdout, g.tr("（无）", "(none)"))
			return nil
		}
		if err := g.obligationSheet(shown, g.output == "wide").print(g.stdout, g.colour()); err != nil {
			return err
		}
		if rest := len(all) - len(shown); rest > 0 {
			fmt.Fprintln(g.stdout, g.tr(fmt.Sprintf("…… 另有 %d 项", rest), fmt.Sprintf("… %d more", rest)))
		}
		return nil
	}
	title(fmt.Sprintf("逾期 %d 项（营业日 %s）", len(late.Obligations), late.Today), fmt.Sprintf("%d overdue (business day %s)", len(late.Obligations), late.Today))
	if err := list(late.Obligations); err != nil {
		return err
	}
	title(fmt.Sprintf("今后 %d 天到期 %d 项", days, len(next.Obligations)), fmt.Sprintf("%s due in the next %d days", plural(len(next.Obligations), "obligation", "obligations"), days))
	if err := list(next.Obligations); err != nil {
		return err
	}
	one := pick(late.Obligations, next.Obligations)
	if one != nil {
		title("为什么是这一天：tickler why "+one.Short, "Why that day: tickler why "+one.Short)
		r, err := p.client.Why(ctx, api.WhyRequest{What: one.ID})
		if err != nil {
			return err
		}
		var b strings.Builder
		if r.Reason != nil {
			g.writeReason(&b, r)
		}
		fmt.Fprint(g.stdout, b.String())
	}
	title("接着试", "Next")
	for _, line := range [][2]string{
		{"upcoming --owner S001", g.tr("一位客户经理的事项", "one officer's duties")},
		{"why JJ014", g.tr("每条规则对一笔贷款的结论，及豁免", "every rule's verdict on a loan, with what exempts it")},
		{"record notice.maturity_sent loan/JJ001", g.tr("登记一个事件，看它办结什么", "record what happened, and see what it closes")},
		{"serve", g.tr("启动守护进程", "start the daemon")},
	} {
		fmt.Fprintf(g.stdout, "  tickler --data %s %s  # %s\n", g.data, pad(line[0], 38), line[1])
	}
	return nil
}

// pick chooses whose proof tells the most: a limit in workdays that was counted
// over days off, of an overdue notice if there is one.
func pick(lists ...[]api.Obligation) *api.Obligation {
	for _, rule := range []string{"overdue-notice-borrower", "maturity-notice", "interest-notice"} {
		for _, l := range lists {
			for i := range l {
				if l[i].Rule == rule && l[i].State != obligation.Planned {
					return &l[i]
				}
			}
		}
	}
	for _, l := range lists {
		if len(l) > 0 {
			return &l[0]
		}
	}
	return nil
}
