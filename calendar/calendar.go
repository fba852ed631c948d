package calendar

import "errors"

// ErrBeyond says that a date leaves all loaded and provisional years.
var ErrBeyond = errors.New("beyond the calendar")

// Calendar says which days are working days. It is immutable and safe for
// concurrent use.
type Calendar struct{}

// Result is a date, and whether some day that was looked at on the way to it
// lies in a year without a notice.
type Result struct {
	Date        Date
	Provisional bool
}

// Kind says why a day is a working day or not.
type Kind uint8

const (
	KindWeekday   Kind = iota + 1 // Monday to Friday, worked
	KindWeekend                   // an ordinary Saturday or Sunday
	KindOff                       // off by a notice, a weekend day inside its span included
	KindMakeup                    // a make-up workday (调休上班)
	KindOverlay                   // the bank's own day, worked or not
	KindStatutory                 // a festival of a provisional year
)

// String returns weekday, weekend, off, makeup, overlay or statutory.
func (k Kind) String() string { return "" }

// Day is all that the calendar knows about a day.
type Day struct {
	Date    Date
	Workday bool
	Kind    Kind
	Name    string // of the festival, 国庆节; "" on ordinary days
	Source  string // document number of the notice that decided it; "" on ordinary days
}

// Notice is what was loaded from one document.
type Notice struct {
	Number string // 国办发明电〔2025〕7号
	Issued Date
	Year   int
	Off    int // days off it names
	Work   int // make-up workdays it names
}

// Status says how far the calendar can be trusted.
type Status struct {
	FirmThrough     Date // last day decided by a notice
	ProvisionalFrom Date // the day after; no date if there is none
	Last            Date // last day of all
	MissingYear     int  // the first year without a notice
	Level           Level
}

// Level is how urgent a missing notice is.
type Level uint8

const (
	LevelOK      Level = iota
	LevelWarning       // from 1 November when next year's notice is missing
	LevelAlarm         // from 15 December, and when this year's is missing
)

// String returns ok, warning or alarm.
func (l Level) String() string { return "" }

// File is a calendar file that was read and found sound in itself.
type File struct{}

// Parse reads a calendar file; name is for messages only.
func Parse(name string, data []byte) (*File, error) { return nil, errors.New("not yet") }

// Builtin returns the calendar that is embedded in the program.
func Builtin() *Calendar { return nil }

// With returns a calendar that holds f as well.
func (c *Calendar) With(f *File) (*Calendar, error) { return nil, errors.New("not yet") }

func (c *Calendar) IsWorkday(d Date) (bool, error)            { return false, ErrBeyond }
func (c *Calendar) AddWorkdays(d Date, n int) (Result, error) { return Result{}, ErrBeyond }
func (c *Calendar) Land(d Date, l Landing) (Result, error)    { return Result{}, ErrBeyond }
func (c *Calendar) Shift(d Date, l Limit) (Result, error)     { return Result{}, ErrBeyond }
func (c *Calendar) Count(a, b Date) (int, error)              { return 0, ErrBeyond }
func (c *Calendar) Between(a, b Date) (int, error)            { return 0, ErrBeyond }
func (c *Calendar) Provisional(d Date) bool                   { return false }
func (c *Calendar) Range() (first, last Date)                 { return 0, 0 }
func (c *Calendar) Day(d Date) (Day, error)                   { return Day{}, ErrBeyond }
func (c *Calendar) Version() string                           { return "" }
func (c *Calendar) Notices() []Notice                         { return nil }
func (c *Calendar) Text() []byte                              { return nil }
func (c *Calendar) Status(today Date) Status                  { return Status{} }
