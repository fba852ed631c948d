package ledger

import (
	"reflect"
	"strings"
	"testing"

	"tickler/calendar"
	"tickler/loan"
)

func TestDiff(t *testing.T) {
	d := calendar.MustDate
	cal := calendar.Builtin()
	base := loan.Loan{
		ID: "JJ1", Officer: "S1", Balance: 10000, Disbursed: d(2026, 1, 5), Maturity: d(2026, 12, 31),
		Class: loan.Normal, Mode: loan.Regular, Guarantee: "保证", Guarantors: []string{"乙", "丙"}, Rate: "4.35", Status: "正常",
	}
	// 2026-11-28 is a Saturday; the working day that follows is Monday the 30th.
	saturday := base
	saturday.Maturity = d(2026, 11, 28)
	for _, c := range []struct {
		name      string
		old       loan.Loan
		change    func(*loan.Loan)
		oldOn, on calendar.Date
		want      string
	}{
		{"nothing", base, func(l *loan.Loan) {}, d(2026, 11, 20), d(2026, 11, 23), ""},
		{"later maturity", base, func(l *loan.Loan) { l.Maturity = d(2027, 6, 30) }, d(2026, 11, 20), d(2026, 11, 23), "loan.extended from=2026-12-31 to=2027-06-30"},
		{"earlier maturity", base, func(l *loan.Loan) { l.Maturity = d(2026, 12, 1) }, d(2026, 11, 20), d(2026, 11, 23), "loan.maturity_changed from=2026-12-31 to=2026-12-01"},
		{"class", base, func(l *loan.Loan) { l.Class = loan.Doubtful }, d(2026, 11, 20), d(2026, 11, 23), "class.changed from=normal to=doubtful"},
		{"mode", base, func(l *loan.Loan) { l.Mode = loan.Key }, d(2026, 11, 20), d(2026, 11, 23), "mode.changed from=regular to=key"},
		{"officer", base, func(l *loan.Loan) { l.Officer = "S2" }, d(2026, 11, 20), d(2026, 11, 23), "officer.changed from=S1 to=S2"},
		{"officer no longer given", base, func(l *loan.Loan) { l.Officer = "" }, d(2026, 11, 20), d(2026, 11, 23), ""},
		{"settled", base, func(l *loan.Loan) { l.Balance = 0 }, d(2026, 11, 20), d(2026, 11, 23), "loan.settled arrears=0.00 from=100.00 to=0.00"},
		{"balance paid, interest left", base, func(l *loan.Loan) { l.Balance, l.Arrears = 0, 5 }, d(2026, 11, 20), d(2026, 11, 23), "loan.repaid from=100.00 to=0.00 | loan.defaulted arrears=0.05 balance=0.00 cause=arrears"},
		{"repaid", base, func(l *loan.Loan) { l.Balance = 6000 }, d(2026, 11, 20), d(2026, 11, 23), "loan.repaid from=100.00 to=60.00"},
		{"rate", base, func(l *loan.Loan) { l.Rate = "4.10" }, d(2026, 11, 20), d(2026, 11, 23), "loan.rate_changed from=4.35 to=4.10"},
		{"the same rate", base, func(l *loan.Loan) { l.Rate = "4.350%" }, d(2026, 11, 20), d(2026, 11, 23), ""},
		{"guarantors in another order", base, func(l *loan.Loan) { l.Guarantors = []string{"丙", "乙"} }, d(2026, 11, 20), d(2026, 11, 23), ""},
		{"guarantor gone", base, func(l *loan.Loan) { l.Guarantors = []string{"乙"} }, d(2026, 11, 20), d(2026, 11, 23), "loan.guarantee_changed guarantors_from=乙、丙 guarantors_to=乙"},
		{"guarantee", base, func(l *loan.Loan) { l.Guarantee = "抵押" }, d(2026, 11, 20), d(2026, 11, 23), "loan.guarantee_changed from=保证 to=抵押"},
		{"transferred", base, func(l *loan.Loan) { l.Status = "转让" }, d(2026, 11, 20), d(2026, 11, 23), "loan.transferred from=正常 to=转让"},
		{"arrears", base, func(l *loan.Loan) { l.Arrears = 1 }, d(2026, 11, 20), d(2026, 11, 23), "loan.defaulted arrears=0.01 balance=100.00 cause=arrears"},
		{"matured on a day off, that day", saturday, func(l *loan.Loan) {}, d(2026, 11, 27), d(2026, 11, 28), ""},
		{"matured on a day off, the working day after", saturday, func(l *loan.Loan) {}, d(2026, 11, 29), d(2026, 11, 30), ""},
		{"the day after that", saturday, func(l *loan.Loan) {}, d(2026, 11, 30), d(2026, 12, 1), "loan.defaulted arrears=0.00 balance=100.00 cause=maturity"},
		{"a default is found once", saturday, func(l *loan.Loan) {}, d(2026, 12, 1), d(2026, 12, 2), ""},
		{"arrears after the default", saturday, func(l *loan.Loan) { l.Arrears = 1 }, d(2026, 12, 1), d(2026, 12, 2), ""},
		{"files far apart", saturday, func(l *loan.Loan) {}, d(2026, 11, 1), d(2028, 12, 2), "loan.defaulted arrears=0.00 balance=100.00 cause=maturity"},
		{"extended out of a default", saturday, func(l *loan.Loan) { l.Maturity = d(2027, 6, 30) }, d(2026, 12, 1), d(2026, 12, 2), "loan.extended from=2026-11-28 to=2027-06-30"},
		{"settled after the maturity", saturday, func(l *loan.Loan) { l.Balance = 0 }, d(2026, 11, 30), d(2026, 12, 1), "loan.settled arrears=0.00 from=100.00 to=0.00"},
	} {
		now := c.old
		c.change(&now)
		events, err := Diff(&c.old, &now, c.oldOn, c.on, cal)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := tell(events); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
		for _, e := range events {
			if e.ID != e.Kind+"/loan/JJ1/"+c.on.String() || e.Happened != c.on || !e.Snapshot || e.Subject != (loan.Ref{Kind: loan.KindLoan, ID: "JJ1"}) {
				t.Errorf("%s: got %+v", c.name, e)
			}
		}
	}
}

func tell(events []loan.Event) string {
	var out []string
	for _, e := range events {
		s := e.Kind
		for _, k := range []string{"arrears", "balance", "cause", "disbursed", "from", "guarantors_from", "guarantors_to", "to"} {
			if v, ok := e.Fields[k]; ok {
				s += " " + k + "=" + v
			}
		}
		out = append(out, s)
	}
	return strings.Join(out, " | ")
}

func TestFirstSight(t *testing.T) {
	d := calendar.MustDate
	cal := calendar.Builtin()
	for _, c := range []struct {
		disbursed, on calendar.Date
		want          string
	}{
		{d(2026, 11, 23), d(2026, 11, 23), "ledger.recorded disbursed=2026-11-23"},
		{d(2026, 11, 20), d(2026, 11, 23), ""},
		{d(2026, 11, 21), d(2026, 11, 21), "ledger.recorded disbursed=2026-11-21"}, // a Saturday
		{d(2026, 11, 21), d(2026, 11, 23), "ledger.recorded disbursed=2026-11-21"},
		{d(2026, 11, 21), d(2026, 11, 24), ""},
		{d(2026, 11, 24), d(2026, 11, 23), ""},
		{d(1970, 1, 1), d(2026, 11, 23), ""}, // before every calendar
	} {
		l := loan.Loan{ID: "JJ1", Balance: 1, Arrears: 1, Disbursed: c.disbursed, Maturity: c.disbursed}
		events, err := Diff(nil, &l, 0, c.on, cal)
		if err != nil {
			t.Fatal(err)
		}
		if got := tell(events); got != c.want {
			t.Errorf("paid out %s, seen %s: got %q, want %q", c.disbursed, c.on, got, c.want)
		}
	}
}

func TestTheSameFilesGiveTheSameEvents(t *testing.T) {
	d := calendar.MustDate
	a := loan.Loan{ID: "JJ1", Balance: 2, Class: loan.Normal}
	b := loan.Loan{ID: "JJ1", Balance: 1, Class: loan.Loss, Arrears: 1}
	x, _ := Diff(&a, &b, d(2026, 11, 20), d(2026, 11, 23), calendar.Builtin())
	y, _ := Diff(&a, &b, d(2026, 11, 20), d(2026, 11, 23), calendar.Builtin())
	if len(x) != 3 || !reflect.DeepEqual(x, y) {
		t.Errorf("got %v and %v", x, y)
	}
}
