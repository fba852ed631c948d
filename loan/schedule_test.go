package loan

import (
	"strings"
	"testing"

	"tickler/calendar"
)

func TestInterestDates(t *testing.T) {
	d := calendar.MustDate
	for _, c := range []struct {
		name        string
		s           Schedule
		maturity    calendar.Date
		first, last calendar.Date
		want        string
	}{
		{"monthly is settled on the 20th, paid on the 21st", Schedule{Every: SettleMonthly}, 0, d(2026, 1, 1), d(2026, 4, 20), "2026-01-21 2026-02-21 2026-03-21"},
		{"quarterly by default", Schedule{}, 0, d(2026, 1, 1), d(2026, 12, 31), "2026-03-21 2026-06-21 2026-09-21 2026-12-21"},
		{"quarterly", Schedule{Every: SettleQuarterly}, 0, d(2026, 3, 21), d(2026, 6, 21), "2026-03-21 2026-06-21"},
		{"half-yearly", Schedule{Every: SettleHalfYearly}, 0, d(2026, 1, 1), d(2027, 6, 30), "2026-06-21 2026-12-21 2027-06-21"},
		{"yearly", Schedule{Every: SettleYearly}, 0, d(2026, 1, 1), d(2028, 1, 1), "2026-12-21 2027-12-21"},
		{"at maturity", Schedule{Every: SettleAtMaturity}, d(2026, 5, 31), d(2026, 1, 1), d(2026, 12, 31), "2026-05-31"},
		{"at maturity, outside", Schedule{Every: SettleAtMaturity}, d(2027, 5, 31), d(2026, 1, 1), d(2026, 12, 31), ""},
		{"at a maturity that is not known", Schedule{Every: SettleAtMaturity}, 0, d(2026, 1, 1), d(2026, 12, 31), ""},
		{"month's end is paid on the 1st", Schedule{Every: SettleMonthly, SettleDay: 31}, 0, d(2026, 1, 1), d(2026, 5, 1), "2026-01-01 2026-02-01 2026-03-01 2026-04-01 2026-05-01"},
		{"quarter's end is paid on the 1st", Schedule{SettleDay: 31}, 0, d(2026, 1, 1), d(2026, 12, 31), "2026-01-01 2026-04-01 2026-07-01 2026-10-01"},
		{"the 30th in February", Schedule{Every: SettleMonthly, SettleDay: 30}, 0, d(2026, 2, 2), d(2026, 3, 31), "2026-03-01 2026-03-31"},
		{"a day of payment", Schedule{PayDay: 20}, 0, d(2026, 1, 1), d(2026, 6, 30), "2026-03-20 2026-06-20"},
		{"a day of payment clamps", Schedule{Every: SettleMonthly, PayDay: 31}, 0, d(2026, 1, 1), d(2026, 4, 30), "2026-01-31 2026-02-28 2026-03-31 2026-04-30"},
		{"settled late, paid early in the next month", Schedule{SettleDay: 25, PayDay: 5}, 0, d(2026, 1, 1), d(2026, 12, 31), "2026-01-05 2026-04-05 2026-07-05 2026-10-05"},
		{"through a given date", Schedule{PayDate: d(2026, 2, 10)}, 0, d(2026, 1, 1), d(2026, 12, 31), "2026-02-10 2026-05-10 2026-08-10 2026-11-10"},
		{"before a given date", Schedule{Every: SettleMonthly, PayDate: d(2026, 8, 31)}, 0, d(2026, 1, 1), d(2026, 4, 30), "2026-01-31 2026-02-28 2026-03-31 2026-04-30"},
		{"after a given date", Schedule{Every: SettleMonthly, PayDate: d(2020, 1, 31)}, 0, d(2026, 2, 1), d(2026, 4, 30), "2026-02-28 2026-03-31 2026-04-30"},
		{"long before a given date", Schedule{Every: SettleYearly, PayDate: d(2028, 2, 29)}, 0, d(2024, 1, 1), d(2026, 12, 31), "2024-02-29 2025-02-28 2026-02-28"},
		{"one day", Schedule{PayDate: d(2026, 2, 10)}, 0, d(2026, 5, 10), d(2026, 5, 10), "2026-05-10"},
		{"no days", Schedule{}, 0, d(2026, 5, 10), d(2026, 5, 9), ""},
	} {
		var got []string
		for _, d := range c.s.Dates(c.maturity, c.first, c.last) {
			got = append(got, d.String())
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: got %s, want %s", c.name, s, c.want)
		}
	}
}

// Every window of a schedule shows the same days as a longer one does.
func TestInterestDatesDoNotDependOnTheWindow(t *testing.T) {
	first, last := calendar.MustDate(2024, 1, 1), calendar.MustDate(2028, 12, 31)
	for _, every := range []Settlement{SettleMonthly, SettleQuarterly, SettleHalfYearly, SettleYearly} {
		for _, s := range []Schedule{{}, {SettleDay: 31}, {SettleDay: 1}, {PayDay: 1}, {PayDay: 31}, {SettleDay: 25, PayDay: 5}, {SettleDay: 31, PayDay: 30},
			{PayDate: calendar.MustDate(2026, 8, 31)}, {PayDate: calendar.MustDate(2030, 2, 28)}, {PayDate: calendar.MustDate(2019, 12, 31)}} {
			s.Every = every
			all := map[calendar.Date]bool{}
			var before calendar.Date
			for _, d := range s.Dates(0, first, last) {
				if d <= before {
					t.Fatalf("%+v: %s after %s", s, d, before)
				}
				all[d], before = true, d
			}
			for d := first; d <= last; d = d.AddDays(1) {
				if got := len(s.Dates(0, d, d)) == 1; got != all[d] {
					t.Fatalf("%+v on %s: %v alone, %v in the long window", s, d, got, all[d])
				}
			}
		}
	}
}

// Windows at the ends of time end.
func TestInterestDatesAtTheEndsOfTime(t *testing.T) {
	early, late := calendar.MustDate(1, 1, 1), calendar.MustDate(9999, 12, 31)
	for _, s := range []Schedule{{}, {PayDay: 5}, {SettleDay: 25, PayDay: 5}, {PayDate: calendar.MustDate(2026, 8, 31)}, {SettleDay: 31}} {
		if n := len(s.Dates(0, late.AddDays(-400), late)); n < 4 || n > 6 {
			t.Errorf("%+v: %d days in the last 400", s, n)
		}
		if n := len(s.Dates(0, early, early.AddDays(400))); n < 4 || n > 6 {
			t.Errorf("%+v: %d days in the first 400", s, n)
		}
		if n := len(s.Dates(0, 0, 0)); n != 0 {
			t.Errorf("%+v: %d days in no window", s, n)
		}
	}
}
