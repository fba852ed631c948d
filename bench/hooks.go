//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/xuri/excelize/v2"

	"tickler/api"
	"tickler/calendar"
	"tickler/ledger"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
)

// hooks are the pieces of work that run in a process of their own: a request
// on stdin, a reply on stdout, both JSON.
var hooks = map[string]func(context.Context, []byte) (any, error){
	"generate": hookOf(generate),
	"parse":    hookOf(parseFile),
	"excelize": hookOf(excelizeRows),
	"list":     hookOf(listBranch),
	"tick":     hookOf(tickDays),
	"duties":   hookOf(writeDuties),
	"bbolt":    hookOf(plainBolt),
}

func hookOf[Request, Reply any](work func(context.Context, Request) (Reply, error)) func(context.Context, []byte) (any, error) {
	return func(ctx context.Context, in []byte) (any, error) {
		var r Request
		if err := json.Unmarshal(in, &r); err != nil {
			return nil, err
		}
		return work(ctx, r)
	}
}

func runHook(ctx context.Context, name string) error {
	work := hooks[name]
	if work == nil {
		return fmt.Errorf("no hook %q", name)
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	reply, err := work(ctx, in)
	if err != nil {
		return fmt.Errorf("hook %s: %w", name, err)
	}
	return json.NewEncoder(os.Stdout).Encode(reply)
}

type generateRequest struct {
	Portfolio Portfolio
	Changes   Changes
	Path      string
}

func generate(_ context.Context, r generateRequest) (struct{}, error) {
	return struct{}{}, r.Portfolio.WriteFile(r.Path, r.Changes)
}

// rowsRead is what reading a file gave and took, without the process's start.
type rowsRead struct {
	Rows int
	Took time.Duration
}

func parseFile(_ context.Context, path string) (rowsRead, error) {
	start := scheduler.Now()
	data, err := os.ReadFile(path)
	if err != nil {
		return rowsRead{}, err
	}
	snap, err := ledger.Read(filepath.Base(path), data, ledger.Options{})
	if err != nil {
		return rowsRead{}, err
	}
	return rowsRead{snap.Loans.Len(), scheduler.Now().Sub(start)}, nil
}

// excelizeRows reads a workbook as its library does by itself: row by row, raw.
func excelizeRows(_ context.Context, path string) (rowsRead, error) {
	start := scheduler.Now()
	f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		return rowsRead{}, err
	}
	defer f.Close()
	rows, err := f.Rows(f.GetSheetName(0))
	if err != nil {
		return rowsRead{}, err
	}
	n := -1 // the header
	for rows.Next() {
		if _, err := rows.Columns(); err != nil {
			return rowsRead{}, err
		}
		n++
	}
	if err := rows.Close(); err != nil {
		return rowsRead{}, err
	}
	return rowsRead{n, scheduler.Now().Sub(start)}, nil
}

// openScheduler opens a data directory as a command does.
func openScheduler(data string) (*store.Store, *scheduler.Scheduler, error) {
	db, err := bolt.Open(filepath.Join(data, "tickler.db"), bolt.Options{Timeout: 3 * time.Second})
	if err != nil {
		return nil, nil, err
	}
	st := store.New(db)
	s, err := scheduler.New(scheduler.Config{
		Store: st, RulesPath: filepath.Join(data, "rules.yaml"), CalendarDir: filepath.Join(data, "calendar"), Data: data, Version: "bench",
	})
	if err != nil {
		st.Close()
		return nil, nil, err
	}
	return st, s, nil
}

var owner = scheduler.Actor{OSUser: "bench", Owner: true}

type listRequest struct {
	Data     string
	Branch   string
	From, To calendar.Date
	Runs     int
}

type listed struct {
	Rows   int
	Opened time.Duration   // opening the store, with rulebook and calendar
	First  time.Duration   // the first list after that
	Took   []time.Duration // the lists that follow
}

// listBranch lists what falls due at a branch, in this process.
func listBranch(ctx context.Context, r listRequest) (out listed, err error) {
	start := scheduler.Now()
	st, s, err := openScheduler(r.Data)
	if err != nil {
		return out, err
	}
	defer st.Close()
	out.Opened = scheduler.Now().Sub(start)
	ctx = scheduler.As(ctx, owner)
	for i := range r.Runs + 1 {
		start := scheduler.Now()
		reply, err := s.List(ctx, api.ListRequest{Branch: r.Branch, From: r.From, To: r.To})
		if err != nil {
			return out, err
		}
		if d := scheduler.Now().Sub(start); i == 0 {
			out.First = d
		} else {
			out.Took = append(out.Took, d)
		}
		out.Rows = len(reply.Obligations)
	}
	return out, nil
}

type tickRequest struct {
	Data string
	From calendar.Date // the first day
	Days int
}

type ticked struct {
	Day     calendar.Date
	Raised  int
	Told    int // reminded or escalated
	Derived int // units worked out anew
	Took    time.Duration
	CPU     time.Duration
	Idle    time.Duration // the same day once more
}

// tickDays lets the days pass, one scan each and one more with nothing to do.
func tickDays(ctx context.Context, r tickRequest) (out []ticked, err error) {
	st, s, err := openScheduler(r.Data)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	tick := func(on calendar.Date) (*api.TickReply, time.Duration, error) {
		start := scheduler.Now()
		reply, err := s.Tick(ctx, owner, api.TickRequest{On: on, Force: true})
		return reply, scheduler.Now().Sub(start), err
	}
	for i := range r.Days {
		on := r.From.AddDays(i)
		before := cpu()
		reply, took, err := tick(on)
		used := cpu() - before
		if err != nil {
			return nil, err
		}
		_, idle, err := tick(on)
		if err != nil {
			return nil, err
		}
		out = append(out, ticked{on, reply.Plan["raised"], reply.Told["reminded"] + reply.Told["escalated"], reply.Derived, took, used, idle})
	}
	return out, nil
}
