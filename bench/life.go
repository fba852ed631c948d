//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"tickler/api"
	"tickler/calendar"
)

// life is what a portfolio of one size took, from the first file on.
type life struct {
	p    Portfolio
	data string // its data directory

	duties  int    // obligations in the store after the first file
	first   Sample // import of the first file into an empty store
	parse   Sample // reading the file alone; the wall is that of the reading
	again   Sample // the same file once more
	wrote   bool   // whether that changed the store's file
	percent Sample // a file in which a hundredth of the loans changed
	oneRow  Sample // a file in which one loan changed
	record  Sample // an event recorded of one loan
	ticks   []ticked
	list    listed
	bytes   int64  // of the store after the first file
	headers []byte // of the store's file, once the same file came again
}

// generate writes a file of the portfolio, in a process of its own.
func (s *session) generate(ctx context.Context, p Portfolio, c Changes, name string) (string, error) {
	path := filepath.Join(s.dir, name)
	_, err := s.hook(ctx, "generate", generateRequest{p, c, path}, &struct{}{})
	return path, err
}

// fresh makes an empty store, under the rulebook of a file or the shipped one.
func (s *session) fresh(ctx context.Context, data string, day calendar.Date, rulebook string) error {
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	args := []string{"init", "--go-live", day.String()}
	if rulebook != "" {
		args = append(args, "--rules", rulebook)
	}
	_, _, err := measure(s.tickler(ctx, data, args...))
	return err
}

// take imports a file as on a business day.
func (s *session) take(ctx context.Context, data, path string, on calendar.Date, more ...string) (Usage, api.ImportReply, error) {
	u, out, err := measure(s.tickler(ctx, data, append(append([]string{"import", "--on", on.String(), "--force", "-o", "json"}, more...), path)...))
	if err != nil {
		return u, api.ImportReply{}, err
	}
	reply, err := importReply(out)
	return u, reply, err
}

func importReply(out []byte) (api.ImportReply, error) {
	var replies []api.ImportReply
	if err := json.Unmarshal(out, &replies); err != nil || len(replies) != 1 {
		return api.ImportReply{}, fmt.Errorf("read what import printed: %v\n%s", err, out)
	}
	return replies[0], nil
}

// live lets a portfolio live through all that is measured of its size.
func (s *session) live(ctx context.Context, p Portfolio, name string) (l *life, err error) {
	l = &life{p: p, data: filepath.Join(s.dir, name)}
	s.say("%s loans: a file, read and imported", count(p.Loans))
	file, err := s.generate(ctx, p, Changes{}, name+".csv")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file)
	if l.parse, err = repeat(s.runs, s.readByHook(ctx, "parse", file, p.Loans)); err != nil {
		return nil, err
	}
	if l.first, err = repeat(s.runs, func(int) (Usage, error) {
		if err := s.fresh(ctx, l.data, p.Day, ""); err != nil {
			return Usage{}, err
		}
		u, reply, err := s.take(ctx, l.data, file, p.Day)
		if err == nil && reply.New != p.Loans {
			err = fmt.Errorf("%d of %d loans were new", reply.New, p.Loans)
		}
		l.duties = reply.Plan["planned"] // of which some are raised at once
		return u, err
	}); err != nil {
		return nil, err
	}
	info, err := os.Stat(l.store())
	if err != nil {
		return nil, err
	}
	l.bytes = info.Size()

	s.say("%s loans: the same again", count(p.Loans))
	before, err := headers(l.store())
	if err != nil {
		return nil, err
	}
	if l.again, err = repeat(s.runs, func(int) (Usage, error) {
		u, reply, err := s.take(ctx, l.data, file, p.Day)
		if err == nil && !reply.Same && reply.New+reply.Changed > 0 {
			err = errors.New("the same file changed something")
		}
		return u, err
	}); err != nil {
		return nil, err
	}
	after, err := headers(l.store())
	if err != nil {
		return nil, err
	}
	l.wrote, l.headers = !bytes.Equal(before, after), after

	return l, s.listed(ctx, l)
}

// listed lists a branch, in a process of its own.
func (s *session) listed(ctx context.Context, l *life) error {
	s.say("%s loans: listed", count(l.p.Loans))
	_, err := s.hook(ctx, "list", listRequest{l.data, Branch(0), l.p.Day, l.p.Day.AddDays(30), 4 * s.runs}, &l.list)
	return err
}

// filled imports a portfolio that only others are measured with.
func (s *session) filled(ctx context.Context, p Portfolio, name string) (*life, error) {
	l := &life{p: p, data: filepath.Join(s.dir, name)}
	s.say("%s loans: for the peers", count(p.Loans))
	file, err := s.generate(ctx, p, Changes{}, name+".csv")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file)
	if err := s.fresh(ctx, l.data, p.Day, ""); err != nil {
		return nil, err
	}
	_, reply, err := s.take(ctx, l.data, file, p.Day)
	if err != nil {
		return nil, err
	}
	l.duties = reply.Plan["planned"]
	return l, s.listed(ctx, l)
}

// goOn goes on from the first file: one loan changes, duties fall due, a
// hundredth of the loans changes.
func (s *session) goOn(ctx context.Context, l *life) (err error) {
	p := l.p
	s.say("%s loans: changes", count(p.Loans))
	if l.record, err = repeat(s.runs, func(run int) (Usage, error) {
		u, _, err := measure(s.tickler(ctx, l.data, "record", "loan.extended", "loan/"+LoanID(p.Loans/2+100*run), "--on", p.Day.String(), "--force",
			"--happened", p.Day.String(), "--set", "to="+p.Day.AddMonths(30).String()))
		return u, err
	}); err != nil {
		return err
	}
	if err := s.days(ctx, l); err != nil {
		return err
	}
	changed := func(c Changes, want int) (Usage, error) {
		file, err := s.generate(ctx, p, c, filepath.Base(l.data)+"-later.csv")
		if err != nil {
			return Usage{}, err
		}
		defer os.Remove(file)
		u, reply, err := s.take(ctx, l.data, file, p.Day.AddDays(c.Days))
		if got := reply.Changed + reply.New; err == nil && (got < want || got > want+s.runs) { // the recorded extensions end with the next file
			err = fmt.Errorf("%d loans changed in %q, want %d", got, file, want)
		}
		return u, err
	}
	if l.percent, err = repeat(s.runs, func(run int) (Usage, error) { return changed(Changes{Days: run + 1}, p.Loans/100) }); err != nil {
		return err
	}
	if now, err := headers(l.store()); err != nil || bytes.Equal(now, l.headers) {
		return fmt.Errorf("the headers of the store do not show that it was written (%v): what says that the same file writes nothing proves nothing", err)
	}
	days := l.percent.Runs
	l.oneRow, err = repeat(s.runs, func(run int) (Usage, error) {
		return changed(Changes{Days: days + run + 1, One: days + 1}, 1)
	})
	return err
}

// days lets the days after the first file pass on a copy: the same days whatever
// the size, since what falls due on them differs much.
func (s *session) days(ctx context.Context, l *life) error {
	s.say("%s loans: scans", count(l.p.Loans))
	later := l.data + "-later"
	if err := copyData(l.data, later); err != nil {
		return err
	}
	defer os.RemoveAll(later)
	_, err := s.hook(ctx, "tick", tickRequest{later, l.p.Day.AddDays(1), 2*s.runs + 1}, &l.ticks)
	return err
}

func (l *life) store() string { return filepath.Join(l.data, "tickler.db") }

// tick gives the medians over the days on which much is raised: the time a duty
// raised, wall and cpu, and that of a scan with nothing to do. raised is how many those
// days raised in all.
func (l *life) tick() (duty, used, idle time.Duration, raised int) {
	most := 0
	for _, t := range l.ticks {
		most = max(most, t.Raised)
	}
	var duties, cpus, idles []time.Duration
	for _, t := range l.ticks {
		idles = append(idles, t.Idle)
		if t.Raised*4 >= most && t.Raised > 0 { // little is raised on a day off
			duties = append(duties, t.Took/time.Duration(t.Raised))
			cpus = append(cpus, t.CPU/time.Duration(t.Raised))
			raised += t.Raised
		}
	}
	if len(duties) == 0 {
		return 0, 0, median(idles, same[time.Duration]), 0
	}
	return median(duties, same[time.Duration]), median(cpus, same[time.Duration]), median(idles, same[time.Duration]), raised
}

// headers reads the store file's first two pages: every commit writes one of
// them anew, with its number.
func headers(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	both := make([]byte, 2*os.Getpagesize())
	if _, err := io.ReadFull(f, both); err != nil {
		return nil, err
	}
	return both, nil
}

// copyData copies a data directory that nobody holds.
func copyData(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	_, _, err := measure(exec.Command("cp", "-a", from, to))
	return err
}
