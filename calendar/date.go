package calendar

import (
	"fmt"
	"time"
)

// Date is a civil day in the Gregorian calendar, without zone or clock: the
// number of days since 0000-12-31, so that 1 is 0001-01-01, a Monday. The
// zero value is no date. Dates compare as integers. Valid ones run from
// 0001-01-01 to 9999-12-31; arithmetic that would leave them gives no date.
type Date int32

const (
	minDate Date = 1         // 0001-01-01
	maxDate Date = 3_652_059 // 9999-12-31
)

// NewDate returns the day, or an error if there is no such day (31 April) or
// its year is outside 1 to 9999.
func NewDate(year int, month time.Month, day int) (Date, error) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, fmt.Errorf("no such day: %04d-%02d-%02d", year, int(month), day)
	}
	return date(year, month, day), nil
}

// MustDate is NewDate for tests and tables; it panics where NewDate fails.
func MustDate(y, m, d int) Date {
	date, err := NewDate(y, time.Month(m), d)
	if err != nil {
		panic(err)
	}
	return date
}

// ParseDate reads YYYY-MM-DD and nothing else.
func ParseDate(s string) (Date, error) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, fmt.Errorf("date %q: want YYYY-MM-DD", s)
	}
	y, ok1 := digits(s[:4])
	m, ok2 := digits(s[5:7])
	d, ok3 := digits(s[8:])
	if !ok1 || !ok2 || !ok3 {
		return 0, fmt.Errorf("date %q: want YYYY-MM-DD", s)
	}
	date, err := NewDate(y, time.Month(m), d)
	if err != nil {
		return 0, fmt.Errorf("date %q: no such day", s)
	}
	return date, nil
}

// DateIn returns the day that the moment t falls on in the zone. It is the
// only meeting of moments and days; the zero moment is no date.
func DateIn(t time.Time, zone *time.Location) Date {
	if t.IsZero() {
		return 0
	}
	y, m, d := t.In(zone).Date()
	if y < 1 || y > 9999 {
		return 0
	}
	return date(y, m, d)
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d == 0 }

// Civil returns year, month and day; 0, 0, 0 for no date.
func (d Date) Civil() (y int, m time.Month, day int) {
	if !d.valid() {
		return 0, 0, 0
	}
	// A year that starts on 1 March has its leap day last, and the lengths of
	// its months repeat every five: (5*day+2)/153 numbers them.
	z := uint32(d) + 305 // days since 0000-03-01
	era := z / 146097    // 400 years
	doe := z % 146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	y = int(yoe + era*400)
	if mp < 10 {
		return y, time.Month(mp + 3), day
	}
	return y + 1, time.Month(mp - 9), day
}

// Year returns the year, 0 for no date.
func (d Date) Year() int { y, _, _ := d.Civil(); return y }

// Month returns the month, 0 for no date.
func (d Date) Month() time.Month { _, m, _ := d.Civil(); return m }

// Day returns the day of the month, 0 for no date.
func (d Date) Day() int { _, _, day := d.Civil(); return day }

// Weekday returns the day of the week; it has no meaning for no date.
func (d Date) Weekday() time.Weekday { return time.Weekday(uint32(d) % 7) }

// ISOWeek returns the ISO 8601 week and the year it belongs to, which is the
// year of its Thursday; 0, 0 for no date.
func (d Date) ISOWeek() (year, week int) {
	if !d.valid() {
		return 0, 0
	}
	thursday := d + 3 - (d-1)%7
	year = 10000 // 9999-12-31 is a Friday, so no valid day needs it
	if thursday <= maxDate {
		year = thursday.Year()
	}
	return year, int(thursday-date(year, time.January, 1))/7 + 1
}

// AddDays returns the day n days later, earlier for n < 0. No date stays no
// date, and so does a result outside the years 1 to 9999.
func (d Date) AddDays(n int) Date {
	if !d.valid() || n > int(maxDate) || n < -int(maxDate) {
		return 0
	}
	if r := d + Date(n); r.valid() {
		return r
	}
	return 0
}

// AddMonths returns the corresponding day n months later, or the last day of
// that month where it has no such day (民法典 202). Start from the anchor,
// never from an earlier result: 31 January goes to 28 February and to
// 31 March. There is no end-of-month rule: 28 February plus 36 months is
// 28 February.
func (d Date) AddMonths(n int) Date {
	if !d.valid() || n > 12*9999 || n < -12*9999 {
		return 0
	}
	y, m, day := d.Civil()
	months := y*12 + int(m) - 1 + n
	if months < 12 || months >= 12*10000 {
		return 0
	}
	y, m = months/12, time.Month(months%12+1)
	return date(y, m, min(day, daysIn(y, m)))
}

// AddYears is AddMonths(12 * n): 29 February goes to 28 February in a common
// year.
func (d Date) AddYears(n int) Date {
	if n > 9999 || n < -9999 {
		return 0
	}
	return d.AddMonths(12 * n)
}

// MonthsBetween returns the smallest m >= 0 with a.AddMonths(m) >= b: the term
// of a loan from a to b in whole months, a begun month counting as one. Where
// b is before a it is the mirror image, -MonthsBetween(b, a). It is 0 if
// either is no date.
func MonthsBetween(a, b Date) int {
	if !a.valid() || !b.valid() {
		return 0
	}
	if b < a {
		return -MonthsBetween(b, a)
	}
	ya, ma, _ := a.Civil()
	yb, mb, _ := b.Civil()
	m := (yb-ya)*12 + int(mb) - int(ma)
	if a.AddMonths(m) < b { // same month as b, so never beyond 9999
		m++
	}
	return m
}

// String returns YYYY-MM-DD, and "" for no date.
func (d Date) String() string {
	if !d.valid() {
		return ""
	}
	var b [10]byte
	return string(d.Append(b[:0]))
}

// Append appends YYYY-MM-DD to b, and nothing for no date.
func (d Date) Append(b []byte) []byte {
	if !d.valid() {
		return b
	}
	y, m, day := d.Civil()
	return append(b,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+int(m)/10), byte('0'+int(m)%10), '-',
		byte('0'+day/10), byte('0'+day%10))
}

// MarshalText is String.
func (d Date) MarshalText() ([]byte, error) { return d.Append(make([]byte, 0, 10)), nil }

// UnmarshalText reads what MarshalText wrote: YYYY-MM-DD, or nothing for no
// date.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	v, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// MarshalJSON writes "YYYY-MM-DD", and null for no date.
func (d Date) MarshalJSON() ([]byte, error) {
	if !d.valid() {
		return []byte("null"), nil
	}
	b := append(make([]byte, 0, 12), '"')
	return append(d.Append(b), '"'), nil
}

// UnmarshalJSON reads "YYYY-MM-DD" or null. An empty string is refused: a
// field left out is null.
func (d *Date) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*d = 0
		return nil
	}
	if len(b) != 12 || b[0] != '"' || b[11] != '"' {
		return fmt.Errorf("date %s: want \"YYYY-MM-DD\" or null", b)
	}
	v, err := ParseDate(string(b[1:11]))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

func (d Date) valid() bool { return uint32(d-1) < uint32(maxDate) }

// date returns the day of a civil date that is known to exist.
func date(y int, m time.Month, d int) Date {
	if m <= 2 {
		y--
		m += 12
	}
	doy := (153*(int(m)-3)+2)/5 + d - 1 // days since 1 March
	return Date(365*y + y/4 - y/100 + y/400 + doy - 305)
}

// daysIn returns the length of the month in days.
func daysIn(y int, m time.Month) int {
	switch m {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// digits reads ASCII digits only; full-width ones are not numbers here.
func digits(s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, len(s) > 0
}
