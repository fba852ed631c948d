package calendar

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPeriodOf(t *testing.T) {
	march := Fiscal{time.March, 31}
	for _, c := range []struct {
		every      Every
		day        string
		fiscal     Fiscal
		label      string
		start, end string
		number     int
	}{
		{Week, "2026-11-23", Fiscal{}, "2026-W48", "2026-11-23", "2026-11-29", 48},
		{Week, "2027-01-01", Fiscal{}, "2026-W53", "2026-12-28", "2027-01-03", 53},
		{Week, "2024-12-30", Fiscal{}, "2025-W01", "2024-12-30", "2025-01-05", 1},
		{HalfMonth, "2026-11-15", Fiscal{}, "2026-11-A", "2026-11-01", "2026-11-15", 21},
		{HalfMonth, "2026-11-16", Fiscal{}, "2026-11-B", "2026-11-16", "2026-11-30", 22},
		{HalfMonth, "2028-02-29", Fiscal{}, "2028-02-B", "2028-02-16", "2028-02-29", 4},
		{Month, "2026-02-11", march, "2026-02", "2026-02-01", "2026-02-28", 2},
		{Quarter, "2026-11-23", march, "2026-Q4", "2026-10-01", "2026-12-31", 4},
		{Quarter, "2026-03-31", Fiscal{}, "2026-Q1", "2026-01-01", "2026-03-31", 1},
		{HalfYear, "2026-06-30", Fiscal{}, "2026-H1", "2026-01-01", "2026-06-30", 1},
		{HalfYear, "2026-07-01", Fiscal{}, "2026-H2", "2026-07-01", "2026-12-31", 2},
		{Year, "2026-11-23", Fiscal{}, "2026", "2026-01-01", "2026-12-31", 1},
		{Year, "2026-03-31", march, "2026", "2025-04-01", "2026-03-31", 1},
		{Year, "2026-04-01", march, "2027", "2026-04-01", "2027-03-31", 1},
		{Year, "2028-02-29", Fiscal{time.February, 29}, "2028", "2027-03-01", "2028-02-29", 1},
		{Year, "2027-02-28", Fiscal{time.February, 29}, "2027", "2026-03-01", "2027-02-28", 1},
	} {
		p := PeriodOf(c.every, day(t, c.day), c.fiscal)
		want := Period{c.every, day(t, c.start), day(t, c.end)}
		if p != want || p.Label(c.fiscal) != c.label || p.Number() != c.number {
			t.Errorf("%s of %s: %v %q number %d, want %v %q number %d", c.every, c.day, p, p.Label(c.fiscal), p.Number(), want, c.label, c.number)
		}
		if back, err := ParsePeriod(c.label, c.fiscal); err != nil || back != want {
			t.Errorf("ParsePeriod(%q) = %v, %v; want %v", c.label, back, err, want)
		}
	}
}

func TestPeriodsFollowWithoutGapOrOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Date(rapid.Int32Range(365, int32(maxDate)-1200).Draw(t, "day")) // days of the year 1 have no fiscal year before
		e := Every(rapid.IntRange(int(Week), int(Year)).Draw(t, "every"))
		f := Fiscal{time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 29).Draw(t, "day")}
		p := PeriodOf(e, d+366, f)
		if p.Start > d+366 || p.End < d+366 || p.Next(f).Start != p.End+1 || p.Prev(f).End != p.Start-1 || p.Next(f).Prev(f) != p {
			t.Fatalf("%s of %s: %v, next %v, previous %v", e, d+366, p, p.Next(f), p.Prev(f))
		}
		if back, err := ParsePeriod(p.Label(f), f); err != nil || back != p {
			t.Fatalf("%q is %v, %v; want %v", p.Label(f), back, err, p)
		}
	})
}

func TestParsePeriodRefuses(t *testing.T) {
	for _, s := range []string{"2025-W53", "2026-W00", "2026-Q5", "2026-Q0", "2026-H3", "2026-13", "2026-11-C", "0000", "0000-W01", "9999-W52"} {
		if _, err := ParsePeriod(s, Fiscal{}); err == nil {
			t.Errorf("%q was read as a period", s)
		}
	}
	_, err := ParsePeriod("2026-1", Fiscal{})
	if want := `period "2026-1": want 2026-W47, 2026-11-A, 2026-11-B, 2026-11, 2026-Q4, 2026-H2 or 2026`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = ParsePeriod("2025-W53", Fiscal{})
	if want := `period "2025-W53": no such period`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestParseEveryAndFiscal(t *testing.T) {
	for e := Week; e <= Year; e++ {
		if got, err := ParseEvery(e.String()); err != nil || got != e {
			t.Errorf("%q is %v, %v", e, got, err)
		}
	}
	_, err := ParseEvery("quater")
	if want := `period "quater": want week, half_month, month, quarter, half_year or year; did you mean "quarter"?`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if f, err := ParseFiscal("12-31"); err != nil || f != (Fiscal{time.December, 31}) || f.String() != (Fiscal{}).String() {
		t.Errorf("12-31 is %v, %v", f, err)
	}
	for _, s := range []string{"", "12-32", "02-30", "13-01", "1-1", "12/31"} {
		if _, err := ParseFiscal(s); err == nil {
			t.Errorf("%q was read as a fiscal year end", s)
		}
	}
}
