package calendar

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func day(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Every day of the years 1 to 9999 agrees with the standard library.
func TestDateIsTheCivilDay(t *testing.T) {
	if MustDate(1, 1, 1) != 1 || MustDate(9999, 12, 31) != maxDate {
		t.Fatal("the count does not start on 0001-01-01 or does not end on 9999-12-31")
	}
	for d := minDate; d <= maxDate; d++ {
		u := d.utc()
		y, m, day := d.Civil()
		if y2, m2, d2 := u.Date(); y != y2 || m != m2 || day != d2 || d.Weekday() != u.Weekday() {
			t.Fatalf("day %d is %04d-%02d-%02d %s, want %s %s", d, y, m, day, d.Weekday(), u.Format(time.DateOnly), u.Weekday())
		}
		if date(y, m, day) != d {
			t.Fatalf("%04d-%02d-%02d is day %d, want %d", y, m, day, date(y, m, day), d)
		}
		if d%97 == 0 {
			year, week := d.ISOWeek()
			if y2, w2 := u.ISOWeek(); year != y2 || week != w2 || d.String() != u.Format(time.DateOnly) {
				t.Fatalf("%s is in week %d-%d, want %d-%d of %s", d, year, week, y2, w2, u.Format(time.DateOnly))
			}
		}
	}
}

// 民法典 202: the corresponding day, else the month's last day; no end-of-month rule.
func TestAddMonthsClamps(t *testing.T) {
	for _, c := range []struct {
		from   string
		months int
		want   string
	}{
		{"2026-01-31", 1, "2026-02-28"},
		{"2024-01-31", 1, "2024-02-29"},
		{"2026-01-31", 2, "2026-03-31"},
		{"2026-03-31", -1, "2026-02-28"},
		{"2026-02-28", 36, "2029-02-28"},
		{"2024-02-29", 12, "2025-02-28"},
		{"2026-08-31", 6, "2027-02-28"},
		{"2026-01-15", -1, "2025-12-15"},
		{"2026-12-31", 0, "2026-12-31"},
		{"2000-02-29", -1200, "1900-02-28"},
		{"9999-12-01", 1, ""},
		{"0001-01-31", -1, ""},
	} {
		if got := day(t, c.from).AddMonths(c.months); got.String() != c.want {
			t.Errorf("%s + %d months = %q, want %q", c.from, c.months, got, c.want)
		}
	}
	if got := day(t, "2024-02-29").AddYears(1); got.String() != "2025-02-28" {
		t.Errorf("2024-02-29 + 1 year = %s", got)
	}
}

func TestArithmeticLeavesNoDateAlone(t *testing.T) {
	const big = int(^uint(0) >> 1)
	for _, d := range []Date{Date(0).AddDays(5), Date(0).AddMonths(1), Date(0).AddYears(1),
		maxDate.AddDays(1), minDate.AddDays(-1), maxDate.AddDays(big), minDate.AddDays(-big - 1),
		maxDate.AddMonths(big), minDate.AddYears(-big - 1)} {
		if d != 0 {
			t.Errorf("got day %d, want no date", d)
		}
	}
}

func TestMonthsBetween(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"2026-01-31", "2026-02-28", 1},
		{"2026-01-31", "2026-03-01", 2},
		{"2026-01-15", "2026-01-15", 0},
		{"2026-01-15", "2026-01-16", 1},
		{"2026-01-15", "2027-01-15", 12},
		{"2026-01-15", "2027-01-16", 13},
		{"2026-02-28", "2026-01-31", -1},
		{"2024-02-29", "2025-02-28", 12},
	} {
		if got := MonthsBetween(day(t, c.a), day(t, c.b)); got != c.want {
			t.Errorf("months from %s to %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a := Date(rapid.Int32Range(700_000, 760_000).Draw(t, "a"))
		b := a + Date(rapid.Int32Range(0, 20_000).Draw(t, "days"))
		m := MonthsBetween(a, b)
		if a.AddMonths(m) < b || m > 0 && a.AddMonths(m-1) >= b || MonthsBetween(b, a) != -m {
			t.Fatalf("%d months from %s to %s", m, a, b)
		}
	})
}

func TestParseDateIsStrict(t *testing.T) {
	for s, want := range map[string]string{
		"2026-1-4":    `date "2026-1-4": want YYYY-MM-DD`,
		"2026/01/04":  `date "2026/01/04": want YYYY-MM-DD`,
		" 2026-01-04": `date " 2026-01-04": want YYYY-MM-DD`,
		"+026-01-04":  `date "+026-01-04": want YYYY-MM-DD`,
		"2026-04-31":  `date "2026-04-31": no such day`,
		"2026-02-29":  `date "2026-02-29": no such day`,
		"2026-13-01":  `date "2026-13-01": no such day`,
		"0000-01-01":  `date "0000-01-01": no such day`,
		"":            `date "": want YYYY-MM-DD`,
	} {
		if _, err := ParseDate(s); err == nil || err.Error() != want {
			t.Errorf("ParseDate(%q): %v, want %s", s, err, want)
		}
	}
	if _, err := NewDate(2026, time.April, 31); err == nil || err.Error() != "no such day: 2026-04-31" {
		t.Errorf("31 April: %v", err)
	}
}

func TestDateInTakesTheZonesDay(t *testing.T) {
	at := time.Date(2024, 10, 11, 17, 0, 0, 0, time.UTC)
	shanghai := time.FixedZone("CST", 8*3600)
	if got := DateIn(at, shanghai); got.String() != "2024-10-12" {
		t.Errorf("17:00 UTC in Shanghai is on %s", got)
	}
	if got := DateIn(at, time.UTC); got.String() != "2024-10-11" {
		t.Errorf("17:00 UTC is on %s", got)
	}
	if got := DateIn(time.Time{}, shanghai); !got.IsZero() {
		t.Errorf("no moment is on %s", got)
	}
}

func TestDateInJSON(t *testing.T) {
	type record struct {
		Due  Date
		Done Date
		By   map[Date]int
	}
	in := record{Due: day(t, "2026-11-30"), By: map[Date]int{day(t, "2026-01-01"): 1}}
	b, err := json.Marshal(in)
	if want := `{"Due":"2026-11-30","Done":null,"By":{"2026-01-01":1}}`; err != nil || string(b) != want {
		t.Fatalf("%s, %v; want %s", b, err, want)
	}
	var out record
	if err := json.Unmarshal(b, &out); err != nil || out.Due != in.Due || out.Done != 0 || out.By[day(t, "2026-01-01")] != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	for _, bad := range []string{`""`, `"2026-02-30"`, `20261130`, `"2026-11-30T00:00:00Z"`} {
		if err := json.Unmarshal([]byte(bad), &out.Due); err == nil {
			t.Errorf("%s was read as a date", bad)
		}
	}
}
