package calendar

import (
	"fmt"
	"time"
)

// Every is how often a report comes round. The zero value is no period.
type Every uint8

// The periods, shortest first.
const (
	Week      Every = iota + 1 // ISO, Monday to Sunday
	HalfMonth                  // 1-15 and 16 to the month's end (半月)
	Month
	Quarter
	HalfYear
	Year // the fiscal year; the others follow the civil one
)

var everyNames = [...]string{Week: "week", HalfMonth: "half_month", Month: "month", Quarter: "quarter", HalfYear: "half_year", Year: "year"}

// String returns the word ParseEvery reads, "" for no period.
func (e Every) String() string {
	if int(e) >= len(everyNames) {
		return fmt.Sprintf("Every(%d)", uint8(e))
	}
	return everyNames[e]
}

// ParseEvery reads week, half_month, month, quarter, half_year or year.
func ParseEvery(s string) (Every, error) {
	for e := Week; e <= Year; e++ {
		if everyNames[e] == s {
			return e, nil
		}
	}
	return 0, fmt.Errorf("period %q: want week, half_month, month, quarter, half_year or year%s", s, didYouMean(s, everyNames[Week:]))
}

// Fiscal is the last day of the fiscal year. The zero value is 31 December.
// 29 February means the last day of February, every year.
type Fiscal struct {
	Month time.Month
	Day   int
}

// ParseFiscal reads MM-DD, such as 12-31.
func ParseFiscal(s string) (Fiscal, error) {
	bad := fmt.Errorf("fiscal year end %q: want MM-DD, such as 12-31", s)
	if len(s) != 5 || s[2] != '-' {
		return Fiscal{}, bad
	}
	m, ok1 := digits(s[:2])
	d, ok2 := digits(s[3:])
	if !ok1 || !ok2 {
		return Fiscal{}, bad
	}
	if m < 1 || m > 12 || d < 1 || d > daysIn(2000, time.Month(m)) {
		return Fiscal{}, fmt.Errorf("fiscal year end %q: no such day", s)
	}
	return Fiscal{time.Month(m), d}, nil
}

// String returns MM-DD.
func (f Fiscal) String() string {
	f = f.or1231()
	return fmt.Sprintf("%02d-%02d", int(f.Month), f.Day)
}

func (f Fiscal) or1231() Fiscal {
	if f == (Fiscal{}) {
		return Fiscal{time.December, 31}
	}
	return f
}

// end returns the last day of the fiscal year that ends in the civil year y.
func (f Fiscal) end(y int) Date {
	f = f.or1231()
	if y < 1 || y > 9999 || f.Month < 1 || f.Month > 12 || f.Day < 1 {
		return 0
	}
	return date(y, f.Month, min(f.Day, daysIn(y, f.Month)))
}

// Period is a stretch of days that a report covers, both ends included. The
// zero value is no period.
type Period struct {
	Every      Every
	Start, End Date // both included
}

// PeriodOf returns the period that holds d; only Year follows f. There is none
// for no date, nor where it would leave the years 1 to 9999.
func PeriodOf(e Every, d Date, f Fiscal) Period {
	y, m, day := d.Civil()
	if y == 0 {
		return Period{}
	}
	p := Period{Every: e}
	months := func(n int) { // the group of n months that holds d
		first := (m-1)/time.Month(n)*time.Month(n) + 1
		last := first + time.Month(n) - 1
		p.Start, p.End = date(y, first, 1), date(y, last, daysIn(y, last))
	}
	switch e {
	case Week:
		p.Start = d - (d-1)%7
		p.End = p.Start.AddDays(6)
	case HalfMonth:
		months(1)
		if day <= 15 {
			p.End = date(y, m, 15)
		} else {
			p.Start = date(y, m, 16)
		}
	case Month:
		months(1)
	case Quarter:
		months(3)
	case HalfYear:
		months(6)
	case Year:
		if f.end(y) < d {
			y++
		}
		p.End = f.end(y)
		p.Start = f.end(y - 1).AddDays(1)
		if y == 1 && p.End == date(1, time.December, 31) {
			p.Start = minDate
		}
	}
	if p.Start == 0 || p.End == 0 {
		return Period{}
	}
	return p
}

// Next returns the period after p.
func (p Period) Next(f Fiscal) Period { return PeriodOf(p.Every, p.End.AddDays(1), f) }

// Prev returns the period before p.
func (p Period) Prev(f Fiscal) Period { return PeriodOf(p.Every, p.Start.AddDays(-1), f) }

// Number returns the place of p in its year, from 1: half-year 1-2, quarter
// 1-4, month 1-12, half-month 1-24, ISO week 1-53; of a year it is 1.
func (p Period) Number() int {
	_, m, day := p.Start.Civil()
	switch p.Every {
	case Week:
		_, w := p.Start.ISOWeek()
		return w
	case HalfMonth:
		n := 2*int(m) - 1
		if day > 15 {
			n++
		}
		return n
	case Month:
		return int(m)
	case Quarter:
		return (int(m) + 2) / 3
	case HalfYear:
		return (int(m) + 5) / 6
	case Year:
		return 1
	}
	return 0
}

// Label returns the name that keys and people use: 2026-W47 (ISO), 2026-11-A
// and 2026-11-B (half-months), 2026-11, 2026-Q4, 2026-H2, 2026. A fiscal year
// is called after the year it ends in, so its name needs no more than p; f is
// taken for symmetry with ParsePeriod, which does need it.
func (p Period) Label(f Fiscal) string {
	y, m, day := p.Start.Civil()
	var buf [10]byte
	four := func(y int) []byte {
		return append(buf[:0], byte('0'+y/1000%10), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10))
	}
	two := func(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }
	switch p.Every {
	case Week:
		y, w := p.Start.ISOWeek()
		return string(two(append(four(y), "-W"...), w))
	case HalfMonth:
		half := "-A"
		if day > 15 {
			half = "-B"
		}
		return string(append(two(append(four(y), '-'), int(m)), half...))
	case Month:
		return string(two(append(four(y), '-'), int(m)))
	case Quarter:
		return string(append(four(y), '-', 'Q', byte('0'+p.Number())))
	case HalfYear:
		return string(append(four(y), '-', 'H', byte('0'+p.Number())))
	case Year:
		return string(four(p.End.Year()))
	}
	return ""
}

// ParsePeriod reads a Label.
func ParsePeriod(label string, f Fiscal) (Period, error) {
	bad := fmt.Errorf("period %q: want 2026-W47, 2026-11-A, 2026-11-B, 2026-11, 2026-Q4, 2026-H2 or 2026", label)
	if len(label) < 4 {
		return Period{}, bad
	}
	y, ok := digits(label[:4])
	if !ok {
		return Period{}, bad
	}
	rest := label[4:]
	var p Period
	switch {
	case rest == "":
		p = PeriodOf(Year, f.end(y), f)
	case rest[0] != '-':
		return Period{}, bad
	case len(rest) == 4 && rest[1] == 'W':
		if w, ok := digits(rest[2:]); ok && y >= 1 {
			p = PeriodOf(Week, date(y, time.January, 4).AddDays(7*(w-1)), f) // 4 January is in week 1
		}
	case len(rest) == 3 && (rest[1] == 'Q' || rest[1] == 'H'):
		if n, ok := digits(rest[2:]); ok && n > 0 {
			e, step := Quarter, 3
			if rest[1] == 'H' {
				e, step = HalfYear, 6
			}
			if d, err := NewDate(y, time.Month((n-1)*step+1), 1); err == nil {
				p = PeriodOf(e, d, f)
			}
		}
	case len(rest) == 3, len(rest) == 5 && (rest[3:] == "-A" || rest[3:] == "-B"):
		m, ok := digits(rest[1:3])
		if !ok {
			return Period{}, bad
		}
		e, day := Month, 1
		if len(rest) == 5 {
			e = HalfMonth
			if rest[4] == 'B' {
				day = 16
			}
		}
		if d, err := NewDate(y, time.Month(m), day); err == nil {
			p = PeriodOf(e, d, f)
		}
	default:
		return Period{}, bad
	}
	// The label must come back: 2025-W53 would be 2026-W01.
	if p.Every == 0 || p.Label(f) != label {
		return Period{}, fmt.Errorf("period %q: no such period", label)
	}
	return p, nil
}
