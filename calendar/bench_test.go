package calendar

import (
	"testing"
	"time"

	"github.com/rickar/cal/v2"
)

// The 15th working day after a day, by the compiled table and by rickar/cal:
// with the whole truth in WorkdayFunc, and with the days off as Holidays, which
// know no make-up days.
func BenchmarkFifteenWorkdays(b *testing.B) {
	c, d := Builtin(), MustDate(2026, 1, 1)
	work := make([]bool, len(c.mark))
	for i := range work {
		work[i], _ = c.IsWorkday(c.first + Date(i))
	}
	b.Run("tickler", func(b *testing.B) {
		b.ReportAllocs()
		sum := Date(0)
		for i := range b.N {
			r, err := c.AddWorkdays(d+Date(i&255), 15)
			if err != nil {
				b.Fatal(err)
			}
			sum += r.Date
		}
		if sum == 0 {
			b.Fatal("no date")
		}
	})
	rickar := func(bc *cal.BusinessCalendar) func(*testing.B) {
		var days [256]time.Time
		for i := range days {
			days[i] = (d + Date(i)).utc()
		}
		return func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				if bc.WorkdaysFrom(days[i&255], 15).IsZero() {
					b.Fatal("no date")
				}
			}
		}
	}
	b.Run("rickar-WorkdayFunc", rickar(business(c.first, work)))
	holidays := cal.NewBusinessCalendar()
	for i := d; i < d+600; i++ {
		day, err := c.Day(i)
		if err != nil {
			b.Fatal(err)
		}
		if t := i.utc(); !day.Workday && day.Kind != KindWeekend && t.Weekday() != time.Saturday && t.Weekday() != time.Sunday {
			holidays.AddHoliday(&cal.Holiday{Month: t.Month(), Day: t.Day(), Func: cal.CalcDayOfMonth, StartYear: t.Year(), EndYear: t.Year()})
		}
	}
	b.Run("rickar-Holidays", rickar(holidays))
}
