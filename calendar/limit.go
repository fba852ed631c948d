package calendar

import "errors"

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

// Landing says where a limit ends whose last day is a day off.
type Landing uint8

// The landings. Preceding and the others keep a working day, a make-up
// Saturday included, where it is.
const (
	Unset             Landing = iota // the caller decides; Shift takes it for None
	None                             // stays on the day off
	Following                        // the working day after (民法典 203)
	Preceding                        // the working day before
	ModifiedFollowing                // the working day after, unless that is in another month: then the one before
)

// Limit is a stretch of time such as "10 workdays" or "-1 month preceding".
type Limit struct {
	N       int // negative: before; at most 100,000 either way
	Unit    Unit
	Landing Landing
}

// ParseLimit reads "[-]N workday|day|week|month|year(s)", optionally followed
// by following, preceding, modified_following or none.
func ParseLimit(s string) (Limit, error) { return Limit{}, errors.New("not yet") }

// String returns what ParseLimit reads.
func (l Limit) String() string { return "" }

// String returns workday, day, week, month or year.
func (u Unit) String() string { return "" }

// String returns none, following, preceding or modified_following; "" for Unset.
func (l Landing) String() string { return "" }

// ParseLanding reads none, following, preceding or modified_following.
func ParseLanding(s string) (Landing, error) { return 0, errors.New("not yet") }

func didYouMean(s string, words []string) string { return "" }
