package scheduler_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"tickler"
	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
)

const header = "借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,保证人,结息方式,欠息,数据日期\n"

// two loans: one past its maturity and unpaid, one due in December.
const friday = header +
	"JJ1,C1,甲公司,B01,S001,100000,50000,2025-10-30,2026-10-30,正常,常规,丙公司、丁公司,按季,0,2026-11-20\n" +
	"JJ2,C2,乙公司,B01,S002,200000,200000,2025-12-31,2026-12-31,正常,重点,,按月,0,2026-11-20\n"

type branch struct {
	t    rapid.TB
	path string
	st   *store.Store
	s    *scheduler.Scheduler
	now  atomic.Pointer[time.Time]
	cfg  scheduler.Config

	goLive string // "": 2026-11-01
}

func at(day string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", day+" 09:00", time.FixedZone("CST", 8*3600))
	if err != nil {
		panic(err)
	}
	return t
}

func date(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// wall is a clock on which no time passes but what a test sets.
type wall func() time.Time

func (w wall) Now() time.Time         { return w() }
func (w wall) Elapsed() time.Duration { return 0 }

// newBranch makes a branch that goes live on 1 November 2026, on a day.
func newBranch(t *testing.T, today string) *branch {
	t.Helper()
	return newBranchWith(t, today, scheduler.Config{})
}

func (b *branch) create() {
	b.t.Helper()
	if err := bolt.Create(b.path); err != nil {
		b.t.Fatal(err)
	}
}

func (b *branch) goTo(day string) { now := at(day); b.now.Store(&now) }

func (b *branch) open() {
	b.t.Helper()
	backend, err := bolt.Open(b.path, bolt.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.st = store.New(backend)
	ctx := context.Background()
	var meta bool
	b.st.View(ctx, func(tx *store.Tx) error { _, err := tx.Meta(); meta = err == nil; return nil })
	if !meta {
		if err := scheduler.Init(ctx, b.st, scheduler.InitOptions{GoLive: date(cmp.Or(b.goLive, "2026-11-01")), Now: *b.now.Load()}); err != nil {
			b.t.Fatal(err)
		}
	}
	b.cfg.Store = b.st
	b.cfg.Clock = wall(func() time.Time { return *b.now.Load() })
	if b.s, err = scheduler.New(b.cfg); err != nil {
		b.t.Fatal(err)
	}
}

func (b *branch) importFile(text string, change ...func(*api.ImportRequest)) *api.ImportReply {
	b.t.Helper()
	r, err := b.tryImport(text, change...)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *branch) tryImport(text string, change ...func(*api.ImportRequest)) (*api.ImportReply, error) {
	req := api.ImportRequest{Name: "ledger.csv"}
	for _, f := range change {
		f(&req)
	}
	return b.s.Import(context.Background(), scheduler.Actor{OSUser: "ops", Owner: true}, req, []byte(text))
}

func (b *branch) tick() *api.TickReply {
	b.t.Helper()
	r, err := b.s.Tick(context.Background(), scheduler.Actor{System: true}, api.TickRequest{})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *branch) all() map[string]api.Obligation {
	b.t.Helper()
	r, err := b.s.List(context.Background(), api.ListRequest{All: true})
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]api.Obligation{}
	for _, o := range r.Obligations {
		if _, twice := out[o.ID]; twice {
			b.t.Errorf("obligation %s is there twice", o.ID)
		}
		out[o.ID] = o
	}
	return out
}

func (b *branch) head() uint64 {
	var n uint64
	b.st.View(context.Background(), func(tx *store.Tx) error { n, _, _ = tx.AuditHead(); return nil })
	return n
}

func TestAnImportedLedgerPlansAndRaises(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	r := b.importFile(friday)
	if r.New != 2 || r.Rows != 2 {
		t.Fatalf("import: %+v", r)
	}
	all := b.all()
	for id, want := range map[string]struct{ due, state string }{
		"maturity-notice:loan/JJ2:2026-12-31":                        {"2026-11-30", "raised"},
		"overdue-notice-borrower:loan/JJ1:2026-10-30":                {"2026-11-13", "raised"},
		"overdue-notice-guarantor:loan/JJ1:2026-10-30:guarantor/丙公司": {"2026-11-13", "raised"},
		"overdue-notice-guarantor:loan/JJ1:2026-10-30:guarantor/丁公司": {"2026-11-13", "raised"},
		"inspection-report-quarter:loan/JJ2:2026-Q4":                 {"2027-01-22", "planned"},
		"worklog-quota:borrower/C2:2026-11":                          {"2026-11-30", "raised"},
	} {
		o, ok := all[id]
		if !ok || o.Due.String() != want.due || string(o.State) != want.state {
			t.Errorf("%s: got due %s, %s; want %s, %s", id, o.Due, o.State, want.due, want.state)
		}
	}
}

func TestTheSameFileAgainChangesNothing(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	before, head := b.all(), b.head()
	r := b.importFile(friday)
	if !r.Same || r.New+r.Changed != 0 || len(r.Plan) != 0 {
		t.Errorf("second import: %+v", r)
	}
	if after := b.all(); len(after) != len(before) || b.head() != head {
		t.Errorf("%d obligations, %d audit records; before %d, %d", len(after), b.head(), len(before), head)
	}
}

func TestTwoSnapshotsBecomeEventsAndMovePlans(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	monday := header +
		"JJ1,C1,甲公司,B01,S001,100000,0,2025-10-30,2026-10-30,正常,常规,丙公司、丁公司,按季,0,2026-11-23\n" +
		"JJ2,C2,乙公司,B01,S003,200000,200000,2025-12-31,2027-06-30,关注,重点,,按月,0,2026-11-23\n"
	r := b.importFile(monday)
	want := map[string]int{"loan.settled": 1, "loan.extended": 1, "class.changed": 1, "officer.changed": 1}
	if !maps.Equal(r.Events, want) {
		t.Errorf("events %v, want %v", r.Events, want)
	}
	all := b.all()
	for id, want := range map[string]obligation.State{
		"maturity-notice:loan/JJ2:2026-12-31":         obligation.Cancelled, // extended before it fell due
		"maturity-notice:loan/JJ2:2027-06-30":         obligation.Planned,
		"overdue-notice-borrower:loan/JJ1:2026-10-30": obligation.Lapsed, // missed, never erased
		"maturity-check:loan/JJ1:2026-10-30":          "",                // due before go_live
		"inspection-month:loan/JJ2:2026-11":           obligation.Raised, // key and special mention: monthly now
		"inspection-quarter:loan/JJ2:2026-Q4":         obligation.Cancelled,
	} {
		if got := all[id].State; got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
	if o := all["maturity-notice:loan/JJ2:2027-06-30"]; o.Owner != "S003" {
		t.Errorf("the new officer's duty is still with %q", o.Owner)
	}
	if r := b.importFile(monday); !r.Same {
		t.Errorf("the second file again: %+v", r)
	}
	if _, err := b.tryImport(friday); err == nil || !strings.Contains(err.Error(), "before that of the last ledger") {
		t.Errorf("an older file: %v", err)
	}
}

func TestAnotherFileOfTheSameDayTakesTheFirstOnesPlace(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	plain := b.all()
	wrong := strings.Replace(friday, "2026-12-31,正常,重点", "2027-12-31,损失,重点", 1)
	b.importFile(wrong)
	b.importFile(friday)
	after := b.all()
	for id, o := range plain {
		got := after[id]
		if got.Due != o.Due || got.State != o.State {
			t.Errorf("%s: due %s %s, before %s %s", id, got.Due, got.State, o.Due, o.State)
		}
	}
}

func TestACorrectedFileOfTheSameDayMayLackALoan(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	rows := make([]string, 100)
	for i := range rows {
		rows[i] = fmt.Sprintf("JJ%03d,C%d,甲公司,B01,S001,100000,50000,2025-10-30,2026-10-30,正常,常规,,按季,0,2026-11-20\n", i, i)
	}
	b.importFile(header + strings.Join(rows, ""))
	if _, err := b.tryImport(header + strings.Join(rows[5:], "")); err == nil || !strings.Contains(err.Error(), "5 of 100 open loans") {
		t.Errorf("5 of 100 left out: %v", err)
	}
	if r := b.importFile(header + strings.Join(rows[1:], "")); fmt.Sprint(r.Gone) != "[JJ000]" {
		t.Errorf("gone: %v", r.Gone)
	}
}

func TestAnInterruptedImportSaysSo(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // while the file was read
	_, err := b.s.Import(ctx, scheduler.Actor{OSUser: "ops", Owner: true}, api.ImportRequest{Name: "a.csv"}, []byte(friday))
	if api.CodeOf(err) != api.Interrupted {
		t.Errorf("got %v", err)
	}
	if len(b.all()) != 0 {
		t.Error("something was taken")
	}
}

func TestHalfAFileIsRefusedAndNothingIsTaken(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	before, head := b.all(), b.head()
	half := strings.Join(strings.SplitAfter(friday, "\n")[:2], "")
	half = strings.Replace(half, "2026-11-20", "2026-11-23", 1)
	if _, err := b.tryImport(half); err == nil || !strings.Contains(err.Error(), "JJ2") || !strings.Contains(err.Error(), "--allow-gone") {
		t.Errorf("half a file: %v", err)
	}
	if len(b.all()) != len(before) || b.head() != head {
		t.Error("a refused file left a trace")
	}
	r := b.importFile(half, func(r *api.ImportRequest) { r.AllowGone = true })
	if fmt.Sprint(r.Gone) != "[JJ2]" {
		t.Errorf("gone: %v", r.Gone)
	}
	if got := b.all()["maturity-notice:loan/JJ2:2026-12-31"].State; got != obligation.Raised {
		t.Errorf("the duty of a loan that is gone is %s", got)
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	r := b.importFile(friday, func(r *api.ImportRequest) { r.DryRun = true })
	if r.New != 2 || len(r.Plan) == 0 {
		t.Errorf("dry run: %+v", r)
	}
	if len(b.all()) != 0 {
		t.Error("a dry run planned")
	}
}

// While the daemon was down for ten days everything is raised once, with the
// due day it always had, and says that it comes late.
func TestWhatWasMissedWhileDownIsRaisedOnce(t *testing.T) {
	up, down := newBranch(t, "2026-11-23"), newBranch(t, "2026-11-23")
	for _, b := range []*branch{up, down} {
		b.importFile(friday)
		b.tick()
	}
	for day := date("2026-11-24"); day <= date("2026-12-21"); day = day.AddDays(1) {
		up.goTo(day.String())
		up.tick()
	}
	down.st.Close()
	down.goTo("2026-12-21")
	down.open()
	down.tick()
	a, b := up.all(), down.all()
	if len(a) != len(b) {
		t.Fatalf("%d obligations where nothing was missed, %d after the catch-up", len(a), len(b))
	}
	late := 0
	for id, o := range a {
		if b[id].State != o.State || b[id].Due != o.Due {
			t.Errorf("%s: %s %s, with no gap %s %s", id, b[id].State, b[id].Due, o.State, o.Due)
		}
		if strings.HasPrefix(b[id].Late, "停机") {
			late++
		}
	}
	if late == 0 {
		t.Error("nothing says that it was raised late")
	}
	head := down.head()
	for range 10 {
		down.tick()
	}
	if down.head() != head {
		t.Error("ten more scans wrote something")
	}
}

func TestTodayNeverGoesBack(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	b.goTo("2026-11-03")
	if r := b.tick(); r.Today != date("2026-11-23") || len(r.Warnings) == 0 {
		t.Errorf("the clock went back and today is %s, warnings %v", r.Today, r.Warnings)
	}
	_, err := b.s.Tick(context.Background(), scheduler.Actor{System: true}, api.TickRequest{On: date("2026-11-20")})
	if api.CodeOf(err) != api.Usage {
		t.Errorf("--on before the business date: %v", err)
	}
}

// Once taken, a day in 2150 would stand for ever.
func TestADayBeyondTheCalendarIsRefused(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	for _, day := range []string{"2150-01-01", "2099-01-01"} {
		_, err := b.s.Tick(context.Background(), scheduler.Actor{System: true}, api.TickRequest{On: date(day), Force: true})
		if api.CodeOf(err) != api.Usage {
			t.Errorf("--on %s: %v", day, err)
		}
	}
	b.goTo("2150-01-01")
	if _, err := b.s.Tick(context.Background(), scheduler.Actor{System: true}, api.TickRequest{}); api.CodeOf(err) != api.Usage {
		t.Errorf("a clock in 2150: %v", err)
	}
	b.goTo("2026-11-24")
	if r := b.tick(); r.Today != date("2026-11-24") {
		t.Errorf("afterwards today is %s", r.Today)
	}
}

func TestARecordedEventClosesAndOpens(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	record := func(r api.RecordRequest) *api.RecordReply {
		t.Helper()
		reply, err := b.s.Record(context.Background(), scheduler.Actor{OSUser: "ops", Owner: true}, r)
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	r := record(api.RecordRequest{Event: "notice.maturity_sent", Subject: "loan/JJ2", ID: "n1"})
	if len(r.Closed) != 1 || r.Closed[0].State != obligation.Done {
		t.Errorf("notice sent: %+v", r)
	}
	r = record(api.RecordRequest{Event: "worklog.submitted", Subject: "borrower/C2", Happened: date("2026-11-20"), ID: "w1"})
	if len(r.Opened) != 1 || r.Opened[0].Rule != "worklog-review" || r.Opened[0].Due != date("2026-11-24") {
		t.Errorf("log submitted: %+v", r)
	}
	if p := b.all()["worklog-quota:borrower/C2:2026-11"].Progress; p == nil || p.Have != 1 || p.Need != 2 {
		t.Errorf("progress %+v, want 1 of 2 in mode key", p)
	}
	head := b.head()
	if r := record(api.RecordRequest{Event: "worklog.submitted", Subject: "borrower/C2", Happened: date("2026-11-20"), ID: "w1"}); !r.Same || b.head() != head {
		t.Errorf("the same id again: %+v", r)
	}
	_, err := b.s.Record(context.Background(), scheduler.Actor{System: true}, api.RecordRequest{Event: "notice.guarantor_sent", Subject: "loan/JJ1"})
	if err == nil || !strings.Contains(err.Error(), "fits 2 obligations") {
		t.Errorf("an event that fits two guarantors: %v", err)
	}
	_, err = b.s.Record(context.Background(), scheduler.Actor{System: true}, api.RecordRequest{Event: "worklog.submited", Subject: "loan/JJ1"})
	if err == nil || !strings.Contains(err.Error(), "worklog.submitted") {
		t.Errorf("a misspelt event: %v", err)
	}
}

// A rulebook that is bad when the daemon looks changes nothing; the good one
// that follows counts once.
func TestABadRulebookLeavesTheOneInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		rulebook := filepath.Join(dir, "rules.yaml")
		write := func(text string) {
			if err := os.WriteFile(rulebook, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(string(tickler.Rulebook))
		time.Sleep(time.Until(at("2026-11-23")))
		b := &branch{t: t, path: filepath.Join(dir, "tickler.db")}
		if err := bolt.Create(b.path); err != nil {
			t.Fatal(err)
		}
		b.goTo("2026-11-23")
		b.cfg = scheduler.Config{RulesPath: rulebook, Daemon: true, Log: slog.New(slog.DiscardHandler)}
		b.open()
		b.cfg.Clock = nil // the bubble's clock
		var err error
		if b.s, err = scheduler.New(b.cfg); err != nil {
			t.Fatal(err)
		}
		b.importFile(friday)
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- b.s.Run(ctx) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		before := b.all()

		write(strings.Replace(string(tickler.Rulebook), "10 workdays after loan.maturity", "10 workdys after loan.maturity", 1))
		time.Sleep(time.Minute)
		synctest.Wait()
		st, err := b.s.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if st.Healthy || !strings.Contains(st.Rulebook.Problem, "rules.yaml:") || len(b.all()) != len(before) {
			t.Errorf("status after a bad rulebook: healthy %v, %q", st.Healthy, st.Rulebook.Problem)
		}

		write(strings.Replace(string(tickler.Rulebook), "due: 10 workdays after loan.maturity", "due: 12 workdays after loan.maturity", 1))
		time.Sleep(time.Minute)
		synctest.Wait()
		o := b.all()["overdue-notice-borrower:loan/JJ1:2026-10-30"]
		if o.Due != date("2026-11-13") {
			t.Errorf("a limit already missed moved to %s", o.Due)
		}
		if st, _ := b.s.Status(ctx); !st.Healthy {
			t.Errorf("still unhealthy: %v", st.Problems)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		b.st.Close()
	})
}

func TestTheDaemonScansDayByDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at("2026-11-23")))
		b := &branch{t: t, path: filepath.Join(t.TempDir(), "tickler.db")}
		if err := bolt.Create(b.path); err != nil {
			t.Fatal(err)
		}
		b.goTo("2026-11-23")
		b.cfg.Daemon = true
		b.open()
		b.cfg.Clock = nil
		var err error
		if b.s, err = scheduler.New(b.cfg); err != nil {
			t.Fatal(err)
		}
		b.importFile(friday)
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- b.s.Run(ctx) }()
		time.Sleep(14 * 24 * time.Hour)
		synctest.Wait()
		for id, o := range b.all() {
			if want := o.Raise <= date("2026-12-07"); want != (o.State != obligation.Planned) {
				t.Errorf("%s, to be raised on %s, is %s on 2026-12-07", id, o.Raise, o.State)
			}
			if o.RaisedAt != nil && o.Raise > date("2026-11-23") && o.Late != "" {
				t.Errorf("%s says it was late: %s", id, o.Late)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		b.st.Close()
	})
}

func TestAScheduleThatNeverComesIsRefused(t *testing.T) {
	for _, spec := range []string{"0 0 31 2 *", "TZ=Asia/Shanghai", "CRON_TZ=UTC * * * * *", "* * * *", "hello", "@every 0s", "@every -5s", "@every 1500ms"} {
		if _, err := scheduler.ParseSchedule(spec); err == nil {
			t.Errorf("schedule %q was taken", spec)
		}
	}
}

// A loan whose condition cannot be worked out is reported and keeps what it
// had; the others go on.
func TestOneBadSubjectDoesNotStopTheRest(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rules.yaml")
	rule := "\n- id: far\n  for: loan\n  when: add_workdays(loan.maturity, 10) > loan.disbursed\n  due: 1 month before loan.maturity\n"
	if err := os.WriteFile(path, append(append([]byte(nil), tickler.Rulebook...), rule...), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &branch{t: t, path: filepath.Join(dir, "tickler.db"), cfg: scheduler.Config{RulesPath: path}}
	if err := bolt.Create(b.path); err != nil {
		t.Fatal(err)
	}
	b.goTo("2026-11-23")
	b.open()
	t.Cleanup(func() { b.st.Close() })
	// Ten working days after this maturity leave the calendar.
	b.importFile(friday + "JJ3,C3,戊公司,B01,S001,100000,50000,2026-01-31,2099-12-30,正常,常规,,按季,0,2026-11-20\n")
	if got := b.all()["far:loan/JJ2:2026-12-31"].State; got != obligation.Raised {
		t.Errorf("a sound loan's duty is %q", got)
	}
	bad := strings.Replace(rule, "loan.maturity, 10)", "loan.maturity, 100000)", 1)
	if err := os.WriteFile(path, append(append([]byte(nil), tickler.Rulebook...), bad...), 0o600); err != nil {
		t.Fatal(err)
	}
	before := b.all()
	b.st.Close()
	b.open()
	tick := b.tick()
	if len(tick.Failed) == 0 || !strings.Contains(tick.Failed[0], "loan/JJ") {
		t.Errorf("nothing was reported: %+v", tick)
	}
	after := b.all()
	for id, o := range before {
		if after[id].State != o.State {
			t.Errorf("%s went from %s to %s", id, o.State, after[id].State)
		}
	}
	if st, err := b.s.Status(context.Background()); err != nil || st.Healthy {
		t.Errorf("status says all is well (%v)", err)
	}
}
