package loan

import (
	"time"

	"tickler/calendar"
)

// Schedule is a loan's interest schedule as its row gives it (结息方式, 结息日,
// 付息日, 下次付息日). Days of the month are 1 to 31 and clamp to the month's
// last day; 0 is not given.
type Schedule struct {
	Every     Settlement    // "" reads as quarterly
	SettleDay int           // 结息日, a day of the month; 0 is the 20th
	PayDay    int           // 付息日, a day of the month
	PayDate   calendar.Date // 付息日 or 下次付息日 given as a date: the schedule runs through it
}

// months is the number of months between two settlements; 0 is one payment
// at maturity.
func (s Schedule) months() int {
	switch s.Every {
	case SettleMonthly:
		return 1
	case SettleHalfYearly:
		return 6
	case SettleYearly:
		return 12
	case SettleAtMaturity:
		return 0
	}
	return 3
}

// Dates lists the interest dates (付息日) from first to last, both included,
// in order. Without 付息日 it is the day after the settlement day (结息日),
// which is the 20th unless given, monthly, or in the last month of the
// quarter, half-year or year; 利随本清 pays at the maturity.
func (s Schedule) Dates(maturity, first, last calendar.Date) []calendar.Date {
	return s.AppendDates(nil, maturity, first, last)
}

// AppendDates is Dates, added to a slice.
func (s Schedule) AppendDates(out []calendar.Date, maturity, first, last calendar.Date) []calendar.Date {
	if first.IsZero() || last < first {
		return out
	}
	keep := func(d calendar.Date) {
		if !d.IsZero() && d >= first && d <= last {
			out = append(out, d)
		}
	}
	step := s.months()
	if step == 0 {
		if !maturity.IsZero() {
			keep(maturity)
		}
		return out
	}
	if !s.PayDate.IsZero() {
		// Every payment is counted from the given one, never from its
		// neighbour: 31 January, 28 February, 31 March.
		k := -((calendar.MonthsBetween(first, s.PayDate))/step + 1)
		if s.PayDate < first {
			k = calendar.MonthsBetween(s.PayDate, first)/step - 1
		}
		for ; ; k++ {
			d := s.PayDate.AddMonths(k * step)
			if d > last || k > 0 && d.IsZero() { // no date is beyond the year 9999
				return out
			}
			keep(d)
		}
	}
	settle := s.SettleDay
	if settle == 0 {
		settle = 20
	}
	year, month, _ := first.Civil()
	for n := year*12 + int(month) - 1 - step - 1; ; n++ { // months since the year 0
		if (n%12+1)%step != 0 {
			continue
		}
		d := onDay(n, settle).AddDays(1)
		if s.PayDay != 0 {
			d = onDay(n, s.PayDay)
			if s.PayDay < settle && s.SettleDay != 0 {
				d = onDay(n+1, s.PayDay) // settled late in a month, paid early in the next
			}
		}
		if d > last || n >= 12*10000 {
			return out
		}
		keep(d)
	}
}

// onDay is the given day of the n-th month since the year 0, or that month's
// last day; no date outside the years 1 to 9999.
func onDay(n, day int) calendar.Date {
	if n < 12 {
		return 0
	}
	month, err := calendar.NewDate(n/12, time.Month(n%12+1), 1)
	if err != nil {
		return 0
	}
	if next := month.AddMonths(1); !next.IsZero() {
		return min(month.AddDays(day-1), next.AddDays(-1))
	}
	return month.AddDays(min(day, 31) - 1) // December 9999
}
