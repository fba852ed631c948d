package calendar

import "time"

// Status says how far the calendar can be trusted on a day.
type Status struct {
	FirmThrough     Date // the last day of the years whose notices are loaded without a gap
	ProvisionalFrom Date // the day after, if such days are known; else no date
	Last            Date // the last day the calendar knows
	MissingYear     int  // the first year without a notice
	Level           Level
}

// Level says how urgent the missing notice is.
type Level uint8

// The levels. The notice came out on 25 October at the earliest and 16 December
// at the latest for the years from 2014 on.
const (
	LevelOK      Level = iota
	LevelWarning       // from 1 November while next year's notice is missing
	LevelAlarm         // from 15 December, and while this year's is missing
)

var levelNames = [...]string{"ok", "warning", "alarm"}

// String returns ok, warning or alarm.
func (l Level) String() string {
	if int(l) >= len(levelNames) {
		return "unknown"
	}
	return levelNames[l]
}

// Status returns how far the calendar can be trusted today.
func (c *Calendar) Status(today Date) Status {
	s := Status{FirmThrough: c.firm, Last: c.last, MissingYear: c.firm.Year() + 1}
	if c.firm < c.last {
		s.ProvisionalFrom = c.firm + 1
	}
	y := today.Year()
	switch {
	case y >= s.MissingYear, y == s.MissingYear-1 && today >= date(y, time.December, 15):
		s.Level = LevelAlarm
	case y == s.MissingYear-1 && today >= date(y, time.November, 1):
		s.Level = LevelWarning
	}
	return s
}
