package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// shift asks as the command line does: a date, a limit, and what comes out.
func shift(t testing.TB, c *Calendar, from, limit string) string {
	t.Helper()
	l, err := ParseLimit(limit)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Shift(day(t, from), l)
	if err != nil {
		return err.Error()
	}
	return r.String()
}

func TestWorkdayLimits(t *testing.T) {
	for _, c := range []struct{ duty, from, limit, want string }{
		{"log entry after inspection (B11)", "2026-02-13", "2 workdays", "2026-02-24"}, // Sat 14 Feb 2026 is a make-up workday, then 9 days off
		{"log entry after inspection (B11)", "2026-09-30", "2 workdays", "2026-10-09"}, // across National Day
		{"supervisor sign-off (B13)", "2026-02-14", "2 workdays", "2026-02-25"},        // received on a make-up Saturday
		{"incident report (B55)", "2026-09-30", "1 workdays", "2026-10-08"},            // 8 calendar days later; the text has no urgent override
		{"incident report (B55)", "2026-10-03", "1 workdays", "2026-10-08"},            // confirmed on a holiday; start day excluded
		{"share with lead bank (B30)", "2026-04-30", "2 workdays", "2026-05-07"},
		{"interest unpaid notice (B44)", "2026-09-21", "5 workdays", "2026-09-29"}, // 25 Sep 2026 is a holiday (Mid-Autumn)
		{"interest reminder (B41)", "2026-09-21", "-10 workdays", "2026-09-08"},    // backward over the make-up Sunday 20 Sep
		{"interest reminder (B41)", "2026-03-12", "-10 workdays", "2026-02-27"},    // backward over the make-up Saturday 28 Feb
		{"interest reminder (B41)", "2026-12-21", "-10 workdays", "2026-12-07"},
		{"overdue notice (B40)", "2026-02-13", "10 workdays", "2026-03-05"}, // across Spring Festival and the make-up Saturday 28 Feb
		{"overdue notice (B40)", "2026-10-01", "10 workdays", "2026-10-20"}, // maturity falls on a holiday
		{"overdue notice (B40)", "2026-04-30", "10 workdays", "2026-05-18"}, // make-up Saturday 9 May
		{"overdue notice (B40)", "2020-01-20", "10 workdays", "2020-02-11"}, // 2020 list as amended on 27 Jan 2020
		{"overdue notice (B40)", "2019-04-25", "10 workdays", "2019-05-10"}, // 2019 list as amended on 22 Mar 2019
		{"rating change (B33)", "2026-09-18", "15 workdays", "2026-10-15"},
		{"monthly report (B67)", "2026-01-31", "10 workdays", "2026-02-13"}, // the Friday before a make-up Saturday
		{"monthly report (B67)", "2026-09-30", "10 workdays", "2026-10-20"},
		{"quarter report (B60)", "2026-03-31", "15 workdays", "2026-04-22"},
		{"quarter report (B60)", "2026-06-30", "15 workdays", "2026-07-21"},
		{"quarter report (B60)", "2026-09-30", "15 workdays", "2026-10-27"},
		{"annual report (B61), ledger carry-forward (B08)", "2024-12-31", "20 workdays", "2025-02-05"},             // needs the 2025 list
		{"annual report (B61), ledger carry-forward (B08)", "2025-12-31", "20 workdays", "2026-01-29"},             // needs the 2026 list
		{"annual report (B61), ledger carry-forward (B08)", "2026-12-31", "20 workdays", "2027-01-29 provisional"}, // PROVISIONAL: no 2027 notice; 1 January is off by law
		{"the first day after Spring Festival 2020, which was lengthened", "2020-01-23", "1 workday", "2020-02-03"},
		{"0 days are the day itself, off or not", "2026-10-03", "0 workdays following", "2026-10-03"},
		{"backward from a day off", "2026-10-03", "-1 workday", "2026-09-30"},
		{"backward over the year's end", "2027-01-04", "-1 workday", "2026-12-31 provisional"},
	} {
		if got := shift(t, Builtin(), c.from, c.limit); got != c.want {
			t.Errorf("%s: %s, %s = %s, want %s", c.duty, c.from, c.limit, got, c.want)
		}
	}
}

// A month limit ends on the corresponding day (民法典 202) and lands as told.
func TestMonthLimits(t *testing.T) {
	for _, c := range []struct{ duty, from, limit, raw, preceding, following string }{
		{"maturity notice (B36)", "2026-03-31", "-1 months", "2026-02-28", "2026-02-28", "2026-02-28"},              // clamp; lands on a make-up Saturday, so it IS a workday
		{"maturity notice (B36)", "2024-03-31", "-1 months", "2024-02-29", "2024-02-29", "2024-02-29"},              // leap year
		{"maturity notice (B36)", "2025-03-30", "-1 months", "2025-02-28", "2025-02-28", "2025-02-28"},              // clamp
		{"maturity notice (B36)", "2026-11-07", "-1 months", "2026-10-07", "2026-09-30", "2026-10-08"},              // lands inside National Day: preceding 30 Sep, following 8 Oct
		{"maturity notice (B36)", "2026-03-18", "-1 months", "2026-02-18", "2026-02-14", "2026-02-24"},              // lands inside Spring Festival
		{"first inspection (B59)", "2026-01-31", "1 months", "2026-02-28", "2026-02-28", "2026-02-28"},              // clamp to 28 Feb (make-up workday)
		{"first inspection (B59)", "2026-09-05", "1 months", "2026-10-05", "2026-09-30", "2026-10-08"},              // lands inside National Day
		{"fund-flow sheet (B24)", "2025-12-31", "2 months", "2026-02-28", "2026-02-28", "2026-02-28"},               // 28 Feb 2026 is a make-up workday
		{"fund-flow sheet (B24)", "2023-12-31", "2 months", "2024-02-29", "2024-02-29", "2024-02-29"},               // 29 Feb 2024
		{"fund-flow sheet (B24)", "2027-12-31", "2 months", "2028-02-29", "2028-02-29", "2028-02-29"},               // 29 Feb 2028; list unknown
		{"guarantee period, Civil Code 692", "2026-08-31", "6 months", "2027-02-28", "2027-02-26", "2027-03-01"},    // 28 Feb 2027 (Sunday; 2027 list unknown): a cliff, act before
		{"limitation 3 years, Civil Code 188", "2026-02-28", "36 months", "2029-02-28", "2029-02-28", "2029-02-28"}, // end-of-month start, no special end-of-month rule: the corresponding day
	} {
		for landing, want := range map[string]string{"": c.raw, " none": c.raw, " preceding": c.preceding, " following": c.following} {
			got := strings.TrimSuffix(shift(t, Builtin(), c.from, c.limit+landing), " provisional")
			if got != want {
				t.Errorf("%s: %s, %s%s = %s, want %s", c.duty, c.from, c.limit, landing, got, want)
			}
		}
	}
}

func TestModifiedFollowingStaysInTheMonth(t *testing.T) {
	for from, want := range map[string]string{
		"2026-10-03": "2026-10-08",
		"2026-05-31": "2026-05-29", // a Sunday, and Monday is 1 June
		"2026-02-28": "2026-02-28", // a make-up Saturday never moves
		"2027-01-31": "2027-01-29 provisional",
	} {
		if got := shift(t, Builtin(), from, "0 days modified_following"); got != want {
			t.Errorf("%s lands on %s, want %s", from, got, want)
		}
	}
}

// A date is provisional if a day that was looked at may still change, and not
// because the result's year is unknown.
func TestProvisional(t *testing.T) {
	for _, c := range []struct{ from, limit, want string }{
		{"2026-12-30", "1 workday", "2026-12-31"},
		{"2026-12-31", "1 workday", "2027-01-04 provisional"},
		{"2027-01-01", "-1 workday", "2026-12-31"},             // looks at 31 December only
		{"2027-01-02", "-1 workday", "2026-12-31 provisional"}, // and at 1 January
		{"2026-12-31", "2 months", "2027-02-28"},               // looks at no day
		{"2026-12-31", "1 month preceding", "2027-01-29 provisional"},
		{"2026-12-31", "0 days following", "2026-12-31"},
		{"2026-12-31", "1 day preceding", "2026-12-31 provisional"}, // walks over 1 January
		{"2027-02-05", "0 days following", "2027-02-09 provisional"},
		{"2027-05-01", "0 days following", "2027-05-03 provisional"}, // a statutory Saturday is not made up
	} {
		if got := shift(t, Builtin(), c.from, c.limit); got != c.want {
			t.Errorf("%s, %s = %s, want %s", c.from, c.limit, got, c.want)
		}
	}
	for d, want := range map[string]bool{"2006-12-31": true, "2007-01-01": false, "2026-12-31": false, "2027-01-01": true, "2099-12-31": true, "2100-01-01": true} {
		if got := Builtin().Provisional(day(t, d)); got != want {
			t.Errorf("%s provisional: %v", d, got)
		}
	}
}

func TestWorkdaysOfAYear(t *testing.T) {
	for y, want := range []int{2007: 249, 251, 250, 250, 250, 249, 250, 250, 249, 250, 249, 250, 250, 249, 250, 249, 249, 251, 248, 248} {
		if want == 0 {
			continue
		}
		if got, err := Builtin().Count(MustDate(y, 1, 1), MustDate(y, 12, 31)); err != nil || got != want {
			t.Errorf("%d has %d working days, %v; want %d", y, got, err, want)
		}
	}
	_, err := Builtin().Count(MustDate(2026, 12, 31), MustDate(2026, 1, 1))
	if want := "count the working days from 2026-12-31 to 2026-01-01: the range ends before it starts"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestWorkdaysLeft(t *testing.T) {
	for _, c := range []struct {
		today, due string
		want       int
	}{
		{"2026-11-23", "2026-11-30", 5},
		{"2026-11-30", "2026-11-23", -5},
		{"2026-11-23", "2026-11-23", 0},
		{"2026-10-01", "2026-10-08", 1},
		{"2026-10-08", "2026-10-01", -1},
		{"2026-10-01", "2026-10-05", 0},
	} {
		if got, err := Builtin().Between(day(t, c.today), day(t, c.due)); err != nil || got != c.want {
			t.Errorf("on %s for %s: %d, %v; want %d", c.today, c.due, got, err, c.want)
		}
	}
}

func TestDaySaysWhy(t *testing.T) {
	for _, want := range []Day{
		{day(t, "2026-02-28"), true, KindMakeup, "春节", "国办发明电〔2025〕7号"},
		{day(t, "2026-10-03"), false, KindOff, "国庆节", "国办发明电〔2025〕7号"}, // a Saturday inside the span
		{day(t, "2026-10-17"), false, KindWeekend, "", ""},
		{day(t, "2026-10-16"), true, KindWeekday, "", ""},
		{day(t, "2019-05-01"), false, KindOff, "劳动节", "国办发明电〔2019〕3号"},
		{day(t, "2018-12-31"), false, KindOff, "元旦", "国办发明电〔2018〕15号"}, // by the next year's notice
		{day(t, "2020-02-01"), false, KindOff, "春节", "国办发明电〔2020〕1号"},  // was a make-up day
		{day(t, "2015-09-03"), false, KindOff, "抗日战争暨世界反法西斯战争胜利70周年纪念日", "国发明电〔2015〕1号"},
		{day(t, "2027-02-06"), false, KindStatutory, "春节", "国务院令第795号"},
		{day(t, "2031-10-01"), false, KindStatutory, "国庆节、中秋节", "国务院令第795号"},
	} {
		if got, err := Builtin().Day(want.Date); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
}

// A date beyond the calendar is an error, never a guess and never a search
// without end.
func TestBeyondTheCalendarIsAnError(t *testing.T) {
	c := Builtin()
	const runs = ": beyond the calendar, which runs from 2007-01-01 to 2099-12-31"
	for _, x := range []struct{ from, limit, want string }{
		{"2099-12-31", "1 workday", "1 workday from 2099-12-31" + runs},
		{"2026-01-01", "100000 workdays", "100000 workdays from 2026-01-01" + runs},
		{"2007-01-04", "-1 workday", "-1 workday from 2007-01-04" + runs},
		{"1999-01-04", "1 workday", "1 workday from 1999-01-04" + runs},
		{"2099-12-15", "1 month following", "2100-01-15" + runs},
		{"2007-01-31", "-1 month preceding", "2006-12-31" + runs},
		{"2007-01-01", "0 days preceding", "the working day before 2007-01-01" + runs},
		{"9999-12-31", "1 day", "1 day from 9999-12-31" + runs},
		{"1990-01-31", "1 month", "1990-02-28"}, // no day was looked at
		{"2006-12-31", "1 workday", "2007-01-04"},
	} {
		if got := shift(t, c, x.from, x.limit); got != x.want {
			t.Errorf("%s, %s: %s\nwant %s", x.from, x.limit, got, x.want)
		}
	}
	const big = int(^uint(0) >> 1)
	d := MustDate(2026, 1, 1)
	for what, f := range map[string]func() error{
		"AddWorkdays far":  func() error { _, err := c.AddWorkdays(d, big); return err },
		"AddWorkdays back": func() error { _, err := c.AddWorkdays(d, -big-1); return err },
		"IsWorkday":        func() error { _, err := c.IsWorkday(MustDate(2100, 1, 1)); return err },
		"Day":              func() error { _, err := c.Day(MustDate(2006, 12, 31)); return err },
		"Count":            func() error { _, err := c.Count(d, MustDate(2100, 1, 1)); return err },
		"Between":          func() error { _, err := c.Between(MustDate(1900, 1, 1), d); return err },
	} {
		if err := f(); !errors.Is(err, ErrBeyond) {
			t.Errorf("%s: %v, want ErrBeyond", what, err)
		}
	}
	for what, f := range map[string]func() error{
		"AddWorkdays": func() error { _, err := c.AddWorkdays(0, 1); return err },
		"Shift":       func() error { _, err := c.Shift(0, Limit{1, Months, None}); return err },
		"Count":       func() error { _, err := c.Count(0, d); return err },
	} {
		if err := f(); !errors.Is(err, errNoDate) || errors.Is(err, ErrBeyond) {
			t.Errorf("%s of no date: %v", what, err)
		}
	}
}

// The look-ups agree with rickar/cal, which walks day by day.
func TestLookUpsAgreeWithRickar(t *testing.T) {
	c := Builtin()
	work := make([]bool, len(c.mark))
	for i := range work {
		work[i], _ = c.IsWorkday(c.first + Date(i))
	}
	ref := business(c.first, work)
	rapid.Check(t, func(t *rapid.T) {
		d := c.first + Date(rapid.IntRange(1000, len(work)-1000).Draw(t, "day"))
		n := rapid.IntRange(-500, 500).Draw(t, "n")
		got, err := c.AddWorkdays(d, n)
		if want := DateIn(ref.WorkdaysFrom(d.utc(), n), time.UTC); err != nil || got.Date != want {
			t.Fatalf("%d workdays from %s: %s, %v; rickar says %s", n, d, got, err, want)
		}
		e := d + Date(rapid.IntRange(0, 900).Draw(t, "days"))
		count, err := c.Count(d, e)
		if want := ref.WorkdaysInRange(d.utc(), e.utc()); err != nil || count != want {
			t.Fatalf("%s to %s: %d working days, %v; rickar says %d", d, e, count, err, want)
		}
	})
}

// A shift is what walking day by day gives: the date, whether a day that was
// walked over may still change, and an error where the walk leaves the calendar.
// One calendar has a notice behind a year without one.
func TestAShiftIsAWalk(t *testing.T) {
	gap := add(t, Builtin(), `version: 1
notices:
- {number: 国办发明电〔2027〕99号, issued: 2027-11-30, year: 2028, off: [2028-01-01 元旦, 2028-01-25..2028-01-31 春节, 2028-05-01..2028-05-05 劳动节, 2028-10-02..2028-10-06 国庆节], work: [2028-01-22 春节, 2028-02-05 春节]}
`)
	walk := func(c *Calendar, d Date, n int) (r Result, ok bool) {
		step := Date(1)
		if n < 0 {
			step, n = -1, -n
		}
		for r.Date = d; n > 0; {
			r.Date += step
			work, err := c.IsWorkday(r.Date)
			if err != nil {
				return Result{}, false
			}
			if work {
				n--
			}
			r.Provisional = r.Provisional || c.Provisional(r.Date)
		}
		return r, true
	}
	for _, c := range []*Calendar{Builtin(), gap} {
		rapid.Check(t, func(t *rapid.T) {
			around := rapid.SampledFrom([]Date{c.first, MustDate(2026, 12, 31), MustDate(2027, 12, 31), MustDate(2028, 12, 31), c.last}).Draw(t, "around")
			d := around + Date(rapid.IntRange(-500, 500).Draw(t, "days"))
			n := rapid.IntRange(-300, 300).Draw(t, "n")
			got, err := c.AddWorkdays(d, n)
			if want, ok := walk(c, d, n); got != want || (err == nil) != ok || err != nil && !errors.Is(err, ErrBeyond) {
				t.Fatalf("%d workdays from %s: %s, %v; a walk gives %s, %v", n, d, got, err, want, ok)
			}
		})
	}
}

func TestShiftProperties(t *testing.T) {
	c := Builtin()
	first, last := c.Range()
	rapid.Check(t, func(t *rapid.T) {
		d := Date(rapid.Int32Range(int32(first)+800, int32(last)-800).Draw(t, "day"))
		n := rapid.IntRange(1, 500).Draw(t, "n")
		there, err := c.AddWorkdays(d, n)
		if err != nil {
			t.Fatal(err)
		}
		if work, _ := c.IsWorkday(there.Date); !work {
			t.Fatalf("%d workdays after %s is %s, a day off", n, d, there)
		}
		if left, _ := c.Between(d, there.Date); left != n {
			t.Fatalf("%d workdays after %s is %s, with %d left on the first day", n, d, there, left)
		}
		if back, _ := c.Between(there.Date, d); back != -n {
			t.Fatalf("from %s back to %s: %d, want %d", there, d, back, -n)
		}
		if work, _ := c.IsWorkday(d); work {
			if back, _ := c.AddWorkdays(there.Date, -n); back.Date != d {
				t.Fatalf("%s, %d workdays on and back: %s", d, n, back)
			}
		}
		if next, _ := c.AddWorkdays(d+1, n); next.Date < there.Date {
			t.Fatalf("a day later ends earlier: %s %s, %s %s", d, there, d+1, next)
		}
		if more, _ := c.AddWorkdays(d, n+1); more.Date <= there.Date {
			t.Fatalf("%d workdays more end at %s, not after %s", n+1, more, there)
		}
		f, _ := c.Land(d, Following)
		p, _ := c.Land(d, Preceding)
		if k, _ := c.Count(p.Date, f.Date); p.Date > d || f.Date < d || p.Date == f.Date && k != 1 || p.Date != f.Date && k != 2 {
			t.Fatalf("%s lands on %s and %s", d, p, f)
		}
		if there.Provisional != (there.Date > c.firm) {
			t.Fatalf("%d workdays after %s: %s", n, d, there)
		}
	})
}

func TestStatusWarnsBeforeTheYearEnds(t *testing.T) {
	for today, want := range map[string]Level{
		"2026-10-31": LevelOK,
		"2026-11-01": LevelWarning,
		"2026-12-14": LevelWarning,
		"2026-12-15": LevelAlarm,
		"2027-03-01": LevelAlarm,
		"2025-12-31": LevelOK,
	} {
		s := Builtin().Status(day(t, today))
		if s != (Status{day(t, "2026-12-31"), day(t, "2027-01-01"), day(t, "2099-12-31"), 2027, want}) {
			t.Errorf("on %s: %+v, want level %s", today, s, want)
		}
	}
}

func BenchmarkAddWorkdays(b *testing.B) {
	c, d, sum := Builtin(), MustDate(2026, 1, 1), Date(0)
	b.ReportAllocs()
	for i := range b.N {
		r, err := c.AddWorkdays(d+Date(i&255), 10)
		if err != nil {
			b.Fatal(err)
		}
		sum += r.Date
	}
	if sum == 0 {
		b.Fatal("no date")
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load("cn.yaml", cnYAML); err != nil {
			b.Fatal(err)
		}
	}
}

func TestLookUpsDoNotAllocate(t *testing.T) {
	c, d := Builtin(), MustDate(2026, 9, 30)
	limit := Limit{-1, Months, Preceding}
	if n := testing.AllocsPerRun(100, func() {
		c.AddWorkdays(d, 10)
		c.Shift(d, limit)
		c.Count(d, d+100)
		c.Between(d, d+100)
		c.IsWorkday(d)
		c.Day(d)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
