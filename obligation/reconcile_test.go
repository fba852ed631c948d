package obligation_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

func day(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// duty is loan L1's duty r of an occurrence with its day of raising and due day.
func duty(occurrence, raise, due string) obligation.Duty {
	return obligation.Duty{
		Key:  obligation.Key{Rule: "r", Subject: loan.Ref{Kind: loan.KindLoan, ID: "L1"}, Occurrence: occurrence},
		Loan: "L1", Branch: "B1", Role: "officer", Owner: "S1", Anchor: day(due), Raise: day(raise), Due: day(due),
	}
}

func on(today string) obligation.Circumstances {
	return obligation.Circumstances{Today: day(today), Now: time.Date(2026, 11, 23, 0, 5, 0, 0, time.UTC), Rulebook: "sha256:r", Calendar: "sha256:c", Cause: "导入"}
}

// happened adds the event that closes loan L1's duty of an occurrence.
func happened(c obligation.Circumstances, occurrence, when string) obligation.Circumstances {
	c.Closings = map[string][]obligation.Closing{"r:loan/L1:" + occurrence: {{On: day(when), Event: "e1"}}}
	return c
}

// life runs reconciliations one after the other and tells what changed in each.
type life struct {
	t   *testing.T
	now []obligation.Obligation
}

func (l *life) with(c obligation.Circumstances, duties ...obligation.Duty) string {
	l.t.Helper()
	out, changes := obligation.Reconcile(l.now, duties, c)
	if len(out) < len(l.now) {
		l.t.Fatalf("%d obligations became %d", len(l.now), len(out))
	}
	l.now = out
	var said []string
	for _, ch := range changes {
		s := ch.Key.Occurrence + " " + string(ch.Kind)
		if ch.Kind == obligation.ChangeMoved {
			s += fmt.Sprintf(" %s -> %s", ch.From, ch.To)
		}
		said = append(said, s)
	}
	return strings.Join(said, "; ")
}

func (l *life) want(got, want string) {
	l.t.Helper()
	if got != want {
		l.t.Errorf("changes %q; want %q", got, want)
	}
}

func (l *life) state(want obligation.State) *obligation.Obligation {
	l.t.Helper()
	if l.now[0].State != want {
		l.t.Errorf("state %s; want %s", l.now[0].State, want)
	}
	return &l.now[0]
}

func TestNewDutiesArePlannedAndRaisedWhenTheirDayHasCome(t *testing.T) {
	l := &life{t: t}
	l.want(l.with(on("2026-11-23"), duty("a", "2026-11-24", "2026-11-30"), duty("b", "2026-11-23", "2026-11-30")), "a planned; b planned; b raised")
	if l.now[0].State != obligation.Planned || l.now[1].State != obligation.Raised || l.now[1].RaisedOn != day("2026-11-23") || l.now[1].Late != "" {
		t.Errorf("%+v", l.now)
	}
	// Down for a week: raised once, with its own due day, and why it is late.
	c := on("2026-12-01")
	c.Late = "停机"
	l.want(l.with(c, duty("a", "2026-11-24", "2026-11-30"), duty("b", "2026-11-23", "2026-11-30")), "a raised")
	if o := l.now[0]; o.Due != day("2026-11-30") || o.Late != "停机" || o.RaisedOn != day("2026-12-01") {
		t.Errorf("%+v", o)
	}
}

func TestAMoveKeepsTheOldDayAndItsCause(t *testing.T) {
	l := &life{t: t}
	l.with(on("2026-11-23"), duty("a", "2026-11-24", "2026-11-30"))
	c := on("2026-11-23")
	c.Cause, c.Calendar = "2027年通知", "sha256:new"
	l.want(l.with(c, duty("a", "2026-11-25", "2026-12-02")), "a moved 2026-11-30 -> 2026-12-02")
	if o := l.state(obligation.Planned); o.WasDue != day("2026-11-30") || o.Due != day("2026-12-02") || o.Raise != day("2026-11-25") || o.Cause != "2027年通知" || o.Calendar != "sha256:new" {
		t.Errorf("%+v", o)
	}
	l.want(l.with(c, duty("a", "2026-11-20", "2026-11-27")), "a moved 2026-12-02 -> 2026-11-27; a raised")
}

func TestAMissedLimitNeverMovesLater(t *testing.T) {
	l := &life{t: t}
	l.with(on("2026-11-23"), duty("a", "2026-11-20", "2026-11-27"))
	l.want(l.with(on("2026-11-27"), duty("a", "2026-11-20", "2026-11-30")), "a moved 2026-11-27 -> 2026-11-30") // not missed on the day itself
	l.want(l.with(on("2026-12-01"), duty("a", "2026-11-20", "2026-12-10")), "")
	if o := l.state(obligation.Raised); o.Due != day("2026-11-30") || !o.Overdue(day("2026-12-01")) {
		t.Errorf("%+v", o)
	}
	l.want(l.with(on("2026-12-01"), duty("a", "2026-11-20", "2026-11-25")), "a moved 2026-11-30 -> 2026-11-25")
}

func TestWhatIsNoLongerDerivedIsCancelledOrLapses(t *testing.T) {
	for _, c := range []struct {
		today string
		want  obligation.State
	}{{"2026-11-30", obligation.Cancelled}, {"2026-12-01", obligation.Lapsed}} {
		l := &life{t: t}
		l.with(on("2026-11-24"), duty("a", "2026-11-24", "2026-11-30"))
		l.want(l.with(on(c.today)), "a "+string(c.want))
		if o := l.state(c.want); o.Cause != "导入" {
			t.Errorf("%+v", o)
		}
		l.want(l.with(on("2026-12-20")), "") // a tombstone
	}
	// On period.end it is late only after the period.
	l := &life{t: t}
	d := duty("2026-10", "2026-10-01", "2026-10-30")
	d.PeriodEnd = day("2026-10-31")
	l.with(on("2026-10-20"), d)
	l.want(l.with(on("2026-10-31")), "2026-10 cancelled")
}

func TestASubjectThatCannotBeDerivedKeepsItsDuties(t *testing.T) {
	l := &life{t: t}
	l.with(on("2026-11-24"), duty("a", "2026-11-24", "2026-11-30"))
	c := on("2026-12-01")
	c.Unknown = func(r loan.Ref, _ string) bool { return r.ID == "L1" }
	l.want(l.with(c), "")
	l.state(obligation.Raised)
}

func TestRevivedWhenDerivedAgain(t *testing.T) {
	l := &life{t: t}
	d := duty("a", "2026-11-24", "2026-11-30")
	l.with(on("2026-11-23"), d)
	l.with(on("2026-11-23"))
	l.want(l.with(on("2026-11-23"), d), "a revived")
	l.state(obligation.Planned)
	l.with(on("2026-11-24"), d)
	l.with(on("2026-12-01"))
	l.state(obligation.Lapsed)
	l.want(l.with(on("2026-12-01"), d), "a revived")
	if o := l.state(obligation.Raised); o.RaisedOn != day("2026-11-24") {
		t.Errorf("raised twice: %+v", o)
	}
}

func TestDoneAndWaivedAreNeverTouched(t *testing.T) {
	for _, state := range []obligation.State{obligation.Done, obligation.Waived} {
		l := &life{t: t}
		l.with(on("2026-11-24"), duty("a", "2026-11-24", "2026-11-30"))
		l.now[0].State, l.now[0].Cause = state, "凭证"
		before := l.now[0]
		other := duty("a", "2026-11-20", "2026-11-25")
		other.Owner, other.Branch = "S9", "B9"
		l.want(l.with(on("2026-12-01"), other), "")
		l.want(l.with(on("2026-12-01")), "")
		l.want(l.with(happened(on("2026-12-01"), "b", "2026-12-01"), other), "")
		if !reflect.DeepEqual(l.now[0], before) {
			t.Errorf("%+v became %+v", before, l.now[0])
		}
	}
}

func TestAnEventClosesAndItsWithdrawalReopens(t *testing.T) {
	l := &life{t: t}
	d := duty("a", "2026-11-24", "2026-11-30")
	l.with(on("2026-11-24"), d)
	l.want(l.with(happened(on("2026-11-26"), "a", "2026-11-25"), d), "a done")
	if o := l.state(obligation.Done); o.DoneOn != day("2026-11-25") || o.ClosedBy != "e1" {
		t.Errorf("%+v", o)
	}
	l.want(l.with(on("2026-11-26"), d), "") // what events there are was not said
	none := on("2026-11-27")
	none.Gone = func(event string) bool { return event == "e1" }
	l.want(l.with(none, d), "a reopened")
	if o := l.state(obligation.Raised); !o.DoneOn.IsZero() || !o.Submitted.IsZero() || o.ClosedBy != "" || !strings.Contains(o.Cause, "撤销") {
		t.Errorf("%+v", o)
	}
	// Events close first, then what is no longer asked for goes away.
	l.want(l.with(happened(on("2026-12-05"), "a", "2026-12-04")), "a done")
}

func TestAnEventOfASignedDutySubmitsIt(t *testing.T) {
	l := &life{t: t}
	d := duty("a", "2026-11-24", "2026-11-30")
	d.Sign = []string{"supervisor"}
	l.with(on("2026-11-24"), d)
	c := happened(on("2026-11-26"), "a", "2026-11-25")
	l.want(l.with(c, d), "a submitted")
	if o := l.state(obligation.Submitted); o.Submitted != day("2026-11-25") || o.Overdue(day("2027-01-01")) {
		t.Errorf("%+v", o)
	}
	l.want(l.with(c), "") // the act was done; its signatures go on
	l.state(obligation.Submitted)
}

// Whatever stands and whatever is derived: no key is dropped or doubled, a
// second run changes nothing, ended ones that are not derived stay as they
// are, and a missed limit never moves later.
func TestReconcileHolds(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	base := day("2026-11-01")
	draw := func(t *rapid.T) []obligation.Duty {
		var out []obligation.Duty
		for _, n := range rapid.SliceOfDistinct(rapid.SampledFrom(names), func(s string) string { return s }).Draw(t, "derived") {
			d := duty(n, "2026-11-01", "2026-11-01")
			d.Due = base.AddDays(rapid.IntRange(0, 60).Draw(t, "due"))
			d.Raise = d.Due.AddDays(-rapid.IntRange(0, 20).Draw(t, "lead"))
			d.Owner = rapid.SampledFrom([]string{"S1", "S2"}).Draw(t, "owner")
			d.Progress = obligation.Progress{Have: rapid.IntRange(0, 2).Draw(t, "have"), Need: 2}
			if rapid.Bool().Draw(t, "signed") {
				d.Sign = []string{"supervisor"}
			}
			if d.Progress.Have == 2 {
				d.Closed = &obligation.Closing{On: d.Raise, Event: "q"}
			}
			out = append(out, d)
		}
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		var now []obligation.Obligation
		today := base
		for range rapid.IntRange(1, 6).Draw(t, "runs") {
			today = today.AddDays(rapid.IntRange(0, 20).Draw(t, "days"))
			c := on(today.String())
			c.Closings = map[string][]obligation.Closing{}
			for _, n := range rapid.SliceOfDistinct(rapid.SampledFrom(names), func(s string) string { return s }).Draw(t, "closed") {
				c.Closings["r:loan/L1:"+n] = []obligation.Closing{{On: today, Event: "e"}}
			}
			duties := draw(t)
			was := append([]obligation.Obligation(nil), now...)
			out, changes := obligation.Reconcile(now, duties, c)
			if !reflect.DeepEqual(was, now) && len(was) > 0 {
				t.Fatalf("the old ones were written to")
			}
			derived := map[string]bool{}
			for _, d := range duties {
				derived[d.Occurrence] = true
			}
			seen := map[obligation.Key]bool{}
			for i, o := range out {
				if seen[o.Key] {
					t.Fatalf("%s twice", o.Key)
				}
				seen[o.Key] = true
				if i >= len(was) {
					continue
				}
				old := was[i]
				if old.Key != o.Key {
					t.Fatalf("%s became %s", old.Key, o.Key)
				}
				if old.Due < today && !old.State.Ended() && o.Due > old.Due {
					t.Fatalf("missed on %s, moved to %s", old.Due, o.Due)
				}
				if old.State.Ended() && !derived[o.Occurrence] && !reflect.DeepEqual(old, o) {
					t.Fatalf("%+v became %+v", old, o)
				}
				if !reflect.DeepEqual(old, o) && len(changes) == 0 && old.Closed == o.Closed {
					t.Fatalf("changed in silence: %+v became %+v", old, o)
				}
			}
			for _, d := range duties {
				if !seen[d.Key] {
					t.Fatalf("%s is lost", d.Key)
				}
			}
			again, more := obligation.Reconcile(out, duties, c)
			if len(more) > 0 || !reflect.DeepEqual(again, out) {
				t.Fatalf("a second run: %+v\n%+v\n%+v", more, out, again)
			}
			now = out
		}
	})
}
