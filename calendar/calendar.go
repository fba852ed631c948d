package calendar

import (
	_ "embed"
	"errors"
	"fmt"
	"sync"
)

// ErrBeyond says that a date leaves all loaded and provisional years. The
// caller has to stop: no working day can be told there.
var ErrBeyond = errors.New("beyond the calendar")

var errNoDate = errors.New("no date to count from")

// Calendar says which days are working days. It is immutable and safe for
// concurrent use.
type Calendar struct {
	first, last Date // the range, both included
	firm        Date // every day from first up to here lies in a year with a notice

	// Days are numbered from first: i = d - first.
	rank []int32 // rank[i]: working days before day i; one longer than the range
	upTo []int32 // rank[1:]. upTo[i]: working days up to and with day i
	days []Date  // the working days, ascending, from days[1] on: days[upTo[i]] is the last one up to day i
	sure []Date  // days, as far as firm
	mark []uint32
	why  []reason // mark[i] -> why a day is what it is; 0 an ordinary day

	provisional []Span // the years without a notice, adjoining ones joined
	sources     []source
	statutory   *statutory
	text        []byte
	version     string
}

type reason struct {
	kind         Kind
	name, source string
}

// Result is a date, and whether it may change when a notice comes out.
type Result struct {
	Date        Date
	Provisional bool // some day that was looked at lies in a year without a notice
}

// String returns the date, followed by " provisional" where it is.
func (r Result) String() string {
	if r.Provisional {
		return r.Date.String() + " provisional"
	}
	return r.Date.String()
}

// Kind says why a day is a working day or not.
type Kind uint8

// The kinds. An overlay day can be either; the others say it themselves.
const (
	KindWeekday   Kind = iota + 1 // Monday to Friday, worked
	KindWeekend                   // an ordinary Saturday or Sunday
	KindOff                       // off by a notice, a weekend day inside its span included
	KindMakeup                    // worked by a notice (调休上班)
	KindOverlay                   // the bank's own day
	KindStatutory                 // a festival by law in a year without a notice
)

var kindNames = [...]string{KindWeekday: "weekday", KindWeekend: "weekend", KindOff: "off", KindMakeup: "makeup", KindOverlay: "overlay", KindStatutory: "statutory"}

// String returns weekday, weekend, off, makeup, overlay or statutory.
func (k Kind) String() string {
	if k < KindWeekday || k > KindStatutory {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// Day is all that the calendar knows about a day.
type Day struct {
	Date    Date
	Workday bool
	Kind    Kind
	Name    string // of the festival, 国庆节; "" on ordinary days
	Source  string // number of the document that decided it; "" on ordinary days
}

//go:embed cn.yaml
var cnYAML []byte

var builtin = sync.OnceValue(func() *Calendar {
	c, err := Load("cn.yaml", cnYAML)
	if err != nil {
		panic("calendar: " + err.Error()) // our own file; the tests read it
	}
	return c
})

// Builtin returns the calendar that comes with the program.
func Builtin() *Calendar { return builtin() }

// IsWorkday reports whether the bank works on d. The error is ErrBeyond.
func (c *Calendar) IsWorkday(d Date) (bool, error) {
	i := int(d) - int(c.first)
	if uint(i) >= uint(len(c.mark)) {
		return false, c.beyond(d, d.String())
	}
	return c.rank[i+1] != c.rank[i], nil
}

// AddWorkdays returns the n-th working day strictly after d, whether d is one
// or not (民法典 201); for n < 0 the mirror image, strictly before. 0 days is
// d itself, without a look into the calendar. Looked at: every day after d up
// to the result, so that d may be the day before the range starts (after it
// ends, for n < 0). The error is ErrBeyond.
func (c *Calendar) AddWorkdays(d Date, n int) (Result, error) {
	// Nearly every shift goes forward and ends on a day that no notice can
	// change any more: two look-ups, and nothing of the rest.
	if i := uint(d - c.first); n > 0 && i < uint(len(c.upTo)) {
		if k := uint(int(c.upTo[i]) + n); k < uint(len(c.sure)) {
			return Result{Date: c.sure[k]}, nil
		}
	}
	return c.addWorkdays(d, n)
}

// addWorkdays is AddWorkdays of any days.
func (c *Calendar) addWorkdays(d Date, n int) (Result, error) {
	if n == 0 {
		return Result{Date: d}, nil
	}
	i := int(d) - int(c.first)
	k := n
	if n > 0 {
		i++ // working days up to and with d are behind
	} else {
		k++
	}
	if uint(i) >= uint(len(c.rank)) {
		return Result{}, c.beyondShift(d, n)
	}
	k += int(c.rank[i])
	if k < 1 || k >= len(c.days) { // an overflow is negative
		return Result{}, c.beyondShift(d, n)
	}
	r := c.days[k]
	if n > 0 {
		return Result{r, c.looks(d+1, r)}, nil
	}
	return Result{r, c.looks(r, d-1)}, nil
}

// Land returns where a limit ends whose last day is d. A working day stays
// where it is, and Unset and None leave any day. Looked at: d and the days
// walked over. The error is ErrBeyond.
func (c *Calendar) Land(d Date, l Landing) (Result, error) {
	if l == Unset || l == None {
		return Result{Date: d}, nil
	}
	if l > ModifiedFollowing {
		return Result{}, fmt.Errorf("land %s: unknown landing %s", d, l)
	}
	i := int(d) - int(c.first)
	if uint(i) >= uint(len(c.mark)) {
		return Result{}, c.beyond(d, d.String())
	}
	k := int(c.rank[i]) // days[k] is the last one before d
	if int(c.upTo[i]) != k {
		return Result{d, c.looks(d, d)}, nil
	}
	from, to := d, d
	if l != Preceding {
		if k+1 >= len(c.days) {
			return Result{}, c.beyond(d, "the working day after "+d.String())
		}
		to = c.days[k+1]
		if l == Following || to.Month() == d.Month() {
			return Result{to, c.looks(from, to)}, nil
		}
	}
	if k == 0 {
		return Result{}, c.beyond(d, "the working day before "+d.String())
	}
	from = c.days[k]
	return Result{from, c.looks(from, to)}, nil
}

// Shift returns the day that lies l after d (before, for a negative number).
// Workdays end on a working day by themselves, 0 of them on d itself; the
// other units end on the raw day, landed as l says, with Unset as None. The
// error is ErrBeyond; a raw day that is not landed can lie anywhere in the
// years 1 to 9999.
func (c *Calendar) Shift(d Date, l Limit) (Result, error) {
	if !d.valid() {
		return Result{}, fmt.Errorf("%s: %w", l, errNoDate)
	}
	if l.N > MaxLimit || l.N < -MaxLimit {
		return Result{}, fmt.Errorf("limit %s: want a number from -%d to %d", l, MaxLimit, MaxLimit)
	}
	var raw Date
	switch l.Unit {
	case Workdays:
		return c.AddWorkdays(d, l.N)
	case Days:
		raw = d.AddDays(l.N)
	case Weeks:
		raw = d.AddDays(7 * l.N)
	case Months:
		raw = d.AddMonths(l.N)
	case Years:
		raw = d.AddYears(l.N)
	default:
		return Result{}, fmt.Errorf("limit of %d: unknown unit %s", l.N, l.Unit)
	}
	if raw == 0 {
		return Result{}, c.beyond(d, fmt.Sprintf("%s from %s", Limit{N: l.N, Unit: l.Unit}, d))
	}
	return c.Land(raw, l.Landing)
}

// Count returns the working days from a to b, both included. That b is before
// a is an error; otherwise the error is ErrBeyond.
func (c *Calendar) Count(a, b Date) (int, error) {
	if a > b {
		return 0, fmt.Errorf("count the working days from %s to %s: the range ends before it starts", a, b)
	}
	i, j := int(a)-int(c.first), int(b)-int(c.first)
	if uint(i) >= uint(len(c.mark)) {
		return 0, c.beyond(a, a.String())
	}
	if uint(j) >= uint(len(c.mark)) {
		return 0, c.beyond(b, b.String())
	}
	return int(c.rank[j+1] - c.rank[i]), nil
}

// Between returns the working days strictly after a up to and including b:
// what is left of a limit that ends on b. Where b is before a it is the mirror
// image, -Between(b, a). The error is ErrBeyond.
func (c *Calendar) Between(a, b Date) (int, error) {
	i, j := int(a)-int(c.first), int(b)-int(c.first)
	if uint(i) >= uint(len(c.mark)) {
		return 0, c.beyond(a, a.String())
	}
	if uint(j) >= uint(len(c.mark)) {
		return 0, c.beyond(b, b.String())
	}
	return int(c.rank[j+1] - c.rank[i+1]), nil
}

// Provisional reports whether d lies in a year without a notice, and so
// whether it may still change. A day outside the range does.
func (c *Calendar) Provisional(d Date) bool {
	return d < c.first || d > c.last || c.looks(d, d)
}

// Range returns the first and the last day that the calendar knows.
func (c *Calendar) Range() (first, last Date) { return c.first, c.last }

// Day returns what the calendar knows about d. The error is ErrBeyond.
func (c *Calendar) Day(d Date) (Day, error) {
	work, err := c.IsWorkday(d)
	if err != nil {
		return Day{}, err
	}
	if m := c.mark[d-c.first]; m != 0 {
		r := c.why[m]
		return Day{d, work, r.kind, r.name, r.source}, nil
	}
	if work {
		return Day{Date: d, Workday: true, Kind: KindWeekday}, nil
	}
	return Day{Date: d, Kind: KindWeekend}, nil
}

// Version returns "sha256:" and 64 hex digits: the digest of Text.
func (c *Calendar) Version() string { return c.version }

// Text returns the calendar as a file from which Load builds the same one,
// with the same version: a store that keeps it by Version can answer for every
// date ever given. It holds all notices, the festivals by law and the overlay.
func (c *Calendar) Text() []byte { return append([]byte(nil), c.text...) }

// Notices returns the State Council's notices, in order of issue.
func (c *Calendar) Notices() []Notice { return exported(c.sources, false) }

// Overlay returns the bank's own entries, in order of issue.
func (c *Calendar) Overlay() []Notice { return exported(c.sources, true) }

// looks reports whether one of the days from a to b is provisional.
func (c *Calendar) looks(a, b Date) bool {
	if b <= c.firm {
		return false
	}
	for _, s := range c.provisional {
		if a <= s.Last && b >= s.First {
			return true
		}
	}
	return false
}

// beyond is ErrBeyond for what was asked, unless there was no date at all.
func (c *Calendar) beyond(d Date, what string) error {
	if !d.valid() {
		return errNoDate
	}
	return fmt.Errorf("%s: %w, which runs from %s to %s", what, ErrBeyond, c.first, c.last)
}

func (c *Calendar) beyondShift(d Date, n int) error {
	return c.beyond(d, fmt.Sprintf("%s from %s", Limit{N: n, Unit: Workdays}, d))
}
