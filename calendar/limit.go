package calendar

import (
	"fmt"
	"strconv"
	"strings"
)

// Unit is what a limit counts. The zero value is no unit.
type Unit uint8

// The units. They are plural, as in "10 workdays"; Week, Month and Year are
// periods.
const (
	Workdays Unit = iota + 1
	Days
	Weeks
	Months
	Years
)

var unitNames = [...]string{Workdays: "workday", Days: "day", Weeks: "week", Months: "month", Years: "year"}

// unitHints are words that people write for a unit.
var unitHints = map[string]Unit{
	"工作日": Workdays, "个工作日": Workdays, "working": Workdays, "business": Workdays, "wd": Workdays, "bd": Workdays,
	"天": Days, "日": Days, "d": Days, "周": Weeks, "星期": Weeks, "w": Weeks,
	"月": Months, "个月": Months, "m": Months, "mo": Months, "年": Years, "y": Years,
}

// Landing says where a limit ends whose last day is a day off.
type Landing uint8

// The landings. All of them leave a working day where it is, a make-up
// Saturday included.
const (
	Unset             Landing = iota // the caller decides; Shift takes it for None
	None                             // stays on the day off
	Following                        // the working day after (民法典 203)
	Preceding                        // the working day before
	ModifiedFollowing                // the working day after, unless that is in another month: then the one before
)

var landingNames = [...]string{Unset: "", None: "none", Following: "following", Preceding: "preceding", ModifiedFollowing: "modified_following"}

// MaxLimit bounds the number of a limit, either way.
const MaxLimit = 100_000

// Limit is a stretch of time such as "10 workdays" or "-1 month preceding".
type Limit struct {
	N       int // -MaxLimit to MaxLimit; negative: before
	Unit    Unit
	Landing Landing // has no effect on workdays, which end on one by themselves
}

const wantLimit = "want [-]N workday|day|week|month|year, then following, preceding, modified_following, none or nothing"

// ParseLimit reads "[-]N workday|day|week|month|year(s)", optionally followed
// by following, preceding, modified_following or none. Integers are strict:
// 010, +3, 1.5 and full-width digits are refused, so that no limit is read in
// two ways.
func ParseLimit(s string) (Limit, error) {
	var w [4]string
	words := w[:0]
	for f := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' }) {
		if len(words) == 3 {
			return Limit{}, limitError(s, fmt.Sprintf("%q is too much; %s", f, wantLimit))
		}
		words = append(words, f)
	}
	if len(words) == 0 {
		return Limit{}, limitError(s, wantLimit)
	}
	var l Limit
	n, unit, problem := splitNumber(words[0])
	switch {
	case problem != "":
		return Limit{}, limitError(s, problem)
	case unit != "": // 15wd
		u, problem := parseUnit(unit)
		if problem == "" {
			problem = fmt.Sprintf("want a space between number and unit: %q", Limit{N: n, Unit: u})
		}
		return Limit{}, limitError(s, problem)
	case n > MaxLimit || n < -MaxLimit:
		return Limit{}, limitError(s, fmt.Sprintf("want a number from -%d to %d", MaxLimit, MaxLimit))
	case len(words) == 1:
		return Limit{}, limitError(s, fmt.Sprintf("the unit is missing: \"%s workdays\" or \"%s days\"?", words[0], words[0]))
	}
	l.N = n
	if l.Unit, problem = parseUnit(words[1]); problem != "" {
		return Limit{}, limitError(s, problem)
	}
	if len(words) == 3 {
		var err error
		if l.Landing, err = ParseLanding(words[2]); err != nil {
			return Limit{}, limitError(s, err.Error())
		}
	}
	return l, nil
}

func limitError(s, problem string) error { return fmt.Errorf("limit %q: %s", s, problem) }

// splitNumber reads [-]N and returns what letters follow it. The number stops
// growing beyond MaxLimit.
func splitNumber(w string) (n int, rest, problem string) {
	body, minus := strings.CutPrefix(w, "-")
	end := 0
	for end < len(body) && body[end] >= '0' && body[end] <= '9' {
		n = min(n*10+int(body[end]-'0'), MaxLimit+1)
		end++
	}
	rest = body[end:]
	for _, r := range w {
		if r >= '０' && r <= '９' || r == '－' || r == '＋' || r == '　' || r == '−' {
			return 0, "", fmt.Sprintf("%q is a full-width character (全角); write numbers and signs in ASCII (半角)", r)
		}
	}
	switch {
	case strings.HasPrefix(w, "+"):
		return 0, "", fmt.Sprintf("number %q: write it without the plus sign", w)
	case end == 0:
		return 0, "", fmt.Sprintf("number %q: want a whole number first, such as \"10 workdays\"", w)
	case end > 1 && body[0] == '0':
		return 0, "", fmt.Sprintf("number %q: want no leading zero", w)
	case minus && end == 1 && body[0] == '0':
		return 0, "", fmt.Sprintf("number %q: want 0", w)
	case rest != "" && strings.ContainsAny(rest[:1], ".,_'"), isExponent(rest):
		return 0, "", fmt.Sprintf("number %q: want a whole number, digits only", w)
	}
	if minus {
		n = -n
	}
	return n, rest, ""
}

func isExponent(s string) bool {
	if len(s) < 2 || s[0] != 'e' && s[0] != 'E' && s[0] != 'x' {
		return false
	}
	return s[1] >= '0' && s[1] <= '9' || s[1] == '+' || s[1] == '-'
}

func parseUnit(w string) (u Unit, problem string) {
	word := strings.TrimSuffix(w, "s")
	for u := Workdays; u <= Years; u++ {
		if unitNames[u] == word {
			return u, ""
		}
	}
	hint := ""
	if u, ok := unitHints[w]; ok {
		hint = fmt.Sprintf("; did you mean %q?", unitNames[u])
	} else {
		lower := strings.TrimSuffix(strings.ToLower(w), "s")
		hint = didYouMean(lower, unitNames[Workdays:])
	}
	return 0, fmt.Sprintf("unknown unit %q; want workday, day, week, month or year%s", w, hint)
}

// ParseLanding reads none, following, preceding or modified_following.
func ParseLanding(s string) (Landing, error) {
	for l := None; l <= ModifiedFollowing; l++ {
		if landingNames[l] == s {
			return l, nil
		}
	}
	return Unset, fmt.Errorf("unknown landing %q; want following, preceding, modified_following or none%s", s, didYouMean(s, landingNames[None:]))
}

// String returns what ParseLimit reads: "1 workday", "-10 days preceding".
func (l Limit) String() string {
	s := strconv.Itoa(l.N) + " " + l.Unit.String()
	if l.N != 1 && l.N != -1 {
		s += "s"
	}
	if l.Landing != Unset {
		s += " " + l.Landing.String()
	}
	return s
}

// String returns workday, day, week, month or year.
func (u Unit) String() string {
	if u < Workdays || u > Years {
		return fmt.Sprintf("Unit(%d)", uint8(u))
	}
	return unitNames[u]
}

// String returns none, following, preceding or modified_following; "" for Unset.
func (l Landing) String() string {
	if l > ModifiedFollowing {
		return fmt.Sprintf("Landing(%d)", uint8(l))
	}
	return landingNames[l]
}
