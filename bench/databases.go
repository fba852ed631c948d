package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"tickler/scheduler"
)

// fiveRules plans up to 100,000 loans under five rules in one transaction, and
// gives the databases the rows that came out.
func (s *session) fiveRules(ctx context.Context) ([]Row, error) {
	p := Portfolio{s.seed, min(s.loans, peerLoans), s.day}
	s.say("%s loans under five rules, beside the databases", count(p.Loans))
	data, book := filepath.Join(s.dir, "five"), filepath.Join(s.dir, "five.yaml")
	text, err := peerFiles.ReadFile("peers/five.yaml")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(book, text, 0o644); err != nil {
		return nil, err
	}
	file, err := s.generate(ctx, p, Changes{}, "five.csv")
	if err != nil {
		return nil, err
	}
	ours, err := repeat(s.runs, func(int) (Usage, error) {
		if err := s.fresh(ctx, data, p.Day, book); err != nil {
			return Usage{}, err
		}
		u, _, err := s.take(ctx, data, file, p.Day, "--rules", book)
		return u, err
	})
	if err != nil {
		return nil, err
	}
	rows := filepath.Join(s.dir, "five.tsv")
	n, err := s.duties(ctx, data, rows)
	if err != nil {
		return nil, err
	}
	work := fmt.Sprintf("%s loans x 5 rules in one transaction, %s rows", count(p.Loans), count(n))
	text1 := ours.whole()
	var out []Row
	compare := func(name, target string, least float64, load func() (Usage, error)) error {
		if !s.has(name) {
			out = append(out, missingRow(work, text1, name, target))
			return nil
		}
		theirs, err := repeat(s.runs, func(int) (Usage, error) { return load() })
		if err != nil {
			return err
		}
		r := Row{Work: work, Ours: text1, Beside: name + ": " + took(theirs.Wall), Ratio: times(theirs.Wall, ours.Wall), Target: target}
		if target != "" {
			r.Met = verdict(float64(theirs.Wall) >= least*float64(ours.Wall))
		}
		out = append(out, r)
		return nil
	}
	if err := compare("PostgreSQL", ">= 3x", 3, func() (Usage, error) { return s.pg.load(ctx, rows) }); err != nil {
		return nil, err
	}
	if s.pg != nil {
		theirs, err := repeat(s.runs, func(int) (Usage, error) { return s.pg.again(ctx, rows) })
		if err != nil {
			return nil, err
		}
		again, err := repeat(s.runs, func(int) (Usage, error) {
			u, _, err := s.take(ctx, data, file, p.Day, "--rules", book)
			return u, err
		})
		if err != nil {
			return nil, err
		}
		s.pgAgain = &Row{Work: fmt.Sprintf("nothing changed, %s rows of five rules: the whole command", count(n)), Ours: again.whole(), Beside: "PostgreSQL, insert on conflict: " + took(theirs.Wall), Ratio: times(theirs.Wall, again.Wall)}
	}
	lite := sqlite{filepath.Join(s.dir, "five.sqlite")}
	if err := compare("sqlite3", ">= 2x", 2, func() (Usage, error) { return lite.load(ctx, rows) }); err != nil {
		return nil, err
	}
	plain := filepath.Join(s.dir, "plain.bolt")
	theirs, err := repeat(s.runs, func(int) (Usage, error) {
		if err := os.RemoveAll(plain); err != nil {
			return Usage{}, err
		}
		return s.hook(ctx, "bbolt", boltRequest{rows, plain}, &rowsRead{})
	})
	if err != nil {
		return nil, err
	}
	out = append(out, Row{Work: work, Ours: text1, Beside: "bbolt, nothing derived or checked: " + theirs.whole(), Ratio: times(theirs.Wall, ours.Wall)})
	for _, path := range []string{rows, plain, lite.path, file} {
		os.Remove(path)
	}
	return out, os.RemoveAll(data)
}

// duties writes the obligations of a store as lines, and gives their number.
func (s *session) duties(ctx context.Context, data, path string) (n int, err error) {
	_, err = s.hook(ctx, "duties", dutiesRequest{data, path}, &n)
	return n, err
}

// listSection lists one branch, beside what holds the same rows, and after a
// kill.
func (s *session) listSection(ctx context.Context, l *life) (Section, error) {
	s.say("%s loans: listed by a command, beside the databases", count(l.p.Loans))
	sec := Section{Name: fmt.Sprintf("List one branch, 30 days: %s obligations of %s", count(l.list.Rows), count(l.duties))}
	inProcess := median(l.list.Took, same[time.Duration])
	target := 2 * time.Millisecond
	sec.Rows = append(sec.Rows, Row{Work: "in process", Ours: took(inProcess), Beside: "limit 2 ms", Ratio: fmt.Sprintf("%.2f of the limit", float64(inProcess)/float64(target)), Target: "<= 2 ms", Met: verdict(inProcess <= target)})
	d, err := s.serve(ctx, l.data)
	if err != nil {
		return sec, err
	}
	ours, err := repeat(2*s.runs, func(int) (Usage, error) { return s.upcoming(ctx, l) })
	d.stop()
	if err != nil {
		return sec, err
	}
	command, served, err := s.crash(ctx, l)
	if err != nil {
		return sec, err
	}
	back := Section{Rows: []Row{}}
	whole := func(peer string, theirs Sample, target string, least float64) {
		r := Row{Work: "whole command, through the daemon", Ours: took(ours.Wall), Beside: peer + ": " + took(theirs.Wall), Ratio: times(theirs.Wall, ours.Wall), Target: target}
		if target != "" {
			r.Met = verdict(float64(theirs.Wall) >= least*float64(ours.Wall))
		}
		sec.Rows = append(sec.Rows, r)
	}
	rows, from, to := filepath.Join(s.dir, "all.tsv"), l.p.Day, l.p.Day.AddDays(30)
	defer os.Remove(rows)
	held := l
	if l.p.Loans > peerLoans { // the peers hold no more: they take minutes
		if held, err = s.live(ctx, Portfolio{s.seed, peerLoans, s.day}, "held"); err != nil {
			return sec, err
		}
		defer os.RemoveAll(held.data)
		sec.Notes = append(sec.Notes, fmt.Sprintf("The peers hold the obligations of %s loans only.", count(peerLoans)))
	}
	if s.peers {
		if _, err := s.duties(ctx, held.data, rows); err != nil {
			return sec, err
		}
	}
	query := listDuties(Branch(0), from.String(), to.String())
	asked := func(c *exec.Cmd) (Usage, error) {
		u, out, err := measure(c)
		if n := bytes.Count(out, []byte("\n")); err == nil && n != held.list.Rows {
			err = fmt.Errorf("%s lists %d rows, tickler %d", filepath.Base(c.Path), n, held.list.Rows)
		}
		return u, err
	}
	const psqlTarget, liteTarget = ">= 4x", "within 2x"
	if s.pg != nil {
		if _, err := s.pg.load(ctx, rows); err != nil {
			return sec, err
		}
		if _, _, err := measure(s.pg.psql(ctx, "vacuum analyze duty", "checkpoint")); err != nil {
			return sec, err
		}
		theirs, err := repeat(2*s.runs, func(int) (Usage, error) { return asked(s.pg.psql(ctx, query)) })
		if err != nil {
			return sec, err
		}
		whole("psql", theirs, psqlTarget, 4)
		back, err = s.wayBack(ctx, query, command, served)
		if err != nil {
			return sec, err
		}
	} else {
		sec.Rows = append(sec.Rows, missingRow("whole command, through the daemon", took(ours.Wall), "psql", psqlTarget))
		for _, r := range []struct {
			work string
			took Sample
		}{{killedCommand, command}, {killedDaemon, served}} {
			back.Rows = append(back.Rows, missingRow(r.work, took(r.took.Wall), "PostgreSQL", "<= 1/20"))
		}
	}
	if s.has("sqlite3") {
		lite := sqlite{filepath.Join(s.dir, "all.sqlite")}
		defer os.Remove(lite.path)
		if _, err := lite.load(ctx, rows); err != nil {
			return sec, err
		}
		theirs, err := repeat(2*s.runs, func(int) (Usage, error) { return asked(lite.command(ctx, query)) })
		if err != nil {
			return sec, err
		}
		whole("sqlite3", theirs, liteTarget, 0.5)
	} else {
		sec.Rows = append(sec.Rows, missingRow("whole command, through the daemon", took(ours.Wall), "sqlite3", liteTarget))
	}
	for _, peer := range reminders {
		if !s.has(peer.program) {
			sec.Rows = append(sec.Rows, missingRow("whole command, through the daemon", took(ours.Wall), peer.program, ""))
			continue
		}
		held, err := peer.fill(s.dir, rows)
		if err != nil {
			return sec, err
		}
		theirs, err := repeat(s.runs, func(int) (Usage, error) {
			u, _, err := measure(peer.list(ctx, s.dir, Branch(0), from, to))
			return u, err
		})
		if err != nil {
			return sec, err
		}
		whole(fmt.Sprintf("%s, %s rows", peer.program, count(held)), theirs, "", 0)
	}
	sec.Rows = append(sec.Rows, back.Rows...)
	sec.Notes = append(sec.Notes, fmt.Sprintf("In process: opening the store with rulebook and calendar took %s, the first list %s. A kill -9 hits the daemon amid an import, and PostgreSQL amid an update of a hundredth of its rows.", took(l.list.Opened), took(l.list.First)))
	return sec, nil
}

const (
	killedCommand = "after kill -9: the store opened and listed by one command"
	killedDaemon  = "after kill -9: a new daemon, and its first list"
)

// wayBack kills PostgreSQL amid an update, and holds its way back against ours.
func (s *session) wayBack(ctx context.Context, query string, command, served Sample) (sec Section, err error) {
	theirs, err := repeat(s.runs, func(int) (Usage, error) {
		update := s.pg.psql(ctx, "begin", "update duty set state = state where hashtext(id) % 100 = 0", "select pg_sleep(60)")
		if err := update.Start(); err != nil {
			return Usage{}, err
		}
		time.Sleep(2 * time.Second)
		if err := s.pg.kill(); err != nil {
			return Usage{}, err
		}
		update.Wait() // it says that the server is gone
		start := scheduler.Now()
		if err := s.pg.start(ctx); err != nil {
			return Usage{}, err
		}
		_, _, err := measure(s.pg.psql(ctx, query))
		return Usage{Wall: scheduler.Now().Sub(start)}, err
	})
	if err != nil {
		return sec, err
	}
	for _, r := range []struct {
		work string
		ours Sample
	}{{killedCommand, command}, {killedDaemon, served}} {
		share := float64(r.ours.Wall) / float64(theirs.Wall)
		sec.Rows = append(sec.Rows, Row{Work: r.work, Ours: took(r.ours.Wall), Beside: "PostgreSQL: " + took(theirs.Wall), Ratio: fmt.Sprintf("1/%.3g", 1/share), Target: "<= 1/20", Met: verdict(share <= 1.0/20)})
	}
	return sec, nil
}
