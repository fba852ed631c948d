package report_test

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/report"
)

func day(s string) calendar.Date {
	if s == "" {
		return 0
	}
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func duty(due, end string, state obligation.State, submitted string) *obligation.Obligation {
	return &obligation.Obligation{Duty: obligation.Duty{Due: day(due), PeriodEnd: day(end)}, State: state, Submitted: day(submitted)}
}

// 31 October 2026 is a Saturday, and a period's end.
func TestWhatAnObligationStandsAs(t *testing.T) {
	for _, c := range []struct {
		due, end string
		state    obligation.State
		by, on   string
		want     report.Standing
	}{
		{"2026-10-30", "", obligation.Raised, "", "2026-10-30", report.NotYetDue},
		{"2026-10-30", "", obligation.Raised, "", "2026-10-31", report.Overdue},
		{"2026-10-30", "", obligation.Planned, "", "2026-10-31", report.Overdue},
		{"2026-10-30", "2026-10-31", obligation.Raised, "", "2026-10-31", report.NotYetDue}, // due on the period's end
		{"2026-10-30", "2026-10-31", obligation.Raised, "", "2026-11-01", report.Overdue},
		{"2026-10-30", "2026-10-31", obligation.Done, "2026-10-31", "2026-11-09", report.DoneInTime},
		{"2026-10-30", "", obligation.Done, "2026-10-31", "2026-11-09", report.DoneLate},
		{"2026-10-30", "", obligation.Done, "2026-10-30", "2026-11-09", report.DoneInTime},
		{"2026-10-30", "", obligation.Submitted, "2026-10-30", "2026-11-09", report.DoneInTime}, // whoever signs later
		{"2026-10-30", "", obligation.Submitted, "2026-11-02", "2026-11-09", report.DoneLate},
		{"2026-10-30", "", obligation.Done, "2026-11-05", "2026-11-04", report.Overdue}, // as of the day before
		{"2026-10-30", "", obligation.Done, "2026-10-29", "2026-10-28", report.NotYetDue},
		{"2026-10-30", "", obligation.Lapsed, "", "2026-11-09", report.Lapsed},
		{"2026-10-30", "", obligation.Lapsed, "", "2026-10-30", report.NotYetDue},
		{"2026-10-30", "", obligation.Waived, "", "2026-11-09", report.Waived},
		{"2026-10-30", "", obligation.Cancelled, "", "2026-11-09", report.Cancelled},
	} {
		if got := report.StandingOf(duty(c.due, c.end, c.state, c.by), day(c.on)); got != c.want {
			t.Errorf("due %s (%s), %s %s, on %s: %s, want %s", c.due, c.end, c.state, c.by, c.on, got, c.want)
		}
	}
	// What was done by an event without a submission has its day all the same.
	o := duty("2026-10-30", "", obligation.Done, "")
	o.DoneOn = day("2026-11-02")
	if got := report.StandingOf(o, day("2026-11-09")); got != report.DoneLate {
		t.Errorf("done on 2 November: %s", got)
	}
}

// Reckoned by hand: 30 September is the last working day before the National
// Day (1 to 7 October 2026 off, 10 October worked).
func TestTheTallyOfAQuarter(t *testing.T) {
	on, cal := day("2026-10-15"), calendar.Builtin()
	var total report.Node[report.Tally]
	for _, o := range []*obligation.Obligation{
		duty("2026-09-30", "", obligation.Done, "2026-09-30"),
		duty("2026-09-30", "", obligation.Submitted, "2026-09-28"),
		duty("2026-09-30", "", obligation.Done, "2026-10-03"), // late, no working day passed: 0
		duty("2026-09-30", "", obligation.Done, "2026-10-08"), // 1
		duty("2026-09-30", "", obligation.Done, "2026-10-12"), // 8, 9, 10, 12: 4
		duty("2026-10-09", "", obligation.Raised, ""),         // overdue
		duty("2026-10-09", "", obligation.Lapsed, ""),
		duty("2026-10-09", "", obligation.Waived, ""),
		duty("2026-10-15", "", obligation.Raised, ""),
		duty("2026-10-09", "", obligation.Cancelled, ""),
	} {
		if err := report.Count(&total, nil, o, on, cal); err != nil {
			t.Fatal(err)
		}
	}
	report.Finish(&total, nil)
	rate, average := 28.6, 1.7 // 2 of 7; 5 days over 3
	want := report.Tally{Due: 7, InTime: 2, Late: 3, LateAverage: &average, LateMost: 4, LateDays: 5, Missed: 2, Overdue: 1, Lapsed: 1, Waived: 1, NotYetDue: 1, Rate: &rate}
	if !reflect.DeepEqual(total.Sum, want) {
		t.Errorf("%+v, rate %v, average %v", total.Sum, *total.Sum.Rate, *total.Sum.LateAverage)
	}
	var nothing report.Node[report.Tally]
	report.Finish(&nothing, nil)
	if nothing.Sum.Rate != nil || nothing.Sum.LateAverage != nil {
		t.Error("a rate of nothing")
	}
}

func TestTheRateIsRoundedHalfUp(t *testing.T) {
	for _, c := range []struct {
		in, missed int
		want       float64
	}{{1, 0, 100}, {0, 1, 0}, {1, 2, 33.3}, {2, 1, 66.7}, {1, 7, 12.5}, {1, 15, 6.3}, {3, 77, 3.8}, {1999, 1, 100}, {1998, 2, 99.9}} {
		tally := report.Tally{InTime: c.in, Lapsed: c.missed}
		tally.Finish()
		if *tally.Rate != c.want {
			t.Errorf("%d of %d: %v, want %v", c.in, c.in+c.missed, *tally.Rate, c.want)
		}
	}
}

// Ages at Thursday 19 November 2026: no holiday within the last month.
func TestTheAgesOfWhatIsOverdue(t *testing.T) {
	on, cal := day("2026-11-19"), calendar.Builtin()
	var total report.Node[report.Ages]
	count := func(o *obligation.Obligation, on calendar.Date) {
		t.Helper()
		if err := report.Count(&total, nil, o, on, cal); err != nil {
			t.Fatal(err)
		}
	}
	for _, due := range []string{
		"2026-11-19",               // not overdue
		"2026-11-18", "2026-11-12", // 1, 5
		"2026-11-11", "2026-11-05", // 6, 10
		"2026-11-04", "2026-10-22", // 11, 20
		"2026-10-21", // 21
	} {
		count(duty(due, "", obligation.Raised, ""), on)
	}
	count(duty("2026-11-12", "2026-11-15", obligation.Raised, ""), on) // the period's end on Sunday: 16 to 19 are 4
	count(duty("2026-11-02", "", obligation.Submitted, "2026-11-19"), on)
	count(duty("2026-11-02", "", obligation.Submitted, "2026-11-20"), on) // open on the day: 13
	count(duty("2026-11-02", "", obligation.Lapsed, ""), on)
	if want := (report.Ages{Total: 9, To5: 3, To10: 2, To20: 3, Over20: 1, Oldest: 21, Since: day("2026-10-21")}); total.Sum != want {
		t.Errorf("%+v", total.Sum)
	}
	total = report.Node[report.Ages]{}
	count(duty("2026-09-30", "", obligation.Raised, ""), day("2026-10-07")) // the National Day's week
	if want := (report.Ages{Total: 1, Under1: 1, Since: day("2026-09-30")}); total.Sum != want {
		t.Errorf("%+v", total.Sum)
	}
	total = report.Node[report.Ages]{}
	count(duty("2026-09-30", "", obligation.Raised, ""), day("2026-10-10")) // 8, 9 and the Saturday worked
	if total.Sum.Oldest != 3 {
		t.Errorf("%+v", total.Sum)
	}
}

func TestACoverageSaysWhatIsMissing(t *testing.T) {
	target := func(subject string, have, need int, state obligation.State, by string) *obligation.Obligation {
		o := duty("2026-11-30", "2026-11-30", state, by)
		o.Key = obligation.Key{Rule: "worklog-quota", Subject: loan.Ref{Kind: loan.KindBorrower, ID: subject}, Occurrence: "2026-11"}
		o.Raise, o.Progress = day("2026-11-01"), obligation.Progress{Have: have, Need: need}
		return o
	}
	p := report.Progress{On: day("2026-11-20")}
	list := []*obligation.Obligation{
		target("C1", 3, 2, obligation.Done, "2026-11-10"), // one too many helps nobody else
		target("C2", 1, 2, obligation.Raised, ""),
		target("C3", 2, 2, obligation.Done, "2026-11-25"), // after the day: at most one on it
		target("C4", 0, 1, obligation.Waived, ""),
		target("C5", 0, 1, obligation.Cancelled, ""),
	}
	late := target("C6", 0, 1, obligation.Raised, "")
	late.Due, late.PeriodEnd, late.Occurrence = day("2026-10-30"), day("2026-10-31"), "2026-10"
	done := target("C7", 1, 1, obligation.Done, "2026-10-09")
	done.Due, done.PeriodEnd, done.Occurrence = day("2026-10-30"), day("2026-10-31"), "2026-10"
	for _, o := range append(list, late, done, duty("2026-11-30", "", obligation.Raised, "")) {
		if p.Wanted(o) {
			p.Count(o)
		}
	}
	got := p.Report()
	if len(got) != 2 || len(got[0].Targets) != 1 || len(got[1].Targets) != 4 {
		t.Fatalf("%+v", got)
	}
	for i := range got {
		got[i].Targets = nil
	}
	want := []report.Coverage{
		{Rule: "worklog-quota", Occurrence: "2026-10", Duties: 1, Missed: 1, Need: 1, Missing: 1, Until: day("2026-10-31")},
		{Rule: "worklog-quota", Occurrence: "2026-11", Duties: 4, Met: 1, Short: 2, Waived: 1, Have: 4, Need: 6, Missing: 2, Until: day("2026-11-30")},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	ranged := report.Progress{On: day("2026-11-20"), From: day("2026-10-30"), To: day("2026-10-30")}
	if !ranged.Wanted(done) || !ranged.Wanted(late) || ranged.Wanted(list[0]) {
		t.Error("the range is of due days")
	}
}

// 100 - (1 lapsed x 100 + 2 overdue x 100 + 3 late x 50) / 16 = 71.875.
func TestAScoreAndItsDeductions(t *testing.T) {
	sum := func(in, late, overdue, lapsed int) report.Tally {
		s := report.Tally{InTime: in, Late: late, Overdue: overdue, Lapsed: lapsed}
		s.Finish()
		return s
	}
	unit := &report.Node[report.Tally]{Key: "B01", Sum: sum(10, 3, 2, 1), Groups: []*report.Node[report.Tally]{
		{Key: "a", Sum: sum(5, 0, 2, 0)}, // 12.5
		{Key: "b", Sum: sum(5, 3, 0, 0)}, // 9.375
		{Key: "c", Sum: sum(0, 0, 0, 1)}, // 6.25
		{Key: "d", Sum: sum(0, 0, 0, 0)},
	}}
	u := report.DefaultScheme.ScoreOf(unit, nil)
	if *u.Computed != 71.9 || *u.Score != 71.9 || !u.Below || u.Yuan != 300 {
		t.Errorf("%+v, %v", u, *u.Computed)
	}
	got := ""
	for _, d := range u.Deductions {
		got += fmt.Sprint(d.Rule, " ", d.Points, "; ")
	}
	if got != "a 12.5; b 9.4; c 6.2; " { // 28.1 together
		t.Error(got)
	}
	u = report.DefaultScheme.ScoreOf(unit, &report.Mark{Score: 80})
	if *u.Computed != 71.9 || *u.Score != 80 || u.Below || u.Yuan != 0 {
		t.Errorf("a recorded score wins: %+v", u)
	}
	if u := report.DefaultScheme.ScoreOf(&report.Node[report.Tally]{Sum: sum(0, 0, 0, 0)}, nil); u.Score != nil || u.Below {
		t.Errorf("a score of nothing: %+v", u)
	}
	if u := report.DefaultScheme.ScoreOf(&report.Node[report.Tally]{Sum: sum(4, 0, 1, 0)}, nil); *u.Score != 80 || u.Below {
		t.Errorf("80 is not below 80: %+v", u)
	}
}

// However they are grouped, the groups of every level add up to the total, and
// the total is the same; a unit's deductions add up to what it lost.
func TestTotalsTieWhateverTheGrouping(t *testing.T) {
	cal := calendar.Builtin()
	rapid.Check(t, func(t *rapid.T) {
		on := day("2026-11-01").AddDays(rapid.IntRange(-30, 60).Draw(t, "on"))
		var list []*obligation.Obligation
		for range rapid.IntRange(0, 40).Draw(t, "n") {
			o := &obligation.Obligation{State: rapid.SampledFrom(obligation.States).Draw(t, "state")}
			o.Due = day("2026-11-01").AddDays(rapid.IntRange(-60, 60).Draw(t, "due"))
			if rapid.Bool().Draw(t, "on period end") {
				o.PeriodEnd = o.Due.AddDays(rapid.IntRange(0, 3).Draw(t, "landed"))
			}
			if o.State == obligation.Done || o.State == obligation.Submitted {
				o.Submitted = o.Due.AddDays(rapid.IntRange(-20, 40).Draw(t, "submitted"))
			}
			o.Branch = rapid.SampledFrom([]string{"B1", "B2", ""}).Draw(t, "branch")
			o.Owner = rapid.SampledFrom([]string{"S1", "S2", "S3", ""}).Draw(t, "owner")
			o.Role = rapid.SampledFrom([]string{"officer", "supervisor"}).Draw(t, "role")
			o.Rule = rapid.SampledFrom([]string{"r1", "r2", "r3"}).Draw(t, "rule")
			list = append(list, o)
		}
		by := rapid.Permutation(report.Bys).Draw(t, "by")[:rapid.IntRange(0, len(report.Bys)).Draw(t, "levels")]
		var tally, flat report.Node[report.Tally]
		var ages report.Node[report.Ages]
		counted, overdue := 0, 0
		for _, o := range list {
			if o.State != obligation.Cancelled {
				counted++
			}
			if report.StandingOf(o, on) == report.Overdue {
				overdue++
			}
			for _, err := range []error{report.Count(&tally, by, o, on, cal), report.Count(&flat, nil, o, on, cal), report.Count(&ages, by, o, on, cal)} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		report.Finish(&tally, nil)
		report.Finish(&flat, nil)
		report.Finish(&ages, nil)
		if !reflect.DeepEqual(tally.Sum, flat.Sum) {
			t.Fatalf("the total depends on the grouping: %+v, %+v", tally.Sum, flat.Sum)
		}
		if tally.Sum.All() != counted {
			t.Fatalf("%d of %d are counted", tally.Sum.All(), counted)
		}
		if tally.Sum.Overdue != overdue || ages.Sum.Total != overdue {
			t.Fatalf("overdue: %d, by age %d, want %d", tally.Sum.Overdue, ages.Sum.Total, overdue)
		}
		var walk func(n *report.Node[report.Tally], depth int)
		walk = func(n *report.Node[report.Tally], depth int) {
			if depth < len(by) && n.Sum.All() > 0 {
				var s report.Tally
				for _, g := range n.Groups {
					s.InTime += g.Sum.InTime
					s.Late += g.Sum.Late
					s.LateDays += g.Sum.LateDays
					s.LateMost = max(s.LateMost, g.Sum.LateMost)
					s.Overdue += g.Sum.Overdue
					s.Lapsed += g.Sum.Lapsed
					s.Waived += g.Sum.Waived
					s.NotYetDue += g.Sum.NotYetDue
					walk(g, depth+1)
				}
				s.Finish()
				if !reflect.DeepEqual(s, n.Sum) {
					t.Fatalf("%s %s: %+v, its groups %+v", n.By, n.Key, n.Sum, s)
				}
			}
		}
		walk(&tally, 0)
		var sum func(n *report.Node[report.Ages]) int
		sum = func(n *report.Node[report.Ages]) int {
			a := n.Sum
			if a.Total != a.Under1+a.To5+a.To10+a.To20+a.Over20 {
				t.Fatalf("%+v", a)
			}
			if len(n.Groups) == 0 {
				return a.Total
			}
			all := 0
			for _, g := range n.Groups {
				all += sum(g)
			}
			if all != a.Total {
				t.Fatalf("%s %s: %d, its groups %d", n.By, n.Key, a.Total, all)
			}
			return all
		}
		sum(&ages)

		var units report.Node[report.Tally]
		for _, o := range list {
			if err := report.Count(&units, []report.By{report.ByBranch, report.ByRule}, o, on, cal); err != nil {
				t.Fatal(err)
			}
		}
		report.Finish(&units, nil)
		points := rapid.IntRange(0, 100)
		scheme := report.Scheme{Missed: points.Draw(t, "missed"), Overdue: points.Draw(t, "overdue"), Late: points.Draw(t, "late"), Line: 80, Yuan: 300}
		for _, n := range units.Groups {
			u := scheme.ScoreOf(n, nil)
			if u.Computed == nil {
				if n.Sum.Due > 0 {
					t.Fatal("no score")
				}
				continue
			}
			lost := 0
			for _, d := range u.Deductions {
				lost += int(d.Points*10 + 0.5)
			}
			if got := int(*u.Computed*10 + 0.5); got+lost != 1000 || got < 0 {
				t.Fatalf("%v and deductions of %d tenths", *u.Computed, lost)
			}
			exact := 100 - float64(scheme.Missed*n.Sum.Lapsed+scheme.Overdue*n.Sum.Overdue+scheme.Late*n.Sum.Late)/float64(n.Sum.Due)
			if d := *u.Computed - exact; d > 0.0500001 || d < -0.0500001 {
				t.Fatalf("%v, exactly %v", *u.Computed, exact)
			}
		}
	})
}
