package scheduler_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
)

// simulated gives a branch of some loans that can be copied.
func simulated(t *testing.T, today string) *branch {
	b := newBranch(t, today)
	b.cfg.Copy = func(ctx context.Context) (*store.Store, error) {
		c, err := b.st.Backend().(*bolt.DB).Scratch(ctx, t.TempDir())
		if err != nil {
			return nil, err
		}
		return store.New(c), nil
	}
	b.reopen()
	var text strings.Builder
	text.WriteString(friday)
	for i := range 12 {
		mode, class := []string{"常规", "重点"}[i%2], []string{"正常", "关注", "次级"}[i%3]
		fmt.Fprintf(&text, "JX%d,CX%d,客户%d,B0%d,S00%d,100000,90000,2026-0%d-1%d,2027-%02d-0%d,%s,%s,丙公司,按季,%d,2026-11-20\n",
			i, i/2, i/2, 1+i%2, 1+i%4, 1+i%9, i%9, 1+i, 1+i%9, class, mode, i%5/4)
	}
	b.importFile(text.String())
	return b
}

func (b *branch) simulate(r api.SimulateRequest) *api.SimulateReply {
	b.t.Helper()
	reply, err := b.s.Simulate(context.Background(), r)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply
}

// The one promise: what is simulated is what comes to pass. The same branch is
// then really taken from day to day.
func TestSimulationIsWhatComesToPass(t *testing.T) {
	b := simulated(t, "2026-11-23")
	b.tick()
	r := b.simulate(api.SimulateRequest{From: date("2026-11-24"), To: date("2028-01-31"), Lines: true})
	if len(r.Days) != 434 || r.Days[0].Date != date("2026-11-24") || r.Days[433].Date != date("2028-01-31") {
		t.Fatalf("%d days, from %v", len(r.Days), r.Days[0].Date)
	}
	raised, due, overdue, reminded, escalated := 0, 0, 0, 0, 0
	for _, day := range r.Days {
		b.goTo(day.Date.String())
		b.tick()
		wantRaised, wantDue := []string{}, []string{}
		overdue = 0
		wantReminded, wantEscalated := b.nudgedOn(day.Date)
		if !slices.Equal(day.Reminded, wantReminded) {
			t.Fatalf("%s: simulated as reminded %q; reminded were %q", day.Date, day.Reminded, wantReminded)
		}
		if !slices.Equal(day.Escalated, wantEscalated) {
			t.Fatalf("%s: simulated as escalated %q; escalated were %q", day.Date, day.Escalated, wantEscalated)
		}
		reminded, escalated = reminded+len(wantReminded), escalated+len(wantEscalated)
		for id, o := range b.all() {
			if o.RaisedAt != nil && calendar.DateIn(*o.RaisedAt, at("2026-11-24").Location()) == day.Date {
				wantRaised = append(wantRaised, id)
			}
			if o.State == obligation.Raised && o.Due == day.Date {
				wantDue = append(wantDue, id)
			}
			if o.Overdue {
				overdue++
			}
		}
		slices.Sort(wantRaised)
		slices.Sort(wantDue)
		if !slices.Equal(day.Raised, wantRaised) {
			t.Fatalf("%s: simulated as raised %q; raised were %q", day.Date, day.Raised, wantRaised)
		}
		if !slices.Equal(day.Due, wantDue) {
			t.Fatalf("%s: simulated as due %q; due are %q", day.Date, day.Due, wantDue)
		}
		raised, due = raised+len(wantRaised), due+len(wantDue)
	}
	if raised < 300 || due < 300 || reminded < 300 || escalated < 300 {
		t.Errorf("only %d raised, %d due, %d reminded and %d escalated: too few to tell", raised, due, reminded, escalated)
	}
	// The weeks are the same numbers.
	var sum api.WeekCounts
	last := r.Weeks[len(r.Weeks)-1].Week
	for _, w := range r.Weeks {
		sum.Raised, sum.Due = sum.Raised+w.Raised, sum.Due+w.Due
		sum.Reminded, sum.Escalated = sum.Reminded+w.Reminded, sum.Escalated+w.Escalated
		if w.Week == last {
			sum.Overdue += w.Overdue
		}
	}
	if sum.Raised != raised || sum.Due != due || sum.Overdue != overdue || sum.Reminded != reminded || sum.Escalated != escalated {
		t.Errorf("the weeks have %+v; the days %d raised, %d due, %d reminded, %d escalated, %d overdue at the end", sum, raised, due, reminded, escalated, overdue)
	}
}

func TestSimulationLeavesTheStoreAsItWas(t *testing.T) {
	b := simulated(t, "2026-11-23")
	head := b.head()
	b.reopen() // a store that was written is all in its file
	before, err := os.ReadFile(b.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, complete := range []string{"", api.CompleteOnTime} {
		if r := b.simulate(api.SimulateRequest{To: date("2027-06-30"), Complete: complete}); len(r.Weeks) == 0 {
			t.Error("nothing was simulated")
		}
		after, err := os.ReadFile(b.path)
		if err != nil || !bytes.Equal(before, after) || b.head() != head {
			t.Errorf("complete %q: the store has changed: %v", complete, err)
		}
	}
	b.reopen()
	if after, err := os.ReadFile(b.path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the store has changed when it was closed: %v", err)
	}
}

// JJ2 matures on 31 December: its notice came with the first import on 23
// November and is due on the 30th. Nobody sends it. 5 working days before is
// the day of import; 1 before is Friday the 27th.
func TestSimulationRemindsAndEscalates(t *testing.T) {
	b := simulated(t, "2026-11-23")
	r := b.simulate(api.SimulateRequest{To: date("2026-12-31"), Lines: true})
	id := "maturity-notice:loan/JJ2:2026-12-31"
	var got []string
	for _, d := range r.Days {
		for what, list := range map[string][]string{"reminded": d.Reminded, "due": d.Due, "raised": d.Raised} {
			if slices.Contains(list, id) {
				got = append(got, d.Date.String()+" "+what)
			}
		}
		for _, e := range d.Escalated {
			if e.ID == id {
				got = append(got, d.Date.String()+" to "+e.To)
			}
		}
	}
	want := []string{"2026-11-27 reminded", "2026-11-30 due", "2026-12-01 to supervisor", "2026-12-07 to president"}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", id, got, want)
	}
	i := slices.IndexFunc(r.Obligations, func(o api.SimulatedObligation) bool { return o.ID == id })
	if i < 0 || r.Obligations[i].Owner != "S002" || r.Obligations[i].Raised != date("2026-11-23") || r.Obligations[i].Name == "" {
		t.Errorf("%s is not described: %+v", id, r.Obligations)
	}
	// JJ1's overdue notice was due before: it goes up at once, to both.
	for _, e := range []string{"supervisor", "president"} {
		if want := (api.SimulatedEscalated{ID: "overdue-notice-borrower:loan/JJ1:2026-10-30", To: e}); !slices.Contains(r.Days[0].Escalated, want) {
			t.Errorf("%+v is not of the first day", want)
		}
	}
	if r.Open == 0 || r.Overdue == 0 || r.Overdue > r.Open {
		t.Errorf("on the desks before: %d, overdue %d", r.Open, r.Overdue)
	}
}

func TestSimulatedPeopleWhoAreOnTime(t *testing.T) {
	b := simulated(t, "2026-11-23")
	r := b.simulate(api.SimulateRequest{To: date("2027-11-30"), Complete: api.CompleteOnTime, Lines: true})
	completed := map[string]bool{}
	for _, d := range r.Days {
		for _, id := range d.Completed {
			completed[id] = true
		}
		if d.Date == r.From {
			continue // what is overdue from the start
		}
		for _, e := range d.Escalated {
			if i := slices.IndexFunc(r.Obligations, func(o api.SimulatedObligation) bool { return o.ID == e.ID }); r.Obligations[i].Raised <= r.Obligations[i].Due {
				t.Errorf("%s: %s goes up", d.Date, e.ID)
			}
		}
	}
	for _, id := range []string{"maturity-notice:loan/JJ2:2026-12-31", "overdue-notice-borrower:loan/JJ1:2026-10-30", "worklog-quota:borrower/C2:2026-11", "worklog-quota:borrower/C2:2027-10"} {
		if !completed[id] {
			t.Errorf("%s is not completed", id)
		}
	}
	for _, w := range r.Weeks {
		if w.Overdue > 0 && w.Week != "2026-W48" {
			t.Errorf("%s: %d overdue of %s%s", w.Week, w.Overdue, w.Owner, w.Role)
		}
	}
}

// 2026-10-01 to 07 is off: seven days, with the 8th to come back to. The mean
// is that of the other working days.
func TestSimulationTellsWhatWaitsAfterHolidays(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.cfg.Copy = func(ctx context.Context) (*store.Store, error) {
		c, err := b.st.Backend().(*bolt.DB).Scratch(ctx, t.TempDir())
		return store.New(c), err
	}
	b.reopen()
	b.importFile(friday)
	r := b.simulate(api.SimulateRequest{From: date("2026-12-28"), To: date("2027-01-08"), Lines: true})
	if len(r.AfterHolidays) != 1 {
		t.Fatalf("after holidays: %+v", r.AfterHolidays)
	}
	a := r.AfterHolidays[0] // 1 January 2027 is a Friday
	due, raised := 0, 0
	var waiting, ordinaryDue, ordinaryRaised int
	for _, d := range r.Days {
		switch {
		case d.Date == date("2027-01-04"):
			due, raised = len(d.Due), len(d.Raised)
		case d.Workday:
			ordinaryDue, ordinaryRaised = ordinaryDue+len(d.Due), ordinaryRaised+len(d.Raised)
		default:
			waiting += len(d.Raised)
		}
	}
	if a.Date != date("2027-01-04") || a.DaysOff != 3 || a.Name != "元旦" || !a.Provisional || a.Due != due || a.Raised != raised || a.Waiting != waiting || waiting == 0 {
		t.Errorf("%+v; want %d due, %d raised, %d waiting", a, due, raised, waiting)
	}
	near := func(got float64, sum int) bool { d := got - float64(sum)/8; return d < 0.06 && d > -0.06 } // 28-31, 5-8
	if !near(a.OrdinaryDue, ordinaryDue) || !near(a.OrdinaryRaised, ordinaryRaised) {
		t.Errorf("%+v; want the mean of %d due and %d raised", a, ordinaryDue, ordinaryRaised)
	}
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "2027") }) {
		t.Errorf("the year without notice is not told: %q", r.Warnings)
	}
}

// Days before the first one told are run, so that it is a day like others.
func TestSimulationFromADayToComeIsThatPartOfTheWhole(t *testing.T) {
	b := simulated(t, "2026-11-23")
	whole := b.simulate(api.SimulateRequest{To: date("2027-03-31"), Lines: true})
	part := b.simulate(api.SimulateRequest{From: date("2027-03-01"), To: date("2027-03-31"), Lines: true})
	if got, want := fmt.Sprint(part.Days), fmt.Sprint(whole.Days[len(whole.Days)-31:]); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestSimulationsThatMakeNoSense(t *testing.T) {
	b := simulated(t, "2026-11-23")
	for _, c := range []struct {
		r    api.SimulateRequest
		want string
	}{
		{api.SimulateRequest{}, "--to is missing"},
		{api.SimulateRequest{From: date("2026-12-02"), To: date("2026-12-01")}, "is before --from"},
		{api.SimulateRequest{From: date("2026-11-20"), To: date("2026-12-01")}, "before the store's business date"},
		{api.SimulateRequest{To: date("2029-11-24")}, "more than 3 years"},
		{api.SimulateRequest{To: date("2026-12-01"), Complete: "early"}, "on-time"},
	} {
		_, err := b.s.Simulate(context.Background(), c.r)
		if err == nil || !strings.Contains(err.Error(), c.want) || api.CodeOf(err) != api.Usage {
			t.Errorf("%+v: %v; want %q", c.r, err, c.want)
		}
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := b.s.Simulate(ended, api.SimulateRequest{To: date("2026-12-01")}); err == nil || api.CodeOf(err) != api.Interrupted {
		t.Errorf("interrupted: %v", err)
	}
	s, err := scheduler.New(scheduler.Config{Store: b.st, Clock: b.cfg.Clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Simulate(context.Background(), api.SimulateRequest{To: date("2026-12-01")}); err == nil {
		t.Error("simulated without a copy")
	}
}
