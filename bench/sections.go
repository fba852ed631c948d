//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Sizes between which growth is measured, and targets that hold at a size.
const (
	smallLoans = 10_000
	peerLoans  = 100_000 // of which the databases are given the rows of five rules, at most
	simulated  = 1_500   // at most
)

// portfolioSections measures everything that needs a portfolio.
func (s *session) portfolioSections(ctx context.Context) ([]Section, error) {
	l, err := s.live(ctx, Portfolio{s.seed, s.loans, s.day}, "main")
	if err != nil {
		return nil, err
	}
	var out []Section
	add := func(section Section, err error) error {
		out = append(out, section)
		return err
	}
	if err := add(s.listSection(ctx, l)); err != nil {
		return nil, err
	}
	if err := s.goOn(ctx, l); err != nil {
		return nil, err
	}
	var small *life
	if s.loans > smallLoans {
		if small, err = s.live(ctx, Portfolio{s.seed, smallLoans, s.day}, "small"); err == nil {
			err = s.goOn(ctx, small)
		}
		if err != nil {
			return nil, err
		}
	}
	plan, err := s.planSection(ctx, l)
	if err != nil {
		return nil, err
	}
	out = append([]Section{plan, s.againSection(l, small), s.tickSection(l, small)}, out...)
	if err := add(s.csvSection(ctx, l)); err != nil {
		return nil, err
	}
	if err := add(s.bookSection(ctx)); err != nil {
		return nil, err
	}
	if err := add(s.simulateSection(ctx)); err != nil {
		return nil, err
	}
	if small != nil {
		out = append(out, s.growthSection(l, small))
	}
	return out, nil
}

func (s *session) planSection(ctx context.Context, l *life) (Section, error) {
	f := l.first
	stored := rate(l.duties, f.Wall)
	sec := Section{Name: "Plan from nothing, stored", Rows: []Row{
		{Work: fmt.Sprintf("import of %s loans into an empty store: read, checked, planned, committed", count(l.p.Loans)), Ours: f.whole(), Beside: fmt.Sprintf("%s obligations, %s of store", count(l.duties), size(l.bytes))},
		{Work: "obligations stored a second", Ours: perSecond(l.duties, f.Wall, "obligations") + f.once(), Beside: "limit 1.5M/s", Ratio: fmt.Sprintf("%.2f of the limit", stored/1.5e6), Target: ">= 1.5M/s", Met: verdict(stored >= 1.5e6)},
	}}
	peak := Row{Work: "peak memory", Ours: size(f.Peak), Beside: "limit 1.50 GiB at 1M", Ratio: fmt.Sprintf("%.2f of the limit", float64(f.Peak)/(1.5*(1<<30))), Target: "<= 1.5 GiB at 1M", Met: NotMeasured}
	if l.p.Loans >= fullLoans || f.Peak > 3<<29 {
		peak.Met = verdict(f.Peak <= 3<<29)
	}
	sec.Rows = append(sec.Rows, peak)
	rows, err := s.fiveRules(ctx)
	sec.Rows = append(sec.Rows, rows...)
	sec.Notes = append(sec.Notes, "The figures of the import include reading the file and checking it; the peers are given rows that are worked out already, in one transaction into a table with a "+
		"primary key and two indexes: PostgreSQL by COPY with fsync on and the settings of initdb, SQLite by .import with its default journal and synchronous=FULL, bbolt by one Update.")
	return sec, err
}

func (s *session) againSection(l, small *life) Section {
	eighth := float64(l.again.CPU) / float64(l.first.CPU)
	twelfth := float64(l.percent.CPU) / float64(l.first.CPU)
	wrote := "not a byte"
	if l.wrote {
		wrote = "the file was written"
	}
	sec := Section{Name: "Plan again", Rows: []Row{
		{Work: "the same file once more", Ours: l.again.whole(), Beside: "the first import: " + took(l.first.CPU) + " cpu", Ratio: fmt.Sprintf("1/%.3g", 1/eighth), Target: "<= 1/8", Met: verdict(eighth <= 1.0/8)},
		{Work: "what that wrote to the store", Ours: wrote, Beside: "limit 0", Target: "not a byte", Met: verdict(!l.wrote)},
		{Work: "a file of the next day, 1 % of the loans changed", Ours: l.percent.whole(), Beside: "the first import: " + took(l.first.CPU) + " cpu", Ratio: fmt.Sprintf("1/%.3g", 1/twelfth), Target: "<= 1/12", Met: verdict(twelfth <= 1.0/12)},
		{Work: "a file of the next day, one loan changed", Ours: l.oneRow.whole(), Beside: "the file is read whole"},
		s.oneLoan(l, small),
	}, Notes: []string{"Ratios of this section are of cpu time, which other work on the machine disturbs least. The files are read, checked and compared whole, as a bank gives them."}}
	if s.pgAgain != nil {
		sec.Rows = append(sec.Rows, *s.pgAgain)
	}
	return sec
}

func (s *session) oneLoan(l, small *life) Row {
	r := Row{Work: "one loan extended, by a command of its own: opened, planned anew, fsynced", Ours: l.record.whole(), Target: "at 1M <= 5x at 10k", Met: NotMeasured}
	if small != nil {
		grown := float64(l.record.Wall) / float64(small.record.Wall)
		r.Beside, r.Ratio = "at "+count(small.p.Loans)+": "+took(small.record.Wall), fmt.Sprintf("%.2fx as long", grown)
		r.Met = verdict(grown <= 5)
	}
	return r
}

func (s *session) tickSection(l, small *life) Section {
	duty, used, idle, raised := l.tick()
	sec := Section{Name: "A scan", Rows: []Row{
		{Work: fmt.Sprintf("raise a day: fsynced, audit and outbox included; %s obligations in the days measured, a duty", count(raised)), Ours: took(duty) + ", cpu " + took(used), Beside: "limit 6 us", Ratio: fmt.Sprintf("%.2f of the limit", float64(duty)/6000), Target: "<= 6 us a duty", Met: verdict(duty > 0 && duty <= 6*time.Microsecond)},
	}}
	nothing := Row{Work: "nothing due", Ours: took(idle), Target: "at 1M <= 4x at 10k", Met: NotMeasured}
	if small != nil {
		_, _, before, _ := small.tick()
		grown := float64(idle) / float64(before)
		nothing.Beside, nothing.Ratio, nothing.Met = "at "+count(small.p.Loans)+": "+took(before), fmt.Sprintf("%.2fx as long", grown), verdict(grown <= 4)
	}
	told, derived, all, handled := 0, 0, time.Duration(0), 0
	for _, t := range l.ticks {
		told += t.Told
		derived += t.Derived
		all += t.Took
		handled += t.Raised + t.Told
	}
	sec.Rows = append(sec.Rows, Row{Work: fmt.Sprintf("all %d days, by each that was raised, reminded or escalated", len(l.ticks)), Ours: took(all / time.Duration(max(handled, 1)))}, nothing)
	sec.Notes = []string{fmt.Sprintf("The scan in its own process, store open. The time is of the whole scan, which in %d days also told %s reminders and escalations and worked out %s borrowers anew; "+
		"the first row is of the days on which most is raised, and divided by the duties raised alone.", len(l.ticks), count(told), count(derived))}
	return sec
}

func (s *session) csvSection(ctx context.Context, l *life) (Section, error) {
	n := l.p.Loans
	sec := Section{Name: "Import a ledger of CSV in GB18030, 20 columns"}
	s.say("%s rows of CSV", count(n))
	file, err := s.generate(ctx, l.p, Changes{}, "rows.csv")
	if err != nil {
		return sec, err
	}
	defer os.Remove(file)
	works := []func(int) (Usage, error){s.readByHook(ctx, "parse", file, n)}
	if s.has("pandas") {
		works = append(works, s.readByScript(ctx, "pandas_csv", file, n))
	}
	samples, err := turns(s.runs, works...)
	if err != nil {
		return sec, err
	}
	parse := samples[0].reading(n)
	if s.has("pandas") {
		ratio := float64(samples[1].Wall) / float64(samples[0].Wall)
		sec.Rows = append(sec.Rows, Row{Work: "read and typed", Ours: parse, Beside: "pandas: " + samples[1].reading(n), Ratio: apart(ratio), Target: ">= 1.2x", Met: verdict(ratio >= 1.2)})
	} else {
		sec.Rows = append(sec.Rows, missingRow("read and typed", parse, "pandas", ">= 1.2x"))
	}
	limit := func(work string, sample Sample, least float64) Row {
		r := rate(n, sample.Wall)
		return Row{Work: work, Ours: sample.reading(n), Beside: fmt.Sprintf("limit %.0fk rows/s", least/1e3), Ratio: fmt.Sprintf("%.2f of the limit", r/least), Target: fmt.Sprintf(">= %.0fk rows/s", least/1e3), Met: verdict(r >= least)}
	}
	sec.Rows = append(sec.Rows, limit("whole import, first file", l.first, 100e3), limit("whole import, 1 % changed", l.percent, 200e3))
	memory := Row{Work: "peak memory of the whole import", Ours: size(l.first.Peak), Beside: "limit 1.00 GiB at 1M", Target: "<= 1 GiB at 1M", Met: NotMeasured}
	if n >= fullLoans || l.first.Peak > 1<<30 {
		memory.Met = verdict(l.first.Peak <= 1<<30)
	}
	sec.Rows = append(sec.Rows, memory)
	sec.Notes = []string{"Reading is timed inside the process on both sides, without the start of either; the memory is the whole process's. pandas gets the types of three text columns and three dates named."}
	return sec, nil
}

// readByScript lets a Python peer read a file n rows long; the wall is that of
// the reading alone.
func (s *session) readByScript(ctx context.Context, script, file string, n int) func(int) (Usage, error) {
	return func(int) (Usage, error) {
		var r rowsRead
		u, err := s.script(ctx, script, "", &r, file)
		return r.of(u, n, script, err)
	}
}

// readByHook reads it here, in a process of its own.
func (s *session) readByHook(ctx context.Context, hook, file string, n int) func(int) (Usage, error) {
	return func(int) (Usage, error) {
		var r rowsRead
		u, err := s.hook(ctx, hook, file, &r)
		return r.of(u, n, hook, err)
	}
}

func (r rowsRead) of(u Usage, n int, reader string, err error) (Usage, error) {
	u.Wall = r.Took
	if err == nil && r.Rows != n {
		err = fmt.Errorf("%s read %d of %d rows", reader, r.Rows, n)
	}
	return u, err
}

// reading prints what reading n rows took.
func (s Sample) reading(n int) string {
	return perSecond(n, s.Wall, "rows") + ", " + size(s.Peak) + s.once()
}

// bookSection reads a workbook of a fifth of the loans: 200,000 rows at a
// million loans.
func (s *session) bookSection(ctx context.Context) (Section, error) {
	p := Portfolio{s.seed, max(s.loans/5, 100), s.day}
	sec := Section{Name: fmt.Sprintf("Read a workbook of %s rows", count(p.Loans))}
	s.say("a workbook of %s rows", count(p.Loans))
	file, err := s.generate(ctx, p, Changes{}, "book.xlsx")
	if err != nil {
		return sec, err
	}
	defer os.Remove(file)
	peers := []struct {
		module, name, target string
		read                 func(int) (Usage, error)
	}{
		{"", "excelize's rows, not typed", ">= 1x", s.readByHook(ctx, "excelize", file, p.Loans)},
		{"openpyxl", "openpyxl", "", s.readByScript(ctx, "openpyxl_xlsx", file, p.Loans)},
		{"pandas", "pandas", "", s.readByScript(ctx, "pandas_xlsx", file, p.Loans)},
	}
	works := []func(int) (Usage, error){s.readByHook(ctx, "parse", file, p.Loans)}
	for _, peer := range peers {
		if peer.module == "" || s.has(peer.module) {
			works = append(works, peer.read)
		}
	}
	samples, err := turns(s.runs, works...)
	if err != nil {
		return sec, err
	}
	const work = "read, typed and checked"
	ours, samples := samples[0], samples[1:]
	for _, peer := range peers {
		if peer.module != "" && !s.has(peer.module) {
			sec.Rows = append(sec.Rows, missingRow(work, ours.reading(p.Loans), peer.name, peer.target))
			continue
		}
		ratio := float64(samples[0].Wall) / float64(ours.Wall)
		r := Row{Work: work, Ours: ours.reading(p.Loans), Beside: peer.name + ": " + samples[0].reading(p.Loans), Ratio: apart(ratio), Target: peer.target}
		if peer.target != "" {
			r.Met = verdict(ratio >= 0.95) // a twentieth is within what runs differ by
		}
		sec.Rows = append(sec.Rows, r)
		samples = samples[1:]
	}
	return sec, nil
}

func (s *session) simulateSection(ctx context.Context) (Section, error) {
	p := Portfolio{s.seed, min(simulated, s.loans), s.day}
	sec := Section{Name: fmt.Sprintf("Simulate a branch of %s loans through a year", count(p.Loans))}
	s.say("a simulated year")
	data := s.dir + "/year"
	file, err := s.generate(ctx, p, Changes{}, "year.csv")
	if err != nil {
		return sec, err
	}
	if err := s.fresh(ctx, data, p.Day, ""); err != nil {
		return sec, err
	}
	if _, _, err := s.take(ctx, data, file, p.Day); err != nil {
		return sec, err
	}
	year, err := repeat(s.runs, func(int) (Usage, error) {
		u, _, err := measure(s.tickler(ctx, data, "simulate", "--on", p.Day.String(), "--to", p.Day.AddDays(365).String()))
		return u, err
	})
	sec.Rows = []Row{{Work: "the whole command", Ours: year.whole(), Beside: "limit 3 s", Ratio: fmt.Sprintf("%.2f of the limit", year.Wall.Seconds()/3), Target: "<= 3 s", Met: verdict(year.Wall <= 3*time.Second)}}
	return sec, err
}

func (s *session) growthSection(l, small *life) Section {
	sec := Section{Name: fmt.Sprintf("Growth from %s to %s loans, cpu a loan", count(small.p.Loans), count(l.p.Loans)), Notes: []string{
		"The target is of 10,000 to 1,000,000 loans; a run of fewer judges what it has."}}
	add := func(work string, a, b Sample) {
		before, after := a.CPU/time.Duration(small.p.Loans), b.CPU/time.Duration(l.p.Loans)
		grown := float64(after) / float64(before)
		sec.Rows = append(sec.Rows, Row{Work: work, Ours: took(after), Beside: "at " + count(small.p.Loans) + ": " + took(before), Ratio: fmt.Sprintf("%.2fx a loan", grown), Target: "<= 1.3x", Met: verdict(grown <= 1.3)})
	}
	add("read and typed", small.parse, l.parse)
	add("plan from nothing, stored", small.first, l.first)
	add("the same file again", small.again, l.again)
	add("1 % changed", small.percent, l.percent)
	_, duty, _, _ := l.tick()
	_, before, _, _ := small.tick()
	grown := float64(duty) / float64(max(before, 1))
	sec.Rows = append(sec.Rows, Row{Work: "raise a day, a duty", Ours: took(duty), Beside: "at " + count(small.p.Loans) + ": " + took(before), Ratio: fmt.Sprintf("%.2fx a duty", grown), Target: "<= 1.3x", Met: verdict(grown <= 1.3)})
	return sec
}
