package ledger

import (
	"math"
	"math/bits"
	"strings"
	"time"

	"tickler/calendar"
	"tickler/loan"
)

// Days that core banking systems write where there is none.
var noDay = [...]calendar.Date{
	calendar.MustDate(9999, 12, 31),
	calendar.MustDate(2999, 12, 31),
	calendar.MustDate(2099, 12, 31),
	calendar.MustDate(1, 1, 1),
}

// Years of a date that somebody meant; outside them it is a slip of the pen.
const minYear, maxYear = 1900, 2200

// A day count of Excel: day 1 is 1900-01-01 and there is a 1900-02-29, so that
// from March 1900 on it counts from 1899-12-30. Files of the Macintosh count
// from 1904-01-01, which is day 0.
var epoch1900 = calendar.MustDate(1899, 12, 30)

const (
	shift1904            = 1462
	minSerial, maxSerial = 20000, 80000 // 1954 to 2119
)

var (
	wantDate = Text{"要日期，如 2026-12-31、2026/12/31、2026.12.31、20261231、2026年12月31日",
		"want a date, as 2026-12-31, 2026/12/31, 2026.12.31, 20261231 or 2026年12月31日"}
	wantDay    = Text{"要日历上有的日子，没有这一天", "want a day that exists, there is no such day"}
	wantYear   = Text{"要 1900 至 2200 年之间的日期", "want a date of the years 1900 to 2200"}
	wantAmount = Text{"要金额，如 1234567.89 或 1,234,567.89", "want an amount, as 1234567.89 or 1,234,567.89"}
	wantPlain  = Text{"要写全的数字，科学计数法已丢失精度", "want all digits of the number, the scientific form has lost some"}
	wantLess   = Text{"金额太大", "want an amount that can be, this one is too large"}
	wantPos    = Text{"要不小于 0 的金额", "want an amount that is not negative"}
)

// parseDate reads a date in any of the forms a ledger has, the time of day
// cut off; no date where it is one of the days that mean none. The text is
// trimmed and not empty. A count of days is Excel's, of 1904 if so said.
func parseDate(b []byte, date1904 bool) (calendar.Date, *Text) {
	if !ascii(b) {
		s := strings.TrimSpace(fold(string(b)))
		if i := strings.Index(s, "年"); i >= 0 {
			day, rest := s, ""
			if j := strings.IndexAny(s, "日号"); j >= 0 {
				day = s[:j]
				rest = strings.TrimPrefix(strings.TrimPrefix(s[j:], "日"), "号")
				if rest != "" && rest[0] != ' ' {
					rest = " " + rest
				}
			}
			day = strings.Replace(strings.Replace(day, "年", "-", 1), "月", "-", 1)
			s = strings.ReplaceAll(day, " ", "") + rest
		}
		if b = []byte(s); !ascii(b) {
			if isDash(s) {
				return 0, nil
			}
			return 0, &wantDate
		}
	}
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	switch {
	case n == len(b):
		switch n {
		case 5, 6, 7:
			return serial(atoi(b), date1904)
		case 14:
			if !isTime([]byte{b[8], b[9], ':', b[10], b[11], ':', b[12], b[13]}) {
				return 0, &wantDate
			}
			fallthrough
		case 8:
			return civil(atoi(b[:4]), atoi(b[4:6]), atoi(b[6:8]))
		}
	case n == 5 && b[n] == '.':
		for _, c := range b[n+1:] {
			if c < '0' || c > '9' {
				return 0, &wantDate
			}
		}
		return serial(atoi(b[:n]), date1904)
	case n == 4 && len(b) >= 8 && (b[4] == '-' || b[4] == '/' || b[4] == '.'):
		m, i, ok := oneOrTwo(b, 5)
		if !ok || i >= len(b) || b[i] != b[4] {
			return 0, &wantDate
		}
		d, i, ok := oneOrTwo(b, i+1)
		if !ok {
			return 0, &wantDate
		}
		if rest := b[i:]; len(rest) > 0 && ((rest[0] != ' ' && rest[0] != 'T') || !isTime(trimASCII(rest[1:]))) {
			return 0, &wantDate
		}
		return civil(atoi(b[:4]), m, d)
	case isDash(string(b)):
		return 0, nil
	}
	return 0, &wantDate
}

// civil gives the day, or no day where it is one that means none.
func civil(y, m, d int) (calendar.Date, *Text) {
	day, err := calendar.NewDate(y, time.Month(m), d)
	if err != nil {
		return 0, &wantDay
	}
	for _, n := range noDay {
		if day == n {
			return 0, nil
		}
	}
	if y < minYear || y > maxYear {
		return 0, &wantYear
	}
	return day, nil
}

func serial(n int, date1904 bool) (calendar.Date, *Text) {
	if date1904 {
		n += shift1904
	}
	day := epoch1900.AddDays(n)
	for _, none := range noDay {
		if day == none {
			return 0, nil
		}
	}
	if n < minSerial || n > maxSerial {
		return 0, &wantDate
	}
	return day, nil
}

// isTime says that b is a time of day: 9:30, 23:59:59, 00:00:00.000Z.
func isTime(b []byte) bool {
	if n := len(b); n > 0 && b[n-1] == 'Z' {
		b = b[:n-1]
	}
	h, i, ok := oneOrTwo(b, 0)
	if !ok || h > 23 {
		return false
	}
	for part := 0; i < len(b); part++ {
		if part == 2 { // a fraction of a second
			if b[i] != '.' || i+1 == len(b) {
				return false
			}
			for _, c := range b[i+1:] {
				if c < '0' || c > '9' {
					return false
				}
			}
			return true
		}
		var v int
		if b[i] != ':' {
			return false
		}
		if v, i, ok = oneOrTwo(b, i+1); !ok || v > 59 {
			return false
		}
		if part == 1 && i == len(b) {
			return true
		}
	}
	return true
}

// oneOrTwo reads one or two digits at i and gives the place after them.
func oneOrTwo(b []byte, i int) (v, next int, ok bool) {
	for next = i; next < len(b) && next < i+2 && '0' <= b[next] && b[next] <= '9'; next++ {
		v = v*10 + int(b[next]-'0')
	}
	return v, next, next > i
}

// atoi reads digits, few enough not to overflow.
func atoi(b []byte) int {
	n := 0
	for _, c := range b {
		n = n*10 + int(c-'0')
	}
	return n
}

// amountForm says how an amount is written.
type amountForm struct {
	power int  // of ten, of the unit: 0 is 元, 4 is 万元
	raw   bool // the cell of a workbook: a binary number of 15 good digits, or in scientific form
}

// parseAmount reads an amount, exactly: no float comes near it. More decimals
// than a fen has are rounded, half away from zero, and rounded says so. The
// text is trimmed and not empty; a dash is nothing.
func parseAmount(b []byte, form amountForm) (fen loan.Fen, rounded bool, want *Text) {
	if !ascii(b) {
		s := strings.TrimSpace(fold(string(b)))
		if isDash(s) {
			return 0, false, nil
		}
		b = []byte(strings.TrimSpace(strings.TrimPrefix(s, "¥")))
	}
	if isDash(string(b)) {
		return 0, false, nil
	}
	neg := false
	if n := len(b); n > 2 && b[0] == '(' && b[n-1] == ')' {
		neg, b = true, trimASCII(b[1:n-1])
	} else if n > 1 && (b[0] == '-' || b[0] == '+') {
		neg, b = b[0] == '-', b[1:]
	}

	var (
		digits uint64 // significant ones, at most 18
		count  int    // of them
		exp    int    // of ten
		lost   bool   // a digit that is not zero did not fit
		seen   bool   // any digit at all
		point  bool
		comma  = -1 // digits since the last thousands separator; -1 before the first
		lead   int  // digits before the first
		i      int
	)
scan:
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case '0' <= c && c <= '9':
			seen = true
			if !point {
				if comma >= 0 {
					comma++
				} else {
					lead++
				}
			}
			switch {
			case count == 0 && c == '0':
			case count < 18:
				digits, count = digits*10+uint64(c-'0'), count+1
			default:
				lost = lost || c != '0'
				exp++
			}
			if point {
				exp--
			}
		case c == '.' && !point:
			point = true
		case c == ',' && !point && seen && (comma == 3 || (comma < 0 && lead <= 3)):
			comma = 0
		default:
			break scan
		}
	}
	if !seen || (comma >= 0 && comma != 3) {
		return 0, false, &wantAmount
	}
	if i < len(b) {
		if b[i] != 'E' && b[i] != 'e' {
			return 0, false, &wantAmount
		}
		e, eneg := b[i+1:], false
		if len(e) > 1 && (e[0] == '-' || e[0] == '+') {
			eneg, e = e[0] == '-', e[1:]
		}
		if len(e) == 0 || len(e) > 3 {
			return 0, false, &wantAmount
		}
		n := 0
		for _, c := range e {
			if c < '0' || c > '9' {
				return 0, false, &wantAmount
			}
			n = n*10 + int(c-'0')
		}
		if !form.raw {
			return 0, false, &wantPlain
		}
		if eneg {
			n = -n
		}
		exp += n
	}
	if form.raw && count > 15 {
		// The digits after the fifteenth are noise of the binary form:
		// 240886.42000000001.
		p := pow10(count - 15)
		digits, exp, lost = (digits+p/2)/p, exp+count-15, false
	}
	if digits == 0 {
		return 0, lost, nil
	}
	exp += form.power + 2
	for ; exp > 0; exp-- {
		hi, lo := bits.Mul64(digits, 10)
		if hi != 0 || lo > math.MaxInt64 {
			return 0, false, &wantLess
		}
		digits = lo
	}
	switch {
	case exp < -18:
		digits, rounded = 0, true
	case exp < 0:
		p := pow10(-exp)
		rounded = digits%p != 0 || lost
		digits = digits/p + (digits%p*2)/p
	case lost:
		return 0, false, &wantLess
	}
	if fen = loan.Fen(digits); neg {
		fen = -fen
	}
	return fen, rounded, nil
}

func pow10(n int) uint64 {
	p := uint64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

// parseCount reads a whole number of at most four digits, 36 or 36.0, with or
// without one of the words after it.
func parseCount(s string, words ...string) (int, bool) {
	s = fold(s)
	for _, w := range words {
		if t, ok := strings.CutSuffix(s, w); ok {
			s = strings.TrimSpace(t)
			break
		}
	}
	if whole, zeros, ok := strings.Cut(s, "."); ok && strings.Trim(zeros, "0") == "" {
		s = whole
	}
	if len(s) == 0 || len(s) > 4 {
		return 0, false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// isDash says that the text is only a dash, which stands for nothing.
func isDash(s string) bool {
	switch s {
	case "-", "--", "—", "——", "–":
		return true
	}
	return false
}

// lostDigits says that a text is a number in Excel's scientific form, 3.2E+17.
func lostDigits(s string) bool {
	i := strings.IndexAny(s, "Ee")
	if i < 1 || i+2 >= len(s) || s[i+1] != '+' {
		return false
	}
	point := 0
	for j, c := range []byte(s) {
		switch {
		case j == i || j == i+1:
		case c == '.' && j < i:
			point++
		case c < '0' || c > '9':
			return false
		}
	}
	return point <= 1
}
