//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"tickler/calendar"
	"tickler/scheduler"
)

// asked is a list that every peer is asked for.
type asked struct {
	branch   string
	from, to calendar.Date
	rows     string // the file of all obligations that they hold
	listed   int    // how many of them the list has
}

func (a asked) query() string { return listDuties(a.branch, a.from.String(), a.to.String()) }

// check compares what a peer printed, a line an obligation.
func (a asked) check(peer string, out []byte) error {
	if n := bytes.Count(out, []byte("\n")); n != a.listed {
		return fmt.Errorf("%s lists %d rows, tickler %d", peer, n, a.listed)
	}
	return nil
}

// How long a peer writes before it is killed.
const amid = 2 * time.Second

// wayBack kills the peers amid a write, and holds their way back to the first
// list against ours.
func (s *session) wayBack(ctx context.Context, a asked, command, served Sample) (rows []Row, err error) {
	peers := []struct {
		name, target string
		least        float64
		back         func(int) (Usage, error)
	}{
		{"PostgreSQL", "<= 1/20", 20, func(int) (Usage, error) { return s.pg.back(ctx, a) }},
		{"pebble", "", 0, func(int) (Usage, error) { return s.newPebble("pebble", a.rows).back(ctx, a) }},
	}
	if s.has("pebble") {
		if err := s.newPebble("pebble", a.rows).fill(ctx); err != nil {
			return nil, err
		}
	}
	theirs := map[string]Sample{}
	for _, p := range peers {
		if s.has(p.name) {
			if theirs[p.name], err = repeat(s.runs, p.back); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range []struct {
		work string
		ours Sample
	}{
		{"after kill -9: the store opened and listed by one command", command},
		{"after kill -9: a new daemon, and its first list", served},
	} {
		for _, p := range peers {
			sample, ok := theirs[p.name]
			if !ok {
				rows = append(rows, missingRow(r.work, r.ours.wall(), p.name, p.target))
				continue
			}
			ratio := float64(sample.Wall) / float64(r.ours.Wall)
			row := Row{Work: r.work, Ours: r.ours.wall(), Beside: p.name + ": " + sample.wall(), Ratio: apart(ratio), Target: p.target}
			if p.target != "" {
				row.Met = verdict(ratio >= p.least)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// back kills the server amid an update of a hundredth of its rows, and measures
// from its start to the end of the list.
func (p *postgres) back(ctx context.Context, a asked) (Usage, error) {
	update := p.psql(ctx, "begin", "update duty set state = state where hashtext(id) % 100 = 0", "select pg_sleep(60)")
	if err := update.Start(); err != nil {
		return Usage{}, err
	}
	time.Sleep(amid)
	if err := p.kill(); err != nil {
		return Usage{}, err
	}
	update.Wait() // it says that the server is gone
	start := scheduler.Now()
	if err := p.start(ctx); err != nil {
		return Usage{}, err
	}
	_, out, err := measure(p.psql(ctx, a.query()))
	u := Usage{Wall: scheduler.Now().Sub(start)}
	if err != nil {
		return u, err
	}
	return u, a.check("PostgreSQL after a kill", out)
}

// back kills a process that writes a hundredth of the rows again and again, and
// measures the one that opens the store and lists.
func (p pebble) back(ctx context.Context, a asked) (Usage, error) {
	writing := p.command(ctx, "write", p.rows)
	if err := writing.Start(); err != nil {
		return Usage{}, err
	}
	time.Sleep(amid)
	if err := writing.Process.Kill(); err != nil { // it had ended by itself
		return Usage{}, fmt.Errorf("pebble, amid a write: %w", err)
	}
	writing.Wait() // it was killed
	u, out, err := measure(p.command(ctx, "list", a.branch, a.from.String(), a.to.String()))
	if err != nil {
		return u, err
	}
	return u, a.check("pebble after a kill", out)
}
