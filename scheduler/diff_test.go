package scheduler_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tickler"
	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
	"tickler/scheduler"
	"tickler/store/bolt"
)

// tested is a rulebook of every shape of rule, to be edited by the tests.
const tested = `version: 1
rules:
- id: maturity-notice
  name: 发送贷款到期通知书
  clause: 篇三 二(二)
  for: loan
  due: 1 month before loan.maturity
  raise: 10 workdays before due
  by: officer
  closes_on: notice.maturity_sent
- id: overdue-notice-borrower
  for: loan
  when: loan.unpaid
  due: 10 workdays after loan.maturity
  by: officer
- id: overdue-notice-guarantor
  for: loan
  each: guarantor
  when: loan.unpaid
  due: 10 workdays after loan.maturity
  by: officer
- id: report-quarter
  for: loan
  every: quarter
  when: loan.class != "normal"
  except:
  - {if: 'add_months(loan.disbursed, 2) >= period.end', why: 新发放}
  due: 15 workdays after period.end
  by: officer
  sign: [supervisor]
  closes_on: inspection.reported
- id: interest-notice
  for: loan
  every: interest_date
  when: interest.unpaid
  due: 5 workdays after interest.date
  by: officer
- id: worklog-quota
  for: borrower
  every: month
  needs: {count: worklog.submitted, at_least: 'borrower.mode == "key" ? 2 : 1'}
  due: on period.end
  by: officer
- id: worklog-review
  on: worklog.submitted
  due: 2 workdays after event.date
  by: supervisor
  closes_on: worklog.reviewed
- id: year-of-the-officer
  for: officer
  every: year
  due: 20 workdays after period.end
  by: officer
- id: year-of-the-branch
  for: branch
  every: year
  due: 20 workdays after period.end
  by: president
`

// a portfolio of n borrowers, of every class and mode, with maturities around
// the day.
func portfolio(n int) string {
	classes := []string{"正常", "关注", "次级", "可疑"}
	var b strings.Builder
	b.WriteString(header)
	for i := range n {
		maturity := date("2026-10-20").AddDays(7 * (i % 25))
		fmt.Fprintf(&b, "JJ%03d,C%03d,甲公司%d,B%02d,S%03d,100000,50000,%s,%s,%s,%s,%s,按季,%d,2026-11-20\n", i, i/2, i/2, i%2+1, i%5,
			maturity.AddMonths(-14), maturity, classes[i%4], []string{"常规", "重点"}[i/2%2], []string{"", "丙公司"}[i%2], i%3)
	}
	return b.String()
}

// inFile makes a branch whose rulebook is a file of its directory.
func inFile(t *testing.T, today string, change ...func(*scheduler.Config)) *branch {
	t.Helper()
	dir := t.TempDir()
	b := &branch{t: t, path: filepath.Join(dir, "tickler.db")}
	b.cfg = scheduler.Config{RulesPath: filepath.Join(dir, "rules.yaml"), CalendarDir: filepath.Join(dir, "calendar"), Data: dir}
	for _, f := range change {
		f(&b.cfg)
	}
	b.write(tested)
	if err := bolt.Create(b.path); err != nil {
		t.Fatal(err)
	}
	b.goTo(today)
	b.open()
	t.Cleanup(func() { b.st.Close() })
	return b
}

func (b *branch) write(text string) {
	b.t.Helper()
	if err := os.WriteFile(b.cfg.RulesPath, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *branch) reopen() {
	b.t.Helper()
	b.st.Close()
	b.open()
}

// copyOf is another branch with the same store and the same files.
func (b *branch) copyOf() *branch {
	b.t.Helper()
	c := inFile(b.t.(*testing.T), b.now.Load().Format("2006-01-02"), func(cfg *scheduler.Config) { cfg.Hold = b.cfg.Hold })
	c.st.Close()
	if err := os.Remove(c.path); err != nil {
		b.t.Fatal(err)
	}
	if err := b.st.Backup(context.Background(), c.path); err != nil {
		b.t.Fatal(err)
	}
	text, err := os.ReadFile(b.cfg.RulesPath)
	if err != nil {
		b.t.Fatal(err)
	}
	c.write(string(text))
	c.open()
	return c
}

// lines says how two real plans differ, in the words of a diff.
func lines(before, after map[string]api.Obligation) []string {
	asked := func(o api.Obligation, there bool) bool {
		return there && o.State != obligation.Cancelled && o.State != obligation.Lapsed
	}
	ids := map[string]bool{}
	for id := range before {
		ids[id] = true
	}
	for id := range after {
		ids[id] = true
	}
	var out []string
	for id := range ids {
		o, was := before[id]
		n, is := after[id]
		was, is = asked(o, was), asked(n, is)
		overdue := is && n.Overdue && !(was && o.Overdue)
		switch {
		case was && !is:
			out = append(out, line("dropped", id, o.Due, 0, o.Owner, o.Role, false))
		case is && !was:
			out = append(out, line("added", id, 0, n.Due, n.Owner, n.Role, overdue))
		case is && n.Due < o.Due:
			out = append(out, line("earlier", id, o.Due, n.Due, n.Owner, n.Role, overdue))
		case is && n.Due > o.Due:
			out = append(out, line("later", id, o.Due, n.Due, n.Owner, n.Role, overdue))
		case is && (o.State != n.State || o.Raise != n.Raise || o.Owner != n.Owner || o.Role != n.Role || o.Provisional != n.Provisional || fmt.Sprint(o.Progress) != fmt.Sprint(n.Progress)):
			out = append(out, line("altered", id, o.Due, n.Due, n.Owner, n.Role, overdue))
		}
	}
	slices.Sort(out)
	return out
}

func line(kind, id string, old, new calendar.Date, owner, role string, overdue bool) string {
	return fmt.Sprintf("%s %s %s -> %s %s/%s %v", kind, id, old, new, owner, role, overdue)
}

func told(r *api.DiffReply) []string {
	var out []string
	for _, l := range r.Changes {
		out = append(out, line(string(l.Kind), l.ID, l.OldDue, l.NewDue, l.Owner, l.Role, l.NewlyOverdue))
	}
	slices.Sort(out)
	return out
}

func sameLines(t *testing.T, got, want []string) {
	t.Helper()
	for _, l := range want {
		if !slices.Contains(got, l) {
			t.Errorf("not told: %s", l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			t.Errorf("told, but it does not happen: %s", l)
		}
	}
}

var bookEdits = map[string]func(string) string{
	"later":  replacing("due: 10 workdays after loan.maturity", "due: 12 workdays after loan.maturity"),
	"sooner": replacing("due: 10 workdays after loan.maturity", "due: 2 workdays after loan.maturity"),
	"without overdue notices": func(s string) string {
		return strings.ReplaceAll(s, "when: loan.unpaid\n", "when: loan.unpaid and loan.class != \"normal\"\n")
	},
	"one more rule": func(s string) string {
		return s + "\n- {id: new-rule, for: loan, due: 3 workdays before loan.maturity, by: supervisor}\n"
	},
	"by another":   replacing("  by: officer\n", "  by: risk_manager\n"),
	"less asked":   replacing("? 2 : 1", "? 3 : 1"),
	"of a branch":  replacing("  by: president\n", "  by: ops\n"),
	"raised later": replacing("raise: 10 workdays before due", "raise: 2 workdays before due"),
}

func replacing(old, new string) func(string) string {
	return func(s string) string {
		if !strings.Contains(s, old) {
			panic("the rulebook does not hold " + old)
		}
		return strings.ReplaceAll(s, old, new)
	}
}

// What a diff tells is what two real runs of the same store differ in, on the
// day of the last scan and on a day that no scan has seen yet.
func TestADiffTellsWhatARunWouldDo(t *testing.T) {
	free := func(c *scheduler.Config) { c.Hold.Share = 1 }
	for _, day := range []string{"2026-11-23", "2026-12-21"} {
		b := inFile(t, "2026-11-23", free)
		b.importFile(portfolio(60))
		for i, subject := range []string{"borrower/C001", "borrower/C001", "borrower/C004"} {
			if _, err := b.s.Record(context.Background(), scheduler.Actor{System: true}, api.RecordRequest{Event: "worklog.submitted", Subject: subject, Set: map[string]string{"期间": "2026-11"}, ID: fmt.Sprint("W", i)}); err != nil {
				t.Fatal(err)
			}
		}
		b.tick()
		b.goTo(day)
		old := b.copyOf()
		old.tick()
		before := old.all()
		for name, edit := range bookEdits {
			t.Run(day+" "+name, func(t *testing.T) {
				text := edit(tested)
				head, stood := b.head(), b.all()
				got, err := b.s.Diff(context.Background(), api.DiffRequest{New: &api.Book{Name: "new.yaml", Text: []byte(text)}})
				if err != nil {
					t.Fatal(err)
				}
				if b.head() != head || len(b.all()) != len(stood) {
					t.Error("a diff wrote something")
				}
				new := b.copyOf()
				new.write(text)
				new.reopen()
				new.tick()
				want := lines(before, new.all())
				if len(want) == 0 {
					t.Fatal("the edit changes nothing")
				}
				sameLines(t, told(got), want)
				if n := got.Total.Changes(); n != len(want) {
					t.Errorf("%d counted, %d changed", n, len(want))
				}
				sum := 0
				for _, o := range got.ByOwner {
					sum += o.Changes()
				}
				for _, r := range got.ByRule {
					sum -= r.Changes()
				}
				if sum != 0 {
					t.Error("the totals by rule and by owner differ")
				}
				// Afterwards there is nothing left to tell.
				again, err := new.s.Diff(context.Background(), api.DiffRequest{New: &api.Book{Name: "new.yaml", Text: []byte(text)}})
				if err != nil || again.Total.Changes() != 0 {
					t.Errorf("after the run: %v, %+v", err, again)
				}
				// And back: the one that was in force before is named by its digest.
				back, err := new.s.Diff(context.Background(), api.DiffRequest{Old: &api.Book{Digest: got.New[:20]}, New: &api.Book{Digest: strings.TrimPrefix(got.Old, "sha256:")[:12]}})
				if err != nil || back.Old != got.New || back.New != got.Old || back.Total.Changes() == 0 {
					t.Errorf("and back: %v, %+v", err, back)
				}
			})
		}
	}
}

// The whole catalogue too: with a day more for every limit in workdays after an
// anchor, and with what a branch asks of those below it.
func TestADiffOfTheShippedRulebookTellsWhatARunWouldDo(t *testing.T) {
	free := func(c *scheduler.Config) { c.Hold.Share = 1 }
	b := inFile(t, "2026-11-23", free)
	shipped := string(tickler.Rulebook)
	text := regexp.MustCompile(`due: (\d+) workdays after`).ReplaceAllString(shipped, "due: 1$1 workdays after")
	b.write(shipped)
	b.reopen()
	b.importFile(portfolio(40))
	b.importFile("机构号,机构名称,上级机构\nB01,一支行,\nB02,二支行,B01\nB03,三支行,B01\n")
	if _, err := b.s.Record(context.Background(), scheduler.Actor{System: true}, api.RecordRequest{Event: "supervision.done", Subject: "branch/B02"}); err != nil {
		t.Fatal(err)
	}
	b.tick()
	for _, day := range []string{"2026-11-23", "2027-01-04"} {
		b.goTo(day)
		// An edit, and another rulebook altogether.
		for _, c := range [][2]string{{shipped, text}, {shipped, tested}} {
			old, new := b.copyOf(), b.copyOf()
			old.write(c[0])
			new.write(c[1])
			for _, x := range []*branch{old, new} {
				x.reopen()
				x.tick()
			}
			got, err := b.s.Diff(context.Background(), api.DiffRequest{Old: &api.Book{Name: "old.yaml", Text: []byte(c[0])}, New: &api.Book{Name: "new.yaml", Text: []byte(c[1])}})
			if err != nil {
				t.Fatal(err)
			}
			want := lines(old.all(), new.all())
			if len(want) < 100 {
				t.Errorf("only %d changes", len(want))
			}
			sameLines(t, told(got), want)
		}
	}
}

const overlay = `version: 1
overlay:
- {source: 本行〔2026〕1号, issued: 2026-11-01, off: [2026-11-30 行庆]}
`

func TestADiffOfACalendarTellsWhatARunWouldDo(t *testing.T) {
	b := inFile(t, "2026-11-23")
	b.importFile(portfolio(60))
	b.tick()
	before := b.all()
	cal, err := calendar.Builtin().Add("2026.yaml", []byte(overlay))
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.s.Diff(context.Background(), api.DiffRequest{Calendar: cal.Text()})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(b.cfg.CalendarDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.cfg.CalendarDir, "2026.yaml"), []byte(overlay), 0o600); err != nil {
		t.Fatal(err)
	}
	b.reopen()
	b.tick()
	want := lines(before, b.all())
	if len(want) == 0 {
		t.Fatal("the overlay changes nothing")
	}
	sameLines(t, told(got), want)
}

func TestADiffSaysWhatItCannotRead(t *testing.T) {
	b := inFile(t, "2026-11-23")
	b.importFile(friday)
	for name, c := range map[string]struct {
		book api.Book
		code api.Code
		text string
	}{
		"a mistake":         {api.Book{Name: "new.yaml", Text: []byte("version: 1\nrules:\n- id: x\n")}, api.BadFile, "new.yaml:3"},
		"an unknown digest": {api.Book{Digest: "0000dead"}, api.NotFound, "0000dead"},
	} {
		if _, err := b.s.Diff(context.Background(), api.DiffRequest{New: &c.book}); api.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.s.Diff(context.Background(), api.DiffRequest{On: date("2026-11-01")}); api.CodeOf(err) != api.Usage {
		t.Errorf("a day before the store's: %v", err)
	}
}
