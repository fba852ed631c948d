//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
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
	ours := func(int) (Usage, error) {
		if err := s.fresh(ctx, data, p.Day, book); err != nil {
			return Usage{}, err
		}
		u, _, err := s.take(ctx, data, file, p.Day, "--rules", book)
		return u, err
	}
	if _, err := ours(0); err != nil {
		return nil, err
	}
	rows := filepath.Join(s.dir, "five.tsv")
	n, err := s.duties(ctx, data, rows)
	if err != nil {
		return nil, err
	}
	lite, plain := sqlite{filepath.Join(s.dir, "five.sqlite")}, filepath.Join(s.dir, "plain.bolt")
	peers := []struct {
		name, target string
		least        float64
		load         func(int) (Usage, error)
	}{
		{"PostgreSQL", ">= 3x", 3, func(int) (Usage, error) { return s.pg.load(ctx, rows) }},
		{"sqlite3", ">= 2x", 2, func(int) (Usage, error) { return lite.load(ctx, rows) }},
		{"bbolt, keys sorted", "", 0, func(int) (Usage, error) {
			if err := os.RemoveAll(plain); err != nil {
				return Usage{}, err
			}
			return s.hook(ctx, "bbolt", boltRequest{rows, plain}, &rowsRead{})
		}},
	}
	works := []func(int) (Usage, error){ours}
	for _, peer := range peers {
		if s.has(peer.name) || peer.target == "" {
			works = append(works, peer.load)
		}
	}
	samples, err := turns(s.runs, works...)
	if err != nil {
		return nil, err
	}
	mine, samples := samples[0], samples[1:]
	work := fmt.Sprintf("%s loans x 5 rules in one transaction, %s rows", count(p.Loans), count(n))
	var out []Row
	for _, peer := range peers {
		if !s.has(peer.name) && peer.target != "" {
			out = append(out, missingRow(work, mine.whole(), peer.name, peer.target))
			continue
		}
		theirs := samples[0]
		samples = samples[1:]
		r := Row{Work: work, Ours: mine.whole(), Beside: fmt.Sprintf("%s: %s, %s a million rows", peer.name, theirs.wall(), took(time.Duration(float64(theirs.Wall)/float64(n)*1e6))), Ratio: times(theirs.Wall, mine.Wall), Target: peer.target}
		if peer.target != "" {
			r.Met = verdict(float64(theirs.Wall) >= peer.least*float64(mine.Wall))
		}
		out = append(out, r)
	}
	if s.pg != nil {
		both, err := turns(s.runs, func(int) (Usage, error) {
			u, _, err := s.take(ctx, data, file, p.Day, "--rules", book)
			return u, err
		}, func(int) (Usage, error) { return s.pg.again(ctx, rows) })
		if err != nil {
			return nil, err
		}
		s.pgAgain = &Row{Work: fmt.Sprintf("nothing changed, %s rows of five rules: the whole command", count(n)), Ours: both[0].whole(), Beside: "PostgreSQL, insert on conflict: " + both[1].wall(), Ratio: times(both[1].Wall, both[0].Wall)}
	}
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
	// A branch's duties of thirty days are as many as its rulebook asks for; the
	// limit was set for 800 of them.
	const fewer = 800
	aRow := inProcess / time.Duration(max(l.list.Rows, 1))
	sec.Rows = append(sec.Rows, Row{Work: "in process, a row", Ours: took(aRow), Beside: fmt.Sprintf("limit 2 ms for %d rows: %s", fewer, took(target/fewer)), Ratio: fmt.Sprintf("%.2f of the limit", float64(aRow)/float64(target/fewer)), Target: "<= " + took(target/fewer), Met: verdict(aRow <= target/fewer)})
	command, served, err := s.crash(ctx, l)
	if err != nil {
		return sec, err
	}
	rows, from, to := filepath.Join(s.dir, "all.tsv"), l.p.Day, l.p.Day.AddDays(30)
	defer os.Remove(rows)
	held := l
	if l.p.Loans > s.held && s.peers {
		if held, err = s.filled(ctx, Portfolio{s.seed, s.held, s.day}, "held"); err != nil {
			return sec, err
		}
		defer os.RemoveAll(held.data)
		sec.Notes = append(sec.Notes, fmt.Sprintf("The peers hold the obligations of %s loans only, of which they list %s.", count(s.held), count(held.list.Rows)))
	}
	if s.peers {
		n, err := s.duties(ctx, held.data, rows)
		if err == nil && n != held.duties {
			err = fmt.Errorf("the store holds %d obligations, the import told of %d", n, held.duties)
		}
		if err != nil {
			return sec, err
		}
	}
	ask := asked{Branch(0), from, to, rows, held.list.Rows}
	answer := func(c *exec.Cmd) (Usage, error) {
		u, out, err := measure(c)
		if err == nil {
			err = ask.check(filepath.Base(c.Path), out)
		}
		return u, err
	}
	lite := sqlite{filepath.Join(s.dir, "all.sqlite")}
	defer os.Remove(lite.path)
	type peer struct {
		name, target string
		least        float64
		fill         func() error
		list         func(int) (Usage, error)
	}
	peers := []peer{
		{"PostgreSQL", ">= 4x", 4, func() error { return s.fillPostgres(ctx, rows) }, func(int) (Usage, error) { return answer(s.pg.psql(ctx, ask.query())) }},
		{"sqlite3", "within 2x", 0.5, func() error { _, err := lite.load(ctx, rows); return err }, func(int) (Usage, error) { return answer(lite.command(ctx, ask.query())) }},
	}
	for _, r := range reminders {
		peers = append(peers, peer{r.program, "", 0, func() error { return r.fill(s.dir, rows) }, func(int) (Usage, error) {
			u, _, err := measure(r.list(ctx, s.dir, Branch(0), from, to))
			return u, err
		}})
	}
	works := []func(int) (Usage, error){func(int) (Usage, error) { return s.upcoming(ctx, l) }}
	for _, p := range peers {
		if !s.has(p.name) {
			continue
		}
		if err := p.fill(); err != nil {
			return sec, err
		}
		works = append(works, p.list)
	}
	d, err := s.serve(ctx, l.data)
	if err != nil {
		return sec, err
	}
	samples, err := turns(s.runs, works...)
	d.stop()
	if err != nil {
		return sec, err
	}
	const work = "whole command, through the daemon"
	ours, samples := samples[0], samples[1:]
	for _, p := range peers {
		if !s.has(p.name) {
			sec.Rows = append(sec.Rows, missingRow(work, ours.wall(), p.name, p.target))
			continue
		}
		theirs := samples[0]
		samples = samples[1:]
		r := Row{Work: work, Ours: ours.wall(), Beside: p.name + ": " + theirs.wall(), Ratio: times(theirs.Wall, ours.Wall), Target: p.target}
		if p.target != "" {
			r.Met = verdict(float64(theirs.Wall) >= p.least*float64(ours.Wall))
		}
		sec.Rows = append(sec.Rows, r)
	}
	back, err := s.wayBack(ctx, ask, command, served)
	sec.Rows = append(sec.Rows, back...)
	sec.Notes = append(sec.Notes, fmt.Sprintf("In process: opening the store with rulebook and calendar took %s, the first list %s. Both databases and pebble are asked for the same rows and give as many; remind and taskwarrior hold the first %s. "+
		"A kill -9 hits the daemon amid an import, PostgreSQL amid an update of a hundredth of its rows, and pebble, which keeps each row under its id and under branch and due day, amid writing a hundredth of them again and again.", took(l.list.Opened), took(l.list.First), count(mostReminders)))
	return sec, err
}

// fillPostgres gives PostgreSQL the rows, and time to settle.
func (s *session) fillPostgres(ctx context.Context, rows string) error {
	if _, err := s.pg.load(ctx, rows); err != nil {
		return err
	}
	_, _, err := measure(s.pg.psql(ctx, "vacuum analyze duty", "checkpoint"))
	return err
}
